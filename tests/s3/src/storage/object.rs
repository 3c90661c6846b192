//! What is kept of an object, its versions, an upload and its parts.

use std::collections::BTreeMap;
use std::time::SystemTime;

use http::{HeaderMap, HeaderName};

use super::blob::Content;
use crate::checksum::{Algorithm, Checksum, ChecksumType};

/// Key and value of each tag, in the order given.
pub(crate) type Tags = Vec<(String, String)>;

/// One version of an object, never changed once written.
#[derive(Debug, Clone)]
pub(crate) struct Object {
    pub content: Content,
    /// Without quotes.
    pub etag: String,
    /// For a multipart object the time its upload began, as on AWS.
    pub modified: SystemTime,
    /// Empty unless the object was a multipart upload.
    pub parts: Vec<Part>,
    pub checksum: Option<Checksum>,
    pub attributes: Attributes,
}

/// What a writer says about an object beside its bytes.
#[derive(Debug, Clone, Default)]
pub(crate) struct Attributes {
    /// Echoed by GET and HEAD byte for byte: content headers, user metadata, encryption, lock, redirect.
    pub headers: HeaderMap,
    /// `STANDARD` when not named.
    pub storage_class: String,
    /// The MD5 of the customer's key, base64, when the object is encrypted with one.
    pub customer_key: Option<String>,
}

impl Attributes {
    pub(crate) fn is_archived(&self) -> bool {
        matches!(self.storage_class.as_str(), "GLACIER" | "DEEP_ARCHIVE")
    }

    pub(crate) fn encryption(&self) -> &str {
        self.header(&ENCRYPTION).unwrap_or("AES256")
    }

    pub(crate) fn header(&self, name: &HeaderName) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

pub(crate) static ENCRYPTION: HeaderName = HeaderName::from_static("x-amz-server-side-encryption");
pub(crate) static KMS_KEY: HeaderName =
    HeaderName::from_static("x-amz-server-side-encryption-aws-kms-key-id");

/// A part of an upload, or of the object made from it.
#[derive(Debug, Clone)]
pub(crate) struct Part {
    pub number: u32,
    pub content: Content,
    pub etag: String,
    /// The MD5 of the bytes, or random bytes where ETags are opaque.
    pub fingerprint: [u8; 16],
    pub modified: SystemTime,
    /// Raw digest of the upload's algorithm.
    pub digest: Option<(Algorithm, Vec<u8>)>,
}

/// An upload that is neither completed nor aborted.
#[derive(Debug, Clone)]
pub(crate) struct Upload {
    pub id: String,
    pub key: String,
    pub initiated: SystemTime,
    pub attributes: Attributes,
    pub tags: Tags,
    /// The checksum of the object to be; none on a server without checksums.
    pub checksum: Option<(Algorithm, ChecksumType)>,
    /// Whether the client named the algorithm.
    pub explicit: bool,
    pub parts: BTreeMap<u32, Part>,
}

/// An entry in a key's list of versions.
#[derive(Debug, Clone)]
pub(crate) struct Version {
    /// `null` where the bucket had no versioning.
    pub id: String,
    pub modified: SystemTime,
    /// None: a delete marker.
    pub object: Option<std::sync::Arc<Object>>,
    pub tags: Tags,
    pub restore: Option<Restore>,
}

/// A restore of an archived object.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Restore {
    /// From when on the object can be read.
    pub ready: SystemTime,
    /// Until when.
    pub expires: SystemTime,
}
