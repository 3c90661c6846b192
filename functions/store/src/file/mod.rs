//! Mounted file systems (EFS, NFS, a local disk) as stores: a root is a bucket, a path beneath it is a key.
//!
//! | file | |
//! |---|---|
//! | `path`, `beneath`, `root` | which keys are paths, and how nothing outside of a root is reached |
//! | `facts`, `read`, `list` | one state of a file is one ETag; ranges and listings |
//! | `sink`, `whole`, `upload`, `parts`, `complete` | bytes are written in place, made to last and read back |
//! | `commit`, `lock`, `record` | a finished file gets its name; what the file system can not keep lies beside |
//!
//! `docs/files.md` says what is promised, and what of S3's promises is not.

mod beneath;
mod commit;
mod complete;
mod facts;
mod list;
mod lock;
mod parts;
mod path;
mod read;
mod record;
mod root;
mod sink;
#[cfg(test)]
mod tests;
mod trouble;
mod upload;
mod whole;

use std::collections::BTreeMap;
use std::fmt;
use std::os::fd::AsFd;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use transload_plan::{ByteRange, Limits, PartNumber, Run};
use transload_wire::{BucketName, ChecksumAlgorithm, Etag, ObjectKey, Requests, UploadId};

use self::beneath::Way;
use self::list::Walk;
use self::root::{Root, World};
pub use self::trouble::{Step, Trouble};
use crate::{
    Complete, Condition, Created, Deleted, Head, ObjectListing, ObjectRef, Opened, PartBody, PartListing,
    PutBody, Ranged, Shelf, Store, StoreError, StoreErrorKind as Kind, StoredPart, Target, UploadRef,
    Uploads, Verb, Written,
};

/// What a location of files is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FileSettings {
    /// The location's name, for messages.
    pub name: String,
    /// Directories that stand for buckets.
    pub roots: BTreeMap<BucketName, PathBuf>,
    /// Whether each root has to be on another file system than `/`.
    pub mounted: bool,
    /// Mode of files; 0644 as far as the umask lets it, without.
    pub mode: Option<u32>,
    /// Mode of directories that are made; 0755 as far as the umask lets it, without.
    pub directory_mode: Option<u32>,
    /// Owner of files; the worker, without.
    pub uid: Option<u32>,
    /// Group of files; the worker's, without.
    pub gid: Option<u32>,
    /// Limits of objects and parts.
    pub limits: Limits,
}

/// Walks that wait for their next page, each at the key behind which it goes on. A page that finds none reads every
/// directory on the way once more.
const WALKS: usize = 16;
/// No longer: another run that begins behind the same key is to see what is there then.
const WALKS_LAST: Duration = Duration::from_secs(10);
/// Objects of a page.
const PAGE: u32 = 1_000;

struct Waiting {
    shelf: Shelf,
    after: String,
    since: Instant,
    walk: Walk,
}

/// A store of files. Clones share their counts.
#[derive(Clone)]
pub struct FileStore {
    world: World,
    requests: Arc<Mutex<Requests>>,
    walks: Arc<Mutex<Vec<Waiting>>>,
}

impl fmt::Debug for FileStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.world.settings.fmt(f)
    }
}

impl FileStore {
    /// Opens nothing yet.
    #[must_use]
    pub fn new(settings: FileSettings) -> Self {
        let world = World { settings: Arc::new(settings), trouble: None, way: Way::Kernel };
        Self { world, requests: Arc::default(), walks: Arc::default() }
    }

    /// The same, on a disk that fails. For tests.
    #[must_use]
    pub fn with_trouble(self, trouble: Trouble) -> Self {
        Self { world: World { trouble: Some(trouble), ..self.world }, ..self }
    }

    /// The same, as on kernels that can not resolve a path beneath a directory in one call.
    #[cfg(test)]
    fn by_names(self) -> Self {
        Self { world: World { way: Way::Names, ..self.world }, ..self }
    }

    /// Whether a root is there, mounted if it has to be, and (if asked for) may be written: what is wrong, if anything is.
    ///
    /// # Errors
    /// As any call would meet.
    pub fn probe(&self, bucket: &BucketName, write: bool) -> Result<(), StoreError> {
        let root =
            Root::open(&self.world, if write { Verb::PutObject } else { Verb::HeadObject }, bucket, "")?;
        if write { root.own("uploads").map(drop) } else { Ok(()) }
    }

    fn count(&self, verb: Verb) {
        let mut requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        *requests.entry(verb.as_str().to_owned()).or_default() += 1;
    }

