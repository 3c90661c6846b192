//! The contract on real directories, and what only a file system can do to it.

use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use futures::{StreamExt, TryStreamExt, stream};
use transload_plan::{ByteRange, Limits, PartNumber};
use transload_wire::{Attributes, BucketName};

use super::{FileSettings, FileStore};
use crate::contract::{self, Subject};
use crate::faulty::Faulty;
use crate::{
    Complete, Condition, Head, ObjectRef, PutBody, Store, StoreError, StoreErrorKind as Kind, StoredRef,
    Target, UploadRef, Written,
};

mod destination;
mod listing;
mod paths;
mod source;

/// A directory as root `files`, with parts as small as tests want them.
struct Disk {
    directory: tempfile::TempDir,
    store: FileStore,
}

fn settings(root: &Path) -> FileSettings {
    FileSettings {
        name: "disk".to_owned(),
        roots: [(bucket(), root.to_owned())].into(),
        limits: Limits { min_part: 1_000, default_part: 1_000, ..Limits::default() },
        ..FileSettings::default()
    }
}

fn bucket() -> BucketName {
    "files".parse().unwrap()
}

impl Disk {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let store = FileStore::new(settings(directory.path()));
        Self { directory, store }
    }

    fn path(&self, key: &str) -> std::path::PathBuf {
        self.directory.path().join(key)
    }

    fn write(&self, key: &str, bytes: &[u8]) {
        let path = self.path(key);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }

    async fn head(&self, key: &str) -> Result<Head, StoreError> {
        self.store.head(&object(key)).await
    }

    /// Pins the file, does something, then reads all of it.
    async fn read(&self, key: &str) -> Result<Vec<u8>, StoreError> {
        let head = self.head(key).await?;
        let range = ByteRange { start: 0, len: head.size };
        let ranged = self.store.get_range(&object(key), &head.etag, range, head.size).await?;
        let frames: Vec<Bytes> = ranged.body.try_collect().await?;
        Ok(frames.concat())
    }

    async fn put(&self, key: &str, bytes: &[u8], condition: &Condition) -> Result<Written, StoreError> {
        self.store.put(&target(key), body(bytes), condition).await
    }

    async fn create(&self, key: &str) -> UploadRef {
        let target = target(key);
        self.store.create_upload(&target).await.unwrap().upload(&target)
    }

    async fn part(&self, upload: &UploadRef, part: u32, at: u64, bytes: &[u8]) -> Result<(), StoreError> {
        let number = PartNumber::new(part).unwrap();
        self.store.upload_part_at(upload, number, at, body(bytes)).await.map(drop)
    }

    async fn complete(&self, upload: &UploadRef, condition: Condition) -> Result<Written, StoreError> {
        let parts = self.store.list_parts(upload, 0).await?.parts;
        let size = parts.iter().map(|part| part.size).sum();
        let asked = Complete { parts, size, checksum: None, condition };
        self.store.complete_upload(upload, &asked).await
    }
}

fn object(key: &str) -> ObjectRef {
    let key = key.parse().unwrap();
    ObjectRef::from(StoredRef { bucket: bucket(), key, version: None, requester_pays: false })
}

fn target(key: &str) -> Target {
    Target {
        bucket: bucket(),
        key: key.parse().unwrap(),
        attributes: Attributes::default(),
        encryption: None,
        checksum_algorithm: None,
    }
}

fn body(bytes: &[u8]) -> PutBody {
    let frames: Vec<_> = bytes.chunks(70_001).map(|frame| Ok(Bytes::copy_from_slice(frame))).collect();
    PutBody { len: bytes.len() as u64, stream: stream::iter(frames).boxed(), md5: None, seen: None }
}

fn kind<T>(answer: Result<T, StoreError>) -> Kind {
    answer.map(drop).expect_err("a refusal").kind
}

fn subject(store: Arc<dyn Store>) -> Subject {
    let missing_bucket = "not-there".parse().unwrap();
    Subject { store, bucket: bucket(), missing_bucket, prefix: "contract/".to_owned(), unkept: Vec::new() }
}

#[tokio::test]
async fn files_keep_the_contract() {
    let disk = Disk::new();
    contract::run(&subject(Arc::new(disk.store.clone()))).await;
    assert_eq!(std::fs::read_dir(disk.path(".transload/uploads")).unwrap().count(), 0, "uploads stay");
    assert_eq!(std::fs::read_dir(disk.path(".transload/drafts")).unwrap().count(), 0, "drafts stay");
}

#[tokio::test]
async fn files_keep_the_contract_where_paths_are_resolved_name_by_name() {
    let disk = Disk::new();
    contract::run(&subject(Arc::new(disk.store.clone().by_names()))).await;
}

#[tokio::test]
async fn a_decorated_store_of_files_keeps_the_contract() {
    let disk = Disk::new();
    contract::run(&subject(Arc::new(Faulty::new(disk.store.clone())))).await;
}
