//! The complete function of the workflow.
