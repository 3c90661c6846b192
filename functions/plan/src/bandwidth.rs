//! How many workers share a bandwidth, and how much each of them gets. They do not know of each other: each keeps to its
//! share, and as many as there may be at a time keep to the whole.

use crate::{KIB, MIB};

/// Least bandwidth, in bytes per second: the default part of 8 MiB passes in about a minute.
pub const LEAST_BANDWIDTH: u64 = 128 * KIB;
/// What a worker is given before another one is set beside it: about a third of what one can do, so that a cap is used up
/// even where the line to a single worker is slow.
const OF_A_WORKER: u64 = 32 * MIB;
/// Seconds in which a worker has to send what it can not hand on half done, a part or an object: two thirds of what one may
/// live.
const SECONDS: u64 = 600;

/// A bandwidth, shared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Share {
    /// Workers at a time.
    pub workers: u32,
    /// Bytes per second of each.
    pub each: u64,
}

impl Share {
    /// Shares a bandwidth among at most this many workers.
    #[must_use]
    pub fn of(bandwidth: u64, most: u32) -> Self {
        let wanted = u32::try_from(bandwidth / OF_A_WORKER).unwrap_or(u32::MAX);
        let workers = wanted.clamp(1, most.max(1));
        Self { workers, each: bandwidth / u64::from(workers) }
    }

    /// The same bandwidth, if there are fewer to share it after all.
    #[must_use]
    pub fn among(self, workers: u32) -> Self {
        let bandwidth = self.each * u64::from(self.workers);
        let workers = workers.clamp(1, self.workers);
        Self { workers, each: bandwidth / u64::from(workers) }
    }
}

/// Most bytes that a worker can send in one go under a bandwidth.
#[must_use]
pub fn most_at_once(bandwidth: u64) -> u64 {
    bandwidth.min(OF_A_WORKER).saturating_mul(SECONDS)
}

#[cfg(test)]
mod tests {
    use super::{LEAST_BANDWIDTH, Share, most_at_once};
    use crate::MIB;

    #[test]
    fn the_shares_are_never_more_than_the_whole() {
        for bandwidth in [LEAST_BANDWIDTH, MIB, 31 * MIB, 65 * MIB, 1_000_000_007, u64::MAX] {
            for most in [0, 1, 2, 64, 10_000] {
                let share = Share::of(bandwidth, most);
                assert!((1..=most.max(1)).contains(&share.workers), "{bandwidth} {most}");
                for share in [share, share.among(1), share.among(3), share.among(u32::MAX)] {
                    let sum = share.each * u64::from(share.workers);
                    assert!(sum <= bandwidth && bandwidth - sum < 20_000, "{bandwidth} {most} {share:?}");
                }
            }
        }
    }

    #[test]
    fn a_worker_is_given_much_before_another_is_set_beside_it() {
        assert_eq!(Share::of(10 * MIB, 64), Share { workers: 1, each: 10 * MIB });
        assert_eq!(Share::of(320 * MIB, 64), Share { workers: 10, each: 32 * MIB });
        assert_eq!(Share::of(320 * MIB, 2), Share { workers: 2, each: 160 * MIB });
        assert_eq!(Share::of(320 * MIB, 64).among(2), Share { workers: 2, each: 160 * MIB });
        assert_eq!(most_at_once(LEAST_BANDWIDTH), 75 * MIB);
    }
}
