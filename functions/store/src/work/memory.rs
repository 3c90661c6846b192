//! Files in memory, for tests.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use futures::{StreamExt, stream};
use transload_wire::Failure;

use super::{WorkBody, WorkFile, WorkFiles, check_name, collect};

/// Files in memory. Clones share them.
#[derive(Debug, Clone)]
pub struct MemoryFiles {
    bucket: String,
    files: Arc<Mutex<BTreeMap<String, Bytes>>>,
}

impl MemoryFiles {
    /// No files yet.
    #[must_use]
    pub fn new(bucket: &str) -> Self {
        Self { bucket: bucket.to_owned(), files: Arc::default() }
    }

    /// Every file, for a test to look at.
    #[must_use]
    pub fn all(&self) -> BTreeMap<String, Bytes> {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Bytes>> {
        self.files.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl WorkFiles for MemoryFiles {
    fn bucket(&self) -> &str {
        &self.bucket
    }

    async fn put(&self, name: &str, bytes: Bytes) -> Result<(), Failure> {
        check_name(name)?;
        self.lock().insert(name.to_owned(), bytes);
        Ok(())
    }

    async fn put_stream(&self, name: &str, body: WorkBody) -> Result<u64, Failure> {
        let bytes = collect(body).await?;
        let len = bytes.len() as u64;
        self.put(name, bytes).await.map(|()| len)
    }

    async fn get(&self, name: &str) -> Result<Option<WorkBody>, Failure> {
        let found = self.lock().get(name).cloned();
        Ok(found.map(|bytes| stream::once(async { Ok(bytes) }).boxed()))
    }

    async fn list(&self, prefix: &str) -> Result<Vec<WorkFile>, Failure> {
        let files = self.lock();
        let below = files.iter().filter(|(name, _)| name.starts_with(prefix));
        Ok(below.map(|(name, bytes)| WorkFile { name: name.clone(), size: bytes.len() as u64 }).collect())
    }

    async fn delete(&self, name: &str) -> Result<(), Failure> {
        self.lock().remove(name);
        Ok(())
    }
}
