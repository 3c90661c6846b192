//! One direction of a connection: bytes under way, each piece with the moment of its arrival.

use std::collections::VecDeque;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use tokio::time::Instant;

use super::exchange::{At, Turn};

/// Bytes that may be under way: what the buffers of two sockets hold.
const CAPACITY: usize = 64 << 10;

/// How a lane ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Open,
    /// What was written before still arrives.
    Ended,
    /// Nothing arrives any more, and nobody is told.
    Dead,
}

#[derive(Debug)]
pub(super) struct Lane {
    pieces: VecDeque<(Instant, Bytes)>,
    held: usize,
    state: State,
    /// When the last byte that was written arrives.
    busy: Instant,
    strikes: Vec<(At, Turn)>,
    /// Bytes of this message so far.
    position: u64,
    /// Where its body begins, once that is known.
    body: Option<u64>,
    /// How much of the blank line before the body was seen.
    blank: usize,
    pub(super) latency: Duration,
    pub(super) bandwidth: u64,
    reader: Option<Waker>,
    writer: Option<Waker>,
}

impl Lane {
    pub(super) fn new(latency: Duration, bandwidth: u64) -> Self {
        Self {
            pieces: VecDeque::new(),
            held: 0,
            state: State::Open,
            busy: Instant::now(),
            strikes: Vec::new(),
            position: 0,
            body: None,
            blank: 0,
            latency,
            bandwidth,
            reader: None,
            writer: None,
        }
    }

    /// A new message begins, with what is to happen to it.
    pub(super) fn message(&mut self, strikes: Vec<(At, Turn)>, extra: Duration) {
        (self.position, self.body, self.blank, self.strikes) = (0, None, 0, strikes);
        self.busy = self.busy.max(Instant::now()) + extra;
    }

    /// Bytes of this message that were written so far.
    pub(super) fn position(&self) -> u64 {
        self.position
    }

    /// Nothing arrives before this moment.
    pub(super) fn delay_until(&mut self, moment: Instant) {
        self.busy = self.busy.max(moment);
    }

    /// Takes as much as it may. `Err`: the connection is to be reset now.
    pub(super) fn write(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<Result<usize, ()>> {
        if self.state != State::Open {
            // Whoever writes into the void is not told either.
            return Poll::Ready(Ok(bytes.len()));
        }
        if self.held >= CAPACITY {
            self.writer = Some(cx.waker().clone());
            return Poll::Pending;
        }
        let taken = bytes.len().min(CAPACITY - self.held);
        let mut at = 0;
        while at < taken {
            let end = self.until_strike(&bytes[at..taken]);
            self.carry(Bytes::copy_from_slice(&bytes[at..at + end]));
            at += end;
            if at == taken || self.state != State::Open {
                // What happens exactly here happens when the next byte comes.
                break;
            }
            at += self.strike(&bytes[at..taken])?;
            if self.state != State::Open {
                // The rest of these bytes goes nowhere.
                break;
            }
        }
        self.wake();
        Poll::Ready(Ok(taken))
    }

    /// How many of these bytes go through before something happens; follows where the body begins.
    fn until_strike(&mut self, bytes: &[u8]) -> usize {
        for (index, byte) in bytes.iter().enumerate() {
            let here = self.position + index as u64;
            if self.due(here).is_some() {
                return index;
            }
            if self.body.is_none() {
                self.blank = match (self.blank, byte) {
                    (0 | 2, b'\r') | (1 | 3, b'\n') => self.blank + 1,
                    (_, b'\r') => 1,
                    _ => 0,
                };
                if self.blank == 4 {
                    self.body = Some(here + 1);
                }
            } else if self.strikes.is_empty() {
                return bytes.len();
            }
        }
        bytes.len()
    }

    fn due(&self, here: u64) -> Option<usize> {
        self.strikes.iter().position(|(at, _)| match *at {
            At::Message(offset) => offset == here,
            At::Body(offset) => self.body.is_some_and(|body| body + offset == here),
        })
    }

    /// Something happens at the present position. Gives how many bytes it used up.
    fn strike(&mut self, rest: &[u8]) -> Result<usize, ()> {
        let Some(index) = self.due(self.position) else { return Ok(0) };
        let (_, turn) = self.strikes.remove(index);
        let used = match turn {
            Turn::Reset => return Err(()),
            Turn::End => {
                self.state = State::Ended;
                0
            }
            Turn::Stall(Some(pause)) => {
                self.busy = self.busy.max(Instant::now()) + pause;
                0
            }
            Turn::Stall(None) => {
                self.state = State::Dead;
                0
            }
            Turn::Flip(bit) => {
                let flipped = rest.first().map_or(0, |byte| byte ^ (1 << (bit & 7)));
                self.carry(Bytes::copy_from_slice(&[flipped]));
                1
            }
            Turn::Omit(count) => {
                let count = rest.len().min(count as usize);
                self.position += count as u64;
                count
            }
            Turn::Repeat(count) => {
                let piece = Bytes::copy_from_slice(&rest[..rest.len().min(count as usize)]);
                self.push(piece);
                0
            }
            Turn::Swap if rest.len() >= 2 => {
                self.carry(Bytes::copy_from_slice(&[rest[1], rest[0]]));
                2
            }
            Turn::Swap => 0,
        };
        Ok(used)
    }

    fn carry(&mut self, piece: Bytes) {
        self.position += piece.len() as u64;
        self.push(piece);
    }

    fn push(&mut self, piece: Bytes) {
        if piece.is_empty() {
            return;
        }
        let takes = Duration::from_nanos(piece.len() as u64 * 1_000_000_000 / self.bandwidth.max(1));
        self.busy = self.busy.max(Instant::now() + self.latency) + takes;
        self.held += piece.len();
        self.pieces.push_back((self.busy, piece));
    }

    /// What has arrived: bytes, the end (empty), or the moment at which to look again.
    pub(super) fn read(&mut self, cx: &mut Context<'_>, most: usize) -> Poll<Result<Bytes, Instant>> {
        let now = Instant::now();
        match self.pieces.front().map(|(due, _)| *due) {
            Some(due) if due <= now => {
                let mut all = BytesMut::new();
                while let Some((due, piece)) = self.pieces.front_mut() {
                    if *due > now || all.len() == most {
                        break;
                    }
                    let taken = piece.split_to(piece.len().min(most - all.len()));
                    all.extend_from_slice(&taken);
                    if piece.is_empty() {
                        self.pieces.pop_front();
                    }
                }
                self.held -= all.len();
                if let Some(writer) = self.writer.take() {
                    writer.wake();
                }
                Poll::Ready(Ok(all.freeze()))
            }
            Some(due) => Poll::Ready(Err(due)),
            None if self.state == State::Ended => Poll::Ready(Ok(Bytes::new())),
            None => {
                self.reader = Some(cx.waker().clone());
                Poll::Pending
            }
        }
    }

    /// No more will be written.
    pub(super) fn end(&mut self) {
        if self.state == State::Open {
            self.state = State::Ended;
        }
        self.wake();
    }

    /// Nobody reads any more: what is written goes nowhere.
    pub(super) fn deaden(&mut self) {
        self.state = State::Dead;
        self.wake_all();
    }

    /// Lets the reader look again.
    pub(super) fn wake(&mut self) {
        if let Some(reader) = self.reader.take() {
            reader.wake();
        }
    }

    pub(super) fn wake_all(&mut self) {
        self.wake();
        if let Some(writer) = self.writer.take() {
            writer.wake();
        }
    }
}
