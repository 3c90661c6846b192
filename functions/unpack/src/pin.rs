//! The first call: refuses what can not be meant, and pins one version of the archive.

use std::sync::Arc;

use bytes::BytesMut;
use futures::TryStreamExt;
use transload_plan::ByteRange;
use transload_store::resume::{PinnedRange, pinned_stream};
use transload_store::{Deadline, ObjectRef, Side, Store, failure_of};
use transload_wire::{ArchiveFormat, ErrorName, Failure, Pinned, Source};

use crate::wire::{Archive, UnpackRequest};

/// Bytes that tell the format.
const FIRST: u64 = 4;

/// Pins the archive.
///
/// # Errors
/// `InputInvalid` with the field; `SourceArchived`; the source's own.
pub(crate) async fn pin(
    source: &Arc<dyn Store>,
    deadline: Deadline,
    request: &UnpackRequest,
) -> Result<Archive, Failure> {
    request.options.check_of_archive("unpacking")?;
    check_apart(request)?;
    let mut object = request.source.clone();
    let asked = ObjectRef::of_source(&object, request.options.requester_pays);
    let head = deadline.bound(source.head(&asked)).await?;
    let head = head.map_err(|error| failure_of(error, Side::Source).at("source"))?;
    if head.archived {
        return Err(ErrorName::SourceArchived.because(format!(
            "source: expected an object that can be read, found {object} in an archive tier"
        )));
    }
    if let Source::Stored(stored) = &mut object {
        stored.version_id = head.version.or(stored.version_id.take());
    }
    let pinned = Pinned {
        object,
        etag: head.etag,
        size: head.size,
        last_modified: head.last_modified,
        checksum: head.checksum,
        requester_pays: request.options.requester_pays,
    };
    let format = match request.unpack.format {
        Some(format) => format,
        None => ArchiveFormat::of_bytes(&first(source, deadline, &pinned).await?),
    };
    Ok(Archive { source: pinned, format })
}

async fn first(source: &Arc<dyn Store>, deadline: Deadline, archive: &Pinned) -> Result<BytesMut, Failure> {
    if archive.size == 0 {
        return Err(ErrorName::SourceBroken
            .because(format!("{}: expected an archive, found no bytes", archive.object)));
    }
    let pinned = PinnedRange {
        object: ObjectRef::of_pinned(archive),
        etag: archive.etag.clone(),
        range: ByteRange { start: 0, len: FIRST.min(archive.size) },
        total: archive.size,
    };
    pinned_stream(Arc::clone(source), pinned, deadline).0.try_collect().await
}

/// An archive that is unpacked over itself is lost.
fn check_apart(request: &UnpackRequest) -> Result<(), Failure> {
    let Source::Stored(source) = &request.source else { return Ok(()) };
    let destination = &request.destination;
    if !destination.holds(&source.location, &source.bucket, &source.key) {
        return Ok(());
    }
    Err(ErrorName::InputInvalid.because(format!(
        "destination: expected a place that does not hold the archive, found {destination}"
    )))
}
