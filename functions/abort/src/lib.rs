//! The abort function of the workflow.
