//! A store whose listings are late, or changed on their way.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use transload_plan::{ByteRange, Limits, PartNumber, Run};
use transload_store::memory::MemoryStore;
use transload_store::{
    Complete, Condition, Created, Deleted, Head, ObjectListing, ObjectRef, Opened, PartBody, PartListing,
    PutBody, Ranged, Shelf, Store, StoreError, StoredPart, Target, UploadRef, Uploads, Written,
};
use transload_wire::{BucketName, ChecksumAlgorithm, Etag, ObjectKey, Requests, UploadId};

use super::Lie;

pub(crate) struct Liar {
    pub(crate) store: Arc<MemoryStore>,
    pub(crate) lie: Lie,
    pub(crate) late: Duration,
}

impl Liar {
    pub(crate) fn new(store: MemoryStore, lie: Lie) -> Self {
        Self { store: Arc::new(store), lie, late: Duration::ZERO }
    }

    /// Tells the truth, after a while.
    pub(crate) fn late(store: MemoryStore, late: Duration) -> Self {
        Self { late, ..Self::new(store, |_| {}) }
    }
}

#[async_trait]
impl Store for Liar {
    async fn list_objects(&self, shelf: &Shelf, after: &str, max: u32) -> Result<ObjectListing, StoreError> {
        tokio::time::sleep(self.late).await;
        let mut page = self.store.list_objects(shelf, after, max).await?;
        (self.lie)(&mut page);
        Ok(page)
    }

    fn limits(&self) -> &Limits {
        self.store.limits()
    }

    fn checksums(&self) -> &[ChecksumAlgorithm] {
        self.store.checksums()
    }

    fn conditional_writes(&self) -> bool {
        self.store.conditional_writes()
    }

    fn requests(&self) -> Requests {
        self.store.requests()
    }

    async fn head(&self, object: &ObjectRef) -> Result<Head, StoreError> {
        self.store.head(object).await
    }

    async fn tags(&self, object: &ObjectRef) -> Result<BTreeMap<String, String>, StoreError> {
        self.store.tags(object).await
    }

    async fn source_parts(&self, object: &ObjectRef, head: &Head) -> Result<Option<Vec<Run>>, StoreError> {
        self.store.source_parts(object, head).await
    }

    async fn get_range(
        &self,
        object: &ObjectRef,
        etag: &Etag,
        range: ByteRange,
        total: u64,
    ) -> Result<Ranged, StoreError> {
        self.store.get_range(object, etag, range, total).await
    }

    async fn open(&self, object: &ObjectRef, etag: &Etag, size: u64) -> Result<Opened, StoreError> {
        self.store.open(object, etag, size).await
    }

    async fn delete_object(&self, object: &ObjectRef, etag: &Etag) -> Result<Deleted, StoreError> {
        self.store.delete_object(object, etag).await
    }

    async fn put(
        &self,
        target: &Target,
        body: PutBody,
        condition: &Condition,
    ) -> Result<Written, StoreError> {
        self.store.put(target, body, condition).await
    }

    async fn create_upload(&self, target: &Target) -> Result<Created, StoreError> {
        self.store.create_upload(target).await
    }

    async fn upload_part(
        &self,
        upload: &UploadRef,
        part: PartNumber,
        body: PartBody,
    ) -> Result<StoredPart, StoreError> {
        self.store.upload_part(upload, part, body).await
    }

    async fn list_parts(&self, upload: &UploadRef, after: u32) -> Result<PartListing, StoreError> {
        self.store.list_parts(upload, after).await
    }

    async fn complete_upload(&self, upload: &UploadRef, complete: &Complete) -> Result<Written, StoreError> {
        self.store.complete_upload(upload, complete).await
    }

    async fn abort_upload(&self, upload: &UploadRef) -> Result<(), StoreError> {
        self.store.abort_upload(upload).await
    }

    async fn list_uploads(
        &self,
        bucket: &BucketName,
        prefix: &str,
        after: Option<&(ObjectKey, UploadId)>,
    ) -> Result<Uploads, StoreError> {
        self.store.list_uploads(bucket, prefix, after).await
    }
}
