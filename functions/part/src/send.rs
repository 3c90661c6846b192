//! One part: GET, checksum, PUT, as one stream. If the PUT fails, from its start: out of what was kept, or read again.

use bytes::Bytes;
use futures::stream::{self, StreamExt};
use tokio::time::Instant;
use transload_store::resume::{PinnedRange, Reads, pinned_stream};
use transload_store::rewind::{KEPT, Rewind};
use transload_store::tap::{Flowed, Seen, Wanted, tap};
use transload_store::{Backoff, ObjectRef, PutBody, Side, StoredPart, failure_of};
use transload_wire::{ErrorName, Failure, PartRecord};

use crate::{Piece, Work, twice};

/// PUTs of one part in one call. More is the workflow's to decide, with longer waits that cost nothing.
const TRIES: u32 = 4;

/// What the tries of one part share.
struct Sender<'a> {
    work: &'a Work,
    piece: Piece,
    /// What the last try sent, as long as another one may send it again.
    body: Option<(Rewind, Reads)>,
    /// Reads of bodies that are done with.
    reads: u32,
    /// Whether the part at the destination is known to hold other bytes than were sent.
    wrong: bool,
}

/// Sends a part until it is there.
pub(crate) async fn send(work: &Work, piece: Piece) -> Result<PartRecord, Failure> {
    let started = Instant::now();
    let mut backoff = Backoff::of_tries(TRIES);
    let mut sender = Sender { work, piece, body: None, reads: 0, wrong: false };
    let mut attempts = 0;
    loop {
        attempts += 1;
        let failure = match sender.once().await {
            Ok((stored, flowed)) => {
                sender.drop_body();
                return Ok(PartRecord {
                    part_number: piece.number.get(),
                    size: piece.range.len,
                    etag: stored.etag,
                    checksum: flowed.checksums.into_iter().next(),
                    attempts,
                    reads: sender.reads,
                    duration_ms: u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
                });
            }
            Err(failure) => failure,
        };
        if failure.name == ErrorName::Throttled {
            backoff.slow_down();
        }
        if !again(&failure) || !backoff.pause(&work.deadline).await || work.deadline.check().is_err() {
            if sender.wrong {
                disown(work, piece).await;
            }
            return Err(place(work, piece, failure));
        }
        // Bytes that arrived wrong may be wrong here already.
        if failure.name == ErrorName::PartCorrupted {
            sender.drop_body();
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

impl Sender<'_> {
    async fn once(&mut self) -> Result<(StoredPart, Flowed), Failure> {
        let (body, sent) = self.body().await?;
        let (work, piece) = (self.work, self.piece);
        let call = work.destination.upload_part_at(&work.upload, piece.number, piece.range.start, body);
        let answer = work.deadline.bound(call).await;
        let stored = answer?.map_err(|error| twice::differs(failure_of(error, Side::Destination)))?;
        self.wrong = true;
        let flowed = sent.get().ok_or_else(|| {
            ErrorName::PartCorrupted
                .because("expected the store to take the whole body, found that it answered before its end")
        })?;
        compare(&stored, &flowed)?;
        self.wrong = false;
        Ok((stored, flowed))
    }

    /// What was read for the last try, if little of it went out; else it is read again.
    async fn body(&mut self) -> Result<(PutBody, Seen), Failure> {
        if let Some(body) = self.body.as_ref().and_then(|(rewind, _)| rewind.body()) {
            return Ok(body);
        }
        self.drop_body();
        let (work, len) = (self.work, self.piece.range.len);
        let pinned = self.pinned();
        let mut wanted = wanted(work);
        if twice::is_wanted(work) {
            wanted.expected = Some(twice::first_read(work, pinned.clone(), &mut self.reads).await?);
        }
        let (stream, count) = pinned_stream(work.source.clone(), pinned, work.deadline);
        let stream = work.pace.over(stream);
        let (body, seen) = tap(stream, len, &wanted, work.input.source.object.to_string())?;
        let rewind = Rewind::over(body, seen, KEPT / u64::from(work.input.parts_in_flight));
        let body = rewind.body();
        self.body = Some((rewind, count));
        body.ok_or_else(|| ErrorName::Internal.because("expected a body that is new, found it used up"))
    }

    fn pinned(&self) -> PinnedRange {
        let source = &self.work.input.source;
        PinnedRange {
            object: ObjectRef::of_pinned(source),
            etag: source.etag.clone(),
            range: self.piece.range,
            total: source.size,
        }
    }

    fn drop_body(&mut self) {
        self.reads += self.body.take().map_or(0, |(_, count)| count.count());
    }
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
