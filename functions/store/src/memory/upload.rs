//! Multipart verbs of a store in memory, but for Complete.

use std::ops::Bound;

use bytes::Bytes;
use transload_plan::PartNumber;
use transload_wire::{BucketName, ObjectKey, UploadId};

use super::MemoryConfig;
use super::state::{Part, State, Upload, time};
use super::write::{check_target, etag_of};
use crate::{
    Created, Hasher, ListedUpload, PartListing, PartRef, StoreError, StoreErrorKind as Kind, StoredPart,
    Target, UploadRef, Uploads, Verb,
};

pub(super) fn create(
    config: &MemoryConfig,
    state: &mut State,
    target: &Target,
) -> Result<Created, StoreError> {
    state.begin(Verb::CreateMultipartUpload, &target.bucket)?;
    let algorithm = check_target(Verb::CreateMultipartUpload, config, target)?;
    let tick = state.tick();
    let id: UploadId = format!("upload-{tick:08}")
        .parse()
        .map_err(|error| StoreError::new(Kind::Malformed, format!("CreateMultipartUpload: {error}")))?;
    let upload = Upload {
        target: Target { checksum_algorithm: algorithm, ..target.clone() },
        initiated: time(tick),
        initiator: config.initiator.clone(),
        parts: std::collections::BTreeMap::new(),
    };
    let bucket = state.bucket(Verb::CreateMultipartUpload, target.bucket.as_str())?;
    bucket.uploads.insert((target.key.clone(), id.clone()), upload);
    Ok(Created { id, checksum_algorithm: algorithm })
}

/// The open upload; of this very key.
pub(super) fn open<'a>(
    state: &'a mut State,
    verb: Verb,
    upload: &UploadRef,
) -> Result<&'a mut Upload, StoreError> {
    let bucket = state.bucket(verb, upload.bucket.as_str())?;
    bucket
        .uploads
        .get_mut(&(upload.key.clone(), upload.id.clone()))
        .ok_or_else(|| StoreError::new(Kind::NoSuchUpload, format!("{verb} {upload}: no such upload")))
}

pub(super) fn store_part(
    config: &MemoryConfig,
    state: &mut State,
    upload: &UploadRef,
    part: PartNumber,
    bytes: Bytes,
) -> Result<StoredPart, StoreError> {
    let most = (config.limits.max_parts, config.limits.max_part);
    let modified = time(state.tick());
    let open = open(state, Verb::UploadPart, upload)?;
    if part.get() > most.0 || bytes.len() as u64 > most.1 {
        return Err(StoreError::new(
            Kind::InvalidRequest,
            format!(
                "UploadPart {upload}: expected part 1 to {} of at most {} bytes, found part {part} of {}",
                most.0,
                most.1,
                bytes.len()
            ),
        ));
    }
    let checksum = open.target.checksum_algorithm.map(|algorithm| Hasher::sum(algorithm, &bytes));
    let stored = StoredPart { etag: etag_of(Verb::UploadPart, &bytes)?, checksum: checksum.clone() };
    open.parts.insert(part.get(), Part { bytes, etag: stored.etag.clone(), checksum, modified });
    Ok(stored)
}

pub(super) fn list_parts(
    config: &MemoryConfig,
    state: &mut State,
    upload: &UploadRef,
    after: u32,
) -> Result<PartListing, StoreError> {
    state.begin(Verb::ListParts, &upload.bucket)?;
    let open = open(state, Verb::ListParts, upload)?;
    let mut parts = Vec::new();
    let mut changed = None;
    let initiator = Some(open.initiator.clone());
    for (number, part) in open.parts.range((Bound::Excluded(after), Bound::Unbounded)) {
        if parts.len() == config.page {
            let next = parts.last().map(|last: &PartRef| last.number.get());
            return Ok(PartListing { parts, next, initiator, changed });
        }
        let number = PartNumber::new(*number)
            .map_err(|error| StoreError::new(Kind::Malformed, format!("ListParts {upload}: {error}")))?;
        changed = changed.max(Some((part.modified.clone(), number)));
        parts.push(PartRef {
            number,
            size: part.bytes.len() as u64,
            etag: part.etag.clone(),
            checksum: part.checksum.clone(),
        });
    }
    Ok(PartListing { parts, next: None, initiator, changed })
}

pub(super) fn abort(state: &mut State, upload: &UploadRef) -> Result<(), StoreError> {
    state.begin(Verb::AbortMultipartUpload, &upload.bucket)?;
    open(state, Verb::AbortMultipartUpload, upload)?;
    let bucket = state.bucket(Verb::AbortMultipartUpload, upload.bucket.as_str())?;
    bucket.uploads.remove(&(upload.key.clone(), upload.id.clone()));
    Ok(())
}

pub(super) fn list_uploads(
    config: &MemoryConfig,
    state: &mut State,
    bucket: &BucketName,
    prefix: &str,
    after: Option<&(ObjectKey, UploadId)>,
) -> Result<Uploads, StoreError> {
    state.begin(Verb::ListMultipartUploads, bucket)?;
    let bucket = state.bucket(Verb::ListMultipartUploads, bucket.as_str())?;
    let from = after.map_or(Bound::Unbounded, |marker| Bound::Excluded(marker.clone()));
    let mut matching = bucket
        .uploads
        .range((from, Bound::Unbounded))
        .filter(|((key, _), _)| key.as_str().starts_with(prefix))
        .map(|((key, id), upload)| ListedUpload {
            key: key.clone(),
            id: id.clone(),
            initiated: upload.initiated.clone(),
        });
    let uploads: Vec<_> = matching.by_ref().take(config.page).collect();
    let more = matching.next().is_some();
    let next = uploads.last().filter(|_| more).map(|last| (last.key.clone(), last.id.clone()));
    Ok(Uploads { uploads, next })
}
