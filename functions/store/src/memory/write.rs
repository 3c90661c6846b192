//! Writing verbs of a store in memory: Put and Complete.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::{Bytes, BytesMut};
use md5::{Digest, Md5};
use transload_plan::Run;
use transload_wire::{Checksum, ChecksumAlgorithm, ChecksumKind, Etag, MAX_METADATA_BYTES, is_archive_class};

use super::MemoryConfig;
use super::state::{Bucket, Content, State, Upload, time};
use super::upload::open;
use crate::digest::{hex, md5_hex};
use crate::{
    Complete, Condition, Deleted, Hasher, Restore, StoreError, StoreErrorKind as Kind, StoredRef, Target,
    UploadRef, Verb, Written,
};

pub(super) fn put(
    config: &MemoryConfig,
    state: &mut State,
    target: &Target,
    bytes: Bytes,
    condition: &Condition,
) -> Result<Written, StoreError> {
    let algorithm = check_target(Verb::PutObject, config, target)?;
    let tick = state.tick();
    let bucket = state.bucket(Verb::PutObject, target.bucket.as_str())?;
    check_condition(Verb::PutObject, config, bucket, target, condition)?;
    let content = Content {
        etag: etag_of(Verb::PutObject, &bytes)?,
        modified: time(tick),
        checksum: algorithm.map(|algorithm| Hasher::sum(algorithm, &bytes)),
        target: target.clone(),
        parts: None,
        archived: is_archive(target),
        customer_key: false,
        bytes,
    };
    Ok(store(bucket, content, tick))
}

pub(super) fn complete(
    config: &MemoryConfig,
    state: &mut State,
    upload: &UploadRef,
    complete: &Complete,
) -> Result<Written, StoreError> {
    state.begin(Verb::CompleteMultipartUpload, &upload.bucket)?;
    let tick = state.tick();
    let bucket = state.bucket(Verb::CompleteMultipartUpload, upload.bucket.as_str())?;
    if let Some(before) = bucket.completed.get(&upload.id).filter(|_| config.completes_again) {
        return Ok(before.clone());
    }
    let content = assemble(config, open(state, Verb::CompleteMultipartUpload, upload)?, complete, tick)
        .map_err(|(kind, why)| StoreError::new(kind, format!("CompleteMultipartUpload {upload}: {why}")))?;
    let bucket = state.bucket(Verb::CompleteMultipartUpload, upload.bucket.as_str())?;
    check_condition(Verb::CompleteMultipartUpload, config, bucket, &content.target, &complete.condition)?;
    bucket.uploads.remove(&(upload.key.clone(), upload.id.clone()));
    let written = store(bucket, content, tick);
    bucket.completed.insert(upload.id.clone(), written.clone());
    Ok(written)
}

fn store(bucket: &mut Bucket, content: Content, tick: u64) -> Written {
    let (etag, checksum) = (content.etag.clone(), content.checksum.clone());
    let key = content.target.key.clone();
    Written { etag, version: bucket.store(&key, Some(content), tick), checksum }
}

/// The object that an upload's parts make, if Complete names them rightly.
fn assemble(
    config: &MemoryConfig,
    upload: &Upload,
    complete: &Complete,
    tick: u64,
) -> Result<Content, (Kind, String)> {
    check_parts(config, upload, complete)?;
    let mut bytes = BytesMut::new();
    let (mut md5, mut lengths) = (Md5::new(), Vec::new());
    for named in &complete.parts {
        if let Some(part) = upload.parts.get(&named.number.get()) {
            bytes.extend_from_slice(&part.bytes);
            md5.update(Md5::digest(&part.bytes));
            lengths.push(part.bytes.len() as u64);
        }
    }
    if bytes.len() as u64 != complete.size {
        return Err((
            Kind::InvalidRequest,
            format!("expected {} bytes, found {}", complete.size, bytes.len()),
        ));
    }
    let checksum = whole_checksum(upload, complete, &bytes)?;
    let etag: Etag = format!("{}-{}", hex(&md5.finalize()), lengths.len())
        .parse()
        .map_err(|error| (Kind::Malformed, format!("{error}")))?;
    Ok(Content {
        bytes: bytes.freeze(),
        etag,
        modified: time(tick),
        checksum,
        target: upload.target.clone(),
        parts: Some(lengths),
        archived: is_archive(&upload.target),
        customer_key: false,
    })
}

pub(super) fn delete(
    config: &MemoryConfig,
    state: &mut State,
    object: &StoredRef,
    etag: &Etag,
) -> Result<Deleted, StoreError> {
    state.begin(Verb::DeleteObject, &object.bucket)?;
    let tick = state.tick();
    let bucket = state.bucket(Verb::DeleteObject, object.bucket.as_str())?;
    let found = bucket.newest(&object.key).map(|content| &content.etag);
    let refused = match found {
        Some(found) if found == etag => None,
        Some(found) => Some((Kind::PreconditionFailed, format!("ETag {found}"))),
        None => Some((Kind::NotFound, "nothing".to_owned())),
    };
    if let Some((kind, found)) = refused.filter(|_| config.conditional_writes) {
        let message = format!("{} {object}: expected ETag {etag}, found {found}", Verb::DeleteObject);
        return Err(StoreError::new(kind, message));
    }
    Ok(Deleted { marker: bucket.store(&object.key, None, tick) })
}

fn is_archive(target: &Target) -> bool {
    target.attributes.storage_class.as_deref().is_some_and(is_archive_class)
}

