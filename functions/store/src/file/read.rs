//! Reading verbs: every range is of the one state of the file that its ETag names, checked before and after it is read.

use std::os::unix::fs::FileExt;
use std::sync::Arc;

use bytes::Bytes;
use futures::stream::{self, StreamExt};
use rustix::fs::{Mode, OFlags};
use transload_plan::ByteRange;
use transload_wire::{Attributes, Etag};

use super::blocking;
use super::facts::Facts;
use super::record;
use super::root::{Found, Root};
use super::trouble::Step;
use crate::{Head, ObjectBody, StoreError, StoreErrorKind as Kind, StoredRef};

/// Bytes of a frame: the largest read of NFS is 1 MiB, and a worker has a few in memory.
const FRAME: u64 = 512 << 10;

pub(super) fn head(root: &Root, key: &str) -> Result<Head, StoreError> {
    let found = root.find(key)?;
    facts_of(root, key, &found.facts)
}

pub(super) fn facts_of(root: &Root, key: &str, facts: &Facts) -> Result<Head, StoreError> {
    let record = record::read(root, key, facts)?;
    let (checksum, mut attributes) = match record {
        Some(record) => (record.checksum, record.attributes),
        None => (None, Attributes::default()),
    };
    let tags = std::mem::take(&mut attributes.tags).len();
    Ok(Head {
        size: facts.size,
        etag: etag(root, facts)?,
        version: None,
        last_modified: facts.last_modified(),
        checksum,
        attributes,
        tag_count: Some(u32::try_from(tags).unwrap_or(u32::MAX)),
        missing_metadata: 0,
        archived: false,
    })
}

pub(super) fn etag(root: &Root, facts: &Facts) -> Result<Etag, StoreError> {
    facts.etag().map_err(|error| root.call.refuse(Kind::Malformed, error))
}

/// Files have no versions.
pub(super) fn check_version(root: &Root, object: &StoredRef) -> Result<(), StoreError> {
    match &object.version {
        None => Ok(()),
        Some(version) => {
            let why = format!("version: expected none (a file system keeps no versions), found {version}");
            Err(root.call.refuse(Kind::InvalidRequest, why))
        }
    }
}

/// Opens a range of the pinned state.
pub(super) fn open(
    root: Root,
    key: &str,
    etag: &Etag,
    range: ByteRange,
    total: u64,
) -> Result<Range, StoreError> {
    let found = root.find(key)?;
    let now = self::etag(&root, &found.facts)?;
    if now != *etag {
        return Err(root.call.refuse(Kind::PreconditionFailed, format!("expected ETag {etag}, found {now}")));
    }
    if found.facts.size != total || range.end() > total {
        let why = format!("expected {range} of {total} bytes, found a file of {}", found.facts.size);
        return Err(root.call.refuse(Kind::WrongRange, why));
    }
    Ok(Range { root, key: key.to_owned(), found, at: range.start, end: range.end(), checked: false })
}

/// A range that is being read.
pub(super) struct Range {
    root: Root,
    key: String,
    found: Found,
    at: u64,
    end: u64,
    checked: bool,
}

impl Range {
    pub(super) fn facts(&self) -> &Facts {
        &self.found.facts
    }

    pub(super) fn root(&self) -> &Root {
        &self.root
    }

    /// Its bytes. The last frame is let go only if the file is still what it was before the first.
    pub(super) fn body(self) -> ObjectBody {
        let range = Arc::new(std::sync::Mutex::new(self));
        let frames = stream::try_unfold(range, |range| async move {
            let one = Arc::clone(&range);
            let frame =
                blocking(move || one.lock().unwrap_or_else(std::sync::PoisonError::into_inner).next());
            Ok(frame.await?.map(|frame| (frame, range)))
        });
        frames.boxed()
    }

    fn next(&mut self) -> Result<Option<Bytes>, StoreError> {
        let len = FRAME.min(self.end - self.at);
        let frame = if len > 0 { self.read(len)? } else { Bytes::new() };
        self.at += len;
        if self.at == self.end && !self.checked {
            self.unchanged()?;
            self.checked = true;
        }
        Ok((len > 0).then_some(frame))
    }

    fn read(&self, len: u64) -> Result<Bytes, StoreError> {
        let call = &self.root.call;
        let failed = |error| call.io(&format!("read {len} bytes at {}", self.at), error);
        self.root.world.step(Step::Read).map_err(failed)?;
        let mut bytes = vec![0; usize::try_from(len).unwrap_or_default()];
        match self.found.file.read_exact_at(&mut bytes, self.at) {
            Ok(()) => Ok(bytes.into()),
            Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
                let size = self.found.file.metadata().map(|found| found.len()).unwrap_or_default();
                let why =
                    format!("expected {} bytes, found its end (it has {size} by now)", self.found.facts.size);
                Err(call.refuse(Kind::PreconditionFailed, why))
            }
            Err(error) => Err(failed(error)),
        }
    }

    /// Whether what was read is still that state, and still has that name.
    fn unchanged(&self) -> Result<(), StoreError> {
        let call = &self.root.call;
        let now = Facts::of(&self.found.file).map_err(|error| call.io("look at it again", error))?;
        let named =
            self.root.beneath(&self.key, OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC, Mode::empty());
        let named = named.and_then(Facts::of);
        let before = &self.found.facts;
        let why = match named {
            _ if now != *before => format!("expected ETag {}, found {}", show(before), show(&now)),
            Ok(named) if named.inode == before.inode => return Ok(()),
            Ok(_) => "expected the file that was opened, found another one in its place".to_owned(),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                "expected the file that was opened, found nothing in its place".to_owned()
            }
            Err(error) => return Err(call.io("look at its name again", error)),
        };
        Err(call.refuse(Kind::PreconditionFailed, why))
    }
}

fn show(facts: &Facts) -> String {
    facts.etag().map(|etag| etag.to_string()).unwrap_or_default()
}
