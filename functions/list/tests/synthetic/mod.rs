//! Two places with as many objects as wanted, that exist only while they are listed, and files that are only counted.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use transload_plan::{ByteRange, Limits, PartNumber, Run};
use transload_store::memory::MemoryStores;
use transload_store::work::{WorkBody, WorkFile, WorkFiles};
use transload_store::{
    Complete, Condition, Created, Deleted, Head, ListedObject, ObjectListing, ObjectRef, Opened, PartBody,
    PartListing, PutBody, Ranged, Shelf, Store, StoreError, StoreErrorKind, StoredPart, Target, UploadRef,
    Uploads, Written,
};
use transload_wire::{
    BucketName, ChecksumAlgorithm, Failure, ListInput, ListOutput, ObjectKey, Requests, UploadId,
};

/// Objects of a folder.
const FOLDER: u64 = 5_000;

/// A place that lists some of `count` objects.
#[derive(Clone)]
pub(crate) struct Synthetic {
    pub(crate) count: u64,
    /// Whether this place has an object.
    pub(crate) has: fn(u64) -> bool,
    /// Bytes of an object.
    pub(crate) size: fn(u64) -> u64,
    pages: Arc<AtomicU64>,
    limits: Limits,
}

/// Key of an object: they ascend with its number.
fn key(number: u64) -> String {
    format!("data/2026/{:05}/object-{number:012}.bin", number / FOLDER)
}

impl Synthetic {
    pub(crate) fn new(count: u64, has: fn(u64) -> bool, size: fn(u64) -> u64) -> Self {
        Self { count, has, size, pages: Arc::default(), limits: Limits::default() }
    }

