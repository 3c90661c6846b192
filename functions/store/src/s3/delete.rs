//! Deletes an object: its newest version gets a delete marker where the bucket has versions.

use transload_wire::Etag;

use super::S3Store;
use super::convert::version;
use crate::{Deleted, StoreError, StoredRef, Verb};

/// `If-Match` is sent where conditions are honoured; elsewhere the caller compares before.
pub(super) async fn delete(store: &S3Store, object: &StoredRef, pin: &Etag) -> Result<Deleted, StoreError> {
    let condition = store.settings.capabilities.conditional_writes.then(|| pin.to_header());
    let answer = store
        .call(Verb::DeleteObject, &object.to_string(), |client| {
            client
                .delete_object()
                .bucket(object.bucket.as_str())
                .key(object.key.as_str())
                .set_version_id(object.version.as_ref().map(ToString::to_string))
                .set_expected_bucket_owner(store.settings.expected_bucket_owner.clone())
                .set_if_match(condition.clone())
                .send()
        })
        .await?;
    let marker = answer.delete_marker().unwrap_or(false);
    Ok(Deleted { marker: version(answer.version_id()).filter(|_| marker) })
}
