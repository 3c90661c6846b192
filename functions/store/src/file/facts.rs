//! What the system tells of a file, and the ETag that is made of it.

use std::io;
use std::os::fd::AsFd;

use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use rustix::fs::{AtFlags, FileType, Statx, StatxFlags, statx};
use serde::{Deserialize, Serialize};
use transload_wire::{Etag, NameError};

/// Seconds and nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Time(pub(super) i64, pub(super) u32);

/// One state of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Facts {
    pub(super) kind: FileType,
    pub(super) inode: u64,
    pub(super) size: u64,
    pub(super) mtime: Time,
    pub(super) ctime: Time,
}

impl Facts {
    /// Of an open file. A network file system asks its server.
    pub(super) fn of(file: impl AsFd) -> io::Result<Self> {
        let flags = AtFlags::EMPTY_PATH.union(AtFlags::STATX_FORCE_SYNC);
        Ok(statx(file, "", flags, StatxFlags::BASIC_STATS)?.into())
    }

    /// Of an entry of a directory; of a symbolic link itself.
    pub(super) fn at(directory: impl AsFd, name: impl rustix::path::Arg) -> io::Result<Self> {
        Ok(statx(directory, name, AtFlags::SYMLINK_NOFOLLOW, StatxFlags::BASIC_STATS)?.into())
    }

    /// Whoever writes, renames or touches the file changes it: nobody can set `ctime`.
    pub(super) fn etag(&self) -> Result<Etag, NameError> {
        let (Time(ms, mn), Time(cs, cn)) = (self.mtime, self.ctime);
        format!("{:x}.{:x}.{ms:x}.{mn:x}.{cs:x}.{cn:x}", self.inode, self.size).parse()
    }

    /// When it was changed last, as S3 writes it. By `ctime`: `mtime` goes back where an old file is restored, and what
    /// was changed last would be taken for older than it is.
    pub(super) fn last_modified(&self) -> String {
        DateTime::from_secs(self.ctime.0).fmt(Format::DateTime).unwrap_or_default()
    }
}

impl From<Statx> for Facts {
    fn from(found: Statx) -> Self {
        let time = |time: rustix::fs::StatxTimestamp| Time(time.tv_sec, time.tv_nsec);
        Self {
            kind: FileType::from_raw_mode(found.stx_mode.into()),
            inode: found.stx_ino,
            size: found.stx_size,
            mtime: time(found.stx_mtime),
            ctime: time(found.stx_ctime),
        }
    }
}

/// What stands where a regular file is expected.
pub(super) fn describe(kind: FileType) -> &'static str {
    match kind {
        FileType::RegularFile => "a regular file",
        FileType::Directory => "a directory",
        FileType::Symlink => "a symbolic link",
        FileType::Fifo => "a FIFO",
        FileType::Socket => "a socket",
        FileType::CharacterDevice | FileType::BlockDevice => "a device",
        FileType::Unknown => "something else",
    }
}
