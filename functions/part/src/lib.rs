//! The part function of the workflow.
