//! Opens what is beneath a directory, and nothing else: no symbolic link on the way, no `..`, no magic link of `/proc`.

use std::ffi::OsStr;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;

use rustix::fs::{AtFlags, Mode, OFlags, ResolveFlags, mkdirat, openat, openat2};
use rustix::io::Errno;

/// For directories that are listed, or whose entries are made to last.
pub(super) const DIRECTORY: OFlags =
    OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

/// For files: a FIFO does not make the call wait, and a terminal does not become ours.
pub(super) const FILE: OFlags =
    OFlags::NONBLOCK.union(OFlags::NOFOLLOW).union(OFlags::NOCTTY).union(OFlags::CLOEXEC);

/// Tries when directories are renamed meanwhile: the kernel gives up a resolution that it can not prove to be beneath.
const TRIES: u32 = 64;

/// How a path is resolved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// By the kernel, in one call (Linux 5.6); name by name where it has none, or a sandbox forbids it.
    Kernel,
    /// Name by name. For tests.
    Names,
}

/// Opens `path`, of plain names, beneath `directory`.
pub(super) fn open(
    directory: impl AsFd,
    path: &str,
    flags: OFlags,
    mode: Mode,
    way: Way,
) -> io::Result<OwnedFd> {
    if path.is_empty() {
        return Ok(openat(directory, ".", flags, mode)?);
    }
    if way == Way::Names {
        return by_names(directory, path, flags, mode);
    }
    let resolve = ResolveFlags::BENEATH.union(ResolveFlags::NO_SYMLINKS).union(ResolveFlags::NO_MAGICLINKS);
    // Without this flag a link at the end is told as one; with it, where a directory is asked for, as no directory.
    let flags = if flags.contains(OFlags::PATH) { flags } else { flags.difference(OFlags::NOFOLLOW) };
    for _ in 0..TRIES {
        match openat2(&directory, path, flags, mode, resolve) {
            Err(Errno::AGAIN) => {}
            // Sandboxes answer EPERM to calls that they do not know. Name by name a real EPERM comes again.
            Err(Errno::NOSYS | Errno::PERM) => return by_names(directory, path, flags, mode),
            opened => return Ok(opened?),
        }
    }
    Err(Errno::AGAIN.into())
}

fn by_names(directory: impl AsFd, path: &str, flags: OFlags, mode: Mode) -> io::Result<OwnedFd> {
    let pass = OFlags::PATH.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);
    let mut names = path.split('/').peekable();
    let mut at = directory.as_fd().try_clone_to_owned()?;
    while let Some(name) = names.next() {
        let last = names.peek().is_none();
        let (flags, mode) = if last { (flags | OFlags::NOFOLLOW, mode) } else { (pass, Mode::empty()) };
        let opened = openat(&at, name, flags, mode);
        // A link where a directory has to be is told like one at the end.
        at = match opened {
            Err(Errno::NOTDIR) if is_link(&at, name) => return Err(Errno::LOOP.into()),
            opened => opened?,
        };
    }
    Ok(at)
}

fn is_link(directory: impl AsFd, name: &str) -> bool {
    let stat = rustix::fs::statat(directory, name, AtFlags::SYMLINK_NOFOLLOW);
    stat.is_ok_and(|stat| rustix::fs::FileType::from_raw_mode(stat.st_mode).is_symlink())
}

/// Opens a directory and makes those that are missing on the way, with `mode` as far as the umask lets it, or just so if
/// `exactly`.
pub(super) fn make(
    directory: BorrowedFd<'_>,
    path: &str,
    (mode, exactly): (Mode, bool),
    way: Way,
) -> io::Result<OwnedFd> {
    match open(directory, path, DIRECTORY, Mode::empty(), way) {
        Err(error) if Errno::from_io_error(&error) == Some(Errno::NOENT) => {}
        opened => return opened,
    }
    let (above, name) = super::path::split(path);
    let above = make(directory, above, (mode, exactly), way)?;
    let made = match mkdirat(&above, name, mode) {
        // Another worker was faster.
        Err(Errno::EXIST) => false,
        made => made.map(|()| true)?,
    };
    let opened = open(&above, name, DIRECTORY, Mode::empty(), way)?;
    if made {
        if exactly {
            rustix::fs::fchmod(&opened, mode)?;
        }
        last(&above)?;
    }
    Ok(opened)
}

/// Makes what changed in a directory last. Some file systems have nothing to do for that, and say so.
pub(super) fn last(directory: impl AsFd) -> io::Result<()> {
    match rustix::fs::fsync(directory) {
        Err(Errno::INVAL | Errno::NOTSUP) => Ok(()),
        done => Ok(done?),
    }
}

/// A name as the system has it.
pub(super) fn name(bytes: &[u8]) -> &OsStr {
    OsStr::from_bytes(bytes)
}
