//! A body that can be sent again without being read again, as long as little of it went out.
//!
//! A store that asks to slow down answers before it took much of a body. The first bytes are kept, and the rest is still
//! in the source's open answer: another try costs neither a request to the source nor its bytes. Checksums are taken once,
//! when bytes arrive, so a kept byte that changes in memory is noticed like any other.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures::Stream;
use futures::stream::{BoxStream, StreamExt};
use transload_wire::{ErrorName, Failure};

use crate::tap::Seen;
use crate::{BodyError, PutBody};

/// Bytes that one worker keeps of all bodies that it sends at a time: an eighth of its 128 MB, and more than a connection
/// takes before an answer that comes at once (its window, 4 MiB at most on the systems that Lambda runs).
pub const KEPT: u64 = 16 << 20;

/// A tapped body and what was kept of it. Clones are the same body.
#[derive(Clone)]
pub struct Rewind {
    len: u64,
    seen: Seen,
    shared: Arc<Mutex<Shared>>,
}

struct Shared {
    stream: BoxStream<'static, Result<Bytes, BodyError>>,
    frames: Vec<Bytes>,
    /// Bytes that may still be kept; `None` once there were more, or the stream failed.
    room: Option<u64>,
    ended: bool,
    /// Which try may read. A connection may hold the body of an earlier try for a while.
    turn: u64,
}

impl Rewind {
    /// Keeps up to `most` bytes of a tapped body.
    #[must_use]
    pub fn over(body: PutBody, seen: Seen, most: u64) -> Self {
        let shared =
            Shared { stream: body.stream, frames: Vec::new(), room: Some(most), ended: false, turn: 0 };
        Self { len: body.len, seen, shared: Arc::new(Mutex::new(shared)) }
    }

    /// The body from its start, and what will be known when this try has sent all of it; `None` if it has to be read
    /// again. Bodies given before end with an error.
    #[must_use]
    pub fn body(&self) -> Option<(PutBody, Seen)> {
        let mut shared = self.shared.lock().unwrap_or_else(PoisonError::into_inner);
        shared.room?;
        shared.turn += 1;
        let sent = self.seen.afresh();
        if self.len == 0 {
            sent.copy(&self.seen);
        }
        let replay =
            Replay { of: self.clone(), turn: shared.turn, at: 0, left: self.len, sent: sent.clone() };
        Some((PutBody { len: self.len, stream: replay.boxed(), md5: None, seen: Some(sent.clone()) }, sent))
    }
}

impl Shared {
    fn poll(&mut self, at: usize, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, Failure>>> {
        if let Some(frame) = self.frames.get(at) {
            return Poll::Ready(Some(Ok(frame.clone())));
        }
        if self.ended {
            return Poll::Ready(None);
        }
        let next = ready!(self.stream.poll_next_unpin(context));
        match &next {
            Some(Ok(frame)) => self.keep(frame),
            Some(Err(_)) => self.forget(),
            None => self.ended = true,
        }
        Poll::Ready(next)
    }

    fn keep(&mut self, frame: &Bytes) {
        match self.room.and_then(|room| room.checked_sub(frame.len() as u64)) {
            Some(room) => {
                self.room = Some(room);
                self.frames.push(frame.clone());
            }
            None => self.forget(),
        }
    }

    fn forget(&mut self) {
        self.room = None;
        self.frames = Vec::new();
    }
}

/// One try's view of the body.
struct Replay {
    of: Rewind,
    turn: u64,
    at: usize,
    left: u64,
    sent: Seen,
}

impl Stream for Replay {
    type Item = Result<Bytes, Failure>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        let mut shared = this.of.shared.lock().unwrap_or_else(PoisonError::into_inner);
        if shared.turn != this.turn {
            let found = "expected the body of the last try to be read, found an earlier one";
            return Poll::Ready(Some(Err(ErrorName::Internal.because(found))));
        }
        let next = ready!(shared.poll(this.at, context));
        if let Some(Ok(frame)) = &next {
            this.at += 1;
            this.left = this.left.saturating_sub(frame.len() as u64);
            if this.left == 0 {
                this.sent.copy(&this.of.seen);
            }
        }
        Poll::Ready(next)
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use futures::{StreamExt, TryStreamExt, stream};
    use transload_wire::{ChecksumAlgorithm, ErrorName, Failure};

    use super::Rewind;
    use crate::tap::{Wanted, tap};

    fn over(frames: Vec<Result<Bytes, Failure>>, len: u64, most: u64) -> Rewind {
        let wanted = Wanted { algorithms: vec![ChecksumAlgorithm::Crc64Nvme], ..Wanted::default() };
        let (body, seen) = tap(stream::iter(frames).boxed(), len, &wanted, "s".to_owned()).unwrap();
        Rewind::over(body, seen, most)
    }

    fn frames(all: &[&'static str]) -> Vec<Result<Bytes, Failure>> {
        all.iter().map(|frame| Ok(Bytes::from_static(frame.as_bytes()))).collect()
    }

    #[tokio::test]
    async fn a_body_given_up_midway_is_sent_again_from_its_start_with_the_same_checksum() {
        let rewind = over(frames(&["12", "345", "6"]), 6, 6);
        let (mut first, seen) = rewind.body().unwrap();
        assert_eq!(first.stream.try_next().await.unwrap().unwrap(), "12");
        assert!(seen.get().is_none());
        for _ in 0..2 {
            let (body, seen) = rewind.body().unwrap();
            assert!(seen.get().is_none(), "nothing of this try was sent yet");
            assert_eq!(body.stream.try_collect::<Vec<_>>().await.unwrap().concat(), b"123456");
            let expected = crate::Hasher::new(ChecksumAlgorithm::Crc64Nvme);
            let mut expected = expected;
            expected.update(b"123456");
            assert_eq!(seen.get().unwrap().checksums, [expected.finish()]);
        }
        assert_eq!(first.stream.try_next().await.unwrap_err().name, ErrorName::Internal);
    }

    #[tokio::test]
    async fn what_is_too_long_to_keep_or_failed_is_read_again() {
        let long = over(frames(&["12", "345"]), 5, 4);
        let (mut body, _) = long.body().unwrap();
        body.stream.try_next().await.unwrap();
        assert!(long.body().is_some(), "2 bytes are kept");
        let (body, seen) = long.body().unwrap();
        assert_eq!(body.stream.try_collect::<Vec<_>>().await.unwrap().concat(), b"12345");
        assert!(seen.get().is_some() && long.body().is_none());

        let failed = over(vec![Err(ErrorName::Stalled.because("s"))], 5, 4);
        failed.body().unwrap().0.stream.try_next().await.unwrap_err();
        assert!(failed.body().is_none());
    }

    #[tokio::test]
    async fn nothing_can_be_sent_any_number_of_times() {
        let nothing = over(vec![], 0, 0);
        for _ in 0..2 {
            let (mut body, seen) = nothing.body().unwrap();
            assert!(seen.get().is_some() && body.stream.try_next().await.unwrap().is_none());
        }
    }
}
