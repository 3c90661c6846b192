//! One part: GET, checksum, PUT, as one stream; again from its start if the PUT fails.

use bytes::Bytes;
use futures::stream::{self, StreamExt};
use tokio::time::Instant;
use transload_store::resume::{PinnedRange, pinned_stream};
use transload_store::tap::{Flowed, Wanted, tap};
use transload_store::{Backoff, ObjectRef, Side, StoredPart, failure_of};
use transload_wire::{ErrorName, Failure, PartRecord};

use crate::{Piece, Work, twice};

/// PUTs of one part in one call. More is the workflow's to decide, with longer waits that cost nothing.
const TRIES: u32 = 4;

/// Sends a part until it is there.
pub(crate) async fn send(work: &Work, piece: Piece) -> Result<PartRecord, Failure> {
    let started = Instant::now();
    let mut backoff = Backoff::of_tries(TRIES);
    let (mut attempts, mut reads) = (0, 0);
    let mut wrong = false;
    loop {
        attempts += 1;
        match send_once(work, piece, &mut reads, &mut wrong).await {
            Ok((stored, flowed)) => {
                return Ok(PartRecord {
                    part_number: piece.number.get(),
                    size: piece.range.len,
                    etag: stored.etag,
                    checksum: flowed.checksums.into_iter().next(),
                    attempts,
                    reads,
                    duration_ms: u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
                });
            }
            Err(failure) => {
                if !again(&failure) || !backoff.pause(&work.deadline).await || work.deadline.check().is_err()
                {
                    if wrong {
                        disown(work, piece).await;
                    }
                    return Err(place(work, piece, failure));
                }
            }
        }
    }
}

/// Puts a part of another length in the place of one that is known to hold wrong bytes. The length is all that the next
/// try and the next round look at, so that the wrong part would be taken for the right one. A failure to do so is logged:
/// the one that is reported is the reason.
async fn disown(work: &Work, piece: Piece) {
    let len = transload_plan::disowned_len(piece.range.len);
    let bytes = Bytes::from_static(if len == 1 { b"-" } else { b"--" });
    let stream = stream::once(async move { Ok(bytes) }).boxed();
    let sent = match tap(stream, len, &wanted(work), "a marker of wrong bytes".to_owned()) {
        Ok((body, _)) => work.destination.upload_part(&work.upload, piece.number, body).await,
        Err(failure) => return tracing::error!(%failure, "a wrong part stays"),
    };
    if let Err(error) = sent {
        tracing::error!(part = piece.number.get(), %error, "a wrong part stays");
    }
}

/// `wrong` is set while the part at the destination is known to hold other bytes than were sent.
async fn send_once(
    work: &Work,
    piece: Piece,
    reads: &mut u32,
    wrong: &mut bool,
) -> Result<(StoredPart, Flowed), Failure> {
    let source = &work.input.source;
    let pinned = PinnedRange {
        object: ObjectRef::of_pinned(source),
        etag: source.etag.clone(),
        range: piece.range,
        total: source.size,
    };
    let mut wanted = wanted(work);
    if twice::is_wanted(work) {
        wanted.expected = Some(twice::first_read(work, pinned.clone(), reads).await?);
    }
    let (stream, count) = pinned_stream(work.source.clone(), pinned, work.deadline);
    let (body, seen) = tap(stream, piece.range.len, &wanted, source.object.to_string())?;
    let sent = work.deadline.bound(work.destination.upload_part(&work.upload, piece.number, body)).await;
    *reads += count.count();
    let stored = sent?.map_err(|error| twice::differs(failure_of(error, Side::Destination)))?;
    *wrong = true;
    let flowed = seen.get().ok_or_else(|| {
        ErrorName::PartCorrupted
            .because("expected the store to take the whole body, found that it answered before its end")
    })?;
    compare(&stored, &flowed)?;
    *wrong = false;
    Ok((stored, flowed))
}

/// MD5 only where nothing better proves the bytes: it costs more than everything else here.
fn wanted(work: &Work) -> Wanted {
    let algorithms: Vec<_> = work.upload.checksum_algorithm.into_iter().collect();
    Wanted { md5: algorithms.is_empty() && work.destination.etags_are_md5(), algorithms, expected: None }
}

/// What the store says it has, against what was sent.
fn compare(stored: &StoredPart, flowed: &Flowed) -> Result<(), Failure> {
    let told = stored.checksum.as_ref();
    let pairs = [
        told.and_then(|told| {
            flowed.checksum(told.algorithm).map(|sent| (sent.value.as_str(), told.value.as_str()))
        }),
        flowed.md5.as_deref().map(|sent| (sent, stored.etag.as_str())),
    ];
    // An MD5 in hexadecimal is the same in either case; base64 is not.
    let differ = |(sent, found): &(&str, &str)| match &flowed.md5 {
        Some(md5) if md5 == sent => !sent.eq_ignore_ascii_case(found),
        _ => sent != found,
    };
    match pairs.into_iter().flatten().find(differ) {
        None => Ok(()),
        Some((sent, found)) => Err(ErrorName::PartCorrupted.because(format!(
            "expected checksum {sent} (of what was sent), found {found} at the destination"
        ))),
    }
}

/// Whether the same part may be sent again at once. An upload that is gone, credentials that were refused and time that
/// is over do not come back within this call.
fn again(failure: &Failure) -> bool {
    matches!(
        failure.name,
        ErrorName::Throttled
            | ErrorName::Unavailable
            | ErrorName::ConnectionLost
            | ErrorName::Stalled
            | ErrorName::PartCorrupted
    )
}

fn place(work: &Work, piece: Piece, failure: Failure) -> Failure {
    failure.at(format!("part {} of {}", piece.number, work.input.destination))
}
