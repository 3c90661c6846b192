//! Sends parts of bytes at hand while the next ones are made. What is told is how far the parts reach that were sent together with
//! all parts before them.

use std::sync::Arc;

use bytes::Bytes;
use futures::stream::{self, StreamExt};
use transload_plan::PartNumber;
use transload_wire::{ErrorName, Failure};

use crate::in_order::InOrder;
use crate::tap::{Wanted, tap};
use crate::{Backoff, Combiner, Deadline, Side, Store, UploadRef, failure_of};

/// Parts on their way at a time, beside the one that is being made.
const IN_FLIGHT: usize = 2;
/// Tries of one part.
const TRIES: u32 = 6;

/// The parts of an upload from its first on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sent {
    /// How many.
    pub parts: u32,
    /// Their bytes.
    pub size: u64,
    /// The checksum of them together, where the upload has one.
    pub checksum: Option<String>,
}

/// Sends one part after the other; each with a mark that is given back once it is sent.
pub struct Sender<M> {
    store: Arc<dyn Store>,
    upload: UploadRef,
    deadline: Deadline,
    on_the_way: InOrder<Option<String>, (u64, M)>,
    combiner: Option<Combiner>,
    sent: Sent,
    mark: Option<M>,
    begun: u32,
}

impl<M> Sender<M> {
    /// Goes on behind parts that were sent before.
    ///
    /// # Errors
    /// `InputInvalid` for a checksum of them that is none.
    pub fn new(
        store: Arc<dyn Store>,
        upload: UploadRef,
        deadline: Deadline,
        before: Sent,
    ) -> Result<Self, Failure> {
        let mut combiner = upload.checksum_algorithm.and_then(Combiner::new);
        if let (Some(combiner), Some(checksum)) = (&mut combiner, &before.checksum) {
            combiner.push(checksum, before.size).ok_or_else(|| {
                ErrorName::InputInvalid
                    .because(format!("left.checksum: expected a checksum in base64, found {checksum:?}"))
            })?;
        }
        let on_the_way = InOrder::of(IN_FLIGHT);
        Ok(Self {
            store,
            upload,
            deadline,
            on_the_way,
            combiner,
            begun: before.parts,
            sent: before,
            mark: None,
        })
    }

    /// Sends the next part; waits for an earlier one if too many are on their way.
    ///
    /// # Errors
    /// That of the earlier one; `PlanInvalid` for more parts than an upload has.
    pub async fn send(&mut self, bytes: Bytes, mark: M) -> Result<(), Failure> {
        let most = self.store.limits().max_parts;
        if self.begun >= most {
            return Err(ErrorName::PlanInvalid.because(format!(
                "options.partSize: expected an object of at most {most} parts, found more: larger ones make do with fewer"
            )));
        }
        while self.on_the_way.is_full() {
            self.settle().await?;
        }
        self.begun += 1;
        let number = PartNumber::new(self.begun)?;
        let offset = self.sent.size + self.on_the_way.marks().map(|(len, _)| len).sum::<u64>();
        let len = bytes.len() as u64;
        let (store, upload, deadline) = (Arc::clone(&self.store), self.upload.clone(), self.deadline);
        let call = async move { put(store.as_ref(), &upload, deadline, number, offset, bytes).await };
        self.on_the_way.begin(call, (len, mark));
        Ok(())
    }

    /// Waits for the first part on its way.
    async fn settle(&mut self) -> Result<bool, Failure> {
        let Some((checksum, (len, mark))) = self.on_the_way.next().await? else { return Ok(false) };
        if let Some(combiner) = &mut self.combiner {
            checksum.as_ref().and_then(|checksum| combiner.push(checksum, len)).ok_or_else(|| {
                ErrorName::Internal.because("expected a part that was sent to have a checksum, found none")
            })?;
        }
        self.sent.parts += 1;
        self.sent.size += len;
        self.sent.checksum = self.combiner.as_ref().map(|combiner| combiner.finish().value);
        self.mark = Some(mark);
        Ok(true)
    }

    /// Waits for all parts: what is sent, and the last mark, if any part was sent here.
    ///
    /// # Errors
    /// That of a part.
    pub async fn drain(&mut self) -> Result<(Sent, Option<M>), Failure> {
        while self.settle().await? {}
        Ok((self.sent.clone(), self.mark.take()))
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
        let again = failure.is_transient() && failure.name != ErrorName::UploadGone;
        if !again || !backoff.pause(&deadline).await {
            return Err(failure.at(format!("part {number}")));
        }
    }
}
