//! The engine's functions are the pool's worker processes.

use async_trait::async_trait;
use lambda_local::{InvokeError, Pool};
use stepfunctions_local::{Invocation, Lambda, LambdaError, LambdaOutput};

/// Workers behind the engine's trait.
pub(crate) struct Workers(pub(crate) Pool);

#[async_trait]
impl Lambda for Workers {
    async fn invoke(&self, invocation: Invocation) -> Result<LambdaOutput, LambdaError> {
        let payload = self.0.invoke(&invocation.function, invocation.payload).await.map_err(translate)?;
        Ok(LambdaOutput { payload, executed_version: "$LATEST".to_owned() })
    }
}

/// An error of the function keeps its payload, which becomes the cause; one of the service has only a message.
fn translate(error: InvokeError) -> LambdaError {
    match error {
        InvokeError::Function { error_type, payload } | InvokeError::Crashed { error_type, payload } => {
            LambdaError::Function { error_type, payload }
        }
        InvokeError::Timeout { payload } => {
            LambdaError::Function { error_type: lambda_local::TIMED_OUT.to_owned(), payload }
        }
        other => LambdaError::Service { name: other.error_name().to_owned(), message: other.cause() },
    }
}

#[cfg(test)]
mod tests {
    use super::translate;
    use lambda_local::InvokeError;
    use stepfunctions_local::LambdaError;

    #[test]
    fn names_reach_the_workflow_unchanged() {
        let function =
            translate(InvokeError::Function { error_type: "SourceChanged".into(), payload: "{}".into() });
        assert!(
            matches!(function, LambdaError::Function { error_type, .. } if error_type == "SourceChanged")
        );
        let timeout = translate(InvokeError::Timeout { payload: "{}".into() });
        assert!(
            matches!(timeout, LambdaError::Function { error_type, .. } if error_type == "Sandbox.Timedout")
        );
        let throttle = translate(InvokeError::TooManyRequests { message: "m".into() });
        assert!(
            matches!(throttle, LambdaError::Service { name, .. } if name == "Lambda.TooManyRequestsException")
        );
    }
}
