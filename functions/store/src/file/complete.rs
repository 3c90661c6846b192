//! The end of an upload: what is there is what was named, and then it gets its name.

use rustix::fs::{Mode, OFlags, openat};
use rustix::io::Errno;
use transload_plan::Limits;
use transload_wire::Checksum;

use super::commit::Ready;
use super::parts::{self, checksum};
use super::read::etag;
use super::record;
use super::root::Root;
use super::upload::{self, Open, WRITERS};
use super::{beneath, lock};
use crate::{Combiner, Complete, StoreError, StoreErrorKind as Kind, UploadRef, Written};

/// Completes an upload. Done once more it answers as before.
pub(super) fn complete(
    root: &Root,
    limits: &Limits,
    upload: &UploadRef,
    asked: &Complete,
) -> Result<Written, StoreError> {
    let open = match upload::find(root, &upload.key, &upload.id) {
        Err(error) if error.kind == Kind::NoSuchUpload => return before(root, upload, error),
        open => open?,
    };
    // Nobody writes into it from here on.
    let writers = (0..WRITERS).map(|n| lock::take(root, &open.directory, &format!("w{n:02}"), false));
    let _writers = writers.collect::<Result<Vec<_>, _>>()?;
    let flags = beneath::FILE | OFlags::RDWR;
    let file = match openat(&open.directory, "data", flags, Mode::empty()) {
        Ok(file) => std::fs::File::from(file),
        Err(Errno::NOENT) => {
            let written = before(root, upload, upload::gone(root, &upload.id))?;
            tidy(root, upload);
            return Ok(written);
        }
        Err(error) => return Err(root.call.io("open the file of the upload", error)),
    };
    let whole = check(root, limits, &open, asked)?;
    cut(root, &file, asked.size)?;
    let ready = Ready {
        root,
        key: upload.key.as_str(),
        directory: &open.directory,
        name: "data",
        file: &file,
        checksum: Some(whole),
        upload: Some(upload.id.clone()),
        attributes: open.about.attributes.clone(),
    };
    let written = ready.commit(&asked.condition)?;
    tidy(root, upload);
    Ok(written)
}

/// What is left of an upload that is done. The janitor finds what stays.
fn tidy(root: &Root, upload: &UploadRef) {
    if let Ok(uploads) = root.own("uploads") {
        let _ = upload::remove(&uploads, upload.id.as_str());
    }
}

/// The answer of a Complete that took effect before, if this very upload made what is there.
fn before(root: &Root, upload: &UploadRef, gone: StoreError) -> Result<Written, StoreError> {
    let key = upload.key.as_str();
    let Ok(found) = root.find(key) else { return Err(gone) };
    match record::read(root, key, &found.facts)? {
        Some(record) if record.upload.as_ref() == Some(&upload.id) => {
            Ok(Written { etag: etag(root, &found.facts)?, version: None, checksum: record.checksum })
        }
        _ => Err(gone),
    }
}

/// All named parts are there, one behind the other, and make the whole that is expected; its checksum.
fn check(root: &Root, limits: &Limits, open: &Open, asked: &Complete) -> Result<Checksum, StoreError> {
    let refuse = |why: String| Err(root.call.refuse(Kind::InvalidPart, why));
    let mut there = parts::read(root, open)?;
    let algorithm = open.about.algorithm;
    let broken =
        || root.call.refuse(Kind::Malformed, format!("expected a {} to combine", algorithm.as_str()));
    let mut combiner = Combiner::new(algorithm).ok_or_else(broken)?;
    let (mut end, mut last) = (0, 0);
    for (position, named) in asked.parts.iter().enumerate() {
        let number = named.number.get();
        if number <= last {
            return refuse(format!("InvalidPartOrder: part {number} behind part {last}"));
        }
        last = number;
        let found = there.remove(&number).filter(|part| part.value == named.etag.as_str());
        let Some(found) = found else {
            return refuse(format!("InvalidPart: no part {number} with ETag {}", named.etag));
        };
        if found.offset != Some(end) {
            let at = found.offset.map_or_else(|| "nowhere".to_owned(), |offset| offset.to_string());
            return refuse(format!("InvalidPart: expected part {number} at {end}, found it at {at}"));
        }
        if found.len < limits.min_part && position + 1 < asked.parts.len() {
            return refuse(format!("EntityTooSmall: part {number} has {} bytes", found.len));
        }
        end += found.len;
        combiner.push(&found.value, found.len).ok_or_else(broken)?;
    }
    if last == 0 {
        return refuse("expected parts, found none".to_owned());
    }
    if end != asked.size {
        let why = format!("expected {} bytes, found parts of {end}", asked.size);
        return Err(root.call.refuse(Kind::InvalidRequest, why));
    }
    let whole = checksum(algorithm, combiner.finish().value);
    match &asked.checksum {
        Some(expected) if *expected != whole => {
            let (algorithm, expected) = (algorithm.as_str(), &expected.value);
            let why = format!("expected {algorithm} {expected}, found {} over its parts", whole.value);
            Err(root.call.refuse(Kind::Corrupted, why))
        }
        _ => Ok(whole),
    }
}

/// Takes off what parts of an earlier, longer layout left behind the end.
fn cut(root: &Root, file: &std::fs::File, size: u64) -> Result<(), StoreError> {
    let found = file.metadata().map_err(|error| root.call.io("look at the file of the upload", error))?.len();
    match found.cmp(&size) {
        std::cmp::Ordering::Equal => Ok(()),
        std::cmp::Ordering::Greater => {
            file.set_len(size).map_err(|error| root.call.io("cut the file of the upload", error))
        }
        std::cmp::Ordering::Less => {
            let why = format!("expected a file of {size} bytes, found one of {found}: somebody else cut it");
            Err(root.call.refuse(Kind::InvalidPart, why))
        }
    }
}
