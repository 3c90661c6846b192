//! Keeps what a worker reads to its share of a bandwidth.
//!
//! Bytes are let through at the times at which a line of that bandwidth would have carried them, one piece behind the other,
//! whichever stream they belong to. What is not used is lost: no burst makes up for more than a moment, so that a line that others
//! use too is never filled above the share.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use futures::stream::{self, BoxStream, StreamExt};
use tokio::time::{Instant, sleep_until};
use transload_wire::Failure;

/// Bytes that wait in one piece are an eighth of what a second carries, so that streams take turns, and no connection is silent
/// for long.
const PIECES_PER_SECOND: u64 = 8;
/// What may be made up for: timers are late by a millisecond, and a small frame takes less.
const LATE: Duration = Duration::from_millis(100);

/// The share of a worker, or none to keep to. Clones are the same.
#[derive(Debug, Clone, Default)]
pub struct Pace(Option<Arc<Line>>);

#[derive(Debug)]
struct Line {
    /// Bytes per second.
    rate: u64,
    /// When all that was let through so far will have passed.
    free: Mutex<Option<Instant>>,
}

impl Pace {
    /// So many bytes per second, at least 1; as many as there are without.
    #[must_use]
    pub fn of(bandwidth: Option<u64>) -> Self {
        Self(bandwidth.map(|rate| Arc::new(Line { rate: rate.max(1), free: Mutex::default() })))
    }

    /// How many of `wanted` streams may flow at a time: a bandwidth is used up by one, and each of several would have too little
    /// of it to end in time.
    #[must_use]
    pub fn streams(&self, wanted: u32) -> u32 {
        if self.0.is_some() { 1 } else { wanted }
    }

    /// The bytes that pass in this time; `None` without a bandwidth.
    #[must_use]
    pub fn bytes_in(&self, time: Duration) -> Option<u64> {
        let line = self.0.as_ref()?;
        Some(u64::try_from(u128::from(line.rate) * time.as_millis() / 1_000).unwrap_or(u64::MAX))
    }

    /// The same bytes, no sooner than they may come.
    #[must_use]
    pub fn over(
        &self,
        stream: BoxStream<'static, Result<Bytes, Failure>>,
    ) -> BoxStream<'static, Result<Bytes, Failure>> {
        let Some(line) = self.0.clone() else { return stream };
        let piece = usize::try_from((line.rate / PIECES_PER_SECOND).max(1)).unwrap_or(usize::MAX);
        let pieces = stream.flat_map(move |frame| match frame {
            Ok(frame) => stream::iter(cut(frame, piece)).map(Ok).boxed(),
            Err(failure) => stream::iter([Err(failure)]).boxed(),
        });
        let passed = pieces.then(move |piece: Result<Bytes, Failure>| {
            let line = line.clone();
            async move {
                if let Ok(bytes) = &piece {
                    line.pass(bytes.len() as u64).await;
                }
                piece
            }
        });
        passed.boxed()
    }
}

impl Line {
    /// Waits until these bytes have passed behind all others.
    async fn pass(&self, bytes: u64) {
        let nanos = u128::from(bytes) * 1_000_000_000 / u128::from(self.rate);
        let time = Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX));
        let passed = {
            let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
            let now = Instant::now();
            let begin = free.map_or(now, |free| free.max(now.checked_sub(LATE).unwrap_or(now)));
            *free.insert(begin.checked_add(time).unwrap_or(begin))
        };
        sleep_until(passed).await;
    }
}

/// Pieces of at most so many bytes; an empty frame is one.
fn cut(mut frame: Bytes, most: usize) -> Vec<Bytes> {
    let mut pieces = Vec::with_capacity(frame.len() / most + 1);
    while frame.len() > most {
        pieces.push(frame.split_to(most));
    }
    pieces.push(frame);
    pieces
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use bytes::Bytes;
    use futures::stream::{self, BoxStream};
    use futures::{StreamExt, TryStreamExt};
    use tokio::time::{Instant, sleep};
    use transload_wire::{ErrorName, Failure};

    use super::Pace;

    fn frames(count: usize, len: usize) -> BoxStream<'static, Result<Bytes, Failure>> {
        let frames: Vec<_> = (0..count).map(|index| Ok(Bytes::from(vec![index as u8; len]))).collect();
        stream::iter(frames).boxed()
    }

    async fn drain(mut stream: BoxStream<'static, Result<Bytes, Failure>>) -> Vec<u8> {
        let mut all = Vec::new();
        while let Some(frame) = stream.try_next().await.unwrap() {
            all.extend_from_slice(&frame);
        }
        all
    }

    #[tokio::test(start_paused = true)]
    async fn streams_of_one_worker_share_what_it_has() {
        let (pace, begun) = (Pace::of(Some(1_000)), Instant::now());
        let streams = (0..3).map(|_| drain(pace.over(frames(4, 500))));
        let all = futures::future::join_all(streams).await;
        assert!(all.iter().all(|bytes| bytes.len() == 2_000 && bytes[1_999] == 3));
        assert_eq!(begun.elapsed().as_secs(), 6);
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_not_used_is_not_made_up_for() {
        let pace = Pace::of(Some(1_000));
        drain(pace.over(frames(1, 1_000))).await;
        sleep(Duration::from_secs(3_600)).await;
        let begun = Instant::now();
        drain(pace.over(frames(2, 1_000))).await;
        assert_eq!(begun.elapsed().as_millis() / 100, 19, "but for a moment");
    }

    #[tokio::test(start_paused = true)]
    async fn many_small_frames_are_not_late_by_a_timer_each() {
        let (pace, begun) = (Pace::of(Some(1_000_000)), Instant::now());
        drain(pace.over(frames(10_000, 100))).await;
        assert_eq!(begun.elapsed().as_millis() / 10, 100);
    }

    #[tokio::test(start_paused = true)]
    async fn large_frames_come_in_pieces_and_none_is_late_by_more_than_a_piece() {
        let pace = Pace::of(Some(800));
        let mut stream = pace.over(frames(1, 250));
        let mut seen = Vec::new();
        let begun = Instant::now();
        while let Some(piece) = stream.try_next().await.unwrap() {
            seen.push((piece.len(), begun.elapsed().as_millis() / 25 * 25));
        }
        assert_eq!(seen, [(100, 125), (100, 250), (50, 300)]);
    }

    #[tokio::test]
    async fn without_a_bandwidth_and_after_a_failure_nothing_waits() {
        let failed = stream::iter([Ok(Bytes::new()), Err(ErrorName::Stalled.because("s"))]).boxed();
        let ended: Result<Vec<_>, _> = Pace::of(Some(1)).over(failed).try_collect().await;
        assert_eq!(ended.unwrap_err().name, ErrorName::Stalled);
        assert_eq!(drain(Pace::default().over(frames(2, 1 << 20))).await.len(), 2 << 20);
        assert_eq!((Pace::default().streams(7), Pace::of(Some(1)).streams(7)), (7, 1));
    }
}
