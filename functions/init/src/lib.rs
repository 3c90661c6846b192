//! The init function of the workflow.
