//! Objects in memory, for tests and small runs.
use super::{Listing, ObjectSummary, Objects, ObjectsError};
use async_trait::async_trait;
use bytes::Bytes;
use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Keys of one page of a listing, as many as S3 gives.
const PAGE: usize = 1_000;

/// Buckets made on their first use by [`MemoryObjects::bucket`] or a put.
#[derive(Default)]
pub struct MemoryObjects(Mutex<BTreeMap<String, BTreeMap<String, Bytes>>>);

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

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, BTreeMap<String, Bytes>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn summary(key: &str, body: &Bytes) -> ObjectSummary {
    use md5::Digest;
    let hex: String = md5::Md5::digest(body).iter().map(|b| format!("{b:02x}")).collect();
    ObjectSummary {
        key: key.to_owned(),
        size: body.len() as u64,
        etag: format!("\"{hex}\""),
        last_modified: 0,
    }
}

fn no_bucket() -> ObjectsError {
    ObjectsError::new("NoSuchBucket", "The specified bucket does not exist")
}

#[async_trait]
impl Objects for MemoryObjects {
    async fn get(&self, bucket: &str, key: &str) -> Result<Bytes, ObjectsError> {
        let buckets = self.lock();
        let found = buckets.get(bucket).ok_or_else(no_bucket)?.get(key).cloned();
        found.ok_or_else(|| ObjectsError::new("NoSuchKey", "The specified key does not exist."))
    }

    async fn put(&self, bucket: &str, key: &str, body: Bytes) -> Result<(), ObjectsError> {
        self.lock().entry(bucket.to_owned()).or_default().insert(key.to_owned(), body);
        Ok(())
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
        self.get(bucket, key).await.map(|body| summary(key, &body))
    }
}
