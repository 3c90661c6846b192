//! How long a worker may still work.

use std::time::Duration;

use tokio::time::Instant;
use transload_wire::{ErrorName, Failure};

/// The instant at which the worker is ended from outside. A worker stops [`Deadline::MARGIN`] earlier by itself, so that
/// what it did is reported and the rest is taken up by the next try.
#[derive(Debug, Clone, Copy)]
pub struct Deadline(Option<Instant>);

impl Deadline {
    /// Time kept for ending in good order.
    pub const MARGIN: Duration = Duration::from_secs(10);

    /// No deadline.
    pub const NONE: Self = Self(None);

    /// Ends `left` from now.
    #[must_use]
    pub fn after(left: Duration) -> Self {
        Self(Instant::now().checked_add(left))
    }

    /// The instant at which to stop, a margin before the end.
    #[must_use]
    pub fn stop_at(&self) -> Option<Instant> {
        self.0.map(|end| end.checked_sub(Self::MARGIN).unwrap_or(end))
    }

    /// Time until then; `None` without a deadline.
    #[must_use]
    pub fn left(&self) -> Option<Duration> {
        self.stop_at().map(|stop| stop.saturating_duration_since(Instant::now()))
    }

    /// # Errors
    /// [`ErrorName::OutOfTime`] once only the margin is left.
    pub fn check(&self) -> Result<(), Failure> {
        match self.left() {
            Some(left) if left.is_zero() => Err(Self::out_of_time()),
            _ => Ok(()),
        }
    }

    /// Lets a call run until [`stop_at`](Self::stop_at) and no longer.
    ///
    /// # Errors
    /// [`ErrorName::OutOfTime`]; the call was given up then, and may or may not have taken effect.
    pub async fn bound<T>(&self, call: impl Future<Output = T>) -> Result<T, Failure> {
        match self.stop_at() {
            None => Ok(call.await),
            Some(stop) => tokio::time::timeout_at(stop, call).await.map_err(|_| Self::out_of_time()),
        }
    }

    /// Until when a call begins something new whose rest the next call does: for `longest` at most, and so that `last` is
    /// left for what is under way then.
    #[must_use]
    pub fn until(&self, longest: Duration, last: Duration) -> Until {
        let stop = self.stop_at().map(|stop| stop.checked_sub(last).unwrap_or(stop));
        Until(stop.map(|stop| stop.min(Instant::now() + longest)))
    }

    fn out_of_time() -> Failure {
        ErrorName::OutOfTime
            .because(format!("less than {} s of the worker's time are left", Self::MARGIN.as_secs()))
    }
}

/// When a call begins nothing new any more.
#[derive(Debug, Clone, Copy)]
pub struct Until(Option<Instant>);

impl Until {
    /// Whether that is now.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.0.is_some_and(|until| Instant::now() >= until)
    }
}