    fn first_behind(&self, after: &str) -> u64 {
        let (mut low, mut high) = (0, self.count);
        while low < high {
            let middle = low.midpoint(high);
            if key(middle).as_str() > after {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        low
    }

    fn listed(&self, number: u64) -> Option<ListedObject> {
        Some(ListedObject {
            key: key(number).parse().ok()?,
            size: (self.size)(number),
            etag: format!("{number:032x}").parse().ok()?,
            last_modified: "2026-01-01T00:00:00Z".to_owned(),
            storage_class: None,
            archived: false,
            version: None,
            unfit: None,
        })
    }
}

fn no<T>() -> Result<T, StoreError> {
    Err(StoreError::new(StoreErrorKind::Unsupported, "this place can only be listed"))
}

#[async_trait]
impl Store for Synthetic {
    fn limits(&self) -> &Limits {
        &self.limits
    }

    fn checksums(&self) -> &[ChecksumAlgorithm] {
        &[]
    }

    fn conditional_writes(&self) -> bool {
        true
    }

    fn requests(&self) -> Requests {
        [("ListObjectsV2".to_owned(), self.pages.load(Ordering::Relaxed))].into()
    }

    async fn list_objects(&self, _: &Shelf, after: &str, max: u32) -> Result<ObjectListing, StoreError> {
        self.pages.fetch_add(1, Ordering::Relaxed);
        // An answer takes its time: others come in between.
        tokio::task::yield_now().await;
        let mut numbers = (self.first_behind(after)..self.count).filter(|number| (self.has)(*number));
        let objects: Vec<_> =
            numbers.by_ref().take(max as usize).filter_map(|number| self.listed(number)).collect();
        let more = numbers.next().is_some();
        let next = objects.last().filter(|_| more).map(|last| last.key.to_string());
        Ok(ObjectListing { objects, next })
    }

    async fn head(&self, _: &ObjectRef) -> Result<Head, StoreError> {
        no()
    }

    async fn tags(&self, _: &ObjectRef) -> Result<BTreeMap<String, String>, StoreError> {
        no()
    }

    async fn source_parts(&self, _: &ObjectRef, _: &Head) -> Result<Option<Vec<Run>>, StoreError> {
        no()
    }

    async fn get_range(
        &self,
        _: &ObjectRef,
        _: &transload_wire::Etag,
        _: ByteRange,
        _: u64,
    ) -> Result<Ranged, StoreError> {
        no()
    }

    async fn open(&self, _: &ObjectRef, _: &transload_wire::Etag, _: u64) -> Result<Opened, StoreError> {
        no()
    }

    async fn delete_object(&self, _: &ObjectRef, _: &transload_wire::Etag) -> Result<Deleted, StoreError> {
        no()
    }

    async fn put(&self, _: &Target, _: PutBody, _: &Condition) -> Result<Written, StoreError> {
        no()
    }

    async fn create_upload(&self, _: &Target) -> Result<Created, StoreError> {
        no()
    }

    async fn upload_part(&self, _: &UploadRef, _: PartNumber, _: PartBody) -> Result<StoredPart, StoreError> {
        no()
    }

    async fn list_parts(&self, _: &UploadRef, _: u32) -> Result<PartListing, StoreError> {
        no()
    }

    async fn complete_upload(&self, _: &UploadRef, _: &Complete) -> Result<Written, StoreError> {
        no()
    }

    async fn abort_upload(&self, _: &UploadRef) -> Result<(), StoreError> {
        no()
    }

    async fn list_uploads(
        &self,
        _: &BucketName,
        _: &str,
        _: Option<&(ObjectKey, UploadId)>,
    ) -> Result<Uploads, StoreError> {
        no()
    }
}

/// Files that are counted and dropped.
#[derive(Default)]
pub(crate) struct Counted {
    /// Lines and bytes by folder.
    pub(crate) folders: Mutex<BTreeMap<String, (u64, u64)>>,
}

#[async_trait]
impl WorkFiles for Counted {
    fn bucket(&self) -> &str {
        "counted"
    }

    async fn put(&self, name: &str, bytes: Bytes) -> Result<(), Failure> {
        let folder = name.split('/').nth(2).unwrap_or_default().to_owned();
        let lines = bytes.iter().filter(|byte| **byte == b'\n').count() as u64;
        let mut folders = self.folders.lock().unwrap_or_else(PoisonError::into_inner);
        let sum = folders.entry(folder).or_default();
        *sum = (sum.0 + lines, sum.1 + bytes.len() as u64);
        Ok(())
    }

    async fn put_stream(&self, _: &str, _: WorkBody) -> Result<u64, Failure> {
        Ok(0)
    }

    async fn get(&self, _: &str) -> Result<Option<WorkBody>, Failure> {
        Ok(None)
    }

    async fn list(&self, _: &str) -> Result<Vec<WorkFile>, Failure> {
        Ok(Vec::new())
    }

    async fn delete(&self, _: &str) -> Result<(), Failure> {
        Ok(())
    }
}

/// What a run over `count` objects found and took.
pub(crate) struct Figures {
    pub(crate) output: ListOutput,
    pub(crate) pages: (u64, u64),
    pub(crate) files: BTreeMap<String, (u64, u64)>,
    pub(crate) peak_kib: u64,
    pub(crate) seconds: f64,
}

/// The source lacks one object of fifty, the destination one of ten; one of ten has another size; one of a thousand is large.
pub(crate) async fn run(count: u64, listers: u32) -> Result<Figures, Failure> {
    let source = Synthetic::new(count, |n| n % 50 != 3, |n| if n % 1_000 == 7 { 100 << 20 } else { 10_000 });
    let destination = Synthetic::new(
        count,
        |n| n % 10 != 0,
        |n| match n % 1_000 {
            7 => 100 << 20,
            n if n % 10 == 1 => 9_999,
            _ => 10_000,
        },
    );
    let stores = MemoryStores::default().with("global", source.clone()).with("china", destination.clone());
    let json = format!(
        r#"{{"request": {{"source": {{"location": "global", "bucket": "abc"}},
             "destination": {{"location": "china", "bucket": "abc"}},
             "sync": {{"listers": {listers}, "delete": {{"maxCount": 1000000000, "maxPercent": 100}}}}}},
            "execution": {{"id": "arn:aws:states:us-east-1:000000000000:execution:bucket:run",
                           "startTime": "2026-01-01T00:00:00.000Z"}}}}"#
    );
    let input: ListInput = transload_wire::parse(json.as_bytes())?;
    let (files, start) = (Counted::default(), std::time::Instant::now());
    let output = transload_list::handle(&stores, &files, transload_store::Deadline::NONE, input).await?;
    let seconds = start.elapsed().as_secs_f64();
    let pages = (source.pages.load(Ordering::Relaxed), destination.pages.load(Ordering::Relaxed));
    let files = files.folders.into_inner().unwrap_or_else(PoisonError::into_inner);
    Ok(Figures { output, pages, files, peak_kib: peak(), seconds })
}

/// Most memory that this process had at once, in KiB; 0 where the system does not tell.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().strip_suffix("kB")?.trim().parse().ok()).unwrap_or(0)
}
