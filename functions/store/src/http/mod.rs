//! What a URL gives, as a store that is only read. Each store is of one URL.
//!
//! A server promises less than S3 does, and each one something else: what holds the reads of one object together is in
//! `pin`, what proves its bytes in `proofs`, where it may lead to in `guard`.

mod address;
mod client;
mod facts;
mod guard;
mod kept;
mod pin;
mod proofs;
mod read;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::OnceCell;
use transload_plan::{ByteRange, Limits, PartNumber, Run};
use transload_wire::{
    BucketName, Checksum, ChecksumAlgorithm, ChecksumKind, ErrorName, Etag, Failure, ObjectKey, Requests,
    UploadId, Url, UrlSource,
};

pub(crate) use client::{Settings, Web};
pub(crate) use guard::Guard;

use crate::gone;
use crate::{
    Complete, Condition, Created, Deadline, Deleted, Head, ObjectRef, Opened, PartBody, PartListing, PutBody,
    Ranged, Store, StoreError, StoreErrorKind, StoredPart, Target, UploadRef, Uploads, Verb, Written,
};

/// How long a body without a length is read to know its size. Head has 300 s for all it does.
const MEASURE: Duration = Duration::from_secs(120);

/// Reads one URL.
pub(crate) struct HttpStore {
    web: Arc<Web>,
    source: UrlSource,
    /// For messages, without the query.
    place: String,
    /// The checksum that the request knows.
    known: Option<Checksum>,
    url: OnceCell<Url>,
    requests: Mutex<Requests>,
    limits: Limits,
}

impl HttpStore {
    /// Reads nothing yet.
    ///
    /// # Errors
    /// `InputInvalid` for a URL that is not to be read, and a checksum that is none.
    pub(crate) fn new(web: Arc<Web>, source: &UrlSource) -> Result<Self, Failure> {
        source.check()?;
        let refuse = |message: String| ErrorName::InputInvalid.because(message);
        web.settings.guard.vet(&source.url).map_err(|forbidden| {
            refuse(format!("url: {source}: {forbidden} (a deployment's table https may allow more)"))
        })?;
        let known = source.checksum.as_ref().map(|known| {
            if proofs::is_digest(known.algorithm, &known.value) {
                let (algorithm, value) = (known.algorithm, known.value.clone());
                return Ok(Checksum { algorithm, value, kind: ChecksumKind::FullObject });
            }
            Err(refuse(format!(
                "checksum.value: expected a {} in base64, found {} characters",
                known.algorithm.as_str(),
                known.value.len()
            )))
        });
        Ok(Self {
            web,
            place: source.to_string(),
            known: known.transpose()?,
            source: source.clone(),
            url: OnceCell::new(),
            requests: Mutex::default(),
            limits: Limits::default(),
        })
    }

    /// With its query, which is read once.
    async fn url(&self) -> Result<Url, StoreError> {
        self.url.get_or_try_init(|| kept::whole(&self.source)).await.cloned()
    }

    fn cannot<T>(&self, verb: Verb) -> Result<T, StoreError> {
        let message = format!("{verb} {}: a URL can only be read", self.place);
        Err(StoreError::new(StoreErrorKind::Unsupported, message))
    }
}

/// Whether the ETag of a URL's object alone says that its bytes are the same, whoever looks and whenever.
pub(crate) fn lasts(etag: &Etag) -> bool {
    pin::Pin::of(etag).lasts()
}

#[async_trait]
impl Store for HttpStore {
    fn limits(&self) -> &Limits {
        &self.limits
    }

    fn checksums(&self) -> &[ChecksumAlgorithm] {
        &[]
    }

    fn conditional_writes(&self) -> bool {
        false
    }

    fn in_one_stream(&self, etag: &Etag) -> bool {
        pin::Pin::of(etag).once
    }

    fn requests(&self) -> Requests {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    async fn head(&self, _object: &ObjectRef) -> Result<Head, StoreError> {
        gone::again(&Deadline::NONE, || facts::head(self)).await
    }

    async fn tags(&self, _object: &ObjectRef) -> Result<BTreeMap<String, String>, StoreError> {
        self.cannot(Verb::GetObjectTagging)
    }

    async fn source_parts(&self, _object: &ObjectRef, _head: &Head) -> Result<Option<Vec<Run>>, StoreError> {
        Ok(None)
    }

    async fn get_range(
        &self,
        _object: &ObjectRef,
        etag: &Etag,
        range: ByteRange,
        total: u64,
    ) -> Result<Ranged, StoreError> {
        read::get_range(self, etag, range, total).await
    }

    async fn open(&self, _object: &ObjectRef, _etag: &Etag, _total: u64) -> Result<Opened, StoreError> {
        self.cannot(Verb::GetObject)
    }

    async fn delete_object(&self, _object: &ObjectRef, _etag: &Etag) -> Result<Deleted, StoreError> {
        self.cannot(Verb::DeleteObject)
    }

    async fn put(&self, _: &Target, _: PutBody, _: &Condition) -> Result<Written, StoreError> {
        self.cannot(Verb::PutObject)
    }

    async fn create_upload(&self, _: &Target) -> Result<Created, StoreError> {
        self.cannot(Verb::CreateMultipartUpload)
    }

    async fn upload_part(&self, _: &UploadRef, _: PartNumber, _: PartBody) -> Result<StoredPart, StoreError> {
        self.cannot(Verb::UploadPart)
    }

    async fn list_parts(&self, _: &UploadRef, _: u32) -> Result<PartListing, StoreError> {
        self.cannot(Verb::ListParts)
    }

    async fn complete_upload(&self, _: &UploadRef, _: &Complete) -> Result<Written, StoreError> {
        self.cannot(Verb::CompleteMultipartUpload)
    }

    async fn abort_upload(&self, _: &UploadRef) -> Result<(), StoreError> {
        self.cannot(Verb::AbortMultipartUpload)
    }

    async fn list_uploads(
        &self,
        _: &BucketName,
        _: &str,
        _: Option<&(ObjectKey, UploadId)>,
    ) -> Result<Uploads, StoreError> {
        self.cannot(Verb::ListMultipartUploads)
    }
}
