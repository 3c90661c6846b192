//! A connection: two lanes, the two ends, and what tells one request on it from the next.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use hyper_util::client::legacy::connect::{Connected, Connection};
use strict_s3::Stream;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep};

use super::exchange::{Fault, Way};
use super::lane::Lane;
use crate::network::{Network, Route};

/// What both ends share.
pub(crate) struct Link {
    shared: Arc<Mutex<Shared>>,
}

struct Shared {
    up: Lane,
    down: Lane,
    reset: bool,
    network: Network,
    route: Route,
    /// The request under way.
    exchange: Option<u64>,
    /// Its bytes, if they are wanted for a second time, and how long after the answer.
    record: Option<(Vec<u8>, Duration)>,
}

fn lock(shared: &Mutex<Shared>) -> MutexGuard<'_, Shared> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Link {
    /// A connection from a worker to a place.
    pub(crate) fn open(network: &Network, route: Route) -> (Self, ClientEnd, ServerEnd) {
        let (latency, bandwidth) = network.pace();
        let lane = || Lane::new(latency, bandwidth);
        let shared = Shared {
            up: lane(),
            down: lane(),
            reset: false,
            network: network.clone(),
            route,
            exchange: None,
            record: None,
        };
        let shared = Arc::new(Mutex::new(shared));
        let client = ClientEnd { shared: shared.clone(), timer: None };
        let server = ServerEnd { shared: shared.clone(), timer: None, resets: false };
        (Self { shared }, client, server)
    }

    /// Both ends find it reset.
    pub(crate) fn reset(&self) {
        lock(&self.shared).reset();
    }
}

impl Shared {
    fn reset(&mut self) {
        self.reset = true;
        self.up.wake_all();
        self.down.wake_all();
    }

    fn lane(&mut self, way: Way) -> &mut Lane {
        if way == Way::Up { &mut self.up } else { &mut self.down }
    }

    /// A request begins where an answer was given to the one before: pipelining is not spoken.
    fn begins(&self, bytes: &[u8]) -> bool {
        self.exchange.is_none() || (self.down.position() > 0 && is_request(bytes))
    }

    fn begin(&mut self, bytes: &[u8]) {
        let (number, faults) = self.network.begin(&self.route, bytes);
        self.exchange = Some(number);
        self.record = None;
        let mut strikes = (Vec::new(), Vec::new());
        let mut extra = Duration::ZERO;
        for fault in faults {
            match fault {
                Fault::Strike(Way::Up, at, turn) => strikes.0.push((at, turn)),
                Fault::Strike(Way::Down, at, turn) => strikes.1.push((at, turn)),
                Fault::Again(after) => self.record = Some((Vec::new(), after)),
                Fault::Slow(more) => extra += more,
                Fault::Narrow(bandwidth) => {
                    (self.up.bandwidth, self.down.bandwidth) = (bandwidth, bandwidth);
                }
            }
        }
        self.up.message(strikes.0, extra);
        self.down.message(strikes.1, extra);
    }

    fn write(&mut self, way: Way, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if self.reset {
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        }
        if bytes.is_empty() {
            return Poll::Ready(Ok(0));
        }
        if way == Way::Up && self.begins(bytes) {
            self.begin(bytes);
        }
        if way == Way::Down && self.down.position() == 0 {
            self.answered(bytes);
        }
        if let Some(until) = self.network.parted(&self.route) {
            self.lane(way).delay_until(until);
        }
        match self.lane(way).write(cx, bytes) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(Ok(taken)) => {
                if way == Way::Up
                    && let Some((record, _)) = &mut self.record
                {
                    record.extend_from_slice(&bytes[..taken]);
                }
                Poll::Ready(Ok(taken))
            }
            Poll::Ready(Err(())) => {
                self.reset();
                Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()))
            }
        }
    }

    /// The answer begins: the request is known in full, and may be sent a second time.
    fn answered(&mut self, bytes: &[u8]) {
        if let Some(number) = self.exchange {
            self.network.answered(number, bytes);
        }
        if let Some((record, after)) = self.record.take() {
            self.network.again(&self.route, record, after);
        }
    }

    fn read(
        &mut self,
        way: Way,
        cx: &mut Context<'_>,
        timer: &mut Option<Pin<Box<Sleep>>>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        loop {
            if self.reset {
                return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
            }
            match self.lane(way).read(cx, buffer.remaining()) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Ok(bytes)) => {
                    buffer.put_slice(&bytes);
                    return Poll::Ready(Ok(()));
                }
                Poll::Ready(Err(due)) => {
                    let timer = timer.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(due)));
                    if timer.deadline() != due {
                        timer.as_mut().reset(due);
                    }
                    if timer.as_mut().poll(cx).is_pending() {
                        return Poll::Pending;
                    }
                    if Instant::now() < due {
                        // Timers have milliseconds; never before the moment all the same.
                        timer.as_mut().reset(due + Duration::from_millis(1));
                    }
                }
            }
        }
    }
}

fn is_request(bytes: &[u8]) -> bool {
    let methods: [&[u8]; 5] = [b"GET /", b"PUT /", b"POST /", b"HEAD /", b"DELETE /"];
    methods.iter().any(|method| bytes.starts_with(method))
}

/// The worker's end.
pub(crate) struct ClientEnd {
    shared: Arc<Mutex<Shared>>,
    timer: Option<Pin<Box<Sleep>>>,
}

/// The store's end.
pub(crate) struct ServerEnd {
    shared: Arc<Mutex<Shared>>,
    timer: Option<Pin<Box<Sleep>>>,
    resets: bool,
}

impl Connection for ClientEnd {
    fn connected(&self) -> Connected {
        Connected::new()
    }
}

impl Stream for ServerEnd {
    fn reset(&mut self) {
        self.resets = true;
    }
}

impl Drop for ClientEnd {
    fn drop(&mut self) {
        let mut shared = lock(&self.shared);
        shared.up.end();
        shared.down.deaden();
    }
}

impl Drop for ServerEnd {
    fn drop(&mut self) {
        let mut shared = lock(&self.shared);
        if self.resets {
            shared.reset();
        }
        shared.down.end();
        shared.up.deaden();
    }
}

macro_rules! end {
    ($end:ident, reads $read:ident, writes $write:ident) => {
        impl AsyncRead for $end {
            fn poll_read(
                mut self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                buffer: &mut ReadBuf<'_>,
            ) -> Poll<io::Result<()>> {
                let this = &mut *self;
                lock(&this.shared).read(Way::$read, cx, &mut this.timer, buffer)
            }
        }

        impl AsyncWrite for $end {
            fn poll_write(
                self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                bytes: &[u8],
            ) -> Poll<io::Result<usize>> {
                lock(&self.shared).write(Way::$write, cx, bytes)
            }

            fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
                Poll::Ready(Ok(()))
            }

            fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
                lock(&self.shared).lane(Way::$write).end();
                Poll::Ready(Ok(()))
            }
        }
    };
}

end!(ClientEnd, reads Down, writes Up);
end!(ServerEnd, reads Up, writes Down);
