//! The server's storage without HTTP: for a test's set-up, its assertions, and what it does behind a client's back.

use std::io;
use std::sync::Arc;
use std::time::SystemTime;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue};

use crate::checksum::{self, Algorithm, Checksum, ChecksumType};
use crate::storage::Store;
use crate::storage::blob::Content;
use crate::storage::object::{Attributes, Object, Upload, Version};
use crate::storage::state::Bucket;

/// A handle on the storage. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Direct(Arc<Store>);

/// One version of an object, as it is stored.
#[derive(Debug, Clone)]
pub struct StoredObject {
    content: Content,
    /// `null` where the bucket never had versioning.
    pub version_id: String,
    /// Bytes.
    pub size: u64,
    /// Without quotes.
    pub etag: String,
    /// By the server's clock.
    pub last_modified: SystemTime,
    /// Bytes of each part; empty unless it was a multipart upload.
    pub part_sizes: Vec<u64>,
    /// Of the whole object.
    pub checksum: Option<Checksum>,
    /// Content headers, `x-amz-meta-*` and encryption, as GET answers them.
    pub headers: HeaderMap,
    /// `STANDARD` when none was named.
    pub storage_class: String,
    /// Key and value, in order.
    pub tags: Vec<(String, String)>,
}

impl StoredObject {
    /// All bytes. Errors: reading the file they are in.
    pub fn bytes(&self) -> io::Result<Bytes> {
        self.content.to_bytes()
    }

    /// A checksum of the bytes as they are now, base64, without holding them in memory.
    pub fn compute(&self, algorithm: Algorithm) -> io::Result<String> {
        let mut hasher = checksum::Hasher::new(algorithm);
        self.content.scan(|frame| hasher.update(frame))?;
        Ok(checksum::encode(&hasher.finish()))
    }

    /// A header's value as text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

/// An upload that is neither completed nor aborted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenUpload {
    /// The object to be.
    pub key: String,
    /// The upload's id.
    pub upload_id: String,
    /// Number and bytes of each part received.
    pub parts: Vec<(u32, u64)>,
}

impl Direct {
    pub(crate) const fn new(store: Arc<Store>) -> Self {
        Self(store)
    }

    fn with<T>(&self, bucket: &str, use_it: impl FnOnce(&mut Bucket) -> Option<T>) -> Option<T> {
        self.0.lock().buckets.get_mut(bucket).and_then(use_it)
    }

    /// The current version. None: no such bucket or key, or deleted.
    #[must_use]
    pub fn get(&self, bucket: &str, key: &str) -> Option<StoredObject> {
        self.with(bucket, |found| {
            found.version(key, None).ok().map(|(version, object)| stored(version, object))
        })
    }

    /// All versions, oldest first, without delete markers.
    #[must_use]
    pub fn versions(&self, bucket: &str, key: &str) -> Vec<StoredObject> {
        let all = self.with(bucket, |found| {
            let versions = found.objects.get(key)?.iter();
            Some(versions.filter_map(|version| Some(stored(version, version.object.as_ref()?))).collect())
        });
        all.unwrap_or_default()
    }

    /// The keys of a bucket that have a current version, in byte order.
    #[must_use]
    pub fn keys(&self, bucket: &str) -> Vec<String> {
        let keys = self.with(bucket, |found| {
            Some(found.objects.keys().filter(|key| found.current(key).is_some()).cloned().collect())
        });
        keys.unwrap_or_default()
    }

    /// Writes an object as a plain PutObject would. Returns its ETag; none when there is no such bucket.
    pub fn put(&self, bucket: &str, key: &str, bytes: impl Into<Bytes>) -> Option<String> {
        self.put_with(bucket, key, bytes, HeaderMap::new(), Vec::new())
    }

    /// As `put`, with headers to store (`x-amz-meta-*`, content headers, `x-amz-storage-class`) and tags, unchecked.
    pub fn put_with(
        &self,
        bucket: &str,
        key: &str,
        bytes: impl Into<Bytes>,
        mut headers: HeaderMap,
        tags: Vec<(String, String)>,
    ) -> Option<String> {
        use md5::Digest as _;
        let bytes = bytes.into();
        let class = headers.remove("x-amz-storage-class");
        let class = class.as_ref().and_then(|class| class.to_str().ok()).unwrap_or("STANDARD").to_owned();
        headers.entry("content-type").or_insert(HeaderValue::from_static("binary/octet-stream"));
        let attributes = Attributes { headers, storage_class: class, customer_key: None };
        let checksum = self.0.default_algorithm().map(|algorithm| Checksum {
            algorithm,
            kind: ChecksumType::FullObject,
            value: checksum::encode(&algorithm.digest(&bytes)),
        });
        let object = Arc::new(Object {
            etag: self.0.etag(md5::Md5::digest(&bytes).into(), &attributes),
            content: Content::from_bytes(bytes),
            modified: self.0.now(),
            parts: Vec::new(),
            checksum,
            attributes,
        });
        let (etag, id) = (object.etag.clone(), self.0.unique_id());
        self.with(bucket, |found| {
            found.insert(key, object, tags, id);
            Some(etag)
        })
    }

    /// Deletes the current version, or puts a delete marker in front. False: no such bucket.
    pub fn delete(&self, bucket: &str, key: &str) -> bool {
        let (id, now) = (self.0.unique_id(), self.0.now());
        self.with(bucket, |found| Some(found.delete(key, None, id, now))).is_some()
    }

    /// Inverts the lowest bit of a stored byte, as a failing disk would: ETag and checksum stay as they were. Objects
    /// that were copied from this one or to it share its bytes. Errors: no such object or offset.
    pub fn flip(&self, bucket: &str, key: &str, offset: u64) -> io::Result<()> {
        let object = self.get(bucket, key).ok_or(io::ErrorKind::NotFound)?;
        object.content.flip(offset)
    }

    /// The open uploads of a bucket, by key and id.
    #[must_use]
    pub fn uploads(&self, bucket: &str) -> Vec<OpenUpload> {
        self.with(bucket, |found| Some(found.uploads.values().map(open).collect())).unwrap_or_default()
    }

    /// Ends an upload as a lifecycle rule would. False: no such upload.
    pub fn abort(&self, bucket: &str, key: &str, upload_id: &str) -> bool {
        self.with(bucket, |found| found.uploads.remove(&(key.to_owned(), upload_id.to_owned()))).is_some()
    }

    /// Makes a bucket, or changes the options of one.
    pub fn bucket(&self, name: &str, options: crate::BucketOptions) {
        let now = self.0.now();
        let mut state = self.0.lock();
        match state.buckets.get_mut(name) {
            Some(found) => found.options = options,
            None => {
                state.buckets.insert(name.to_owned(), Bucket::new(options, now));
            }
        }
    }
}

fn stored(version: &Version, object: &Object) -> StoredObject {
    StoredObject {
        content: object.content.clone(),
        version_id: version.id.clone(),
        size: object.content.len(),
        etag: object.etag.clone(),
        last_modified: object.modified,
        part_sizes: object.parts.iter().map(|part| part.content.len()).collect(),
        checksum: object.checksum.clone(),
        headers: object.attributes.headers.clone(),
        storage_class: object.attributes.storage_class.clone(),
        tags: version.tags.clone(),
    }
}

fn open(upload: &Upload) -> OpenUpload {
    let parts = upload.parts.values().map(|part| (part.number, part.content.len())).collect();
    OpenUpload { key: upload.key.clone(), upload_id: upload.id.clone(), parts }
}
