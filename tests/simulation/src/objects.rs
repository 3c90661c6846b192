//! Where Map Runs write their results; it may fail.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use stepfunctions_local::{Listing, ObjectSummary, Objects, ObjectsError};

use crate::time::Time;

/// Objects in memory, in no bucket in particular. Clones are the same.
#[derive(Clone)]
pub struct Results(Arc<Mutex<State>>);

struct State {
    time: Time,
    objects: BTreeMap<(String, String), Bytes>,
    failing: u32,
}

impl Results {
    pub(crate) fn new(time: Time) -> Self {
        Self(Arc::new(Mutex::new(State { time, objects: BTreeMap::new(), failing: 0 })))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next so many writes fail.
    pub fn fail(&self, writes: u32) {
        self.lock().failing = writes;
    }

    /// Everything that was written.
    #[must_use]
    pub fn contents(&self) -> Vec<u8> {
        self.lock().objects.values().flat_map(|body| body.iter().copied()).collect()
    }
}

fn missing(key: &str) -> ObjectsError {
    ObjectsError::new("NoSuchKey", format!("no object {key}"))
}

#[async_trait]
impl Objects for Results {
    async fn get(&self, bucket: &str, key: &str) -> Result<Bytes, ObjectsError> {
        let found = self.lock().objects.get(&(bucket.to_owned(), key.to_owned())).cloned();
        found.ok_or_else(|| missing(key))
    }

    async fn put(&self, bucket: &str, key: &str, body: Bytes) -> Result<(), ObjectsError> {
        let mut state = self.lock();
        if let Some(left) = state.failing.checked_sub(1) {
            state.failing = left;
            return Err(ObjectsError::new("InternalError", "by the simulation"));
        }
        state.objects.insert((bucket.to_owned(), key.to_owned()), body);
        Ok(())
    }

    async fn list(&self, bucket: &str, prefix: &str, _: Option<&str>) -> Result<Listing, ObjectsError> {
        let state = self.lock();
        let keys = state.objects.iter().filter(|((b, key), _)| b == bucket && key.starts_with(prefix));
        let objects = keys.map(|((_, key), body)| summary(&state, key, body)).collect();
        Ok(Listing { objects, next: None })
    }

    async fn head(&self, bucket: &str, key: &str) -> Result<ObjectSummary, ObjectsError> {
        let state = self.lock();
        let found = state.objects.get(&(bucket.to_owned(), key.to_owned()));
        found.map(|body| summary(&state, key, body)).ok_or_else(|| missing(key))
    }
}

fn summary(state: &State, key: &str, body: &Bytes) -> ObjectSummary {
    let now = state.time.now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    ObjectSummary {
        key: key.to_owned(),
        size: body.len() as u64,
        etag: "\"results\"".to_owned(),
        last_modified: i64::try_from(now.as_secs()).unwrap_or_default(),
    }
}
