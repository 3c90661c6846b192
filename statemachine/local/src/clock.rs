//! Time: how it is written, and where it comes from, so that tests need not wait for it.
use async_trait::async_trait;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::sync::oneshot;

/// A moment, to the millisecond. In JSON: seconds since 1970 with a fraction, as the service's API writes it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Timestamp(i64);

impl Timestamp {
    /// From milliseconds since 1970.
    pub fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// Milliseconds since 1970.
    pub fn millis(self) -> i64 {
        self.0
    }

    /// The moment `seconds` later, as far as there is one.
    pub fn plus_seconds(self, seconds: f64) -> Self {
        Self(self.0.saturating_add((seconds * 1000.0) as i64))
    }

    /// As expressions and files see it: `2026-01-31T12:00:00.000Z`.
    pub fn to_rfc3339(self) -> String {
        let nanos = i128::from(self.0) * 1_000_000;
        let format = time::macros::format_description!(
            "[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z"
        );
        time::OffsetDateTime::from_unix_timestamp_nanos(nanos)
            .ok()
            .and_then(|t| t.format(&format).ok())
            .unwrap_or_default()
    }
}

impl From<SystemTime> for Timestamp {
    fn from(time: SystemTime) -> Self {
        let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
        Self(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(self.0 as f64 / 1000.0)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self((f64::deserialize(deserializer)? * 1000.0).round() as i64))
    }
}

/// Reads `2026-01-31T12:00:00Z`, with a fraction or an offset if there is one.
pub(crate) fn parse_rfc3339(text: &str) -> Option<Timestamp> {
    // The profile that definitions follow wants a capital T between date and time.
    if text.as_bytes().get(10) != Some(&b'T') {
        return None;
    }
    let time = time::OffsetDateTime::parse(text, &time::format_description::well_known::Rfc3339).ok()?;
    i64::try_from(time.unix_timestamp_nanos() / 1_000_000).ok().map(Timestamp)
}

/// Where the engine gets the time from.
#[async_trait]
pub trait Clock: Send + Sync {
    /// The present moment.
    fn now(&self) -> Timestamp;
    /// Returns once `until` has come.
    async fn sleep_until(&self, until: Timestamp);
    /// Held while something is under way outside of the executions, like a write to the database. The machine's own time
    /// passes meanwhile; a time that is made must not.
    fn hold(&self) -> Hold {
        Hold(None)
    }
}

/// Keeps a made time where it is until dropped.
#[derive(Debug)]
pub struct Hold(Option<Arc<Signs>>);

impl Drop for Hold {
    fn drop(&mut self) {
        if let Some(signs) = &self.0 {
            // Whoever waited for it has the time to go on.
            signs.asked.fetch_add(1, Ordering::SeqCst);
            signs.held.fetch_sub(1, Ordering::SeqCst);
        }
    }
}

/// The machine's own time.
#[derive(Debug, Default, Clone, Copy)]
pub struct SystemClock;

#[async_trait]
impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        SystemTime::now().into()
    }

    async fn sleep_until(&self, until: Timestamp) {
        // In pieces, because the wall clock may be set while somebody waits for a moment of it.
        loop {
            let left = until.millis().saturating_sub(self.now().millis());
            if left <= 0 {
                return;
            }
            let piece = u64::try_from(left).unwrap_or(0).min(60_000);
            tokio::time::sleep(Duration::from_millis(piece)).await;
        }
    }
}

/// How long nothing may have asked for the time before it jumps. Work that takes longer without asking is overtaken.
const IDLE: Duration = Duration::from_millis(5);

/// How often the others are let go first before time jumps: a busy machine may wake the clock before what was ready
/// earlier.
const YIELDS: u32 = 64;

/// Time for tests: it stands still while anything happens and jumps to the next sleeper's moment when nothing does.
#[derive(Clone)]
pub struct VirtualClock(Arc<Shared>);

struct Shared {
    state: Mutex<Sleepers>,
    signs: Arc<Signs>,
}

/// Signs of life.
#[derive(Debug, Default)]
struct Signs {
    /// How often somebody asked for the time.
    asked: AtomicU64,
    /// How many hold it.
    held: AtomicUsize,
}

struct Sleepers {
    now: Timestamp,
    next_id: u64,
    waiting: BTreeMap<(Timestamp, u64), oneshot::Sender<()>>,
    driven: bool,
}

impl VirtualClock {
    /// Starts at a moment.
    pub fn new(now: Timestamp) -> Self {
        let state = Sleepers { now, next_id: 0, waiting: BTreeMap::new(), driven: false };
        Self(Arc::new(Shared { state: Mutex::new(state), signs: Arc::default() }))
    }

    fn state(&self) -> std::sync::MutexGuard<'_, Sleepers> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn drive(self) {
        loop {
            let before = self.0.signs.asked.load(Ordering::SeqCst);
            tokio::time::sleep(IDLE).await;
            for _ in 0..YIELDS {
                tokio::task::yield_now().await;
            }
            if self.0.signs.held.load(Ordering::SeqCst) > 0
                || self.0.signs.asked.load(Ordering::SeqCst) != before
            {
                continue;
            }
            if !self.jump() {
                return;
            }
        }
    }

    /// Wakes the next sleeper; `false` if there is none.
    fn jump(&self) -> bool {
        let mut state = self.state();
        state.waiting.retain(|_, w| !w.is_closed());
        let Some(((moment, _), wake)) = state.waiting.pop_first() else {
            state.driven = false;
            return false;
        };
        state.now = state.now.max(moment);
        self.0.signs.asked.fetch_add(1, Ordering::SeqCst);
        // A sleeper that is gone (its state ended first) is nobody's loss.
        let _ = wake.send(());
        true
    }
}

#[async_trait]
impl Clock for VirtualClock {
    fn now(&self) -> Timestamp {
        self.0.signs.asked.fetch_add(1, Ordering::SeqCst);
        self.state().now
    }

    fn hold(&self) -> Hold {
        self.0.signs.held.fetch_add(1, Ordering::SeqCst);
        Hold(Some(self.0.signs.clone()))
    }

    async fn sleep_until(&self, until: Timestamp) {
        let (wake, woken) = oneshot::channel();
        let start = {
            let mut state = self.state();
            self.0.signs.asked.fetch_add(1, Ordering::SeqCst);
            if until <= state.now {
                return;
            }
            // Those who left before their moment came must not hold time up: jumping to them would be wrong.
            state.waiting.retain(|_, w| !w.is_closed());
            let id = state.next_id;
            state.next_id += 1;
            state.waiting.insert((until, id), wake);
            !std::mem::replace(&mut state.driven, true)
        };
        if start {
            tokio::spawn(self.clone().drive());
        }
        let _ = woken.await;
    }
}
