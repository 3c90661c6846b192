//! The trait: the verbs of S3 that a transfer needs, in our own types.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::BoxStream;
use transload_plan::{ByteRange, Limits, PartNumber, Run};
use transload_wire::{
    Attributes, BucketName, Checksum, ChecksumAlgorithm, Encryption, ErrorName, Etag, Failure, LocationName,
    ObjectKey, Requests, Tier, UploadId, UrlSource, VersionId,
};

use crate::listing::{ObjectListing, Shelf};
use crate::tap::Seen;
use crate::{StoreError, StoreErrorKind, Verb};

/// Opens the stores of configured locations. What handlers take as their world.
pub trait Stores: Send + Sync {
    /// The store of a location.
    ///
    /// # Errors
    /// `InputInvalid` if no location has this name; `Unsupported` if it is of a kind that has no store.
    fn open(&self, location: &LocationName) -> Result<Arc<dyn Store>, Failure>;

    /// What reads a URL.
    ///
    /// # Errors
    /// `InputInvalid` for one that is not to be read; `Unsupported` where none is.
    fn open_url(&self, source: &UrlSource) -> Result<Arc<dyn Store>, Failure> {
        Err(ErrorName::Unsupported.because(format!("{source}: expected an object of a bucket, found a URL")))
    }
}

/// An object to read, or one to write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ObjectRef {
    /// In a bucket.
    Stored(StoredRef),
    /// What a URL gives, whose store knows it: here it stands for messages.
    Url(UrlSource),
}

impl ObjectRef {
    /// The object of a bucket.
    ///
    /// # Errors
    /// `Unsupported` for a URL.
    pub fn stored(&self) -> Result<&StoredRef, StoreError> {
        match self {
            Self::Stored(stored) => Ok(stored),
            Self::Url(url) => {
                let message = format!("{url}: expected an object of a bucket, found a URL");
                Err(StoreError::new(StoreErrorKind::Unsupported, message))
            }
        }
    }
}

impl From<StoredRef> for ObjectRef {
    fn from(stored: StoredRef) -> Self {
        Self::Stored(stored)
    }
}

impl fmt::Display for ObjectRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stored(stored) => stored.fmt(f),
            Self::Url(url) => url.fmt(f),
        }
    }
}

/// An object of a bucket, at one version or whichever is newest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredRef {
    /// Its bucket.
    pub bucket: BucketName,
    /// Its key.
    pub key: ObjectKey,
    /// Its version.
    pub version: Option<VersionId>,
    /// Whether the requester pays.
    pub requester_pays: bool,
}

impl fmt::Display for StoredRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "s3://{}/{}", self.bucket, self.key)?;
        self.version.as_ref().map_or(Ok(()), |version| write!(f, "?versionId={version}"))
    }
}

/// What HEAD tells of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// Bytes.
    pub size: u64,
    /// ETag.
    pub etag: Etag,
    /// Version, in a bucket with versions.
    pub version: Option<VersionId>,
    /// `Last-Modified`, ISO 8601 in UTC.
    pub last_modified: String,
    /// Whole-object or composite checksum, if the store keeps one and tells it.
    pub checksum: Option<Checksum>,
    /// Headers, user metadata (all of it, transload's own too), storage class. No tags: see [`Store::tags`].
    pub attributes: Attributes,
    /// How many tags it has, where the store tells.
    pub tag_count: Option<u32>,
    /// Entries of metadata that the store has but can not send as headers (`x-amz-missing-meta`); 0 where it tells none.
    pub missing_metadata: u32,
    /// Whether it is in an archive tier and not restored.
    pub archived: bool,
}

/// Bytes as they come; ends after exactly the announced length, or with an error.
pub type ObjectBody = BoxStream<'static, Result<Bytes, StoreError>>;

/// A ranged read whose facts were checked: offset, length, total and ETag are what was asked for.
pub struct Ranged {
    /// The range that is delivered.
    pub range: ByteRange,
    /// The bytes.
    pub body: ObjectBody,
}

/// An object that is being read, and what HEAD would tell of it. Its ETag and size were checked.
pub struct Opened {
    /// Its facts.
    pub head: Head,
    /// All of its bytes.
    pub body: ObjectBody,
}

/// What deleting an object did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Deleted {
    /// The delete marker that hides it now, in a bucket with versions.
    pub marker: Option<VersionId>,
}

/// What asking an object back from its archive tier met.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Restore {
    /// It comes back, since now or since an earlier call.
    UnderWay,
    /// It is readable, or in no archive tier.
    Readable,
}

/// Where and with what attributes something is created.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// Bucket.
    pub bucket: BucketName,
    /// Key.
    pub key: ObjectKey,
    /// Headers, metadata (transload's own included), tags, storage class.
    pub attributes: Attributes,
    /// Encryption; the bucket's default without it.
    pub encryption: Option<Encryption>,
    /// Checksum to be computed over the whole object.
    pub checksum_algorithm: Option<ChecksumAlgorithm>,
}

