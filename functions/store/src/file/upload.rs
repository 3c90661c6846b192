//! Uploads in parts. Many workers write one file in place, each its parts at their offsets.
//!
//! | `.transload/uploads/ID/` | |
//! |---|---|
//! | `about` | key, attributes, algorithm; written last, so that an upload is there with all of it |
//! | `data` | the bytes; it becomes the object |
//! | `pNNNNN` | the lock of a part, and in it the name of the part's record |
//! | `rNNNNN.OFFSET.LENGTH.TIME.CHECKSUM` | a part that is written, made to last and read back; all of it stands in the name, so that one listing tells 10,000 parts |
//! | `wNN` | locks that writers share, and Complete has alone: nobody writes into a file that has its name |

use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use rustix::fs::{AtFlags, Mode, OFlags, openat, renameat, unlinkat};
use rustix::io::Errno;
use serde::{Deserialize, Serialize};
use transload_plan::{Limits, PartNumber};
use transload_wire::{Attributes, BucketName, ChecksumAlgorithm, ObjectKey, UploadId};

use super::lock::{self, Lock};
use super::root::{Root, World, text, write_text};
use super::sink::Sink;
use super::trouble::Step;
use super::{beneath, blocking, entries, parts, whole};
use crate::{
    Created, ListedUpload, PartBody, StoreError, StoreErrorKind as Kind, StoredPart, Target, UploadRef,
    Uploads, Verb,
};

/// Files of writers' locks: with 10,000 workers about 160 hold each, and EFS allows 512.
pub(super) const WRITERS: u32 = 64;
/// What pages of NFS clients have: two that write into one page overwrite each other's bytes, unless each write is sent as
/// it is.
const PAGE: u64 = 4_096;
/// Uploads of a page of their list.
const LISTED: usize = 1_000;
/// After so long a file that was being written belongs to nobody: no worker lives for a day.
const ABANDONED: Duration = Duration::from_secs(24 * 3_600);

/// What an upload is for.
#[derive(Serialize, Deserialize)]
pub(super) struct About {
    pub(super) key: ObjectKey,
    pub(super) algorithm: ChecksumAlgorithm,
    pub(super) initiated: String,
    pub(super) attributes: Attributes,
}

/// An upload that is there.
pub(super) struct Open {
    pub(super) directory: OwnedFd,
    pub(super) about: About,
}

pub(super) fn create(root: &Root, target: &Target) -> Result<Created, StoreError> {
    let algorithm = whole::check_target(root, target)?;
    root.parent(target.key.as_str())?;
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let id = format!("{:012x}{:016x}", now.as_millis(), fastrand::u64(..));
    let directory = root.own(&format!("uploads/{id}"))?;
    let about = About {
        key: target.key.clone(),
        algorithm,
        initiated: parts::time(now.as_secs()),
        attributes: target.attributes.clone(),
    };
    let failed = |error: std::io::Error| root.call.io("make an upload", error);
    let flags = beneath::FILE | OFlags::WRONLY | OFlags::CREATE;
    openat(&directory, "data", flags, Mode::from_raw_mode(0o644)).map_err(|error| failed(error.into()))?;
    let json = serde_json::to_string(&about).map_err(|error| failed(error.into()))?;
    write_text(&directory, "about", &json).map_err(failed)?;
    let id = id.parse().map_err(|error| root.call.refuse(Kind::Malformed, error))?;
    Ok(Created { id, checksum_algorithm: Some(algorithm) })
}

/// An id as it is made here: nothing that leads anywhere else.
fn is_id(id: &str) -> bool {
    id.len() == 28 && id.bytes().all(|byte| byte.is_ascii_hexdigit())
}

pub(super) fn gone(root: &Root, id: &UploadId) -> StoreError {
    root.call.refuse(Kind::NoSuchUpload, format!("there is no upload {id}"))
}

/// The open upload; of this very key.
pub(super) fn find(root: &Root, key: &ObjectKey, id: &UploadId) -> Result<Open, StoreError> {
    let directory = if is_id(id.as_str()) { root.own_if_there(&format!("uploads/{id}"))? } else { None };
    let directory = directory.ok_or_else(|| gone(root, id))?;
    let about = about(&directory).map_err(|error| root.call.io("read what the upload is for", error))?;
    match about.filter(|about| about.key == *key) {
        Some(about) => Ok(Open { directory, about }),
        None => Err(gone(root, id)),
    }
}

fn about(directory: &OwnedFd) -> std::io::Result<Option<About>> {
    Ok(text(directory, "about")?.and_then(|json| serde_json::from_str(&json).ok()))
}

/// A part that is being written, with its locks.
struct Slot {
    root: Root,
    open: Open,
    part: PartNumber,
    offset: Option<u64>,
    len: u64,
    data: Option<Arc<std::fs::File>>,
    lock: Arc<std::fs::File>,
    locks: Arc<(Lock, Lock)>,
}

