//! S3 and what speaks its protocol, over the vendor's SDK. No type of the SDK leaves this module.
//!
//! The SDK signs, retries small calls, and parses. It takes some wrong answers for success (an ignored range, another
//! offset, a part without ETag, a cut answer to Complete): each is checked here and has its own error kind.

mod client;
mod convert;
mod counter;
mod credentials;
mod delete;
mod errors;
mod facts;
mod framing;
mod gather;
mod incoming;
pub mod inspect;
mod list;
mod multipart;
mod open;
mod outgoing;
mod progress;
mod read;
mod restore;
mod send;
mod settings;
mod source_parts;
mod surroundings;
mod told;
mod work;
mod write;

use std::collections::BTreeMap;
use std::fmt;

use async_trait::async_trait;
use aws_sdk_s3::Client;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use counter::Counter;
use credentials::Kept;
use tokio::sync::OnceCell;
use transload_plan::{ByteRange, Limits, PartNumber, Run};
use transload_wire::{BucketName, ChecksumAlgorithm, Etag, ObjectKey, Requests, Tier, UploadId};

use crate::location::Partition;
use crate::{
    Complete, Condition, Created, Deleted, Head, ObjectListing, ObjectRef, Opened, PartBody, PartListing,
    PutBody, Ranged, Restore, Shelf, Store, StoreError, StoreErrorKind, StoredPart, Target, UploadRef,
    Uploads, Verb, Written,
};

pub use crate::keys::Issued;
pub use credentials::CredentialsSource;
pub(crate) use incoming::Incoming;
pub use settings::{Capabilities, Patience, S3Settings};
pub use surroundings::Surroundings;

/// A store that speaks S3. Its client is built with the first request, and kept.
pub struct S3Store {
    settings: S3Settings,
    surroundings: Surroundings,
    credentials: Kept,
    counter: Counter,
    client: OnceCell<Client>,
}

impl fmt::Debug for S3Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("S3Store").field("settings", &self.settings).finish_non_exhaustive()
    }
}

impl S3Store {
    /// Reads and sends nothing yet.
    #[must_use]
    pub fn new(settings: S3Settings) -> Self {
        Self::within(settings, Surroundings::default())
    }

    /// As [`Self::new`], elsewhere than on this machine.
    #[must_use]
    pub fn within(settings: S3Settings, surroundings: Surroundings) -> Self {
        let credentials =
            Kept::new(settings.credentials.clone(), settings.region.clone(), surroundings.time.clone());
        Self { settings, surroundings, credentials, counter: Counter::default(), client: OnceCell::new() }
    }

    async fn client(&self) -> &Client {
        self.client
            .get_or_init(|| {
                let (credentials, counter) = (self.credentials.clone(), self.counter.clone());
                client::build(&self.settings, &self.surroundings, credentials, counter)
            })
            .await
    }

    /// A call without a streamed body. Credentials that the store refuses are read again once: they may have been
    /// rotated since.
    async fn call<'a, T, E, F>(
        &'a self,
        verb: Verb,
        place: &str,
        request: impl Fn(&'a Client) -> F,
    ) -> Result<T, StoreError>
    where
        E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
        F: Future<Output = Result<T, SdkError<E, HttpResponse>>>,
    {
        let client = self.client().await;
        let first = match request(client).await {
            Ok(answer) => return Ok(answer),
            Err(error) => errors::map(verb, place, error),
        };
        if first.kind != StoreErrorKind::Credentials {
            return Err(first);
        }
        self.credentials.forget().await;
        request(client).await.map_err(|error| errors::map(verb, place, error))
    }

    /// `If-Match` and `If-None-Match`. Where conditions are not honoured they are not sent: some stores refuse them.
    fn condition(&self, condition: &Condition) -> (Option<String>, Option<String>) {
        match condition {
            _ if !self.settings.capabilities.conditional_writes => (None, None),
            Condition::Absent => (None, Some("*".to_owned())),
            Condition::Matches(etag) => (Some(etag.to_header()), None),
            Condition::Anything => (None, None),
        }
    }
}