/// What must hold of the destination for a write to take effect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition {
    /// Nothing may be there (`If-None-Match: *`).
    Absent,
    /// Just this object may be there (`If-Match`).
    Matches(Etag),
    /// Anything may be there.
    Anything,
}

/// Why a body that is being sent can not go on. The store gives it back as the failure of the call.
pub type BodyError = Failure;

/// A body to send: exactly `len` bytes, streamed once. It is never repeated by the store: a failed call consumes it, and
/// the caller makes a new one.
pub struct PutBody {
    /// Its length.
    pub len: u64,
    /// The bytes. An error ends the call without a commit.
    pub stream: BoxStream<'static, Result<Bytes, BodyError>>,
    /// MD5 (hex) of the bytes, if the caller knows it beforehand.
    pub md5: Option<String>,
    /// What is computed over the stream already: stores take it from here instead of hashing every byte a second time.
    pub seen: Option<Seen>,
}

/// Body of a part; see [`PutBody`].
pub type PartBody = PutBody;

/// An upload at a store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UploadRef {
    /// Bucket.
    pub bucket: BucketName,
    /// Key.
    pub key: ObjectKey,
    /// Id.
    pub id: UploadId,
    /// Algorithm it was created with.
    pub checksum_algorithm: Option<ChecksumAlgorithm>,
}

impl fmt::Display for UploadRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "s3://{}/{}?uploadId={}", self.bucket, self.key, self.id)
    }
}

/// A new upload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Created {
    /// Its id.
    pub id: UploadId,
    /// The algorithm that the store will really use; absent where it has none.
    pub checksum_algorithm: Option<ChecksumAlgorithm>,
}

impl Created {
    /// How the upload of what was to be created is named from here on.
    #[must_use]
    pub fn upload(self, target: &Target) -> UploadRef {
        UploadRef {
            bucket: target.bucket.clone(),
            key: target.key.clone(),
            id: self.id,
            checksum_algorithm: self.checksum_algorithm,
        }
    }
}

/// A part that was stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredPart {
    /// ETag that Complete will name.
    pub etag: Etag,
    /// Checksum that the store computed and told.
    pub checksum: Option<Checksum>,
}

/// A part as it is listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartRef {
    /// Number.
    pub number: PartNumber,
    /// Bytes.
    pub size: u64,
    /// ETag.
    pub etag: Etag,
    /// Checksum, where the store keeps one for each part.
    pub checksum: Option<Checksum>,
}

/// One page of parts (S3: at most 1,000).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PartListing {
    /// Ascending by number.
    pub parts: Vec<PartRef>,
    /// Continue behind this number; absent on the last page.
    pub next: Option<u32>,
    /// Who made the upload, where the store tells.
    pub initiator: Option<String>,
    /// When a part of this page was sent last (ISO 8601 in UTC), and its number: the highest of those of one second.
    pub changed: Option<(String, PartNumber)>,
}

/// How an upload is completed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Complete {
    /// All parts, ascending.
    pub parts: Vec<PartRef>,
    /// Size of the whole (`MpuObjectSize`; a mismatch is refused).
    pub size: u64,
    /// Checksum of the whole, full object.
    pub checksum: Option<Checksum>,
    /// What must hold of the destination.
    pub condition: Condition,
}

/// What a write answered. Only HEAD proves it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// ETag of the object.
    pub etag: Etag,
    /// Its version, in a bucket with versions.
    pub version: Option<VersionId>,
    /// Checksum that the store computed and told.
    pub checksum: Option<Checksum>,
}

/// An open upload as it is listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedUpload {
    /// Its key.
    pub key: ObjectKey,
    /// Its id.
    pub id: UploadId,
    /// When it was initiated, ISO 8601 in UTC.
    pub initiated: String,
}

/// One page of open uploads.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Uploads {
    /// In key order.
    pub uploads: Vec<ListedUpload>,
    /// Markers (key and id) of the next page; absent on the last.
    pub next: Option<(ObjectKey, UploadId)>,
}

/// The verbs. All but reads may take effect although they fail; callers settle that by reading.
#[async_trait]
pub trait Store: Send + Sync {
    /// Limits of the location.
    fn limits(&self) -> &Limits;

    /// Checksums that the location computes over whole multipart objects, best first. Empty: none.
    fn checksums(&self) -> &[ChecksumAlgorithm];

    /// Whether conditional writes are honoured.
    fn conditional_writes(&self) -> bool;

    /// Whether ETags are MD5s: of the bytes of an object sent whole and of a part, of the parts' MD5s of an object in
    /// parts. The proof of last resort at stores without checksums; wrong where a key encrypts.
    fn etags_are_md5(&self) -> bool {
        false
    }

    /// Whether an object with this ETag can only be read as one stream from its first byte.
    fn in_one_stream(&self, etag: &Etag) -> bool {
        let _ = etag;
        false
    }

    /// Whether a key can be an object's here: not every one is a path of a file system.
    fn takes(&self, key: &ObjectKey) -> bool {
        let _ = key;
        true
    }