/// Writes a part. One without an offset is of no object: only its checksum is kept.
pub(super) async fn part(
    world: &World,
    limits: &Limits,
    upload: &UploadRef,
    part: PartNumber,
    offset: Option<u64>,
    body: PartBody,
) -> Result<StoredPart, StoreError> {
    let (world, limits, upload, len) = (world.clone(), limits.clone(), upload.clone(), body.len);
    let slot = blocking(move || Slot::open(&world, &limits, &upload, (part, offset, len))).await?;
    let (world, call) = (slot.root.world.clone(), slot.root.call.clone());
    let (file, start) = (slot.data.clone(), offset.unwrap_or_default());
    let sink = Sink { world, call, file, start, _held: Some(Arc::clone(&slot.locks)) };
    let checksum = sink.pour(body, slot.open.about.algorithm).await?;
    blocking(move || slot.record(checksum)).await
}

impl Slot {
    fn open(
        world: &World,
        limits: &Limits,
        upload: &UploadRef,
        (part, offset, len): (PartNumber, Option<u64>, u64),
    ) -> Result<Self, StoreError> {
        let root = Root::open(world, Verb::UploadPart, &upload.bucket, upload.key.as_str())?;
        let open = find(&root, &upload.key, &upload.id)?;
        if part.get() > limits.max_parts || len > limits.max_part {
            let expected = format!("part 1 to {} of at most {} bytes", limits.max_parts, limits.max_part);
            let why = format!("expected {expected}, found part {part} of {len}");
            return Err(root.call.refuse(Kind::InvalidRequest, why));
        }
        let writer = format!("w{:02}", part.get() % WRITERS);
        let writer = lock::take(&root, &open.directory, &writer, true)?;
        let flags = beneath::FILE | OFlags::RDWR | OFlags::CREATE;
        let name = format!("p{:05}", part.get());
        let file = openat(&open.directory, &name, flags, Mode::from_raw_mode(0o600));
        let file = file.map_err(|error| root.call.io("open a part's lock", error))?;
        let same = file.try_clone().map_err(|error| root.call.io("open a part's lock", error))?;
        let mine = lock::hold(&root, same, false)?;
        let locks = Arc::new((writer, mine));
        let mut slot = Self { root, open, part, offset, len, data: None, lock: Arc::new(file.into()), locks };
        slot.forget().map_err(|error| slot.root.call.io("forget the part that was there", error))?;
        slot.data = slot.data(&upload.id)?;
        Ok(slot)
    }

