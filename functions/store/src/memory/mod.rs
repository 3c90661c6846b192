//! A store in memory, by S3's rules as far as a transfer can meet them. For tests.
//!
//! ```
//! use transload_store::Store;
//! use transload_store::memory::{MemoryConfig, MemoryStore};
//!
//! let store = MemoryStore::new(MemoryConfig::default()).with_bucket("photos").with_versions("photos-versioned");
//! store.write("photos", "a", "some bytes");
//! assert_eq!(store.read("photos", "a").unwrap(), "some bytes");
//! assert!(store.requests().is_empty(), "a test's own hands are not counted");
//! ```

mod body;
mod hands;
mod list;
mod read;
mod state;
mod stores;
mod upload;
mod write;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use state::State;
use transload_plan::{ByteRange, Limits, PartNumber, Run};
use transload_wire::{BucketName, ChecksumAlgorithm, Etag, ObjectKey, Requests, Tier, UploadId};

use crate::{
    Complete, Condition, Created, Deleted, Head, ObjectListing, ObjectRef, Opened, PartBody, PartListing,
    PutBody, Ranged, Restore, Shelf, Store, StoreError, StoredPart, Target, UploadRef, Uploads, Verb,
    Written,
};

pub use stores::MemoryStores;

/// How a store in memory behaves. The default is Amazon S3.
#[derive(Debug, Clone)]
pub struct MemoryConfig {
    /// Limits of objects and parts.
    pub limits: Limits,
    /// Checksums that it computes, best first; the first is taken where none is asked for. Empty: none.
    pub checksums: Vec<ChecksumAlgorithm>,
    /// Whether conditions of writes are honoured; they are ignored otherwise.
    pub conditional_writes: bool,
    /// Whether Complete of a completed upload answers as before; `NoSuchUpload` otherwise, as many compatible stores say.
    pub completes_again: bool,
    /// Entries of a page of parts or uploads. S3: 1,000.
    pub page: usize,
    /// Bytes of one frame of a body that is read.
    pub frame: usize,
    /// Who makes uploads.
    pub initiator: String,
}

impl Default for MemoryConfig {
    fn default() -> Self {
        use ChecksumAlgorithm as A;
        Self {
            limits: Limits::default(),
            checksums: vec![A::Crc64Nvme, A::Crc32c, A::Crc32, A::Sha1, A::Sha256],
            conditional_writes: true,
            completes_again: true,
            page: 1_000,
            frame: 64 << 10,
            initiator: "somebody".to_owned(),
        }
    }
}

/// A store in memory. Clones share their contents.
#[derive(Clone)]
pub struct MemoryStore {
    config: Arc<MemoryConfig>,
    /// Those of the configuration that prove whole multipart objects.
    combinable: Arc<[ChecksumAlgorithm]>,
    state: Arc<Mutex<State>>,
}

impl MemoryStore {
    /// The same store as it is for somebody else, who makes uploads in his own name.
    #[must_use]
    pub fn seen_by(&self, initiator: &str) -> Self {
        let config = MemoryConfig { initiator: initiator.to_owned(), ..(*self.config).clone() };
        Self { config: Arc::new(config), ..self.clone() }
    }

    /// A store without buckets.
    #[must_use]
    pub fn new(config: MemoryConfig) -> Self {
        let combinable =
            config.checksums.iter().copied().filter(|a| ChecksumAlgorithm::COMBINABLE.contains(a)).collect();
        Self { config: Arc::new(config), combinable, state: Arc::default() }
    }

    /// A test that panicked elsewhere leaves the contents as they are.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Store for MemoryStore {
    fn limits(&self) -> &Limits {
        &self.config.limits
    }

    fn checksums(&self) -> &[ChecksumAlgorithm] {
        &self.combinable
    }

    fn conditional_writes(&self) -> bool {
        self.config.conditional_writes
    }

    fn etags_are_md5(&self) -> bool {
        true
    }

    fn requests(&self) -> Requests {
        self.lock().requests.clone()
    }