#[async_trait]
impl Store for S3Store {
    fn limits(&self) -> &Limits {
        &self.settings.capabilities.limits
    }

    fn checksums(&self) -> &[ChecksumAlgorithm] {
        &self.settings.capabilities.checksums
    }

    fn conditional_writes(&self) -> bool {
        self.settings.capabilities.conditional_writes
    }

    fn etags_are_md5(&self) -> bool {
        self.settings.capabilities.etag_md5
    }

    fn partition(&self) -> Option<&str> {
        self.settings.partition.map(Partition::as_str)
    }

    fn region(&self) -> Option<&str> {
        self.settings.region.as_deref()
    }

    fn requests(&self) -> Requests {
        self.counter.requests()
    }

    async fn head(&self, object: &ObjectRef) -> Result<Head, StoreError> {
        read::head(self, object.stored()?).await
    }

    async fn tags(&self, object: &ObjectRef) -> Result<BTreeMap<String, String>, StoreError> {
        read::tags(self, object.stored()?).await
    }

    async fn source_parts(&self, object: &ObjectRef, head: &Head) -> Result<Option<Vec<Run>>, StoreError> {
        source_parts::source_parts(self, object.stored()?, head).await
    }

    async fn get_range(
        &self,
        object: &ObjectRef,
        etag: &Etag,
        range: ByteRange,
        total: u64,
    ) -> Result<Ranged, StoreError> {
        read::get_range(self, object.stored()?, etag, range, total).await
    }

    async fn open(&self, object: &ObjectRef, etag: &Etag, total: u64) -> Result<Opened, StoreError> {
        open::open(self, object.stored()?, etag, total).await
    }

    async fn delete_object(&self, object: &ObjectRef, etag: &Etag) -> Result<Deleted, StoreError> {
        delete::delete(self, object.stored()?, etag).await
    }

    async fn restore(
        &self,
        object: &ObjectRef,
        tier: Tier,
        days: Option<u32>,
    ) -> Result<Restore, StoreError> {
        restore::restore(self, object.stored()?, tier, days).await
    }

    async fn put(
        &self,
        target: &Target,
        body: PutBody,
        condition: &Condition,
    ) -> Result<Written, StoreError> {
        write::put(self, target, body, condition).await
    }

    async fn create_upload(&self, target: &Target) -> Result<Created, StoreError> {
        multipart::create(self, target).await
    }

    async fn upload_part(
        &self,
        upload: &UploadRef,
        part: PartNumber,
        body: PartBody,
    ) -> Result<StoredPart, StoreError> {
        write::upload_part(self, upload, part, body).await
    }

    async fn list_parts(&self, upload: &UploadRef, after: u32) -> Result<PartListing, StoreError> {
        multipart::list_parts(self, upload, after).await
    }

    async fn complete_upload(&self, upload: &UploadRef, complete: &Complete) -> Result<Written, StoreError> {
        multipart::complete(self, upload, complete).await
    }

    async fn abort_upload(&self, upload: &UploadRef) -> Result<(), StoreError> {
        multipart::abort(self, upload).await
    }

    async fn list_uploads(
        &self,
        bucket: &BucketName,
        prefix: &str,
        after: Option<&(ObjectKey, UploadId)>,
    ) -> Result<Uploads, StoreError> {
        multipart::list_uploads(self, bucket, prefix, after).await
    }

    async fn list_objects(&self, shelf: &Shelf, after: &str, max: u32) -> Result<ObjectListing, StoreError> {
        list::objects(self, shelf, after, max).await
    }

    async fn list_versions(&self, shelf: &Shelf, after: &str, max: u32) -> Result<ObjectListing, StoreError> {
        list::versions(self, shelf, after, max).await
    }
}

#[cfg(test)]
mod tests;
