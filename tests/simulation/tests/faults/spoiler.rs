//! A worker's memory that fails: a store that alters the next body that is read or sent through it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use bytes::Bytes;
use futures::{StreamExt, TryStreamExt, stream};
use transload_plan::{ByteRange, Limits, PartNumber, Run};
use transload_store::{
    Complete, Condition, Created, Deleted, Head, ObjectBody, ObjectRef, Opened, PartListing, PutBody, Ranged,
    Store, StoreError, StoredPart, Target, UploadRef, Uploads, Written,
};
use transload_wire::{BucketName, ChecksumAlgorithm, Etag, ObjectKey, Requests, UploadId};

/// What happens to bytes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Damage {
    Flip,
    Swap,
    Truncate,
    Duplicate,
    Omit,
}

impl Damage {
    pub(crate) const ALL: [Self; 5] = [Self::Flip, Self::Swap, Self::Truncate, Self::Duplicate, Self::Omit];

    /// Alters bytes at an offset; they are never the same afterwards.
    pub(crate) fn alter(self, bytes: &[u8], at: usize) -> Vec<u8> {
        let mut altered = bytes.to_vec();
        let end = (at + 5).min(bytes.len());
        match self {
            Self::Swap if at + 1 < bytes.len() && bytes[at] != bytes[at + 1] => altered.swap(at, at + 1),
            Self::Flip | Self::Swap => altered[at] ^= 4,
            Self::Truncate => altered.truncate(at),
            Self::Duplicate => drop(altered.splice(at..at, bytes[at..end].iter().copied())),
            Self::Omit => drop(altered.drain(at..end)),
        }
        altered
    }
}

/// Damage that waits for the next body, for reading or for sending; and how much was done.
#[derive(Debug, Clone, Default)]
pub(crate) struct Armed(Arc<Mutex<Waiting>>);

#[derive(Debug, Default)]
struct Waiting {
    damage: Option<(Damage, usize)>,
    done: u64,
}

impl Armed {
    pub(crate) fn set(&self, damage: Damage, at: usize) {
        self.0.lock().unwrap().damage = Some((damage, at));
    }

    /// Bodies that were altered so far.
    pub(crate) fn done(&self) -> u64 {
        self.0.lock().unwrap().done
    }

    fn meet(&self, bytes: Bytes) -> Bytes {
        let mut state = self.0.lock().unwrap();
        match state.damage.take().filter(|_| !bytes.is_empty()) {
            None => bytes,
            Some((damage, at)) => {
                state.done += 1;
                damage.alter(&bytes, at % bytes.len()).into()
            }
        }
    }
}

pub(crate) struct Spoiler {
    pub(crate) inner: Arc<dyn Store>,
    pub(crate) reads: Armed,
    pub(crate) writes: Armed,
}

impl Spoiler {
    /// The whole body at once, altered if that is due when it flows.
    fn sent(&self, body: PutBody) -> PutBody {
        let (writes, stream) = (self.writes.clone(), body.stream);
        let all = stream.try_fold(Vec::new(), |mut all, frame| async move {
            all.extend_from_slice(&frame);
            Ok(all)
        });
        let altered = async move { all.await.map(|all| writes.meet(all.into())) };
        PutBody { stream: stream::once(altered).boxed(), ..body }
    }
}

impl Spoiler {
    fn spoiled(&self, body: ObjectBody) -> ObjectBody {
        let reads = self.reads.clone();
        let all = body.try_fold(Vec::new(), |mut all, frame| async move {
            all.extend_from_slice(&frame);
            Ok(all)
        });
        let altered = async move { all.await.map(|all| reads.meet(all.into())) };
        stream::once(altered).boxed()
    }
}

#[async_trait]
impl Store for Spoiler {
    fn limits(&self) -> &Limits {
        self.inner.limits()
    }

    fn checksums(&self) -> &[ChecksumAlgorithm] {
        self.inner.checksums()
    }

    fn conditional_writes(&self) -> bool {
        self.inner.conditional_writes()
    }

    fn etags_are_md5(&self) -> bool {
        self.inner.etags_are_md5()
    }

    fn partition(&self) -> Option<&str> {
        self.inner.partition()
    }

    fn requests(&self) -> Requests {
        self.inner.requests()
    }

    async fn head(&self, object: &ObjectRef) -> Result<Head, StoreError> {
        self.inner.head(object).await
    }

    async fn tags(&self, object: &ObjectRef) -> Result<BTreeMap<String, String>, StoreError> {
        self.inner.tags(object).await
    }

    async fn source_parts(&self, object: &ObjectRef, head: &Head) -> Result<Option<Vec<Run>>, StoreError> {
        self.inner.source_parts(object, head).await
    }

    async fn get_range(
        &self,
        object: &ObjectRef,
        etag: &Etag,
        range: ByteRange,
        total: u64,
    ) -> Result<Ranged, StoreError> {
        let ranged = self.inner.get_range(object, etag, range, total).await?;
        Ok(Ranged { body: self.spoiled(ranged.body), ..ranged })
    }

    async fn open(&self, object: &ObjectRef, etag: &Etag, total: u64) -> Result<Opened, StoreError> {
        let opened = self.inner.open(object, etag, total).await?;
        Ok(Opened { body: self.spoiled(opened.body), ..opened })
    }

    async fn delete_object(&self, object: &ObjectRef, etag: &Etag) -> Result<Deleted, StoreError> {
        self.inner.delete_object(object, etag).await
    }

    async fn put(
        &self,
        target: &Target,
        body: PutBody,
        condition: &Condition,
    ) -> Result<Written, StoreError> {
        self.inner.put(target, self.sent(body), condition).await
    }

    async fn create_upload(&self, target: &Target) -> Result<Created, StoreError> {
        self.inner.create_upload(target).await
    }

    async fn upload_part(
        &self,
        upload: &UploadRef,
        part: PartNumber,
        body: PutBody,
    ) -> Result<StoredPart, StoreError> {
        self.inner.upload_part(upload, part, self.sent(body)).await
    }

    async fn list_parts(&self, upload: &UploadRef, after: u32) -> Result<PartListing, StoreError> {
        self.inner.list_parts(upload, after).await
    }

    async fn complete_upload(&self, upload: &UploadRef, complete: &Complete) -> Result<Written, StoreError> {
        self.inner.complete_upload(upload, complete).await
    }

    async fn abort_upload(&self, upload: &UploadRef) -> Result<(), StoreError> {
        self.inner.abort_upload(upload).await
    }

    async fn list_uploads(
        &self,
        bucket: &BucketName,
        prefix: &str,
        after: Option<&(ObjectKey, UploadId)>,
    ) -> Result<Uploads, StoreError> {
        self.inner.list_uploads(bucket, prefix, after).await
    }
}
