//! A body on its way in: ends after exactly its announced length, or with an error; never stalls for ever.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use aws_smithy_types::body::SdkBody;
use bytes::Bytes;
use futures::Stream;
use http_body::Body;
use tokio::time::{Instant, Sleep, sleep};

use crate::{StoreError, StoreErrorKind as Kind};

/// The stream of a body's bytes.
pub(crate) struct Incoming {
    body: SdkBody,
    /// For messages: the operation and the object.
    place: String,
    expected: u64,
    left: u64,
    stall: Duration,
    guard: Pin<Box<Sleep>>,
    armed: bool,
    ended: bool,
}

impl Incoming {
    pub(crate) fn new(body: SdkBody, place: String, expected: u64, stall: Duration) -> Self {
        let guard = Box::pin(sleep(stall));
        Self { body, place, expected, left: expected, stall, guard, armed: false, ended: false }
    }

    /// Armed only while nothing is there, so that bytes that flow cost no timer.
    fn stalled(&mut self, context: &mut Context<'_>) -> bool {
        if !self.armed {
            self.armed = true;
            self.guard.as_mut().reset(Instant::now() + self.stall);
        }
        self.guard.as_mut().poll(context).is_ready()
    }

    fn fail(&mut self, kind: Kind, why: &str) -> Poll<Option<Result<Bytes, StoreError>>> {
        self.ended = true;
        let received = self.expected - self.left;
        let message =
            format!("{}: expected {} bytes, found {received} and then {why}", self.place, self.expected);
        Poll::Ready(Some(Err(StoreError::new(kind, message))))
    }

    fn take(&mut self, bytes: Bytes) -> Poll<Option<Result<Bytes, StoreError>>> {
        match self.left.checked_sub(bytes.len() as u64) {
            Some(left) => {
                self.left = left;
                Poll::Ready(Some(Ok(bytes)))
            }
            None => self.fail(Kind::WrongRange, "more than that"),
        }
    }

    fn end(&mut self) -> Poll<Option<Result<Bytes, StoreError>>> {
        if self.left > 0 {
            return self.fail(Kind::Connection, "the end");
        }
        self.ended = true;
        Poll::Ready(None)
    }
}

impl Stream for Incoming {
    type Item = Result<Bytes, StoreError>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        if this.ended {
            return Poll::Ready(None);
        }
        loop {
            let polled = Pin::new(&mut this.body).poll_frame(context);
            if polled.is_ready() {
                this.armed = false;
            }
            match polled {
                Poll::Pending if this.stalled(context) => {
                    let why = format!("nothing for {:?}", this.stall);
                    return this.fail(Kind::Stalled, &why);
                }
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Some(Ok(frame))) => match frame.into_data() {
                    Ok(bytes) if bytes.is_empty() => {}
                    Ok(bytes) => return this.take(bytes),
                    // Trailers carry no bytes of the object.
                    Err(_) => {}
                },
                Poll::Ready(Some(Err(error))) => {
                    let why = error.to_string();
                    return this.fail(Kind::Connection, &why);
                }
                Poll::Ready(None) => return this.end(),
            }
        }
    }
}
