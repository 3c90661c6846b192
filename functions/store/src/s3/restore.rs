//! Asks an object back from its archive tier.

use aws_sdk_s3::types::{GlacierJobParameters, RestoreRequest, Tier as S3Tier};
use transload_wire::Tier;

use super::S3Store;
use crate::{Restore, StoreError, StoreErrorKind as Kind, StoredRef, Verb};

/// 202 begins; 200 is said of one that is readable, 409 of one that is on its way, and 403 `InvalidObjectState` of one that
/// is in no archive tier (any more).
pub(super) async fn restore(
    store: &S3Store,
    object: &StoredRef,
    tier: Tier,
    days: Option<u32>,
) -> Result<Restore, StoreError> {
    let wish = wish(object, tier, days)?;
    let payer = object.requester_pays.then_some(aws_sdk_s3::types::RequestPayer::Requester);
    let answer = store
        .call(Verb::RestoreObject, &object.to_string(), |client| {
            client
                .restore_object()
                .bucket(object.bucket.as_str())
                .key(object.key.as_str())
                .set_version_id(object.version.as_ref().map(ToString::to_string))
                .set_expected_bucket_owner(store.settings.expected_bucket_owner.clone())
                .set_request_payer(payer.clone())
                .restore_request(wish.clone())
                .send()
        })
        .await;
    match answer {
        // The SDK does not tell 200 and 202 apart: the next HEAD does.
        Ok(_) => Ok(Restore::UnderWay),
        Err(error) if error.kind == Kind::Conflict => Ok(Restore::UnderWay),
        Err(error) if error.kind == Kind::Archived => Ok(Restore::Readable),
        Err(error) => Err(error),
    }
}

/// An intelligent class takes the tier beside no days; the others take it within the parameters of the job.
fn wish(object: &StoredRef, tier: Tier, days: Option<u32>) -> Result<RestoreRequest, StoreError> {
    let days = days.map(i32::try_from).transpose();
    let malformed = |why: String| {
        StoreError::new(Kind::InvalidRequest, format!("{} {object}: {why}", Verb::RestoreObject))
    };
    let days = days.map_err(|error| malformed(format!("days: {error}")))?;
    let job = GlacierJobParameters::builder().tier(S3Tier::from(tier.as_str())).build();
    let job = job.map_err(|error| malformed(error.to_string()))?;
    Ok(RestoreRequest::builder().set_days(days).glacier_job_parameters(job).build())
}
