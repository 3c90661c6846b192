//! The removal of a file of the workflow's own.

use transload_wire::{BucketName, ObjectKey};

use super::S3Store;
use crate::{StoreError, Verb};

impl S3Store {
    /// Deletes an object of whatever version, without a condition: only for files that nobody else writes.
    pub(crate) async fn remove(&self, bucket: &BucketName, key: &ObjectKey) -> Result<(), StoreError> {
        self.call(Verb::DeleteObject, &format!("s3://{bucket}/{key}"), |client| {
            client
                .delete_object()
                .bucket(bucket.as_str())
                .key(key.as_str())
                .set_expected_bucket_owner(self.settings.expected_bucket_owner.clone())
                .send()
        })
        .await
        .map(drop)
    }
}
