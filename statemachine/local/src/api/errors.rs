//! Errors: the service's codes for what a caller did, and what can go wrong with the engine itself.
use crate::asl::Diagnostic;
use crate::store::StoreError;

/// A refused request: `code` is the service's exception without its package, `message` says what and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, serde::Serialize)]
#[error("{code}: {message}")]
pub struct ApiError {
    /// `InvalidDefinition`, `ExecutionAlreadyExists`, `StorageFailure` (ours: the database failed), ...
    pub code: &'static str,
    /// Expected, found, where.
    pub message: String,
}

impl ApiError {
    pub(crate) fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }

    pub(crate) fn definition(problems: &[Diagnostic]) -> Self {
        let all: Vec<String> = problems.iter().map(ToString::to_string).collect();
        Self::new("InvalidDefinition", format!("Invalid State Machine Definition: '{}'", all.join(", ")))
    }

    pub(crate) fn arn(arn: &str, kind: &str) -> Self {
        Self::new(
            "InvalidArn",
            format!("Invalid Arn: 'Resource type not valid in this context: expected {kind}, found {arn}'"),
        )
    }

    pub(crate) fn no_execution(arn: &str) -> Self {
        Self::new("ExecutionDoesNotExist", format!("Execution Does Not Exist: '{arn}'"))
    }

    pub(crate) fn no_machine(arn: &str) -> Self {
        Self::new("StateMachineDoesNotExist", format!("State Machine Does Not Exist: '{arn}'"))
    }

    pub(crate) fn no_map_run(arn: &str) -> Self {
        Self::new("ResourceNotFound", format!("Resource not found: '{arn}'"))
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        Self::new("StorageFailure", error.to_string())
    }
}

/// Why an engine could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A stored definition no longer parses.
    #[error("stored definition of {machine}: {source}")]
    Definition {
        /// The state machine's ARN.
        machine: String,
        /// What is wrong with it.
        source: ApiError,
    },
}
