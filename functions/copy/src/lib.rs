//! The copy function of the workflow.
