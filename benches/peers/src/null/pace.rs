//! Holds a body to a rate, as one connection to S3 is held to about 90 MB/s.

use std::thread::sleep;
use std::time::{Duration, Instant};

/// Keeps one body's bytes at or below a rate. Without a rate it costs nothing.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pacer {
    begun: Instant,
    bytes_per_second: Option<f64>,
}

impl Pacer {
    /// Starts the clock.
    pub(crate) fn new(bytes_per_second: Option<u64>) -> Self {
        Self { begun: Instant::now(), bytes_per_second: bytes_per_second.map(|rate| rate as f64) }
    }

    /// Bytes to send at a time: pieces that take some 3 ms, or everything.
    pub(crate) fn piece(&self) -> u64 {
        // sendfile moves at most 2 GiB less a page in one call.
        if self.bytes_per_second.is_some() { 256 << 10 } else { 1 << 30 }
    }

    /// Sleeps until `done` bytes are due.
    pub(crate) fn pause(&self, done: u64) {
        let Some(rate) = self.bytes_per_second else { return };
        let early = self.due(done, rate).saturating_sub(self.begun.elapsed());
        // Shorter sleeps cost more processor time than they are worth; the debt is kept.
        if early > Duration::from_millis(1) {
            sleep(early);
        }
    }

    fn due(&self, done: u64, rate: f64) -> Duration {
        Duration::from_secs_f64(done as f64 / rate)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_due_at_the_rate() {
        let pacer = Pacer::new(Some(90_000_000));
        assert_eq!(pacer.due(45_000_000, 90e6), Duration::from_millis(500));
    }
}
