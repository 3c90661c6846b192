//! Sends parts while the next ones are made. What a call can tell is where the last part began and ended that was sent together
//! with all parts before it.

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;
use futures::stream::{self, StreamExt};
use tokio::task::JoinHandle;
use transload_plan::PartNumber;
use transload_store::tap::{Wanted, tap};
use transload_store::{Backoff, Combiner, Deadline, Side, Store, UploadRef, failure_of};
use transload_wire::{ErrorName, Failure};

use crate::wire::Left;

/// Parts on their way at a time, beside the one that is being made.
const IN_FLIGHT: usize = 2;
/// Tries of one part.
const TRIES: u32 = 6;

/// The parts of one call.
pub(crate) struct Sender {
    store: Arc<dyn Store>,
    upload: UploadRef,
    deadline: Deadline,
    on_the_way: VecDeque<Part>,
    combiner: Option<Combiner>,
    /// What is sent, without gaps.
    done: Left,
    /// Bytes of `done`.
    size: u64,
}

struct Part {
    sent: Sent,
    len: u64,
    /// Where the packing stood when the part was full.
    after: Left,
}

/// A part that is given up with the call that sends it.
struct Sent(JoinHandle<Result<Option<String>, Failure>>);

impl Drop for Sent {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Sender {
    /// Goes on behind what earlier calls sent.
    ///
    /// # Errors
    /// `InputInvalid` for a checksum that is none.
    pub(crate) fn new(
        store: Arc<dyn Store>,
        upload: UploadRef,
        deadline: Deadline,
        left: &Left,
        part_size: u64,
    ) -> Result<Self, Failure> {
        let mut combiner = upload.checksum_algorithm.and_then(Combiner::new);
        let size = u64::from(left.parts) * part_size;
        if let (Some(combiner), Some(checksum)) = (&mut combiner, &left.checksum) {
            combiner.push(checksum, size).ok_or_else(|| {
                ErrorName::InputInvalid
                    .because(format!("left.checksum: expected a checksum in base64, found {checksum:?}"))
            })?;
        }
        Ok(Self { store, upload, deadline, on_the_way: VecDeque::new(), combiner, done: left.clone(), size })
    }

    /// Sends a part; waits for an earlier one if too many are on their way.
    ///
    /// # Errors
    /// That of the earlier one; `PlanInvalid` for more parts than an upload has.
    pub(crate) async fn send(&mut self, bytes: Bytes, after: Left) -> Result<(), Failure> {
        let most = self.store.limits().max_parts;
        if after.parts > most {
            return Err(ErrorName::PlanInvalid.because(format!(
                "options.partSize: expected an archive of at most {most} parts, found more: ask for larger ones, or pack less"
            )));
        }
        while self.on_the_way.len() >= IN_FLIGHT {
            self.settle().await?;
        }
        let len = bytes.len() as u64;
        let (store, upload, deadline) = (Arc::clone(&self.store), self.upload.clone(), self.deadline);
        let (number, offset) = (PartNumber::new(after.parts)?, self.size + self.ahead());
        let call = async move { put(store.as_ref(), &upload, deadline, number, offset, bytes).await };
        self.on_the_way.push_back(Part { sent: Sent(tokio::spawn(call)), len, after });
        Ok(())
    }

    fn ahead(&self) -> u64 {
        self.on_the_way.iter().map(|part| part.len).sum()
    }

    /// Waits for the first part on its way.
    async fn settle(&mut self) -> Result<(), Failure> {
        let Some(mut part) = self.on_the_way.pop_front() else { return Ok(()) };
        let sent = (&mut part.sent.0).await;
        let checksum =
            sent.map_err(|error| ErrorName::Internal.because(format!("a part was lost: {error}")))??;
        if let Some(combiner) = &mut self.combiner {
            checksum.as_ref().and_then(|checksum| combiner.push(checksum, part.len)).ok_or_else(|| {
                ErrorName::Internal.because("expected a part that was sent to have a checksum, found none")
            })?;
        }
        self.size += part.len;
        let checksum = self.combiner.as_ref().map(|combiner| combiner.finish().value);
        self.done = Left { checksum, ..part.after };
        Ok(())
    }

    /// Waits for all parts: where the packing can go on, and the bytes up to there.
    ///
    /// # Errors
    /// That of a part.
    pub(crate) async fn drain(mut self) -> Result<(Left, u64), Failure> {
        while !self.on_the_way.is_empty() {
            self.settle().await?;
        }
        Ok((self.done, self.size))
    }
}

/// Sends a part until it is there: its checksum.
async fn put(
    store: &dyn Store,
    upload: &UploadRef,
    deadline: Deadline,
    number: PartNumber,
    offset: u64,
    bytes: Bytes,
) -> Result<Option<String>, Failure> {
    let algorithms: Vec<_> = upload.checksum_algorithm.into_iter().collect();
    let wanted = Wanted { md5: algorithms.is_empty() && store.etags_are_md5(), algorithms, expected: None };
    let mut backoff = Backoff::of_tries(TRIES);
    loop {
        let body = bytes.clone();
        let frames = stream::once(async move { Ok(body) }).boxed();
        let (body, seen) = tap(frames, bytes.len() as u64, &wanted, format!("part {number}"))?;
        let answer = deadline.bound(store.upload_part_at(upload, number, offset, body)).await?;
        let failure = match (answer, seen.get()) {
            (Ok(stored), Some(flowed)) => {
                let sent =
                    upload.checksum_algorithm.and_then(|algorithm| flowed.checksum(algorithm).cloned());
                let same = match (&stored.checksum, &sent, &flowed.md5) {
                    (Some(told), Some(sent), _) if told.algorithm == sent.algorithm => {
                        told.value == sent.value
                    }
                    (_, None, Some(md5)) => stored.etag.as_str().eq_ignore_ascii_case(md5),
                    _ => true,
                };
                if same {
                    return Ok(sent.map(|checksum| checksum.value));
                }
                ErrorName::PartCorrupted
                    .because(format!("{upload}: part {number} arrived with other bytes than were sent"))
            }
            (Ok(_), None) => ErrorName::PartCorrupted.because(format!(
                "{upload}: part {number}: expected the store to take all of it, found that it did not"
            )),
            (Err(error), _) => failure_of(error, Side::Destination),
        };
        if failure.name == ErrorName::Throttled {
            backoff.slow_down();
        }
        let again = failure.is_transient() || failure.name == ErrorName::PartCorrupted;
        if !again || !backoff.pause(&deadline).await {
            return Err(failure.at(format!("part {number}")));
        }
    }
}
