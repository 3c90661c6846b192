//! Virtual time: it stands still while anything can be done, and jumps to the next timer when nothing can.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use async_trait::async_trait;
use aws_smithy_async::time::TimeSource;
use stepfunctions_local::{Clock, Timestamp};
use tokio::time::Instant;

/// 2026-01-01T00:00:00Z: where the time of day of every world begins.
const EPOCH: Duration = Duration::from_secs(1_767_225_600);

/// The time of day of a world: the runtime's paused time, counted from a fixed moment.
#[derive(Debug, Clone, Copy)]
pub struct Time {
    begin: Instant,
}

impl Time {
    /// Begins now.
    #[must_use]
    pub fn begin() -> Self {
        Self { begin: Instant::now() }
    }

    /// What a right clock shows.
    #[must_use]
    pub fn now(&self) -> SystemTime {
        UNIX_EPOCH + EPOCH + self.elapsed()
    }

    /// Since the world began.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.begin.elapsed()
    }

    fn instant(&self, moment: Timestamp) -> Instant {
        let since = u64::try_from(moment.millis()).unwrap_or_default();
        self.begin + Duration::from_millis(since).saturating_sub(EPOCH)
    }
}

#[async_trait]
impl Clock for Time {
    fn now(&self) -> Timestamp {
        Time::now(self).into()
    }

    async fn sleep_until(&self, until: Timestamp) {
        tokio::time::sleep_until(self.instant(until)).await;
    }
}

/// A worker's clock, which may be wrong.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Skewed {
    pub(crate) time: Time,
    /// Seconds ahead.
    pub(crate) ahead: i64,
}

impl TimeSource for Skewed {
    fn now(&self) -> SystemTime {
        let distance = Duration::from_secs(self.ahead.unsigned_abs());
        let right = self.time.now();
        if self.ahead < 0 { right - distance } else { right + distance }
    }
}
