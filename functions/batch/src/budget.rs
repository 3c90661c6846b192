//! Bounds the memory of all objects in flight, whatever their sizes and however many are asked for.

use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit};
use transload_store::Pace;

/// Bytes in flight of all objects: what is left of 128 MB beside the program (about 20 MB) and the buffers of 2 x 64
/// connections (up to 400 KB each while bytes come faster than they go).
const BYTES: u64 = 48 << 20;
/// Most that one object occupies: a store without trailers gathers a body of up to 16 MiB to send its checksum ahead;
/// everything larger streams.
const MOST: u64 = 16 << 20;
/// Least that one object occupies: frames of both connections.
const LEAST: u64 = 256 << 10;
/// Bytes of a permit.
const UNIT: u64 = 64 << 10;
/// Under a bandwidth no more is in flight than passes in this time: shared by more, each object would come so slowly that its
/// connections were given up as stalled.
const PASSING: Duration = Duration::from_secs(4);

/// Permits for bytes in memory.
pub(crate) struct Budget {
    permits: Semaphore,
    most: u32,
}

impl Budget {
    pub(crate) fn new(pace: &Pace) -> Self {
        let bytes = pace.bytes_in(PASSING).map_or(BYTES, |bytes| bytes.clamp(LEAST, BYTES));
        Self { permits: Semaphore::new(permits(bytes) as usize), most: permits(bytes) }
    }

    /// Waits until an object of this size may be held. `None` can not come: nothing closes the budget.
    pub(crate) async fn take(&self, size: u64) -> Option<SemaphorePermit<'_>> {
        self.permits.acquire_many(permits(size.clamp(LEAST, MOST)).min(self.most)).await.ok()
    }
}

fn permits(bytes: u64) -> u32 {
    u32::try_from(bytes.div_ceil(UNIT)).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::{Budget, Pace};

    /// How many objects of a size are let in at once.
    fn together(bandwidth: Option<u64>, size: u64) -> usize {
        let budget = Budget::new(&Pace::of(bandwidth));
        let taken: Vec<_> = std::iter::from_fn(|| budget.take(size).now_or_never().flatten()).collect();
        taken.len()
    }

    #[test]
    fn large_objects_wait_for_each_other_and_small_ones_do_not() {
        let all = |size| together(None, size);
        assert_eq!((all(10 << 30), all(16 << 20), all(4 << 20)), (3, 3, 12));
        assert_eq!((all(512 << 10), all(10), all(0)), (96, 192, 192));
    }

    #[test]
    fn under_a_bandwidth_only_what_passes_soon_is_in_flight() {
        let slow = |size| together(Some(1 << 20), size);
        assert_eq!((slow(10 << 30), slow(4 << 20), slow(1 << 20), slow(0)), (1, 1, 4, 16));
        assert_eq!(together(Some(1), 1 << 20), 1);
        assert_eq!(together(Some(1 << 40), 0), 192);
    }
}
