//! Requests, answers and errors of the engine, in the shapes of the Step Functions API.
mod errors;
mod types;

pub use errors::{ApiError, EngineError};
pub use types::*;
