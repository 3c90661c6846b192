//! What was asked of the server: one record a request, kept for tests to assert on.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU16, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use crate::faults::Target;

/// A request as it was seen, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestRecord {
    /// The API's name, such as `UploadPart`; `Unknown` when no operation has that form.
    pub operation: String,
    /// Unescaped.
    pub bucket: Option<String>,
    /// Unescaped.
    pub key: Option<String>,
    /// Query parameter `uploadId`.
    pub upload_id: Option<String>,
    /// Query parameter `partNumber`.
    pub part_number: Option<u32>,
    /// The `Range` header as sent.
    pub range: Option<String>,
    /// Of the answer; none when there was none, or not yet.
    pub status: Option<u16>,
    /// Body bytes received, framing included.
    pub bytes_in: u64,
    /// Body bytes handed to the connection.
    pub bytes_out: u64,
    /// The fault that met the request.
    pub fault: Option<String>,
}

/// A request under way.
#[derive(Debug, Default)]
pub(crate) struct Entry {
    target: Target,
    status: AtomicU16,
    pub bytes_in: AtomicU64,
    pub bytes_out: AtomicU64,
    pub fault: OnceLock<String>,
}

impl Entry {
    pub(crate) const fn operation(&self) -> &'static str {
        self.target.operation
    }

    pub(crate) fn set_status(&self, status: u16) {
        self.status.store(status, Ordering::Relaxed);
    }

    fn record(&self) -> RequestRecord {
        let target = self.target.clone();
        let status = self.status.load(Ordering::Relaxed);
        RequestRecord {
            operation: target.operation.to_owned(),
            bucket: target.bucket,
            key: target.key,
            upload_id: target.upload_id,
            part_number: target.part_number,
            range: target.range,
            status: (status != 0).then_some(status),
            bytes_in: self.bytes_in.load(Ordering::Relaxed),
            bytes_out: self.bytes_out.load(Ordering::Relaxed),
            fault: self.fault.get().cloned(),
        }
    }
}

/// All requests since the start or the last `clear`.
#[derive(Debug, Default)]
pub(crate) struct Recorder(Mutex<Vec<Arc<Entry>>>);

impl Recorder {
    pub(crate) fn begin(&self, target: Target) -> Arc<Entry> {
        let entry = Arc::new(Entry { target, ..Entry::default() });
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::clone(&entry));
        entry
    }

    pub(crate) fn records(&self) -> Vec<RequestRecord> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).iter().map(|entry| entry.record()).collect()
    }

    pub(crate) fn counts(&self) -> BTreeMap<String, u64> {
        self.records().into_iter().fold(BTreeMap::new(), |mut counts, record| {
            *counts.entry(record.operation).or_default() += 1;
            counts
        })
    }

    pub(crate) fn clear(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}
