//! What the head of an answer tells, whether the answer is a success or not: the SDK's own results leave it out.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::context::BeforeDeserializationInterceptorContextRef;
use aws_smithy_runtime_api::client::interceptors::{Intercept, dyn_dispatch_hint};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::DateTime;
use aws_smithy_types::config_bag::ConfigBag;
use aws_smithy_types::date_time::Format;

use super::{Look, Refusal};

/// The last answer's.
#[derive(Debug, Clone, Default)]
pub(super) struct Seen(Arc<Mutex<Head>>);

#[derive(Debug, Clone, Default)]
struct Head {
    region: Option<String>,
    clock: Option<i64>,
}

impl Seen {
    /// An answer with what was seen.
    pub(super) fn look<T>(&self, answer: Result<T, Refusal>) -> Look<T> {
        let Head { region, clock } = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Look { answer, region, clock }
    }
}

#[dyn_dispatch_hint]
impl Intercept for Seen {
    fn name(&self) -> &'static str {
        "Seen"
    }

    fn read_before_deserialization(
        &self,
        context: &BeforeDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let headers = context.response().headers();
        let head = Head {
            region: headers.get("x-amz-bucket-region").map(ToOwned::to_owned),
            clock: headers.get("date").and_then(ahead),
        };
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = head;
        Ok(())
    }
}

/// Seconds by which a date is ahead of our clock.
fn ahead(date: &str) -> Option<i64> {
    let theirs = DateTime::from_str(date, Format::HttpDate).ok()?.secs();
    let ours = SystemTime::now().duration_since(UNIX_EPOCH).ok()?.as_secs();
    Some(theirs - i64::try_from(ours).ok()?)
}