    /// Does something with the root of an object, where it may wait for a disk.
    async fn at<T: Send + 'static>(
        &self,
        verb: Verb,
        object: &ObjectRef,
        act: impl FnOnce(Root, &str) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.count(verb);
        let (world, object) = (self.world.clone(), object.stored()?.clone());
        blocking(move || {
            let root = Root::open(&world, verb, &object.bucket, object.key.as_str())?;
            read::check_version(&root, &object)?;
            act(root, object.key.as_str())
        })
        .await
    }

    /// The same for an upload.
    async fn of<T: Send + 'static>(
        &self,
        verb: Verb,
        upload: &UploadRef,
        act: impl FnOnce(Root, &World, &UploadRef) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.count(verb);
        let (world, upload) = (self.world.clone(), upload.clone());
        blocking(move || act(upload::root(&world, verb, &upload.bucket, &upload.key)?, &world, &upload)).await
    }

    fn page(&self, verb: Verb, shelf: &Shelf, after: &str, max: u32) -> Result<ObjectListing, StoreError> {
        let root = Root::open(&self.world, verb, &shelf.bucket, &shelf.prefix)?;
        let lock = || self.walks.lock().unwrap_or_else(PoisonError::into_inner);
        let waiting = {
            let mut walks = lock();
            walks.retain(|waiting| waiting.since.elapsed() < WALKS_LAST);
            let at =
                walks.iter().position(|waiting| (&waiting.shelf, waiting.after.as_str()) == (shelf, after));
            at.map(|at| walks.swap_remove(at).walk)
        };
        let mut walk = match waiting {
            Some(walk) => walk,
            None => Walk::new(&root, shelf, after)?,
        };
        let page =
            walk.page(&root, usize::try_from(max.min(PAGE)).unwrap_or(1))?.check(verb, shelf, after)?;
        if let Some(next) = &page.next {
            let mut walks = lock();
            walks.truncate(WALKS - 1);
            walks.push(Waiting { shelf: shelf.clone(), after: next.clone(), since: Instant::now(), walk });
        }
        Ok(page)
    }

    async fn list(
        &self,
        verb: Verb,
        shelf: &Shelf,
        after: &str,
        max: u32,
    ) -> Result<ObjectListing, StoreError> {
        self.count(verb);
        let (store, shelf, after) = (self.clone(), shelf.clone(), after.to_owned());
        blocking(move || store.page(verb, &shelf, &after, max)).await
    }
}

/// Runs what waits for a disk where nothing else waits for it.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(error) => {
            Err(StoreError::new(Kind::Unavailable, format!("a call to the disk was lost: {error}")))
        }
    }
}

/// Names in a directory.
fn entries(directory: impl AsFd) -> std::io::Result<Vec<Vec<u8>>> {
    let mut names = Vec::new();
    for entry in rustix::fs::Dir::read_from(directory)? {
        let entry = entry?;
        let name = entry.file_name().to_bytes();
        if !matches!(name, b"." | b"..") {
            names.push(name.to_vec());
        }
    }
    Ok(names)
}

#[async_trait]
impl Store for FileStore {
    fn limits(&self) -> &Limits {
        &self.world.settings.limits
    }

    fn checksums(&self) -> &[ChecksumAlgorithm] {
        &ChecksumAlgorithm::COMBINABLE
    }

    fn conditional_writes(&self) -> bool {
        true
    }

    fn takes(&self, key: &ObjectKey) -> bool {
        path::refusal(key.as_str()).is_none()
    }

