//! Pauses between tries: exponential with full jitter, bounded in number and by the worker's deadline.
//!
//! Full jitter (a random pause between zero and the bound) spreads many workers that a store turned away at once over
//! the whole interval; a fixed pause would bring them back together.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::Deadline;

/// How many tries, and how long between them.
#[derive(Debug, Clone)]
pub struct Backoff {
    bound: Duration,
    most: Duration,
    left: u32,
}

impl Backoff {
    /// Bound of the first pause: about a round trip between continents.
    const FIRST: Duration = Duration::from_millis(200);
    /// Bound of the pauses after a store asked to slow down: it counts requests by the second.
    const SLOW: Duration = Duration::from_secs(1);
    /// Bound of the longest pause: longer waits belong to the workflow, where they cost nothing.
    const LONGEST: Duration = Duration::from_secs(5);

    /// `tries` tries in all, so one pause fewer.
    #[must_use]
    pub fn of_tries(tries: u32) -> Self {
        Self { bound: Self::FIRST, most: Self::LONGEST, left: tries.saturating_sub(1) }
    }

    /// The store asks to slow down: the next pause may last a second at least.
    pub fn slow_down(&mut self) {
        self.bound = self.bound.max(Self::SLOW);
    }

    /// The next pause, or `None` when all tries are used up.
    pub fn next_pause(&mut self) -> Option<Duration> {
        self.left = self.left.checked_sub(1)?;
        let bound = self.bound;
        self.bound = (bound * 2).min(self.most);
        // The generator that the SDK takes its own pauses from: seeded by the system, or by a simulation.
        let most = u64::try_from(bound.as_nanos()).unwrap_or(u64::MAX);
        Some(Duration::from_nanos(fastrand::u64(0..=most)))
    }

    /// Pauses before the next try. `false`: there is none, because all are used up or the worker has to stop before.
    pub async fn pause(&mut self, deadline: &Deadline) -> bool {
        let Some(pause) = self.next_pause() else { return false };
        if deadline.stop_at().is_some_and(|stop| Instant::now() + pause >= stop) {
            return false;
        }
        sleep(pause).await;
        true
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Backoff;
    use crate::Deadline;

    #[test]
    fn pauses_are_one_fewer_than_tries_and_stay_below_their_doubling_bounds() {
        for _ in 0..200 {
            let mut backoff = Backoff::of_tries(8);
            let mut bound = Duration::from_millis(200);
            for _ in 0..7 {
                assert!(backoff.next_pause().unwrap() <= bound);
                bound = (bound * 2).min(Duration::from_secs(5));
            }
            assert_eq!(backoff.next_pause(), None);
        }
    }

    #[test]
    fn a_store_that_asks_to_slow_down_is_left_alone_for_longer() {
        let slow = |_| {
            let mut backoff = Backoff::of_tries(3);
            backoff.slow_down();
            (backoff.next_pause().unwrap(), backoff.next_pause().unwrap())
        };
        let pauses: Vec<_> = (0..200).map(slow).collect();
        let seconds = Duration::from_secs;
        assert!(pauses.iter().all(|(first, second)| *first <= seconds(1) && *second <= seconds(2)));
        assert!(pauses.iter().any(|(first, _)| *first > Duration::from_millis(400)));
        assert!(pauses.iter().any(|(_, second)| *second > seconds(1)));
    }

    #[test]
    fn jitter_uses_the_whole_interval() {
        let pauses: Vec<_> = (0..400).filter_map(|_| Backoff::of_tries(2).next_pause()).collect();
        assert!(pauses.iter().any(|p| *p < Duration::from_millis(50)));
        assert!(pauses.iter().any(|p| *p > Duration::from_millis(150)));
    }

    #[tokio::test(start_paused = true)]
    async fn no_pause_reaches_into_the_margin_before_the_deadline() {
        let over = Deadline::after(Deadline::MARGIN);
        assert!(!Backoff::of_tries(5).pause(&over).await);
        assert!(Backoff::of_tries(5).pause(&Deadline::NONE).await);
    }
}