    async fn head(&self, object: &ObjectRef) -> Result<Head, StoreError> {
        self.lock().head(object.stored()?)
    }

    async fn tags(&self, object: &ObjectRef) -> Result<BTreeMap<String, String>, StoreError> {
        let mut state = self.lock();
        state.count(Verb::GetObjectTagging);
        Ok(state.content(Verb::GetObjectTagging, object.stored()?)?.target.attributes.tags.clone())
    }

    async fn source_parts(&self, object: &ObjectRef, head: &Head) -> Result<Option<Vec<Run>>, StoreError> {
        self.lock().source_parts(object.stored()?, head)
    }

    async fn get_range(
        &self,
        object: &ObjectRef,
        etag: &Etag,
        range: ByteRange,
        total: u64,
    ) -> Result<Ranged, StoreError> {
        let bytes = self.lock().get_range(object.stored()?, etag, range, total)?;
        Ok(Ranged { range, body: body::frames(bytes, self.config.frame) })
    }

    async fn open(&self, object: &ObjectRef, etag: &Etag, total: u64) -> Result<Opened, StoreError> {
        let (head, bytes) = self.lock().open(object.stored()?, etag, total)?;
        Ok(Opened { head, body: body::frames(bytes, self.config.frame) })
    }

    async fn delete_object(&self, object: &ObjectRef, etag: &Etag) -> Result<Deleted, StoreError> {
        write::delete(&self.config, &mut self.lock(), object.stored()?, etag)
    }

    async fn restore(
        &self,
        object: &ObjectRef,
        _tier: Tier,
        _days: Option<u32>,
    ) -> Result<Restore, StoreError> {
        write::restore(&mut self.lock(), object.stored()?)
    }

    async fn put(
        &self,
        target: &Target,
        body: PutBody,
        condition: &Condition,
    ) -> Result<Written, StoreError> {
        self.lock().begin(Verb::PutObject, &target.bucket)?;
        let bytes = body::collect(Verb::PutObject, body).await?;
        write::put(&self.config, &mut self.lock(), target, bytes, condition)
    }

    async fn create_upload(&self, target: &Target) -> Result<Created, StoreError> {
        upload::create(&self.config, &mut self.lock(), target)
    }

    async fn upload_part(
        &self,
        upload: &UploadRef,
        part: PartNumber,
        body: PartBody,
    ) -> Result<StoredPart, StoreError> {
        self.lock().begin(Verb::UploadPart, &upload.bucket)?;
        let bytes = body::collect(Verb::UploadPart, body).await?;
        upload::store_part(&self.config, &mut self.lock(), upload, part, bytes)
    }

    async fn list_parts(&self, upload: &UploadRef, after: u32) -> Result<PartListing, StoreError> {
        upload::list_parts(&self.config, &mut self.lock(), upload, after)
    }

    async fn complete_upload(&self, upload: &UploadRef, complete: &Complete) -> Result<Written, StoreError> {
        write::complete(&self.config, &mut self.lock(), upload, complete)
    }

    async fn abort_upload(&self, upload: &UploadRef) -> Result<(), StoreError> {
        upload::abort(&mut self.lock(), upload)
    }

    async fn list_uploads(
        &self,
        bucket: &BucketName,
        prefix: &str,
        after: Option<&(ObjectKey, UploadId)>,
    ) -> Result<Uploads, StoreError> {
        upload::list_uploads(&self.config, &mut self.lock(), bucket, prefix, after)
    }

    async fn list_objects(&self, shelf: &Shelf, after: &str, max: u32) -> Result<ObjectListing, StoreError> {
        list::list(&self.config, &mut self.lock(), Verb::ListObjectsV2, shelf, (after, max))
    }

    async fn list_versions(&self, shelf: &Shelf, after: &str, max: u32) -> Result<ObjectListing, StoreError> {
        list::list(&self.config, &mut self.lock(), Verb::ListObjectVersions, shelf, (after, max))
    }
}

#[cfg(test)]
mod tests;
