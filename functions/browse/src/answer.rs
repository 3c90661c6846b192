//! The answer of Step Functions as it came: what the SDK makes of it has other names.

use std::sync::{Arc, Mutex, PoisonError};

use aws_sdk_sfn::config::interceptors::AfterDeserializationInterceptorContextRef;
use aws_sdk_sfn::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_sfn::error::BoxError;
use aws_smithy_runtime_api::client::interceptors::dyn_dispatch_hint;
use serde_json::Value;

/// Keeps the body of an answer.
#[derive(Debug, Clone, Default)]
pub struct Body(Arc<Mutex<Vec<u8>>>);

impl Body {
    /// The body, once the answer is there.
    ///
    /// # Errors
    /// If it is no JSON.
    pub fn json(&self) -> Result<Value, serde_json::Error> {
        let body = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        serde_json::from_slice(&body)
    }
}

#[dyn_dispatch_hint]
impl Intercept for Body {
    fn name(&self) -> &'static str {
        "Body"
    }

    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let bytes = context.response().body().bytes().unwrap_or_default();
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = bytes.to_vec();
        Ok(())
    }
}
