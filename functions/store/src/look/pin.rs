//! Pins the one version of the source that every later read has to deliver.

use transload_plan::ByteRange;
use transload_wire::{ErrorName, Failure, Pinned, TransferRequest, WhenArchived};

use crate::{Head, ObjectRef, Side, Store, StoreErrorKind, failure_of};

/// Reads the source's facts: of the version that was pinned before, if one was.
pub(super) async fn pin(
    store: &dyn Store,
    request: &TransferRequest,
    before: Option<&Pinned>,
) -> Result<(Pinned, Head), Failure> {
    let pays = request.options.requester_pays;
    let object = ObjectRef::of_source(before.map_or(&request.source, |before| &before.object), pays);
    let head = store.head(&object).await.map_err(|error| {
        // S3 answers a bare 403 for a bucket whose requester has to pay, and we do not agree to that for the user.
        let hint = error.kind == StoreErrorKind::AccessDenied && !pays && request.source.stored().is_some();
        let mut failure = failure_of(error, Side::Source).at("source");
        if hint {
            failure.message.push_str("; if the bucket's requester pays, set options.requesterPays");
        }
        failure
    })?;
    if request.options.archived == WhenArchived::Fail {
        readable(request, &head)?;
    }
    Ok((of(request, &head), head))
}

/// Refuses a source that has to be restored first.
pub(super) fn readable(request: &TransferRequest, head: &Head) -> Result<(), Failure> {
    if !head.archived {
        return Ok(());
    }
    let class = head.attributes.storage_class.as_deref().unwrap_or("an archive tier");
    Err(ErrorName::SourceArchived
        .because(format!("source: expected {} to be readable, found it in {class}", request.source)))
}

/// The version whose facts these are.
#[must_use]
pub fn of(request: &TransferRequest, head: &Head) -> Pinned {
    let version_id = head.version.clone().or_else(|| request.source.version_id().cloned());
    Pinned {
        object: request.source.at_version(version_id),
        etag: head.etag.clone(),
        size: head.size,
        last_modified: head.last_modified.clone(),
        checksum: head.checksum.clone(),
        requester_pays: request.options.requester_pays,
    }
}

/// Compares with what was pinned before. In a bucket with versions the pinned one stays readable when a newer one comes,
/// so only what reads of it would see is compared.
pub(super) fn compare(before: &Pinned, now: &Pinned) -> Result<(), Failure> {
    if before.object.version_id() != now.object.version_id()
        || before.etag != now.etag
        || before.size != now.size
    {
        return Err(ErrorName::SourceChanged.because(format!(
            "{}: expected {}, found {}",
            now.object,
            facts(before),
            facts(now)
        )));
    }
    Ok(())
}

/// Reads the last byte of the pinned version. A child that ended for good does not say why to the workflow; what every
/// read meets, like a server that ignores ranges, is met here again and named, instead of using up the rounds.
pub(super) async fn probe(store: &dyn Store, pinned: &Pinned) -> Result<(), Failure> {
    let Some(start) = pinned.size.checked_sub(1) else { return Ok(()) };
    let (object, range) = (ObjectRef::of_pinned(pinned), ByteRange { start, len: 1 });
    store
        .get_range(&object, &pinned.etag, range, pinned.size)
        .await
        .map(drop)
        .map_err(|error| failure_of(error, Side::Source).at("source"))
}

fn facts(pinned: &Pinned) -> String {
    let version = pinned.object.version_id().map_or_else(|| "none".to_owned(), ToString::to_string);
    format!("version {version}, ETag {}, {} bytes", pinned.etag.to_header(), pinned.size)
}
