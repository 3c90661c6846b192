//! Objects in memory, for tests and small runs.
use super::{Listing, ObjectFacts, ObjectSummary, Objects, ObjectsError};
use crate::clock::Timestamp;
use async_trait::async_trait;
use bytes::Bytes;
use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Keys of one page of a listing, as many as S3 gives.
const PAGE: usize = 1_000;

/// Buckets made on their first use by [`MemoryObjects::bucket`] or a put.
#[derive(Default)]
pub struct MemoryObjects(Mutex<BTreeMap<String, BTreeMap<String, Stored>>>);

struct Stored {
    body: Bytes,
    facts: ObjectFacts,
    modified: Timestamp,
}

impl MemoryObjects {
    /// No buckets at all.
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes an empty bucket.
    pub fn bucket(&self, name: &str) {
        self.lock().entry(name.to_owned()).or_default();
    }

    /// All keys of a bucket.
    pub fn keys(&self, bucket: &str) -> Vec<String> {
        self.lock().get(bucket).map(|b| b.keys().cloned().collect()).unwrap_or_default()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, BTreeMap<String, Stored>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn seen<T>(&self, bucket: &str, key: &str, see: impl Fn(&Stored) -> T) -> Result<T, ObjectsError> {
        let buckets = self.lock();
        let found = buckets.get(bucket).ok_or_else(no_bucket)?.get(key).map(see);
        found.ok_or_else(|| ObjectsError::new("NoSuchKey", "The specified key does not exist."))
    }
}

fn summary(key: &str, stored: &Stored) -> ObjectSummary {
    use md5::Digest;
    let hex: String = md5::Md5::digest(&stored.body).iter().map(|b| format!("{b:02x}")).collect();
    ObjectSummary {
        key: key.to_owned(),
        size: stored.body.len() as u64,
        etag: format!("\"{hex}\""),
        last_modified: stored.modified.millis() / 1000,
    }
}

fn no_bucket() -> ObjectsError {
    ObjectsError::new("NoSuchBucket", "The specified bucket does not exist")
}

#[async_trait]
impl Objects for MemoryObjects {
    async fn get(&self, bucket: &str, key: &str) -> Result<Bytes, ObjectsError> {
        self.seen(bucket, key, |stored| stored.body.clone())
    }

    async fn put(&self, bucket: &str, key: &str, body: Bytes) -> Result<(), ObjectsError> {
        self.put_with(bucket, key, body, ObjectFacts::default()).await
    }

    async fn put_with(
        &self,
        bucket: &str,
        key: &str,
        body: Bytes,
        facts: ObjectFacts,
    ) -> Result<(), ObjectsError> {
        let stored = Stored { body, facts, modified: std::time::SystemTime::now().into() };
        self.lock().entry(bucket.to_owned()).or_default().insert(key.to_owned(), stored);
        Ok(())
    }

    async fn facts(&self, bucket: &str, key: &str) -> Result<ObjectFacts, ObjectsError> {
        self.seen(bucket, key, |stored| stored.facts.clone())
    }

    async fn buckets(&self) -> Result<Vec<String>, ObjectsError> {
        Ok(self.lock().keys().cloned().collect())
    }

    async fn list(&self, bucket: &str, prefix: &str, token: Option<&str>) -> Result<Listing, ObjectsError> {
        let buckets = self.lock();
        let objects = buckets.get(bucket).ok_or_else(no_bucket)?;
        let start = token.map_or(Bound::Included(prefix), Bound::Excluded);
        let range = objects.range::<str, _>((start, Bound::Unbounded));
        let mut page: Vec<_> = range
            .take_while(|(k, _)| k.starts_with(prefix))
            .take(PAGE + 1)
            .map(|(k, v)| summary(k, v))
            .collect();
        let more = page.len() > PAGE;
        page.truncate(PAGE);
        let next = page.last().filter(|_| more).map(|o| o.key.clone());
        Ok(Listing { objects: page, next })
    }

    async fn head(&self, bucket: &str, key: &str) -> Result<ObjectSummary, ObjectsError> {
        self.seen(bucket, key, |stored| summary(key, stored))
    }
}
