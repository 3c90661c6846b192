//! Gives a finished file its name: the one moment at which an object appears, or is replaced.

use std::fs::File;
use std::os::fd::{AsFd, OwnedFd};

use rustix::fs::{AtFlags, FileType, Gid, Mode, RenameFlags, Uid, linkat, renameat, renameat_with, unlinkat};
use rustix::io::Errno;
use transload_wire::{Attributes, Checksum, UploadId};

use super::beneath::last;
use super::facts::Facts;
use super::lock;
use super::path::split;
use super::read::etag;
use super::record::{self, Record};
use super::root::Root;
use super::trouble::Step;
use crate::{Condition, StoreError, StoreErrorKind as Kind, Written};

/// A file that is complete but for its name.
pub(super) struct Ready<'a> {
    pub(super) root: &'a Root,
    pub(super) key: &'a str,
    /// Where it lies.
    pub(super) directory: &'a OwnedFd,
    /// Under which name.
    pub(super) name: &'a str,
    pub(super) file: &'a File,
    pub(super) checksum: Option<Checksum>,
    pub(super) upload: Option<UploadId>,
    pub(super) attributes: Attributes,
}

impl Ready<'_> {
    /// Puts it in its place, if the condition holds.
    pub(super) fn commit(self, condition: &Condition) -> Result<Written, StoreError> {
        let Self { root, key, .. } = self;
        let parent = root.parent(key)?;
        let _lock = lock::of_key(root, key)?;
        let standing = standing(root, &parent, key)?;
        check(root, standing.as_ref(), condition)?;
        let mut record = self.dress()?;
        record.keep(root)?;
        self.rename(&parent, *condition == Condition::Absent)?;
        let done = last(&parent).and_then(|()| Facts::of(self.file));
        let facts = done.map_err(|error| root.call.io("make its name last", error))?;
        if let Some(before) = standing.filter(|before| before.inode != facts.inode) {
            record::forget(root, key, before.inode);
        }
        record.ctime = Some(facts.ctime);
        record.keep(root)?;
        Ok(Written { etag: etag(root, &facts)?, version: None, checksum: record.checksum })
    }

    /// Mode, owner, and everything made to last; what is known of it then.
    fn dress(&self) -> Result<Record, StoreError> {
        let settings = &self.root.world.settings;
        let dressed = || -> std::io::Result<Facts> {
            if let Some(mode) = settings.mode {
                rustix::fs::fchmod(self.file, Mode::from_raw_mode(mode))?;
            }
            if settings.uid.is_some() || settings.gid.is_some() {
                let (uid, gid) = (settings.uid.map(Uid::from_raw), settings.gid.map(Gid::from_raw));
                rustix::fs::fchown(self.file, uid, gid)?;
            }
            self.root.world.step(Step::Sync)?;
            rustix::fs::fsync(self.file)?;
            Facts::of(self.file)
        };
        let facts =
            dressed().map_err(|error| self.root.call.io("set mode and owner, and make it last", error))?;
        Ok(Record {
            key: self.key.to_owned(),
            inode: facts.inode,
            size: facts.size,
            mtime: facts.mtime,
            ctime: None,
            checksum: self.checksum.clone(),
            upload: self.upload.clone(),
            // A file is of no storage class.
            attributes: Attributes { storage_class: None, ..self.attributes.clone() },
        })
    }

    fn rename(&self, parent: &OwnedFd, absent: bool) -> Result<(), StoreError> {
        let (_, name) = split(self.key);
        let renamed = self
            .root
            .world
            .step(Step::Rename)
            .map_err(|error| Errno::from_io_error(&error).unwrap_or(Errno::IO));
        let renamed = renamed.and_then(|()| match absent {
            true => self.rename_to_nothing(parent, name),
            false => renameat(self.directory, self.name, parent, name),
        });
        match renamed {
            Ok(()) => Ok(()),
            // NFS repeats a call whose answer was lost, and answers the second one.
            Err(_) if self.is_named(parent, name) => Ok(()),
            Err(Errno::EXIST) => {
                Err(self.root.call.refuse(Kind::PreconditionFailed, "expected nothing there, found a file"))
            }
            Err(error) => Err(self.root.call.io("give it its name", error)),
        }
    }

    /// NFS has no rename that keeps what is there; a link is never made over another.
    fn rename_to_nothing(&self, parent: &OwnedFd, name: &str) -> rustix::io::Result<()> {
        match renameat_with(self.directory, self.name, parent, name, RenameFlags::NOREPLACE) {
            Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => {}
            done => return done,
        }
        linkat(self.directory, self.name, parent, name, AtFlags::empty())?;
        unlinkat(self.directory, self.name, AtFlags::empty())
    }

    fn is_named(&self, parent: &OwnedFd, name: &str) -> bool {
        let same = Facts::of(self.file).and_then(|own| Ok(Facts::at(parent, name)?.inode == own.inode));
        // The other name of a link that was made goes.
        same.unwrap_or(false) && {
            let _ = unlinkat(self.directory, self.name, AtFlags::empty());
            true
        }
    }
}

/// What stands where a key is to be written. Nothing but a file is replaced.
pub(super) fn standing(root: &Root, parent: impl AsFd, key: &str) -> Result<Option<Facts>, StoreError> {
    let (_, name) = split(key);
    match Facts::at(parent, name) {
        Ok(facts) if facts.kind == FileType::RegularFile => Ok(Some(facts)),
        Ok(facts) => Err(root.not_a_file(facts.kind)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(root.call.io("look at what is there", error)),
    }
}

/// Whether what stands there is what may be replaced.
pub(super) fn check(root: &Root, standing: Option<&Facts>, condition: &Condition) -> Result<(), StoreError> {
    let found = standing.map(|facts| etag(root, facts)).transpose()?;
    let refuse = |kind, expected: String| {
        let found = found.as_ref().map_or_else(|| "nothing".to_owned(), |etag| format!("ETag {etag}"));
        Err(root.call.refuse(kind, format!("expected {expected}, found {found}")))
    };
    match (condition, &found) {
        (Condition::Absent, Some(_)) => refuse(Kind::PreconditionFailed, "nothing there".to_owned()),
        (Condition::Matches(etag), None) => refuse(Kind::NotFound, format!("ETag {etag}")),
        (Condition::Matches(etag), Some(found)) if etag != found => {
            refuse(Kind::PreconditionFailed, format!("ETag {etag}"))
        }
        _ => Ok(()),
    }
}
