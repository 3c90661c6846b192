//! A first read of a part, where the source has no checksum to compare with: the part is sent only if a second read gives
//! the same bytes. Nothing is kept of the first but its checksum, so memory stays as it is; no part is ever at the
//! destination that was not read twice, so whoever finds it there may trust it.

use futures::TryStreamExt;
use transload_store::resume::{PinnedRange, pinned_stream};
use transload_store::tap::{Wanted, tap};
use transload_wire::{Checksum, ChecksumAlgorithm, ChecksumKind, ErrorName, Failure, Verify};

use crate::Work;

/// Whether the user asks for it, and Complete will not compare with the source's own checksum anyway.
pub(crate) fn is_wanted(work: &Work) -> bool {
    let own = work.input.source.checksum.as_ref();
    let compared = own.is_some_and(|own| {
        own.kind == ChecksumKind::FullObject && Some(own.algorithm) == work.upload.checksum_algorithm
    });
    work.input.verify == Verify::ReadBack && !compared
}

/// The checksum of the range as it is read now.
pub(crate) async fn first_read(
    work: &Work,
    pinned: PinnedRange,
    reads: &mut u32,
) -> Result<Checksum, Failure> {
    let algorithm = work.upload.checksum_algorithm.unwrap_or(ChecksumAlgorithm::Crc64Nvme);
    let wanted = Wanted { algorithms: vec![algorithm], ..Wanted::default() };
    let (len, place) = (pinned.range.len, pinned.object.to_string());
    let (stream, count) = pinned_stream(work.source.clone(), pinned, work.deadline);
    let (mut body, seen) = tap(work.pace.over(stream), len, &wanted, place)?;
    let read: Result<(), Failure> = async {
        while body.stream.try_next().await?.is_some() {}
        Ok(())
    }
    .await;
    *reads += count.count();
    read?;
    seen.get().and_then(|flowed| flowed.checksum(algorithm).cloned()).ok_or_else(|| {
        ErrorName::Internal.because("expected a range that was read to have a checksum, found none")
    })
}

/// Two reads of one version that differ: one of them was altered on its way, and which one is not known.
pub(crate) fn differs(failure: Failure) -> Failure {
    if failure.name != ErrorName::ChecksumMismatch {
        return failure;
    }
    ErrorName::PartCorrupted
        .because(format!("two reads of the same bytes differ: {}", failure.message))
        .caused_by(failure)
}
