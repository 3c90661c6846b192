//! The head function of the workflow.
