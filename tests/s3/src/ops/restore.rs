//! RestoreObject: an archived object can be read again after a while, for some days.

use std::time::{Duration, SystemTime};

use http::{HeaderMap, StatusCode};
use s3s::dto::{RestoreObjectInput, RestoreObjectOutput};
use s3s::{S3ErrorCode, S3Request, S3Response, S3Result};

use super::get::http_date;
use crate::errors;
use crate::storage::Store;
use crate::storage::object::Restore;

/// 202 for a new restore, 200 where the days of a finished one change, 409 while one is under way.
pub(super) async fn restore(
    store: &Store,
    request: S3Request<RestoreObjectInput>,
) -> S3Result<S3Response<RestoreObjectOutput>> {
    let input = request.input;
    let days = input.restore_request.and_then(|wish| wish.days).unwrap_or(1);
    let days = u64::try_from(days).ok().filter(|days| *days > 0);
    let days = days.ok_or_else(|| errors::invalid_argument("Days must be a positive number"))?;
    let now = store.now();
    let mut state = store.lock();
    let bucket = state.bucket_mut(&input.bucket)?;
    let (_, object) = bucket.version(&input.key, input.version_id.as_deref())?;
    if !object.attributes.is_archived() {
        let class = &object.attributes.storage_class;
        let message = format!("Restore is not allowed for the object's current storage class: {class}");
        return Err(errors::refuse(S3ErrorCode::InvalidObjectState, message));
    }
    let version = bucket.version_mut(&input.key, input.version_id.as_deref())?;
    let before = version.restore.filter(|restore| now < restore.expires);
    if before.is_some_and(|restore| now < restore.ready) {
        let message = "Object restore is already in progress";
        return Err(errors::refuse_with(StatusCode::CONFLICT, "RestoreAlreadyInProgress", message));
    }
    let ready = before.map_or(now + store.restore_takes, |restore| restore.ready);
    let expires = ready.max(now) + Duration::from_secs(days * 24 * 3600);
    version.restore = Some(Restore { ready, expires });
    let status = if before.is_some() { StatusCode::OK } else { StatusCode::ACCEPTED };
    Ok(super::answer(RestoreObjectOutput::default(), status, HeaderMap::new()))
}

/// The value of `x-amz-restore`.
pub(super) fn header(restore: Restore, now: SystemTime) -> String {
    if now < restore.ready {
        return "ongoing-request=\"true\"".to_owned();
    }
    format!("ongoing-request=\"false\", expiry-date=\"{}\"", http_date(restore.expires))
}
