//! Bounds the memory of all objects in flight, whatever their sizes and however many are asked for.

use tokio::sync::{Semaphore, SemaphorePermit};

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

/// Permits for bytes in memory.
pub(crate) struct Budget(Semaphore);

impl Default for Budget {
    fn default() -> Self {
        Self(Semaphore::new(permits(BYTES) as usize))
    }
}

impl Budget {
    /// Waits until an object of this size may be held. `None` can not come: nothing closes the budget.
    pub(crate) async fn take(&self, size: u64) -> Option<SemaphorePermit<'_>> {
        self.0.acquire_many(permits(size.clamp(LEAST, MOST))).await.ok()
    }
}

fn permits(bytes: u64) -> u32 {
    u32::try_from(bytes.div_ceil(UNIT)).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::Budget;

    /// How many objects of a size are let in at once.
    fn together(size: u64) -> usize {
        let budget = Budget::default();
        let taken: Vec<_> = std::iter::from_fn(|| budget.take(size).now_or_never().flatten()).collect();
        taken.len()
    }

    #[test]
    fn large_objects_wait_for_each_other_and_small_ones_do_not() {
        assert_eq!((together(10 << 30), together(16 << 20), together(4 << 20)), (3, 3, 12));
        assert_eq!((together(512 << 10), together(10), together(0)), (96, 192, 192));
    }
}
