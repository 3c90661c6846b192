//! One unbroken stream out of reads that break: what is missing is asked for again from the received offset, with the
//! same pin, so that the PUT that sends it on never notices.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use bytes::Bytes;
use futures::StreamExt;
use futures::stream::{self, BoxStream};
use tokio::time::timeout_at;
use transload_plan::ByteRange;
use transload_wire::{ErrorName, Etag, Failure};

use crate::failure::{Side, failure_of};
use crate::{Backoff, BodyError, Deadline, ObjectBody, ObjectRef, Store, StoreError, StoreErrorKind as Kind};

/// Reads that may follow each other without a byte in between.
const TRIES: u32 = 6;
/// Reads of one stream in all: this many, and one more for each [`BYTES_PER_READ`].
const READS: u32 = 64;
/// A connection that breaks more often than every 16 MiB, over a whole part, is not worth going on with.
const BYTES_PER_READ: u64 = 16 << 20;
/// Answers of wrong offset, total or length that are put down to bad luck.
const WRONG_RANGES: u32 = 1;

/// What is read: one version, by its ETag, and which of its bytes.
#[derive(Debug, Clone)]
pub struct PinnedRange {
    /// The object; with its version where it has one.
    pub object: ObjectRef,
    /// The ETag that every read must find.
    pub etag: Etag,
    /// The bytes.
    pub range: ByteRange,
    /// Size of the whole object.
    pub total: u64,
}

/// How many reads a stream has needed so far. 1 without faults.
#[derive(Debug, Clone, Default)]
pub struct Reads(Arc<AtomicU32>);

impl Reads {
    /// Requests for bytes, the first included.
    #[must_use]
    pub fn count(&self) -> u32 {
        self.0.load(Ordering::Relaxed)
    }
}

/// The stream of a pinned range's bytes, and its count of reads. It ends after exactly `range.len` bytes or with a
/// failure: `SourceChanged` (412), `SourceNotFound` (404), `RangeIgnored` at once, `SourceBroken` (a wrong range twice),
/// `OutOfTime`, or what the last of several tries met.
pub fn pinned_stream(
    store: Arc<dyn Store>,
    pinned: PinnedRange,
    deadline: Deadline,
) -> (BoxStream<'static, Result<Bytes, BodyError>>, Reads) {
    read(store, pinned, deadline, None)
}

/// As [`pinned_stream`], of a body that was opened by [`Store::open`] and is the first read.
pub fn opened_stream(
    store: Arc<dyn Store>,
    pinned: PinnedRange,
    deadline: Deadline,
    body: ObjectBody,
) -> BoxStream<'static, Result<Bytes, BodyError>> {
    read(store, pinned, deadline, Some(body)).0
}

fn read(
    store: Arc<dyn Store>,
    pinned: PinnedRange,
    deadline: Deadline,
    body: Option<ObjectBody>,
) -> (BoxStream<'static, Result<Bytes, BodyError>>, Reads) {
    let reads = Reads(Arc::new(AtomicU32::new(u32::from(body.is_some()))));
    let reader = Reader {
        store,
        pinned,
        deadline,
        received: 0,
        body,
        backoff: Backoff::of_tries(TRIES),
        wrong_ranges: 0,
        reads: reads.clone(),
    };
    let stream = stream::unfold(Some(reader), |reader| async move {
        let mut reader = reader?;
        match reader.next().await {
            Ok(Some(bytes)) => Some((Ok(bytes), Some(reader))),
            Ok(None) => None,
            Err(failure) => Some((Err(failure), None)),
        }
    });
    (stream.boxed(), reads)
}

struct Reader {
    store: Arc<dyn Store>,
    pinned: PinnedRange,
    deadline: Deadline,
    received: u64,
    body: Option<ObjectBody>,
    /// Renewed with every byte.
    backoff: Backoff,
    wrong_ranges: u32,
    reads: Reads,
}

impl Reader {
    /// The next bytes; `None` once all are delivered.
    async fn next(&mut self) -> Result<Option<Bytes>, Failure> {
        loop {
            if self.received == self.pinned.range.len && (self.received > 0 || self.reads.count() > 0) {
                return Ok(None);
            }
            let error = match self.step().await? {
                Ok(Some(bytes)) => {
                    self.received += bytes.len() as u64;
                    self.backoff = Backoff::of_tries(TRIES);
                    return Ok(Some(bytes));
                }
                Ok(None) => match self.short() {
                    None => continue,
                    Some(error) => error,
                },
                Err(error) => error,
            };
            self.body = None;
            self.again_after(error).await?;
        }
    }

    /// Opens the body if none is open, and waits for its next bytes, no longer than the worker may work.
    async fn step(&mut self) -> Result<Result<Option<Bytes>, StoreError>, Failure> {
        let stop = self.deadline.stop_at();
        let step = self.read();
        let Some(stop) = stop else { return Ok(step.await) };
        match timeout_at(stop, step).await {
            Ok(done) => Ok(done),
            Err(_) => Err(out_of_time(&self.pinned)),
        }
    }

    async fn read(&mut self) -> Result<Option<Bytes>, StoreError> {
        if self.body.is_none() {
            self.reads.0.fetch_add(1, Ordering::Relaxed);
            let PinnedRange { object, etag, range, total } = &self.pinned;
            let ranged = self.store.get_range(object, etag, range.after(self.received), *total).await?;
            self.body = Some(ranged.body);
        }
        match &mut self.body {
            Some(body) => body.next().await.transpose(),
            None => Ok(None),
        }
    }

    /// A body that ended: too early is an error, though no store should let it come to that.
    fn short(&self) -> Option<StoreError> {
        let expected = self.pinned.range.len;
        (self.received < expected).then(|| {
            let message = format!("{}: expected {expected} bytes, found {}", self.place(), self.received);
            StoreError::new(Kind::Connection, message)
        })
    }

    /// Waits before the next read, or says why there is none.
    async fn again_after(&mut self, error: StoreError) -> Result<(), Failure> {
        let wrong = error.kind == Kind::WrongRange;
        self.wrong_ranges += u32::from(wrong);
        let again = if wrong { self.wrong_ranges <= WRONG_RANGES } else { error.is_transient() };
        if !again || self.reads.count() >= self.most_reads() {
            return Err(self.failed(error));
        }
        self.deadline.check().map_err(|failure| failure.at(self.place()))?;
        if error.kind == Kind::Throttled {
            self.backoff.slow_down();
        }
        if !self.backoff.pause(&self.deadline).await {
            return Err(self.failed(error));
        }
        tracing::warn!(place = %self.place(), received = self.received, error = %error, "a read broke; reading on");
        Ok(())
    }

    fn most_reads(&self) -> u32 {
        READS.saturating_add(u32::try_from(self.pinned.range.len / BYTES_PER_READ).unwrap_or(u32::MAX))
    }

    fn failed(&self, error: StoreError) -> Failure {
        let reads = self.reads.count();
        let failure = failure_of(error, Side::Source);
        if reads > 1 {
            failure.at(format!("read {reads} times, {} bytes received", self.received))
        } else {
            failure
        }
    }

    fn place(&self) -> String {
        format!("{} {}", self.pinned.object, self.pinned.range)
    }
}

fn out_of_time(pinned: &PinnedRange) -> Failure {
    ErrorName::OutOfTime
        .because(format!("{} {}: the worker's time ended while reading", pinned.object, pinned.range))
}

#[cfg(test)]
mod tests;
