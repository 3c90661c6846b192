//! A body on its way out: hashed while it streams, framed where a trailer follows, its failure kept for the caller.

use std::collections::VecDeque;
use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;
use futures::Stream;
use futures::stream::BoxStream;
use http_body::{Body, Frame, SizeHint};
use md5::{Digest, Md5};
use transload_wire::{Checksum, ChecksumAlgorithm, ErrorName, Failure};

use super::framing::Chunker;
use super::progress::Progress;
use crate::tap::Seen;
use crate::{Hasher, PutBody, hex};

/// What is computed over a body, and whether the checksum is sent with it.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Plan {
    pub(super) algorithm: Option<ChecksumAlgorithm>,
    pub(super) trailer: bool,
    pub(super) md5: bool,
}

impl Plan {
    /// Whether something is wanted, and the stream computes all of it by itself.
    fn is_served_by(self, seen: &Seen) -> bool {
        (self.md5 || self.algorithm.is_some())
            && self.algorithm.is_none_or(|algorithm| seen.computes(algorithm))
            && (!self.md5 || seen.computes_md5())
    }
}

/// What a sent body turned out to be. Empty until all of it was taken.
#[derive(Default)]
pub(super) struct Outcome {
    pub(super) checksum: Option<Checksum>,
    /// MD5 in hex.
    pub(super) md5: Option<String>,
    pub(super) failure: Option<Failure>,
}

/// The outcome as the caller sees it.
#[derive(Clone, Default)]
pub(super) struct Handle(Arc<Mutex<Outcome>>);

impl Handle {
    pub(super) fn take(&self) -> Outcome {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn set(&self, change: impl FnOnce(&mut Outcome)) {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

/// Why the connection is dropped; the failure itself waits in the [`Handle`].
#[derive(Debug)]
pub(super) struct BodyEnded;

impl fmt::Display for BodyEnded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the body that was being sent failed")
    }
}

impl std::error::Error for BodyEnded {}

/// The body as the SDK's client polls it.
pub(super) struct Outgoing {
    /// A stream is not `Sync`, which the SDK wants of a body; behind a lock that nobody shares it is.
    stream: Mutex<BoxStream<'static, Result<Bytes, Failure>>>,
    len: u64,
    received: u64,
    /// Bytes still to be handed over, framing included.
    left: u64,
    chunker: Option<Chunker>,
    ready: VecDeque<Bytes>,
    hasher: Option<Hasher>,
    md5: Option<Md5>,
    /// What the stream computes by itself; then nothing is hashed here.
    seen: Option<Seen>,
    plan: Plan,
    ended: bool,
    progress: Progress,
    handle: Handle,
}

impl Outgoing {
    /// The body, and where to read what became of it.
    pub(super) fn new(body: PutBody, plan: Plan, progress: Progress) -> (Self, Handle) {
        let handle = Handle::default();
        let trailer = plan.algorithm.filter(|_| plan.trailer);
        let seen = body.seen.filter(|seen| plan.is_served_by(seen));
        let outgoing = Self {
            stream: Mutex::new(body.stream),
            len: body.len,
            received: 0,
            left: trailer.map_or(body.len, |algorithm| Chunker::encoded_len(body.len, algorithm)),
            chunker: trailer.map(|_| Chunker::new(body.len)),
            ready: VecDeque::new(),
            hasher: plan.algorithm.filter(|_| seen.is_none()).map(Hasher::new),
            md5: (plan.md5 && seen.is_none()).then(Md5::new),
            seen,
            plan,
            ended: false,
            progress,
            handle: handle.clone(),
        };
        (outgoing, handle)
    }

    fn next(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, Failure>>> {
        let stream = self.stream.get_mut().unwrap_or_else(PoisonError::into_inner);
        Pin::new(stream).poll_next(context)
    }

    /// Takes bytes of the stream in. They must not exceed the announced length.
    fn take(&mut self, bytes: Bytes) -> Result<(), Failure> {
        self.received += bytes.len() as u64;
        if self.received > self.len {
            return Err(self.wrong_length());
        }
        if let Some(hasher) = &mut self.hasher {
            hasher.update(&bytes);
        }
        if let Some(md5) = &mut self.md5 {
            md5.update(&bytes);
        }
        match &mut self.chunker {
            Some(chunker) => chunker.push(bytes, &mut self.ready),
            None => self.ready.push_back(bytes),
        }
        Ok(())
    }

    /// The stream is at its end.
    fn finish(&mut self) -> Result<(), Failure> {
        if self.received != self.len {
            return Err(self.wrong_length());
        }
        let (checksum, md5) = self.hashed()?;
        if let (Some(chunker), Some(checksum)) = (&self.chunker, &checksum) {
            self.ready.push_back(chunker.end(checksum));
        }
        self.handle.set(|outcome| (outcome.checksum, outcome.md5) = (checksum, md5));
        Ok(())
    }

    /// Checksum and MD5 as far as they are wanted. A checksum that the stream computed before the bytes came here also
    /// tells of bytes that were altered on the way.
    fn hashed(&mut self) -> Result<(Option<Checksum>, Option<String>), Failure> {
        let Some(seen) = &self.seen else {
            let md5 = self.md5.take().map(|md5| hex(&md5.finalize()));
            return Ok((self.hasher.take().map(Hasher::finish), md5));
        };
        let missing = || ErrorName::Internal.because("body: expected its checksums at its end, found none");
        let flowed = seen.get().ok_or_else(missing)?;
        let checksum = self.plan.algorithm.and_then(|algorithm| flowed.checksum(algorithm).cloned());
        Ok((checksum, flowed.md5.filter(|_| self.plan.md5)))
    }

    fn wrong_length(&self) -> Failure {
        // What the tap lets go has this length: bytes were lost or doubled since.
        ErrorName::PartCorrupted
            .because(format!("body: expected {} bytes, found {}", self.len, self.received))
    }

    fn fail(&mut self, failure: Failure) -> Poll<Option<Result<Frame<Bytes>, BodyEnded>>> {
        self.ended = true;
        self.handle.set(|outcome| outcome.failure = Some(failure));
        Poll::Ready(Some(Err(BodyEnded)))
    }

    fn hand_over(&mut self, bytes: Bytes) -> Poll<Option<Result<Frame<Bytes>, BodyEnded>>> {
        self.left = self.left.saturating_sub(bytes.len() as u64);
        if self.left == 0 {
            self.progress.sent()
        } else {
            self.progress.moved()
        }
        Poll::Ready(Some(Ok(Frame::data(bytes))))
    }
}

impl Body for Outgoing {
    type Data = Bytes;
    type Error = BodyEnded;

    /// The stream's end is awaited before its last frame is handed over: what checks itself at its end (a checksum of the
    /// whole, a held-back frame) can still keep the store from committing.
    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let this = self.get_mut();
        loop {
            let complete = this.received == this.len && !this.ended;
            if let Some(bytes) = (!complete).then(|| this.ready.pop_front()).flatten() {
                return this.hand_over(bytes);
            }
            if this.ended {
                return Poll::Ready(None);
            }
            let taken = match this.next(context) {
                Poll::Pending => {
                    this.progress.waits();
                    return Poll::Pending;
                }
                Poll::Ready(Some(Ok(bytes))) => this.take(bytes),
                Poll::Ready(Some(Err(failure))) => Err(failure),
                Poll::Ready(None) => {
                    this.ended = true;
                    this.finish()
                }
            };
            if let Err(failure) = taken {
                return this.fail(failure);
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0 && self.ended
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}
