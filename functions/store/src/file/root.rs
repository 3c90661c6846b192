//! A root: the directory that stands for a bucket, opened.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::PathBuf;
use std::sync::Arc;

use rustix::fs::{CWD, Mode, OFlags, openat};
use rustix::io::Errno;
use transload_wire::BucketName;

use super::FileSettings;
use super::beneath::{self, Way};
use super::facts::{Facts, describe};
use super::path::{RESERVED, refusal, split};
use super::trouble::{Call, Step, Trouble};
use crate::{StoreError, StoreErrorKind as Kind, Verb};

/// What all calls of a store share.
#[derive(Clone)]
pub(super) struct World {
    pub(super) settings: Arc<FileSettings>,
    pub(super) trouble: Option<Trouble>,
    pub(super) way: Way,
}

impl World {
    /// Fails where a test wants it.
    pub(super) fn step(&self, step: Step) -> io::Result<()> {
        match self.trouble.as_ref().and_then(|trouble| trouble(step)) {
            Some(errno) => Err(io::Error::from_raw_os_error(errno)),
            None => Ok(()),
        }
    }
}

/// An open root, and the call that it is open for.
pub(super) struct Root {
    pub(super) world: World,
    pub(super) call: Call,
    pub(super) fd: OwnedFd,
}

/// A file that was opened to be read.
pub(super) struct Found {
    pub(super) file: std::fs::File,
    pub(super) facts: Facts,
}

impl Root {
    /// Opens the root of a bucket; `key` is for messages.
    pub(super) fn open(
        world: &World,
        verb: Verb,
        bucket: &BucketName,
        key: &str,
    ) -> Result<Self, StoreError> {
        let Some(path) = world.settings.roots.get(bucket) else {
            let known: Vec<_> = world.settings.roots.keys().map(BucketName::as_str).collect();
            let message = format!(
                "{verb} {bucket}/{key}: expected a root of location {} ({}), found {bucket}",
                world.settings.name,
                known.join(", ")
            );
            return Err(StoreError::new(Kind::NoSuchBucket, message));
        };
        let call = Call { verb, what: format!("{bucket}/{key} (below {})", path.display()) };
        let fd = open_root(path).map_err(|error| match Errno::from_io_error(&error) {
            Some(Errno::NOENT) => call.refuse(Kind::NoSuchBucket, "the root is not there; is it mounted?"),
            Some(Errno::NOTDIR) => call.refuse(Kind::NoSuchBucket, "the root is no directory"),
            _ => call.io("open the root", error),
        })?;
        let root = Self { world: world.clone(), call, fd };
        root.check_mount()?;
        Ok(root)
    }

    /// An empty directory where nothing is mounted would fill the disk of the system.
    fn check_mount(&self) -> Result<(), StoreError> {
        if !self.world.settings.mounted {
            return Ok(());
        }
        let device = |file: &OwnedFd| rustix::fs::fstat(file).map(|stat| stat.st_dev);
        let system = open_root(&PathBuf::from("/")).map_err(|error| self.call.io("look at /", error))?;
        match (device(&self.fd), device(&system)) {
            (Ok(root), Ok(system)) if root != system => Ok(()),
            (Err(error), _) | (_, Err(error)) => Err(self.call.io("look at the root", error)),
            _ => Err(self.call.refuse(
                Kind::NoSuchBucket,
                "expected a mounted file system (the location says mounted = true), found the one of /",
            )),
        }
    }

    /// Refuses a key that is no path.
    pub(super) fn check(&self, key: &str) -> Result<(), StoreError> {
        refusal(key).map_or(Ok(()), |why| Err(self.call.refuse(Kind::InvalidRequest, format!("key: {why}"))))
    }

    /// Opens something beneath.
    pub(super) fn beneath(&self, path: &str, flags: OFlags, mode: Mode) -> io::Result<OwnedFd> {
        self.world.step(Step::Open)?;
        beneath::open(&self.fd, path, flags, mode, self.world.way)
    }

