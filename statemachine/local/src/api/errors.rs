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

    /// An ARN that is none, or one of another kind of resource.
    pub(crate) fn arn(arn: &str) -> Self {
        let message = match arn.split(':').nth(5).filter(|_| arn.starts_with("arn:")) {
            Some(kind) => format!("Resource type not valid in this context: {kind}"),
            None => format!("Invalid ARN prefix: {arn}"),
        };
        Self::new("InvalidArn", format!("Invalid Arn: '{message}'"))
    }

    pub(crate) fn no_execution(arn: &str) -> Self {
        Self::new("ExecutionDoesNotExist", format!("Execution Does Not Exist: '{arn}'"))
    }

    pub(crate) fn no_machine(arn: &str) -> Self {
        Self::new("StateMachineDoesNotExist", format!("State Machine Does Not Exist: '{arn}'"))
    }

    /// What StartSyncExecution says to a STANDARD machine, and ListExecutions to an EXPRESS one.
    pub(crate) fn wrong_type() -> Self {
        let message = "This operation is not supported by this type of state machine";
        Self::new("StateMachineTypeNotSupported", message)
    }

    /// A version or an alias that is not there.
    pub(crate) fn no_reference() -> Self {
        Self::new("ResourceNotFound", "Request references a resource that does not exist.")
    }

    pub(crate) fn validation(message: impl Into<String>) -> Self {
        Self::new("ValidationException", message)
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
