//! A store that fails on demand: a decorator over any other. For tests that fail every call in turn.
//!
//! ```
//! use transload_store::faulty::{BodyFault, Faulty};
//! use transload_store::memory::{MemoryConfig, MemoryStore};
//! use transload_store::{StoreErrorKind, Verb};
//!
//! let store = Faulty::new(MemoryStore::new(MemoryConfig::default()).with_bucket("photos"));
//! store.refuse(Verb::UploadPart, 2..=2, StoreErrorKind::Throttled);
//! store.lose_answer(Verb::CompleteMultipartUpload, 1..=1, StoreErrorKind::Connection);
//! store.spoil(Verb::GetObject, .., BodyFault::Cut(10));
//! assert!(store.calls().is_empty());
//! ```

mod body;
mod rules;

use std::collections::BTreeMap;
use std::ops::RangeBounds;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use rules::{Effect, Rules};
use transload_plan::{ByteRange, Limits, PartNumber, Run};
use transload_wire::{BucketName, ChecksumAlgorithm, Etag, ObjectKey, Requests, Tier, UploadId};

use crate::{
    Complete, Condition, Created, Deleted, Head, ObjectListing, ObjectRef, Opened, PartBody, PartListing,
    PutBody, Ranged, Restore, Shelf, Store, StoreError, StoreErrorKind, StoredPart, Target, UploadRef,
    Uploads, Verb, Written,
};

pub use body::BodyFault;
pub use rules::Call;

/// A store and its faults. Clones share both.
#[derive(Clone)]
pub struct Faulty {
    inner: Arc<dyn Store>,
    rules: Arc<Mutex<Rules>>,
}

impl Faulty {
    /// Without faults until one is added.
    pub fn new(inner: impl Store + 'static) -> Self {
        Self::over(Arc::new(inner))
    }

    /// Over a store that others hold too.
    #[must_use]
    pub fn over(inner: Arc<dyn Store>) -> Self {
        Self { inner, rules: Arc::default() }
    }

    /// Refuses these calls of an operation (counted from 1) without an effect.
    pub fn refuse(&self, verb: Verb, calls: impl RangeBounds<u64>, kind: StoreErrorKind) {
        self.rules().add(verb, calls, Effect::Refuse(kind));
    }

    /// Lets these calls take effect, and loses the answer.
    pub fn lose_answer(&self, verb: Verb, calls: impl RangeBounds<u64>, kind: StoreErrorKind) {
        self.rules().add(verb, calls, Effect::LoseAnswer(kind));
    }

    /// Spoils the body that these calls read or send.
    pub fn spoil(&self, verb: Verb, calls: impl RangeBounds<u64>, fault: BodyFault) {
        self.rules().add(verb, calls, Effect::Spoil(fault));
    }

    /// Does something before these calls: overwrites the source, aborts the upload.
    pub fn before(&self, verb: Verb, calls: impl RangeBounds<u64>, act: impl Fn() + Send + Sync + 'static) {
        self.rules().add(verb, calls, Effect::Act(Arc::new(act)));
    }

    /// Takes all faults away; the counts go on.
    pub fn heal(&self) {
        self.rules().clear();
    }

    /// All calls so far, in order.
    #[must_use]
    pub fn calls(&self) -> Vec<Call> {
        self.rules().calls.clone()
    }

    /// Calls of one operation so far.
    #[must_use]
    pub fn count(&self, verb: Verb) -> u64 {
        self.rules().count(verb)
    }

    fn rules(&self) -> MutexGuard<'_, Rules> {
        self.rules.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Records a call and tells what is to happen to it. Acts run without the lock: they may call this store.
    fn enter(&self, verb: Verb, what: String) -> Fate {
        let effects = self.rules().enter(verb, what.clone());
        let mut fate = Fate { what: format!("{verb} {what}"), ..Fate::default() };
        for effect in effects {
            match effect {
                Effect::Refuse(kind) => fate.refused = Some(kind),
                Effect::LoseAnswer(kind) => fate.lost = Some(kind),
                Effect::Spoil(fault) => fate.spoiled = Some(fault),
                Effect::Act(act) => act(),
            }
        }
        fate
    }

    /// A call without a body.
    async fn plain<T>(
        &self,
        verb: Verb,
        what: String,
        call: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        let fate = self.enter(verb, what);
        fate.check_refused()?;
        let answer = call.await;
        fate.check_lost()?;
        answer
    }

    /// A call that sends a body.
    async fn sending<T, F>(
        &self,
        verb: Verb,
        what: String,
        body: PutBody,
        call: impl FnOnce(PutBody) -> F,
    ) -> Result<T, StoreError>
    where
        F: Future<Output = Result<T, StoreError>>,
    {
        let fate = self.enter(verb, what);
        fate.check_refused()?;
        let broken = body::Broken::default();
        let body = match fate.spoiled {
            Some(fault) => body::spoil_sent(body, fault, broken.clone()),
            None => body,
        };
        let answer = call(body).await;
        if let Some(kind) = broken.get() {
            return Err(fate.error(kind, "the connection broke in the body"));
        }
        fate.check_lost()?;
        answer
    }
}

/// What happens to one call.
#[derive(Default)]
struct Fate {
    what: String,
    refused: Option<StoreErrorKind>,
    lost: Option<StoreErrorKind>,
    spoiled: Option<BodyFault>,
}

impl Fate {
    fn error(&self, kind: StoreErrorKind, why: &str) -> StoreError {
        StoreError::new(kind, format!("{}: {why} (a fault of the test)", self.what))
    }

    fn check_refused(&self) -> Result<(), StoreError> {
        self.refused.map_or(Ok(()), |kind| Err(self.error(kind, "refused")))
    }