/// Takes effect at once, and for good.
pub(super) fn restore(state: &mut State, object: &StoredRef) -> Result<Restore, StoreError> {
    let verb = Verb::RestoreObject;
    state.begin(verb, &object.bucket)?;
    state.content(verb, object)?;
    let bucket = state.bucket(verb, object.bucket.as_str())?;
    let content = bucket.version_mut(&object.key, object.version.as_ref());
    match content.map(|content| std::mem::replace(&mut content.archived, false)) {
        Some(true) => Ok(Restore::UnderWay),
        _ => Ok(Restore::Readable),
    }
}

fn check_parts(config: &MemoryConfig, upload: &Upload, complete: &Complete) -> Result<(), (Kind, String)> {
    let refuse = |why: String| Err((Kind::InvalidPart, why));
    let mut runs: Vec<Run> = Vec::new();
    let mut before = 0;
    for (position, named) in complete.parts.iter().enumerate() {
        let number = named.number.get();
        if number <= before {
            return refuse(format!("InvalidPartOrder: part {number} behind part {before}"));
        }
        before = number;
        let Some(part) = upload.parts.get(&number).filter(|part| part.etag == named.etag) else {
            return refuse(format!("InvalidPart: no part {number} with ETag {}", named.etag));
        };
        let (length, last) = (part.bytes.len() as u64, position + 1 == complete.parts.len());
        if length < config.limits.min_part && !last {
            return refuse(format!("EntityTooSmall: part {number} has {length} bytes"));
        }
        runs.push(Run { length, count: 1 });
    }
    let first = runs.first().map(|run| run.length);
    let unequal = runs.iter().rev().skip(1).any(|run| Some(run.length) != first)
        || runs.last().map(|run| run.length) > first;
    if runs.is_empty() || (config.limits.equal_parts && unequal) {
        return refuse("expected parts, all but the last of one length".to_owned());
    }
    Ok(())
}

/// CRCs cover the whole object; the other algorithms only the parts' own checksums.
fn whole_checksum(
    upload: &Upload,
    complete: &Complete,
    bytes: &[u8],
) -> Result<Option<Checksum>, (Kind, String)> {
    let Some(algorithm) = upload.target.checksum_algorithm else { return Ok(None) };
    if !ChecksumAlgorithm::COMBINABLE.contains(&algorithm) {
        let digests = complete
            .parts
            .iter()
            .filter_map(|named| upload.parts.get(&named.number.get())?.checksum.as_ref());
        let digests: Vec<u8> =
            digests.flat_map(|sum| STANDARD.decode(&sum.value).unwrap_or_default()).collect();
        let value = format!("{}-{}", Hasher::sum(algorithm, &digests).value, complete.parts.len());
        return Ok(Some(Checksum { algorithm, value, kind: ChecksumKind::Composite }));
    }
    let found = Hasher::sum(algorithm, bytes);
    match &complete.checksum {
        Some(expected) if *expected != found => Err((
            Kind::Corrupted,
            format!("BadDigest: expected {} {}, found {}", algorithm.as_str(), expected.value, found.value),
        )),
        _ => Ok(Some(found)),
    }
}

/// The checksum that will be kept; refuses what S3 refuses of attributes.
pub(super) fn check_target(
    verb: Verb,
    config: &MemoryConfig,
    target: &Target,
) -> Result<Option<ChecksumAlgorithm>, StoreError> {
    let refuse = |why: String| {
        Err(StoreError::new(
            Kind::InvalidRequest,
            format!("{verb} s3://{}/{}: {why}", target.bucket, target.key),
        ))
    };
    let metadata: usize =
        target.attributes.metadata.iter().map(|(name, value)| name.len() + value.len()).sum();
    if metadata > MAX_METADATA_BYTES {
        return refuse(format!("MetadataTooLarge: {metadata} bytes"));
    }
    if target.attributes.tags.len() > 10 {
        return refuse(format!("BadRequest: {} tags", target.attributes.tags.len()));
    }
    match target.checksum_algorithm {
        Some(algorithm) if !config.checksums.contains(&algorithm) => {
            refuse(format!("checksum {} is not known", algorithm.as_str()))
        }
        asked => Ok(asked.or(config.checksums.first().copied())),
    }
}

fn check_condition(
    verb: Verb,
    config: &MemoryConfig,
    bucket: &Bucket,
    target: &Target,
    condition: &Condition,
) -> Result<(), StoreError> {
    let present = bucket.newest(&target.key).map(|content| &content.etag);
    let (kind, expected) = match (condition, present) {
        (Condition::Absent, Some(_)) => (Kind::PreconditionFailed, "nothing there".to_owned()),
        (Condition::Matches(etag), Some(found)) if found != etag => {
            (Kind::PreconditionFailed, format!("ETag {etag}"))
        }
        (Condition::Matches(etag), None) => (Kind::NotFound, format!("ETag {etag}")),
        _ => return Ok(()),
    };
    if !config.conditional_writes {
        return Ok(());
    }
    let found = present.map_or("nothing".to_owned(), |etag| format!("ETag {etag}"));
    let message = format!("{verb} s3://{}/{}: expected {expected}, found {found}", target.bucket, target.key);
    Err(StoreError::new(kind, message))
}

pub(super) fn etag_of(verb: Verb, bytes: &[u8]) -> Result<Etag, StoreError> {
    md5_hex(bytes).parse().map_err(|error| StoreError::new(Kind::Malformed, format!("{verb}: {error}")))
}
