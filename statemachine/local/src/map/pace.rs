//! How fast children start when a Map Run is to be no faster than a deployed one.
use crate::clock::{Clock, Timestamp};

/// Children that the service starts in a second (facts): EXPRESS and STANDARD ones.
const RATES: (u64, u64) = (1_000, 100);

/// Counts starts second by second.
pub(super) struct Pace {
    /// `None`: as fast as they come.
    each_second: Option<u64>,
    second: Timestamp,
    started: u64,
}

impl Pace {
    /// The service's rate, or none.
    pub(super) fn new(as_deployed: bool, express: bool) -> Self {
        let rate = if express { RATES.0 } else { RATES.1 };
        Self { each_second: as_deployed.then_some(rate), second: Timestamp::default(), started: 0 }
    }

    /// Whether one may start now; if there were enough in this second, when the next may.
    pub(super) fn room(&mut self, clock: &dyn Clock) -> Result<(), Timestamp> {
        let Some(most) = self.each_second else { return Ok(()) };
        let (now, next) = (clock.now(), self.second.plus_seconds(1.0));
        if now >= next {
            (self.second, self.started) = (now, 0);
        }
        if self.started < most { Ok(()) } else { Err(next) }
    }

    /// Counts a start.
    pub(super) fn started(&mut self) {
        self.started += 1;
    }
}

/// Comes at a moment, or never.
pub(super) async fn moment(clock: &dyn Clock, until: Option<Timestamp>) {
    match until {
        Some(until) => clock.sleep_until(until).await,
        None => std::future::pending().await,
    }
}
