//! The server's memory: index, blobs, clock and ids behind one handle.

pub(crate) mod blob;
pub(crate) mod ingest;
pub(crate) mod object;
pub(crate) mod state;

use std::path::PathBuf;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use sha2::{Digest as _, Sha256};

use crate::clock::Clock;
use crate::config::{Capabilities, Limits};
use crate::events::Subscriber;
use state::State;

/// Everything a request handler needs. Shared by all connections.
#[derive(Debug)]
pub(crate) struct Store {
    state: Mutex<State>,
    pub limits: Limits,
    pub capabilities: Capabilities,
    pub region: String,
    /// None: blobs in memory.
    pub directory: Option<PathBuf>,
    pub restore_takes: Duration,
    pub subscriber: Option<Subscriber>,
    /// Seconds that the server's clock is ahead of the machine's.
    skew: AtomicI64,
    clock: Clock,
    salt: u128,
    ids: AtomicU64,
    sequence: AtomicU64,
}

impl Store {
    pub(crate) fn new(
        limits: Limits,
        capabilities: Capabilities,
        region: String,
        directory: Option<PathBuf>,
        clock: Clock,
        seed: Option<u64>,
    ) -> Self {
        let state = Mutex::default();
        // Without a seed no two servers give the same ids, not even two of one nanosecond.
        let salt = seed.map_or_else(
            || nanoseconds(SystemTime::now()) ^ ((std::ptr::from_ref(&state) as usize as u128) << 64),
            u128::from,
        );
        Self {
            state,
            limits,
            capabilities,
            region,
            directory,
            restore_takes: Duration::ZERO,
            subscriber: None,
            skew: AtomicI64::new(0),
            clock,
            salt,
            ids: AtomicU64::new(0),
            sequence: AtomicU64::new(0),
        }
    }

    /// Held for index work only, never across an await or over object bytes.
    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn set_skew(&self, seconds: i64) {
        self.skew.store(seconds, Ordering::Relaxed);
    }

    /// The server's own time.
    pub(crate) fn now(&self) -> SystemTime {
        let skew = self.skew.load(Ordering::Relaxed);
        let distance = Duration::from_secs(skew.unsigned_abs());
        let now = self.clock.now();
        if skew < 0 { now - distance } else { now + distance }
    }

    /// Another 16 bytes for the same ones, always the same on this server.
    pub(crate) fn veiled(&self, fingerprint: [u8; 16]) -> [u8; 16] {
        let mut hash = Sha256::new();
        hash.update(self.salt.to_le_bytes());
        hash.update(fingerprint);
        first_half(&hash.finalize())
    }

    /// 16 bytes that no other call and, without a seed, no other server gives.
    pub(crate) fn unique(&self) -> [u8; 16] {
        let mut hash = Sha256::new();
        hash.update(self.salt.to_le_bytes());
        hash.update(self.ids.fetch_add(1, Ordering::Relaxed).to_le_bytes());
        first_half(&hash.finalize())
    }

    /// A number greater than all before it, on this server and on earlier ones: nanoseconds, or the next one.
    pub(crate) fn next_in_sequence(&self) -> u64 {
        let now = u64::try_from(nanoseconds(self.clock.now())).unwrap_or_default();
        let next = |last: u64| now.max(last + 1);
        let update =
            self.sequence.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |last| Some(next(last)));
        update.map_or_else(next, next)
    }

    /// As an upload or version id: 32 characters.
    pub(crate) fn unique_id(&self) -> String {
        hex(&self.unique())
    }
}

fn nanoseconds(time: SystemTime) -> u128 {
    time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_nanos()
}

fn first_half(digest: &[u8]) -> [u8; 16] {
    std::array::from_fn(|index| digest.get(index).copied().unwrap_or_default())
}

/// Lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
