//! What the engine asks of the store that item readers read and result writers write.
mod directory;
mod memory;

pub use directory::DirectoryObjects;
pub use memory::MemoryObjects;

use async_trait::async_trait;
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One object of a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectSummary {
    /// The key, raw.
    pub key: String,
    /// Bytes.
    pub size: u64,
    /// With its quotation marks.
    pub etag: String,
    /// Seconds since 1970.
    pub last_modified: i64,
}

/// What whoever put an object said of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObjectFacts {
    /// `Content-Type`; S3 says `binary/octet-stream` where none was given.
    pub content_type: Option<String>,
    /// User metadata, names without their prefix.
    pub metadata: BTreeMap<String, String>,
}

impl ObjectFacts {
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// A page of a listing.
#[derive(Debug, Clone, Default)]
pub struct Listing {
    /// In the order of their keys.
    pub objects: Vec<ObjectSummary>,
    /// What to ask the next page with.
    pub next: Option<String>,
}

/// Why an operation failed. The names are the service's, without prefix.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{code}: {message}")]
pub struct ObjectsError {
    /// `NoSuchKey`, `NoSuchBucket`, `AccessDenied`, ...
    pub code: String,
    /// What and where.
    pub message: String,
}

impl ObjectsError {
    /// An error out of its parts.
    pub fn new(code: &str, message: impl Into<String>) -> Self {
        Self { code: code.to_owned(), message: message.into() }
    }
}

/// A store of objects, in the same account and Region as the state machine.
#[async_trait]
pub trait Objects: Send + Sync {
    /// The whole object.
    async fn get(&self, bucket: &str, key: &str) -> Result<Bytes, ObjectsError>;
    /// Makes or replaces an object.
    async fn put(&self, bucket: &str, key: &str, body: Bytes) -> Result<(), ObjectsError>;
    /// A page of the objects whose key begins with `prefix`; `token` is the page before's `next`.
    async fn list(&self, bucket: &str, prefix: &str, token: Option<&str>) -> Result<Listing, ObjectsError>;
    /// What a listing would say of one object.
    async fn head(&self, bucket: &str, key: &str) -> Result<ObjectSummary, ObjectsError>;
    /// Makes or replaces an object with facts of its own. A store that keeps none refuses them.
    async fn put_with(
        &self,
        bucket: &str,
        key: &str,
        body: Bytes,
        facts: ObjectFacts,
    ) -> Result<(), ObjectsError> {
        match facts.is_empty() {
            true => self.put(bucket, key, body).await,
            false => {
                Err(ObjectsError::new("NotImplemented", "This store keeps no content types and no metadata"))
            }
        }
    }
    /// What an object was put with; nothing unless the store keeps that.
    async fn facts(&self, _bucket: &str, _key: &str) -> Result<ObjectFacts, ObjectsError> {
        Ok(ObjectFacts::default())
    }
    /// The names of all buckets, in order. A store that does not know them refuses.
    async fn buckets(&self) -> Result<Vec<String>, ObjectsError> {
        Err(ObjectsError::new("NotImplemented", "This store does not list its buckets"))
    }
}
