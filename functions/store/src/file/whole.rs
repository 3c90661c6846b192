//! Objects that are sent whole, and those that are deleted.

use std::os::fd::OwnedFd;
use std::sync::Arc;

use rustix::fs::{AtFlags, Mode, OFlags, openat, unlinkat};
use transload_wire::{ChecksumAlgorithm, Etag, MAX_METADATA_BYTES};

use super::commit::{Ready, check, standing};
use super::path::split;
use super::root::{Root, World};
use super::sink::Sink;
use super::{beneath, blocking, lock, record};
use crate::{Condition, Deleted, PutBody, StoreError, StoreErrorKind as Kind, Target, Verb, Written};

/// A file without a name of its own, removed unless it gets one.
struct Draft {
    root: Root,
    directory: OwnedFd,
    name: String,
    file: Arc<std::fs::File>,
}

impl Drop for Draft {
    fn drop(&mut self) {
        // Gone already if it was given its name.
        let _ = unlinkat(&self.directory, &self.name, AtFlags::empty());
    }
}

impl Draft {
    fn new(root: Root) -> Result<Self, StoreError> {
        let directory = root.own("drafts")?;
        let name = format!("{:016x}", fastrand::u64(..));
        let flags = beneath::FILE | OFlags::RDWR | OFlags::CREATE | OFlags::EXCL;
        // As far as the umask lets it, as any other file.
        let file = openat(&directory, &name, flags, Mode::from_raw_mode(0o644));
        let file = file.map_err(|error| root.call.io("make a file", error))?;
        Ok(Self { root, directory, name, file: Arc::new(file.into()) })
    }
}

pub(super) async fn put(
    world: &World,
    target: &Target,
    body: PutBody,
    condition: &Condition,
) -> Result<Written, StoreError> {
    let (world, target, condition) = (world.clone(), target.clone(), condition.clone());
    let opened = {
        let (target, condition) = (target.clone(), condition.clone());
        blocking(move || {
            let root = Root::open(&world, Verb::PutObject, &target.bucket, target.key.as_str())?;
            let algorithm = check_target(&root, &target)?;
            // Before a byte is read: the same is found again under the lock.
            check(
                &root,
                standing(&root, root.parent(target.key.as_str())?, target.key.as_str())?.as_ref(),
                &condition,
            )?;
            Ok((Draft::new(root)?, algorithm))
        })
    };
    let (draft, algorithm) = opened.await?;
    let (world, call) = (draft.root.world.clone(), draft.root.call.clone());
    let sink = Sink { world, call, file: Some(Arc::clone(&draft.file)), start: 0, _held: None };
    let checksum = sink.pour(body, algorithm).await?;
    blocking(move || {
        let ready = Ready {
            root: &draft.root,
            key: target.key.as_str(),
            directory: &draft.directory,
            name: &draft.name,
            file: &draft.file,
            checksum: Some(checksum),
            upload: None,
            attributes: target.attributes.clone(),
        };
        ready.commit(&condition)
    })
    .await
}

/// Refuses what can not be kept; the algorithm of the checksum.
pub(super) fn check_target(root: &Root, target: &Target) -> Result<ChecksumAlgorithm, StoreError> {
    root.check(target.key.as_str())?;
    let refuse = |why: String| Err(root.call.refuse(Kind::InvalidRequest, why));
    let metadata = &target.attributes.metadata;
    let bytes: usize = metadata.iter().map(|(name, value)| name.len() + value.len()).sum();
    if bytes > MAX_METADATA_BYTES {
        return refuse(format!("metadata: expected at most {MAX_METADATA_BYTES} bytes, found {bytes}"));
    }
    if target.encryption.is_some() {
        return refuse("encryption: expected none (a file system has its own), found one".to_owned());
    }
    match target.checksum_algorithm {
        None => Ok(ChecksumAlgorithm::Crc64Nvme),
        Some(asked) if ChecksumAlgorithm::COMBINABLE.contains(&asked) => Ok(asked),
        Some(asked) => refuse(format!("checksum: expected a CRC, found {}", asked.as_str())),
    }
}

/// Removes a file in this state. Its directory stays.
pub(super) fn delete(root: &Root, key: &str, etag: &Etag) -> Result<Deleted, StoreError> {
    root.find(key)?;
    let (directory, name) = split(key);
    let parent = root.beneath(directory, beneath::DIRECTORY, Mode::empty());
    let parent = parent.map_err(|error| root.call.io("open its directory", error))?;
    let _lock = lock::of_key(root, key)?;
    let found = standing(root, &parent, key)?;
    check(root, found.as_ref(), &Condition::Matches(etag.clone()))?;
    let gone = unlinkat(&parent, name, AtFlags::empty()).map_err(std::io::Error::from);
    gone.and_then(|()| beneath::last(&parent)).map_err(|error| root.call.io("remove it", error))?;
    if let Some(found) = found {
        record::forget(root, key, found.inode);
    }
    Ok(Deleted { marker: None })
}
