//! Where an inventory is read from: the bucket that S3 wrote it into, or a folder that it was downloaded to.

use std::fmt;
use std::path::{Component, Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;

use futures::{StreamExt, TryStreamExt, stream};
use transload_plan::ByteRange;
use transload_store::location::ConfiguredStores;
use transload_store::resume::{PinnedRange, pinned_stream};
use transload_store::work::WorkBody;
use transload_store::{
    Backoff, Deadline, Head, ObjectRef, Side, Store, StoredRef, Stores, failure_of, prove,
};
use transload_wire::{BucketName, ErrorName, Failure, ObjectKey, Source, StoredSource};

use super::document::DataFile;
use crate::exit::Outcome;
use crate::locations::Known;
use crate::place::Place;
use crate::sync::frozen;

/// Bytes of `manifest.json`, at most: enough for a hundred thousand files.
const MOST: u64 = 64 << 20;
/// Tries of one HEAD.
const TRIES: u32 = 3;
/// What stands beside `manifest.json`, and has its MD5.
const CHECKSUM: &str = "manifest.checksum";

/// `manifest.json`, as the user names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Where {
    /// A file.
    File(PathBuf),
    /// An object at a location.
    Stored(StoredSource),
}

impl FromStr for Where {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if !text.contains("s3://") {
            return Ok(Self::File(PathBuf::from(text)));
        }
        match text.parse::<Place>()?.source(None) {
            Ok(Source::Stored(source)) => Ok(Self::Stored(source)),
            _ => Err(format!("expected LOCATION:s3://BUCKET/.../manifest.json, found {text:?}")),
        }
    }
}

impl fmt::Display for Where {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(f),
            Self::Stored(source) => source.fmt(f),
        }
    }
}

/// Reads it there.
pub(super) enum Origin {
    Folder(PathBuf),
    Bucket { store: Arc<dyn Store>, manifest: StoredRef },
}

impl Origin {
    /// # Errors
    /// If the locations file is refused, or has no such location.
    pub(super) fn open(place: &Where, known: impl FnOnce() -> Outcome<Known>) -> Outcome<Self> {
        let StoredSource { location, bucket, key, .. } = match place {
            Where::File(path) => return Ok(Self::Folder(path.clone())),
            Where::Stored(source) => source.clone(),
        };
        let known = known()?;
        known.require(&location)?;
        let store = ConfiguredStores::from_file(&known.file)?.open(&location)?;
        Ok(Self::Bucket { store, manifest: stored(bucket, key) })
    }

    /// `manifest.json`; `None` if there is nothing.
    pub(super) async fn manifest(&self) -> Result<Option<Vec<u8>>, Failure> {
        match self {
            Self::Folder(path) => small(path),
            Self::Bucket { store, manifest } => small_object(store, manifest.clone()).await,
        }
    }

    /// `manifest.checksum` beside it; `None` if there is none.
    pub(super) async fn checksum(&self) -> Result<Option<Vec<u8>>, Failure> {
        match self {
            Self::Folder(path) => small(&path.with_file_name(CHECKSUM)),
            Self::Bucket { store, manifest } => {
                let folder = manifest.key.as_str().rsplit_once('/').map_or("", |(folder, _)| folder);
                let key = format!("{folder}/{CHECKSUM}");
                let key = key.trim_start_matches('/').parse::<ObjectKey>();
                let key = key.map_err(|error| ErrorName::InputInvalid.because(error.to_string()))?;
                small_object(store, stored(manifest.bucket.clone(), key)).await
            }
        }
    }

    /// The bytes of a data file, and where they are.
    ///
    /// # Errors
    /// `InputInvalid` if it is nowhere; the store's.
    pub(super) async fn file(
        &self,
        bucket: &BucketName,
        file: &DataFile,
    ) -> Result<(String, WorkBody), Failure> {
        match self {
            Self::Folder(manifest) => {
                let path = find(manifest, file.key.as_str()).ok_or_else(|| missing(&file.key))?;
                let place = path.display().to_string();
                let body = frozen::body(&path, "--inventory").await;
                Ok((place, body.map_err(|error| ErrorName::InputInvalid.because(error.to_string()))?))
            }
            Self::Bucket { store, .. } => {
                let object = stored(bucket.clone(), file.key.clone());
                let head = head(store.as_ref(), &object).await?.ok_or_else(|| missing(&object))?;
                Ok((object.to_string(), bytes(store, object, head)))
            }
        }
    }
}

fn missing(place: &impl fmt::Display) -> Failure {
    ErrorName::InputInvalid.because(format!("expected {place} (a file of manifest.json), found none"))
}

fn stored(bucket: BucketName, key: ObjectKey) -> StoredRef {
    StoredRef { bucket, key, version: None, requester_pays: false }
}

/// The data file by the end of its key, the longest first, and as far above `manifest.json` as it is long: so it is found in a
/// copy of the bucket, of the inventory alone (`ID/data/NAME` beside `ID/DATE/manifest.json`), and beside `manifest.json`.
fn find(manifest: &Path, key: &str) -> Option<PathBuf> {
    let manifest = std::path::absolute(manifest).ok()?;
    let parts: Vec<&str> = key.split('/').filter(|part| !part.is_empty()).collect();
    (0..parts.len()).find_map(|from| {
        let end = &parts[from..];
        let path: PathBuf = end.iter().collect();
        let plain = path.components().all(|part| matches!(part, Component::Normal(_)));
        let mut folders = manifest.ancestors().skip(1).take(end.len());
        folders.find_map(|folder| Some(folder.join(&path)).filter(|path| plain && path.is_file()))
    })
}

fn small(path: &Path) -> Result<Option<Vec<u8>>, Failure> {
    let failed = |error: std::io::Error| ErrorName::InputInvalid.because(error.to_string());
    match std::fs::metadata(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        found => is_small(found.map_err(failed)?.len())?,
    }
    std::fs::read(path).map(Some).map_err(failed)
}

fn is_small(size: u64) -> Result<(), Failure> {
    if size <= MOST {
        return Ok(());
    }
    Err(ErrorName::InputInvalid.because(format!("expected at most {MOST} bytes, found {size}")))
}

async fn small_object(store: &Arc<dyn Store>, object: StoredRef) -> Result<Option<Vec<u8>>, Failure> {
    let Some(head) = head(store.as_ref(), &object).await? else { return Ok(None) };
    is_small(head.size)?;
    let frames: Vec<_> = bytes(store, object, head).try_collect().await?;
    Ok(Some(frames.concat()))
}

/// Facts of an object; `None` if there is none.
async fn head(store: &dyn Store, object: &StoredRef) -> Result<Option<Head>, Failure> {
    let (object, mut backoff) = (ObjectRef::from(object.clone()), Backoff::of_tries(TRIES));
    loop {
        match store.head(&object).await {
            Ok(head) => return Ok(Some(head)),
            Err(error) if prove::is_nothing(&error) => return Ok(None),
            Err(error) if error.is_transient() && backoff.pause(&Deadline::NONE).await => {}
            Err(error) => return Err(failure_of(error, Side::Source)),
        }
    }
}

/// All bytes of an object, at the version that was looked at.
fn bytes(store: &Arc<dyn Store>, object: StoredRef, head: Head) -> WorkBody {
    if head.size == 0 {
        return stream::empty().boxed();
    }
    let range = ByteRange { start: 0, len: head.size };
    let pinned = PinnedRange { object: object.into(), etag: head.etag, range, total: head.size };
    pinned_stream(Arc::clone(store), pinned, Deadline::NONE).0
}
