//! Locks that workers on several machines hold against each other.
//!
//! Whole files are locked with `flock`: NFS clients hand it to the server as a lock of all bytes (EFS too), and it goes with
//! the descriptor, so that two tasks of one process exclude each other as well, and a killed worker holds nothing. There are
//! few files and each is kept, for a file that may be removed can be locked by two at once. EFS allows 512 locks on a file,
//! so what thousands of workers hold is spread over several.

use std::os::fd::OwnedFd;
use std::time::Duration;

use rustix::fs::{FlockOperation, Mode, OFlags, flock, openat};
use rustix::io::Errno;

use super::beneath;
use super::root::Root;
use crate::{StoreError, StoreErrorKind as Kind};

/// How long is waited for another one: what is done under a lock takes milliseconds, so who waits longer waits for a worker
/// that hangs, and the workflow has longer waits that cost nothing.
const PATIENCE: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(10);

/// Held until it is dropped.
#[derive(Debug)]
pub(super) struct Lock {
    _file: OwnedFd,
}

/// Takes the lock of a file in a directory, which is made if it is not there.
pub(super) fn take(root: &Root, directory: &OwnedFd, name: &str, shared: bool) -> Result<Lock, StoreError> {
    let flags = beneath::FILE | OFlags::RDWR | OFlags::CREATE;
    let file = openat(directory, name, flags, Mode::from_raw_mode(0o600));
    let file = file.map_err(|error| root.call.io("open a lock", error))?;
    hold(root, file, shared)
}

pub(super) fn hold(root: &Root, file: OwnedFd, shared: bool) -> Result<Lock, StoreError> {
    let operation =
        if shared { FlockOperation::NonBlockingLockShared } else { FlockOperation::NonBlockingLockExclusive };
    let end = std::time::Instant::now() + PATIENCE;
    loop {
        match flock(&file, operation) {
            Ok(()) => return Ok(Lock { _file: file }),
            Err(Errno::AGAIN | Errno::INTR) if std::time::Instant::now() < end => std::thread::sleep(PAUSE),
            Err(Errno::AGAIN) => {
                let why = format!("another worker has held its lock for {} s", PATIENCE.as_secs());
                return Err(root.call.refuse(Kind::Unavailable, why));
            }
            Err(error) => return Err(root.call.io("lock it", error)),
        }
    }
}

/// The lock under which a key gets another file. Keys share 256 of them.
pub(super) fn of_key(root: &Root, key: &str) -> Result<Lock, StoreError> {
    let hash = super::record::hash(key);
    take(root, &root.own("locks")?, &hash[..2], false)
}
