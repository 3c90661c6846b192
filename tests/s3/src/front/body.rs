//! Bodies under way: counted, and cut, stalled or flipped where a fault says so.

use std::future::Future as _;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use tokio::time::Sleep;

use super::connection::Switch;
use crate::faults::flip;
use crate::record::Entry;

/// Time for what was handed to the connection to leave before it is reset.
const FLUSH: Duration = Duration::from_millis(30);

/// What happens to a body at an offset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Turn {
    Reset,
    /// The stream ends with an error, without a reset.
    Close,
    /// None: for ever.
    Stall(Option<Duration>),
    /// The lowest bit of the byte is inverted.
    Flip,
}

/// Which of a record's counters a body feeds.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Direction {
    In,
    Out,
}

/// A body with its counter and its fault.
pub(crate) struct Watched<B> {
    inner: B,
    entry: Arc<Entry>,
    direction: Direction,
    switch: Switch,
    turn: Option<(u64, Turn)>,
    position: u64,
    /// Bytes of a frame behind the point where the fault strikes.
    held: Option<Bytes>,
    timer: Option<Pin<Box<Sleep>>>,
}

impl<B> Watched<B> {
    pub(crate) fn new(
        inner: B,
        entry: Arc<Entry>,
        direction: Direction,
        switch: Switch,
        turn: Option<(u64, Turn)>,
    ) -> Self {
        Self { inner, entry, direction, switch, turn, position: 0, held: None, timer: None }
    }

    fn counter(&self) -> &AtomicU64 {
        match self.direction {
            Direction::In => &self.entry.bytes_in,
            Direction::Out => &self.entry.bytes_out,
        }
    }

    /// Carries out the fault at the current position. Ready(None): go on.
    fn strike(&mut self, turn: Turn, cx: &mut Context<'_>) -> Poll<Option<io::Error>> {
        let wait = match turn {
            Turn::Flip => return Poll::Ready(None),
            Turn::Stall(None) => return Poll::Pending,
            Turn::Stall(Some(pause)) => pause,
            Turn::Reset | Turn::Close => FLUSH,
        };
        ready!(self.timer.get_or_insert_with(|| Box::pin(tokio::time::sleep(wait))).as_mut().poll(cx));
        self.turn = None;
        if turn == Turn::Reset {
            self.switch.reset();
        }
        let ends = matches!(turn, Turn::Reset | Turn::Close);
        Poll::Ready(
            ends.then(|| io::Error::new(io::ErrorKind::ConnectionReset, "fault: the connection ends here")),
        )
    }

    /// Cuts a frame at the fault's offset, or flips in it, and counts it.
    fn pass(&mut self, mut data: Bytes) -> Bytes {
        match self.turn {
            Some((at, Turn::Flip)) if at >= self.position && at < self.position + data.len() as u64 => {
                data = flip(data, (at - self.position) as usize);
                self.turn = None;
            }
            Some((at, _)) if at > self.position && at < self.position + data.len() as u64 => {
                self.held = Some(data.split_off((at - self.position) as usize));
            }
            _ => {}
        }
        self.position += data.len() as u64;
        self.counter().fetch_add(data.len() as u64, Ordering::Relaxed);
        data
    }
}

impl<B> Body for Watched<B>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: Into<s3s::StdError>,
{
    type Data = Bytes;
    /// Not a boxed error: hyper wants one that is the same for every lifetime.
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        let this = &mut *self;
        if let Some((at, turn)) = this.turn
            && this.position >= at
            && let Some(error) = ready!(this.strike(turn, cx))
        {
            return Poll::Ready(Some(Err(error)));
        }
        if let Some(held) = this.held.take() {
            return Poll::Ready(Some(Ok(Frame::data(this.pass(held)))));
        }
        let frame = match ready!(Pin::new(&mut this.inner).poll_frame(cx)) {
            None => return Poll::Ready(None),
            Some(frame) => frame.map_err(io::Error::other)?,
        };
        Poll::Ready(Some(Ok(match frame.into_data() {
            Ok(data) => Frame::data(this.pass(data)),
            Err(other) => other,
        })))
    }

    fn is_end_stream(&self) -> bool {
        self.turn.is_none() && self.held.is_none() && self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let inner = self.inner.size_hint();
        let held = self.held.as_ref().map_or(0, |held| held.len() as u64);
        inner.exact().map_or(inner, |left| SizeHint::with_exact(left + held))
    }
}