    /// Partition (`aws`, `aws-cn`, ...) that keys named in requests must belong to, where the location has one.
    fn partition(&self) -> Option<&str> {
        None
    }

    /// Region of the location, where it has one.
    fn region(&self) -> Option<&str> {
        None
    }

    /// Requests sent through this handle so far, retries included.
    fn requests(&self) -> Requests;

    /// Facts of an object.
    async fn head(&self, object: &ObjectRef) -> Result<Head, StoreError>;

    /// Tags of an object.
    async fn tags(
        &self,
        object: &ObjectRef,
    ) -> Result<std::collections::BTreeMap<String, String>, StoreError>;

    /// Lengths of the parts the object was made of, as runs in order; `None` if it was not uploaded in parts.
    async fn source_parts(&self, object: &ObjectRef, head: &Head) -> Result<Option<Vec<Run>>, StoreError>;

    /// Bytes of one version: `etag` pins it (`If-Match`), `total` is its known size. A range of the whole object is asked
    /// for without a `Range` header only if it is empty.
    async fn get_range(
        &self,
        object: &ObjectRef,
        etag: &Etag,
        range: ByteRange,
        total: u64,
    ) -> Result<Ranged, StoreError>;

    /// All bytes of one version and its facts, in one request: `etag` pins it (`If-Match`), `total` is its known size.
    /// Its count of tags may be missing for want of a right as well as for want of tags.
    async fn open(&self, object: &ObjectRef, etag: &Etag, total: u64) -> Result<Opened, StoreError>;

    /// Deletes an object if it has this ETag; in a bucket with versions a delete marker hides it then. Stores without
    /// conditional writes delete whatever is there.
    async fn delete_object(&self, object: &ObjectRef, etag: &Etag) -> Result<Deleted, StoreError>;

    /// Asks an object back from its archive tier; `days` says how long the copy is kept, and is not said of an intelligent
    /// class, which keeps it.
    async fn restore(
        &self,
        object: &ObjectRef,
        tier: Tier,
        days: Option<u32>,
    ) -> Result<Restore, StoreError> {
        let _ = (tier, days);
        let message = format!("{} {object}: this store has no archive", Verb::RestoreObject);
        Err(StoreError::new(StoreErrorKind::Unsupported, message))
    }

    /// Creates an object in one request.
    async fn put(&self, target: &Target, body: PutBody, condition: &Condition)
    -> Result<Written, StoreError>;

    /// Creates an upload.
    async fn create_upload(&self, target: &Target) -> Result<Created, StoreError>;

    /// Sends a part.
    async fn upload_part(
        &self,
        upload: &UploadRef,
        part: PartNumber,
        body: PartBody,
    ) -> Result<StoredPart, StoreError>;

    /// Sends a part whose first byte stands at `offset` of the object. Stores that put parts together by their numbers need
    /// not know; where parts are written in place, one that is sent without is of no object.
    async fn upload_part_at(
        &self,
        upload: &UploadRef,
        part: PartNumber,
        offset: u64,
        body: PartBody,
    ) -> Result<StoredPart, StoreError> {
        let _ = offset;
        self.upload_part(upload, part, body).await
    }

    /// Lists a page of parts behind `after` (0: from the first).
    async fn list_parts(&self, upload: &UploadRef, after: u32) -> Result<PartListing, StoreError>;

    /// Completes an upload. `Ok` says that the store answered so, not yet that the object is there.
    async fn complete_upload(&self, upload: &UploadRef, complete: &Complete) -> Result<Written, StoreError>;

    /// Aborts an upload; [`NoSuchUpload`](crate::StoreErrorKind::NoSuchUpload) if there is none.
    async fn abort_upload(&self, upload: &UploadRef) -> Result<(), StoreError>;

    /// Lists a page of open uploads whose keys begin with `prefix`.
    async fn list_uploads(
        &self,
        bucket: &BucketName,
        prefix: &str,
        after: Option<&(ObjectKey, UploadId)>,
    ) -> Result<Uploads, StoreError>;

    /// A page of at most `max` objects whose keys begin with the shelf's prefix and sort behind `after`, in byte order.
    async fn list_objects(&self, shelf: &Shelf, after: &str, max: u32) -> Result<ObjectListing, StoreError> {
        let _ = (after, max);
        Err(cannot(Verb::ListObjectsV2, shelf))
    }

    /// The same with the version of each object; keys whose newest version is a delete marker are left out, so that a page
    /// may be empty and yet not the last.
    async fn list_versions(&self, shelf: &Shelf, after: &str, max: u32) -> Result<ObjectListing, StoreError> {
        let _ = (after, max);
        Err(cannot(Verb::ListObjectVersions, shelf))
    }
}

fn cannot(verb: Verb, shelf: &Shelf) -> StoreError {
    StoreError::new(StoreErrorKind::Unsupported, format!("{verb} {shelf}: this store can not list objects"))
}
