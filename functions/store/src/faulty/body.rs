//! Spoils bodies on their way.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures::StreamExt;
use futures::stream::{self, BoxStream};
use tokio::time::sleep;
use transload_wire::ErrorName;

use crate::{ObjectBody, PutBody, StoreError, StoreErrorKind};

/// What happens to a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyFault {
    /// The connection breaks after this many bytes.
    Cut(u64),
    /// Nothing comes after this many bytes, until the store's guard ends the call 6 s later.
    Stall(u64),
    /// The lowest bit of the byte at this offset is inverted.
    Flip(u64),
}

/// As long as a store waits for the next byte.
const STALL: Duration = Duration::from_secs(6);

/// Set when a body that was being sent was broken off by a fault.
#[derive(Clone, Default)]
pub(super) struct Broken(Arc<Mutex<Option<StoreErrorKind>>>);

impl Broken {
    pub(super) fn get(&self) -> Option<StoreErrorKind> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, kind: StoreErrorKind) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(kind);
    }
}

pub(super) fn spoil_read(body: ObjectBody, fault: BodyFault, what: String) -> ObjectBody {
    let end = move |kind| {
        StoreError::new(kind, format!("{what}: the body ended by {fault:?} (a fault of the test)"))
    };
    spoil(body, fault, end)
}

pub(super) fn spoil_sent(body: PutBody, fault: BodyFault, broken: Broken) -> PutBody {
    let end = move |kind| {
        broken.set(kind);
        ErrorName::ConnectionLost.because("a fault of the test")
    };
    PutBody { stream: spoil(body.stream, fault, end), ..body }
}

fn spoil<E: Send + 'static>(
    body: BoxStream<'static, Result<Bytes, E>>,
    fault: BodyFault,
    end: impl Fn(StoreErrorKind) -> E + Send + 'static,
) -> BoxStream<'static, Result<Bytes, E>> {
    match fault {
        BodyFault::Flip(at) => flip(body, at),
        BodyFault::Cut(at) => {
            cut(body, at).chain(stream::once(async move { Err(end(StoreErrorKind::Connection)) })).boxed()
        }
        BodyFault::Stall(at) => {
            let stall = async move {
                sleep(STALL).await;
                Err(end(StoreErrorKind::Stalled))
            };
            cut(body, at).chain(stream::once(stall)).boxed()
        }
    }
}

/// The first `at` bytes.
fn cut<E: Send + 'static>(
    body: BoxStream<'static, Result<Bytes, E>>,
    at: u64,
) -> BoxStream<'static, Result<Bytes, E>> {
    body.scan(at, |left, frame| {
        let taken = match frame {
            _ if *left == 0 => None,
            Ok(mut bytes) => {
                bytes.truncate(usize::try_from(*left).unwrap_or(usize::MAX));
                *left -= bytes.len() as u64;
                Some(Ok(bytes))
            }
            error => Some(error),
        };
        async move { taken }
    })
    .boxed()
}

fn flip<E: Send + 'static>(
    body: BoxStream<'static, Result<Bytes, E>>,
    at: u64,
) -> BoxStream<'static, Result<Bytes, E>> {
    let mut before = 0;
    body.map(move |frame| {
        let bytes = frame?;
        let position = u64::checked_sub(at, before).and_then(|at| usize::try_from(at).ok());
        before += bytes.len() as u64;
        let Some(position) = position.filter(|position| *position < bytes.len()) else { return Ok(bytes) };
        let mut altered = BytesMut::from(&bytes[..]);
        altered[position] ^= 1;
        Ok(altered.freeze())
    })
    .boxed()
}