    /// What is written now is no part until it is whole: the record of an earlier one goes first.
    fn forget(&self) -> std::io::Result<()> {
        let mut name = String::new();
        std::io::Read::read_to_string(&mut &*self.lock, &mut name)?;
        if !name.starts_with('r') || name.contains('/') {
            return Ok(());
        }
        match unlinkat(&self.open.directory, &name, AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// The file, under the locks: once it has its name it is not here any more.
    fn data(&self, id: &UploadId) -> Result<Option<Arc<std::fs::File>>, StoreError> {
        let Some(offset) = self.offset else { return Ok(None) };
        let whole_pages = offset.is_multiple_of(PAGE) && self.len.is_multiple_of(PAGE);
        let sync = if whole_pages { OFlags::empty() } else { OFlags::DSYNC };
        let opened = self.root.world.step(Step::Open);
        let opened = opened.and_then(|()| {
            Ok(openat(&self.open.directory, "data", beneath::FILE | OFlags::RDWR | sync, Mode::empty())?)
        });
        match opened {
            Ok(file) => Ok(Some(Arc::new(file.into()))),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Err(gone(&self.root, id)),
            Err(error) => Err(self.root.call.io("open the file that it is part of", error)),
        }
    }

    /// Tells of the part, for good.
    fn record(&self, checksum: transload_wire::Checksum) -> Result<StoredPart, StoreError> {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let (offset, len) = (self.offset, self.len);
        let record = parts::Record {
            number: self.part.get(),
            offset,
            len,
            at: now.as_secs(),
            value: checksum.value.clone(),
        };
        let written = || -> std::io::Result<()> {
            let name = record.name();
            self.lock.set_len(0)?;
            std::os::unix::fs::FileExt::write_all_at(&*self.lock, name.as_bytes(), 0)?;
            self.lock.sync_data()?;
            let flags = beneath::FILE | OFlags::WRONLY | OFlags::CREATE;
            openat(&self.open.directory, &name, flags, Mode::from_raw_mode(0o600))?;
            beneath::last(&self.open.directory)
        };
        written().map_err(|error| self.root.call.io("tell of the part", error))?;
        let etag = record.etag().map_err(|error| self.root.call.refuse(Kind::Malformed, error))?;
        Ok(StoredPart { etag, checksum: Some(checksum) })
    }
}

/// Releases an upload: at once out of sight, then piece by piece.
pub(super) fn abort(root: &Root, key: &ObjectKey, id: &UploadId) -> Result<(), StoreError> {
    find(root, key, id)?;
    let uploads = root.own("uploads")?;
    let dead = format!("{id}.gone");
    match renameat(&uploads, id.as_str(), &uploads, &dead) {
        Ok(()) => {}
        Err(Errno::NOENT) => return Err(gone(root, id)),
        Err(error) => return Err(root.call.io("release the upload", error)),
    }
    remove(&uploads, &dead).map_err(|error| root.call.io("remove the upload", error))
}

/// Removes a directory and the files in it. A writer that is not done yet may still make one: then again.
pub(super) fn remove(above: &OwnedFd, name: &str) -> std::io::Result<()> {
    for _ in 0..4 {
        let directory = match openat(above, name, beneath::DIRECTORY, Mode::empty()) {
            Err(Errno::NOENT) => return Ok(()),
            opened => opened?,
        };
        // What takes room first.
        let _ = unlinkat(&directory, "data", AtFlags::empty());
        for entry in entries(&directory)? {
            let _ = unlinkat(&directory, beneath::name(&entry), AtFlags::empty());
        }
        match unlinkat(above, name, AtFlags::REMOVEDIR) {
            Ok(()) | Err(Errno::NOENT) => return Ok(()),
            Err(Errno::NOTEMPTY | Errno::EXIST | Errno::BUSY) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(Errno::NOTEMPTY.into())
}

/// A page of open uploads. What nobody will finish is removed on the way.
pub(super) fn list(
    root: &Root,
    prefix: &str,
    after: Option<&(ObjectKey, UploadId)>,
) -> Result<Uploads, StoreError> {
    sweep_drafts(root);
    let Some(uploads) = root.own_if_there("uploads")? else { return Ok(Uploads::default()) };
    sweep(&uploads);
    let failed = |error| root.call.io("list uploads", error);
    let mut found = Vec::new();
    for entry in entries(&uploads).map_err(failed)? {
        let Some(id) = String::from_utf8(entry).ok().filter(|id| is_id(id)) else { continue };
        let Ok(directory) = openat(&uploads, &id, beneath::DIRECTORY, Mode::empty()) else { continue };
        let Some(about) = about(&directory).map_err(failed)? else { continue };
        let id: UploadId = id.parse().map_err(|error| root.call.refuse(Kind::Malformed, error))?;
        if about.key.as_str().starts_with(prefix) {
            found.push(ListedUpload { key: about.key, id, initiated: about.initiated });
        }
    }
    found.sort_by(|a, b| (&a.key, &a.id).cmp(&(&b.key, &b.id)));
    found.retain(|upload| after.is_none_or(|(key, id)| (&upload.key, &upload.id) > (key, id)));
    let more = found.len() > LISTED;
    found.truncate(LISTED);
    let next = found.last().filter(|_| more).map(|last| (last.key.clone(), last.id.clone()));
    Ok(Uploads { uploads: found, next })
}

/// Errors are left alone: the next list tries again.
fn sweep(uploads: &OwnedFd) {
    let dead = entries(uploads).unwrap_or_default();
    for name in dead.iter().filter_map(|name| std::str::from_utf8(name).ok()) {
        // One whose maker was killed before it was told of has an id and nothing else.
        let half = || is_id(name) && is_old(uploads, name) && !has_about(uploads, name);
        if name.ends_with(".gone") || half() {
            let _ = remove(uploads, name);
        }
    }
}

fn sweep_drafts(root: &Root) {
    let Ok(Some(drafts)) = root.own_if_there("drafts") else { return };
    for draft in entries(&drafts).unwrap_or_default() {
        if std::str::from_utf8(&draft).is_ok_and(|draft| is_old(&drafts, draft)) {
            let _ = unlinkat(&drafts, beneath::name(&draft), AtFlags::empty());
        }
    }
}

fn is_old(directory: &OwnedFd, name: &str) -> bool {
    let facts = super::facts::Facts::at(directory, name);
    let changed = facts.ok().and_then(|facts| u64::try_from(facts.mtime.0).ok());
    let age = changed.and_then(|seconds| {
        SystemTime::now().duration_since(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)).ok()
    });
    age.is_some_and(|age| age > ABANDONED)
}

fn has_about(uploads: &OwnedFd, id: &str) -> bool {
    let directory = openat(uploads, id, beneath::DIRECTORY, Mode::empty());
    // What can not be looked at stays.
    directory.map_or(true, |directory| about(&directory).map_or(true, |about| about.is_some()))
}

/// The root of an upload's bucket.
pub(super) fn root(
    world: &World,
    verb: Verb,
    bucket: &BucketName,
    key: &ObjectKey,
) -> Result<Root, StoreError> {
    Root::open(world, verb, bucket, key.as_str())
}