    fn requests(&self) -> Requests {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    async fn head(&self, object: &ObjectRef) -> Result<Head, StoreError> {
        self.at(Verb::HeadObject, object, |root, key| read::head(&root, key)).await
    }

    async fn tags(&self, object: &ObjectRef) -> Result<BTreeMap<String, String>, StoreError> {
        let tags = |root: Root, key: &str| {
            let found = root.find(key)?;
            let record = record::read(&root, key, &found.facts)?;
            Ok(record.map(|record| record.attributes.tags).unwrap_or_default())
        };
        self.at(Verb::GetObjectTagging, object, tags).await
    }

    /// A file is of one piece, whatever it was sent in.
    async fn source_parts(&self, object: &ObjectRef, _head: &Head) -> Result<Option<Vec<Run>>, StoreError> {
        self.at(Verb::GetObjectAttributes, object, |root, key| root.find(key).map(|_| None)).await
    }

    async fn get_range(
        &self,
        object: &ObjectRef,
        etag: &Etag,
        range: ByteRange,
        total: u64,
    ) -> Result<Ranged, StoreError> {
        let etag = etag.clone();
        let open = move |root, key: &str| read::open(root, key, &etag, range, total);
        let opened = self.at(Verb::GetObject, object, open).await?;
        Ok(Ranged { range, body: opened.body() })
    }

    async fn open(&self, object: &ObjectRef, etag: &Etag, total: u64) -> Result<Opened, StoreError> {
        let (etag, range) = (etag.clone(), ByteRange { start: 0, len: total });
        let open = move |root, key: &str| {
            let opened = read::open(root, key, &etag, range, total)?;
            let head = read::facts_of(opened.root(), key, opened.facts())?;
            Ok((head, opened))
        };
        let (head, opened) = self.at(Verb::GetObject, object, open).await?;
        Ok(Opened { head, body: opened.body() })
    }

    async fn delete_object(&self, object: &ObjectRef, etag: &Etag) -> Result<Deleted, StoreError> {
        let etag = etag.clone();
        self.at(Verb::DeleteObject, object, move |root, key| whole::delete(&root, key, &etag)).await
    }

    async fn put(
        &self,
        target: &Target,
        body: PutBody,
        condition: &Condition,
    ) -> Result<Written, StoreError> {
        self.count(Verb::PutObject);
        whole::put(&self.world, target, body, condition).await
    }

    async fn create_upload(&self, target: &Target) -> Result<Created, StoreError> {
        self.count(Verb::CreateMultipartUpload);
        let (world, target) = (self.world.clone(), target.clone());
        let create = move || {
            let root = upload::root(&world, Verb::CreateMultipartUpload, &target.bucket, &target.key)?;
            upload::create(&root, &target)
        };
        blocking(create).await
    }

    async fn upload_part(
        &self,
        upload: &UploadRef,
        part: PartNumber,
        body: PartBody,
    ) -> Result<StoredPart, StoreError> {
        self.count(Verb::UploadPart);
        upload::part(&self.world, self.limits(), upload, part, None, body).await
    }

    async fn upload_part_at(
        &self,
        upload: &UploadRef,
        part: PartNumber,
        offset: u64,
        body: PartBody,
    ) -> Result<StoredPart, StoreError> {
        self.count(Verb::UploadPart);
        upload::part(&self.world, self.limits(), upload, part, Some(offset), body).await
    }

    async fn list_parts(&self, upload: &UploadRef, after: u32) -> Result<PartListing, StoreError> {
        let list = move |root: Root, _: &World, upload: &UploadRef| {
            let open = upload::find(&root, &upload.key, &upload.id)?;
            parts::list(&root, &open, after)
        };
        self.of(Verb::ListParts, upload, list).await
    }

    async fn complete_upload(&self, upload: &UploadRef, complete: &Complete) -> Result<Written, StoreError> {
        let asked = complete.clone();
        let complete = move |root: Root, world: &World, upload: &UploadRef| {
            complete::complete(&root, &world.settings.limits, upload, &asked)
        };
        self.of(Verb::CompleteMultipartUpload, upload, complete).await
    }

    async fn abort_upload(&self, upload: &UploadRef) -> Result<(), StoreError> {
        let abort = |root: Root, _: &World, upload: &UploadRef| upload::abort(&root, &upload.key, &upload.id);
        self.of(Verb::AbortMultipartUpload, upload, abort).await
    }

    async fn list_uploads(
        &self,
        bucket: &BucketName,
        prefix: &str,
        after: Option<&(ObjectKey, UploadId)>,
    ) -> Result<Uploads, StoreError> {
        self.count(Verb::ListMultipartUploads);
        let (world, bucket) = (self.world.clone(), bucket.clone());
        let (prefix, after) = (prefix.to_owned(), after.cloned());
        let list = move || {
            let root = Root::open(&world, Verb::ListMultipartUploads, &bucket, &prefix)?;
            upload::list(&root, &prefix, after.as_ref())
        };
        blocking(list).await
    }

    async fn list_objects(&self, shelf: &Shelf, after: &str, max: u32) -> Result<ObjectListing, StoreError> {
        self.list(Verb::ListObjectsV2, shelf, after, max).await
    }

    /// Files have no versions: the same as [`Self::list_objects`].
    async fn list_versions(&self, shelf: &Shelf, after: &str, max: u32) -> Result<ObjectListing, StoreError> {
        self.list(Verb::ListObjectVersions, shelf, after, max).await
    }
}