    /// Opens a regular file to be read.
    pub(super) fn find(&self, key: &str) -> Result<Found, StoreError> {
        self.check(key)?;
        let opened = self.beneath(key, beneath::FILE | OFlags::RDONLY, Mode::empty());
        let fd = opened.map_err(|error| self.call.io("open it", error))?;
        let facts = Facts::of(&fd).map_err(|error| self.call.io("look at it", error))?;
        match facts.kind {
            rustix::fs::FileType::RegularFile => Ok(Found { file: fd.into(), facts }),
            // As S3 has it: what other keys begin with is no key.
            rustix::fs::FileType::Directory => Err(self.call.refuse(Kind::NotFound, "a directory is there")),
            other => Err(self.not_a_file(other)),
        }
    }

    pub(super) fn not_a_file(&self, found: rustix::fs::FileType) -> StoreError {
        let why = format!("expected a regular file, found {}", describe(found));
        self.call.refuse(Kind::InvalidRequest, why)
    }

    /// The directory in which a key is to be written, made if it is missing.
    pub(super) fn parent(&self, key: &str) -> Result<OwnedFd, StoreError> {
        self.check(key)?;
        let (directory, _) = split(key);
        let mode = self.world.settings.directory_mode;
        let mode = (Mode::from_raw_mode(mode.unwrap_or(0o755)), mode.is_some());
        let made = self.world.step(Step::Open);
        let made = made.and_then(|()| beneath::make(self.fd.as_fd(), directory, mode, self.world.way));
        made.map_err(|error| self.call.io(&format!("make or open the directory {directory:?}"), error))
    }

    /// A directory of transload's own, made if it is missing.
    pub(super) fn own(&self, path: &str) -> Result<OwnedFd, StoreError> {
        let whole = format!("{RESERVED}/{path}");
        // Nobody else has to do with what lies there: parts of objects, and what is known about them.
        let made = self.world.step(Step::Open);
        let made = made.and_then(|()| {
            beneath::make(self.fd.as_fd(), &whole, (Mode::from_raw_mode(0o700), false), self.world.way)
        });
        made.map_err(|error| self.call.io(&format!("make or open {whole}"), error))
    }

    /// The same, if it is there.
    pub(super) fn own_if_there(&self, path: &str) -> Result<Option<OwnedFd>, StoreError> {
        let whole = format!("{RESERVED}/{path}");
        match self.beneath(&whole, beneath::DIRECTORY, Mode::empty()) {
            Ok(opened) => Ok(Some(opened)),
            Err(error) if Errno::from_io_error(&error) == Some(Errno::NOENT) => Ok(None),
            Err(error) => Err(self.call.io(&format!("open {whole}"), error)),
        }
    }
}

fn open_root(path: &PathBuf) -> io::Result<OwnedFd> {
    let flags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);
    Ok(openat(CWD, path, flags, Mode::empty())?)
}

/// The whole text of a small file; `None` if it is not there, or no text.
pub(super) fn text(directory: impl AsFd, name: &str) -> io::Result<Option<String>> {
    match openat(directory, name, beneath::FILE | OFlags::RDONLY, Mode::empty()) {
        Ok(file) => match io::read_to_string(std::fs::File::from(file)) {
            Ok(text) => Ok(Some(text)),
            Err(error) if error.kind() == io::ErrorKind::InvalidData => Ok(None),
            Err(error) => Err(error),
        },
        Err(Errno::NOENT) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Writes a small file in one step: readers see all of it, what was there before, or nothing.
pub(super) fn write_text(directory: impl AsFd, name: &str, text: &str) -> io::Result<()> {
    let draft = format!("{name}.{:016x}", fastrand::u64(..));
    let flags = beneath::FILE | OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL;
    let file = openat(&directory, &draft, flags, Mode::from_raw_mode(0o600))?;
    let written = io::Write::write_all(&mut std::fs::File::from(file), text.as_bytes());
    let named = written.and_then(|()| Ok(rustix::fs::renameat(&directory, &draft, &directory, name)?));
    if named.is_err() {
        let _ = rustix::fs::unlinkat(&directory, &draft, rustix::fs::AtFlags::empty());
    }
    named
}
