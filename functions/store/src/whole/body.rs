//! The object's bytes, and what they prove.

use std::sync::PoisonError;

use bytes::Bytes;
use futures::TryStreamExt;
use futures::stream::{BoxStream, StreamExt};
use transload_plan::ByteRange;
use transload_wire::{Checksum, ChecksumAlgorithm, ChecksumKind, ErrorName, Failure, Verify};

use super::Whole;
use crate::PutBody;
use crate::prove::{Evidence, Expected};
use crate::resume::{PinnedRange, opened_stream, pinned_stream};
use crate::rewind::Rewind;
use crate::tap::{Flowed, Seen, Wanted, tap};

/// What the try before read, if little of it went out; else it is read again, and kept for the next try.
pub(super) async fn again_or_open(
    work: &Whole,
    read: &mut Option<Rewind>,
) -> Result<(PutBody, Seen), Failure> {
    if let Some(body) = read.as_ref().and_then(Rewind::body) {
        return Ok(body);
    }
    let (body, seen) = open(work).await?;
    let rewind = read.insert(Rewind::over(body, seen, work.keep));
    rewind.body().ok_or_else(|| ErrorName::Internal.because("expected a body that is new, found it used up"))
}

/// A body to send, and what will be known of it.
async fn open(work: &Whole) -> Result<(PutBody, Seen), Failure> {
    let mut stream = read(work);
    if work.input.source.size == 0 {
        // Nobody asks an empty body for its frames, and the version is checked by asking.
        while stream.try_next().await?.is_some() {}
        stream = futures::stream::empty().boxed();
    }
    let mut wanted = wanted(work);
    if wanted.expected.is_none() && work.input.options.verify == Verify::ReadBack {
        wanted.expected = Some(first_read(work).await?);
    }
    tap(stream, work.input.source.size, &wanted, work.input.source.object.to_string())
}

/// The checksum of a source that tells none: the object is sent only if a second read gives the same.
async fn first_read(work: &Whole) -> Result<Checksum, Failure> {
    let algorithm = work.target.checksum_algorithm.unwrap_or(ChecksumAlgorithm::Crc64Nvme);
    let wanted = Wanted { algorithms: vec![algorithm], ..Wanted::default() };
    let (size, place) = (work.input.source.size, work.input.source.object.to_string());
    let (mut body, seen) = tap(read(work), size, &wanted, place)?;
    while body.stream.try_next().await?.is_some() {}
    seen.get().and_then(|flowed| flowed.checksum(algorithm).cloned()).ok_or_else(|| {
        ErrorName::Internal.because("expected a body that was read to have a checksum, found none")
    })
}

/// Reads the source without sending it, to know what its bytes prove.
pub(super) async fn measure(work: &Whole) -> Result<Flowed, Failure> {
    let (mut body, seen) = open(work).await?;
    while work.deadline.bound(body.stream.try_next()).await??.is_some() {}
    seen.get().ok_or_else(|| {
        ErrorName::Internal.because("expected a body that was read to have ended, found it open")
    })
}

/// What was opened already is read first; every later read begins anew.
fn read(work: &Whole) -> BoxStream<'static, Result<Bytes, Failure>> {
    let source = &work.input.source;
    let pinned = PinnedRange {
        object: work.object.clone(),
        etag: source.etag.clone(),
        range: ByteRange { start: 0, len: source.size },
        total: source.size,
    };
    let opened = work.opened.lock().unwrap_or_else(PoisonError::into_inner).take();
    work.pace.over(match opened {
        Some(body) => opened_stream(work.source.clone(), pinned, work.deadline, body),
        None => pinned_stream(work.source.clone(), pinned, work.deadline).0,
    })
}

/// The source's own checksum is compared in whichever algorithm it is; the destination's proves the write.
fn wanted(work: &Whole) -> Wanted {
    let algorithm = work.target.checksum_algorithm;
    Wanted {
        algorithms: algorithm.into_iter().collect(),
        md5: algorithm.is_none() && work.destination.etags_are_md5(),
        expected: work.input.source.checksum.clone().filter(|own| own.kind == ChecksumKind::FullObject),
    }
}

/// What to read back, as far as it is known.
pub(super) fn expected(work: &Whole, flowed: Option<&Flowed>) -> Expected {
    let algorithm = work.target.checksum_algorithm;
    let own = work.input.source.checksum.clone().filter(|own| own.kind == ChecksumKind::FullObject);
    let sent = algorithm.and_then(|algorithm| flowed?.checksum(algorithm).cloned());
    let etag = flowed.and_then(|flowed| flowed.md5.as_ref()?.parse().ok());
    let checksum = sent.or_else(|| own.filter(|own| Some(own.algorithm) == algorithm));
    let evidence = [checksum.map(Evidence::Checksum), etag.map(Evidence::Etag)];
    Expected {
        token: work.input.token.clone(),
        size: work.input.source.size,
        evidence: evidence.into_iter().flatten().collect(),
    }
}

/// What proves that an earlier call sent the pinned bytes, though they can not be read any more: the source's own checksum; or
/// that the store took them with one, which it compared; or an ETag that is the MD5 on both sides.
pub(super) fn accepted(work: &Whole) -> Expected {
    let mut expected = expected(work, None);
    let evidence = [
        // One that is only told was not compared by the store.
        work.target.checksum_algorithm.filter(|own| own.is_sent()).map(|_| Evidence::Accepted { parts: 0 }),
        // If the source's is none, it is never the destination's.
        work.destination.etags_are_md5().then(|| Evidence::Etag(work.input.source.etag.clone())),
    ];
    expected.evidence.extend(evidence.into_iter().flatten());
    expected
}