    fn check_lost(&self) -> Result<(), StoreError> {
        self.lost.map_or(Ok(()), |kind| Err(self.error(kind, "the answer was lost")))
    }
}

#[async_trait]
impl Store for Faulty {
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

    fn takes(&self, key: &ObjectKey) -> bool {
        self.inner.takes(key)
    }

    fn partition(&self) -> Option<&str> {
        self.inner.partition()
    }

    fn region(&self) -> Option<&str> {
        self.inner.region()
    }

    /// Every call is a request, also one that was refused here.
    fn requests(&self) -> Requests {
        self.rules().requests()
    }

    async fn head(&self, object: &ObjectRef) -> Result<Head, StoreError> {
        self.plain(Verb::HeadObject, object.to_string(), self.inner.head(object)).await
    }

    async fn tags(&self, object: &ObjectRef) -> Result<BTreeMap<String, String>, StoreError> {
        self.plain(Verb::GetObjectTagging, object.to_string(), self.inner.tags(object)).await
    }

    async fn source_parts(&self, object: &ObjectRef, head: &Head) -> Result<Option<Vec<Run>>, StoreError> {
        let call = self.inner.source_parts(object, head);
        self.plain(Verb::GetObjectAttributes, object.to_string(), call).await
    }

    async fn get_range(
        &self,
        object: &ObjectRef,
        etag: &Etag,
        range: ByteRange,
        total: u64,
    ) -> Result<Ranged, StoreError> {
        let fate = self.enter(Verb::GetObject, format!("{object} {range}"));
        fate.check_refused()?;
        let ranged = self.inner.get_range(object, etag, range, total).await;
        fate.check_lost()?;
        let mut ranged = ranged?;
        if let Some(fault) = fate.spoiled {
            ranged.body = body::spoil_read(ranged.body, fault, fate.what);
        }
        Ok(ranged)
    }

    async fn open(&self, object: &ObjectRef, etag: &Etag, total: u64) -> Result<Opened, StoreError> {
        let fate = self.enter(Verb::GetObject, object.to_string());
        fate.check_refused()?;
        let opened = self.inner.open(object, etag, total).await;
        fate.check_lost()?;
        let mut opened = opened?;
        if let Some(fault) = fate.spoiled {
            opened.body = body::spoil_read(opened.body, fault, fate.what);
        }
        Ok(opened)
    }

    async fn delete_object(&self, object: &ObjectRef, etag: &Etag) -> Result<Deleted, StoreError> {
        self.plain(Verb::DeleteObject, object.to_string(), self.inner.delete_object(object, etag)).await
    }

    async fn restore(
        &self,
        object: &ObjectRef,
        tier: Tier,
        days: Option<u32>,
    ) -> Result<Restore, StoreError> {
        self.plain(Verb::RestoreObject, object.to_string(), self.inner.restore(object, tier, days)).await
    }

    async fn put(
        &self,
        target: &Target,
        body: PutBody,
        condition: &Condition,
    ) -> Result<Written, StoreError> {
        let what = format!("s3://{}/{}", target.bucket, target.key);
        self.sending(Verb::PutObject, what, body, |body| self.inner.put(target, body, condition)).await
    }

    async fn create_upload(&self, target: &Target) -> Result<Created, StoreError> {
        let what = format!("s3://{}/{}", target.bucket, target.key);
        self.plain(Verb::CreateMultipartUpload, what, self.inner.create_upload(target)).await
    }

    async fn upload_part(
        &self,
        upload: &UploadRef,
        part: PartNumber,
        body: PartBody,
    ) -> Result<StoredPart, StoreError> {
        let what = format!("{upload} part {part}");
        self.sending(Verb::UploadPart, what, body, |body| self.inner.upload_part(upload, part, body)).await
    }

    async fn upload_part_at(
        &self,
        upload: &UploadRef,
        part: PartNumber,
        offset: u64,
        body: PartBody,
    ) -> Result<StoredPart, StoreError> {
        let what = format!("{upload} part {part}");
        let call = |body| self.inner.upload_part_at(upload, part, offset, body);
        self.sending(Verb::UploadPart, what, body, call).await
    }

    async fn list_parts(&self, upload: &UploadRef, after: u32) -> Result<PartListing, StoreError> {
        self.plain(Verb::ListParts, upload.to_string(), self.inner.list_parts(upload, after)).await
    }

    async fn complete_upload(&self, upload: &UploadRef, complete: &Complete) -> Result<Written, StoreError> {
        let call = self.inner.complete_upload(upload, complete);
        self.plain(Verb::CompleteMultipartUpload, upload.to_string(), call).await
    }

    async fn abort_upload(&self, upload: &UploadRef) -> Result<(), StoreError> {
        self.plain(Verb::AbortMultipartUpload, upload.to_string(), self.inner.abort_upload(upload)).await
    }

    async fn list_uploads(
        &self,
        bucket: &BucketName,
        prefix: &str,
        after: Option<&(ObjectKey, UploadId)>,
    ) -> Result<Uploads, StoreError> {
        let call = self.inner.list_uploads(bucket, prefix, after);
        self.plain(Verb::ListMultipartUploads, format!("s3://{bucket}/{prefix}"), call).await
    }

    async fn list_objects(&self, shelf: &Shelf, after: &str, max: u32) -> Result<ObjectListing, StoreError> {
        let call = self.inner.list_objects(shelf, after, max);
        self.plain(Verb::ListObjectsV2, format!("{shelf} behind {after:?}"), call).await
    }

    async fn list_versions(&self, shelf: &Shelf, after: &str, max: u32) -> Result<ObjectListing, StoreError> {
        let call = self.inner.list_versions(shelf, after, max);
        self.plain(Verb::ListObjectVersions, format!("{shelf} behind {after:?}"), call).await
    }
}

#[cfg(test)]
mod tests;
