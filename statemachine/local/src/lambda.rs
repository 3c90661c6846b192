//! What the engine asks of whoever runs Lambda functions.
use async_trait::async_trait;
use bytes::Bytes;

/// One call of a function.
#[derive(Debug, Clone)]
pub struct Invocation {
    /// Name or ARN, with a qualifier if the definition gave one.
    pub function: String,
    /// JSON, at most 256 KiB.
    pub payload: Bytes,
    /// The execution that calls.
    pub execution_arn: String,
    /// The state that calls.
    pub state: String,
}

/// What a function answered.
#[derive(Debug, Clone)]
pub struct LambdaOutput {
    /// JSON.
    pub payload: Bytes,
    /// `$LATEST` or a version.
    pub executed_version: String,
}

/// Why a call did not succeed. The names are what `ErrorEquals` matches.
#[derive(Debug, Clone, thiserror::Error)]
pub enum LambdaError {
    /// The function itself failed.
    #[error("{error_type}")]
    Function {
        /// `errorType` of the payload.
        error_type: String,
        /// `{"errorMessage", "errorType", ...}`: becomes the cause.
        payload: Bytes,
    },
    /// The service did.
    #[error("{name}: {message}")]
    Service {
        /// `Lambda.TooManyRequestsException` and so on.
        name: String,
        /// Becomes the cause.
        message: String,
    },
}

/// Runs Lambda functions.
#[async_trait]
pub trait Lambda: Send + Sync {
    /// Calls a function and waits for its answer. Dropping the future gives the call up.
    async fn invoke(&self, invocation: Invocation) -> Result<LambdaOutput, LambdaError>;
}

/// Stands in when no Lambda was given: every call fails as with a function that does not exist.
pub(crate) struct NoLambda;

#[async_trait]
impl Lambda for NoLambda {
    async fn invoke(&self, invocation: Invocation) -> Result<LambdaOutput, LambdaError> {
        let message = format!("Function not found: {}", invocation.function);
        Err(LambdaError::Service { name: "Lambda.ResourceNotFoundException".to_owned(), message })
    }
}
