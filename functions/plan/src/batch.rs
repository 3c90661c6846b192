//! Which parts one child execution sends.

use crate::{Layout, PartSet, PlanError};

/// Bounds of one batch. The first that is reached closes it; one part always fits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatchBounds {
    /// Most parts of a batch.
    pub max_parts: u32,
    /// Most bytes of a batch, so that a worker can end well within its timeout.
    pub max_bytes: u64,
    /// Children to keep busy: with fewer batches than this, batches get smaller.
    pub parallel: u32,
}

impl Default for BatchBounds {
    /// 10,000 parts in batches of 10 are 1,000 children: 10 s at the 100 STANDARD children that a map run starts a
    /// second, where one part each would take 100 s. 512 MiB take a worker about a minute at 10 MB/s.
    fn default() -> Self {
        Self { max_parts: 10, max_bytes: 512 << 20, parallel: 64 }
    }
}

/// Most parts of one worker's call, whose answer names each of them.
const PARTS_OF_ONE_WORKER: u32 = 256;

impl BatchBounds {
    /// One batch of everything, where it is no more than `limit` bytes.
    #[must_use]
    pub fn of_one_worker(limit: u64, bytes: u64, parts: u32) -> Option<Self> {
        (bytes <= limit && parts <= PARTS_OF_ONE_WORKER).then_some(Self {
            max_parts: PARTS_OF_ONE_WORKER,
            max_bytes: limit,
            parallel: 1,
        })
    }
}

/// Groups parts, ascending, into batches. Every part is in exactly one.
///
/// # Errors
/// [`PlanError::PartNumbers`] if a part is not of this layout.
pub fn batches(layout: &Layout, parts: &PartSet, bounds: &BatchBounds) -> Result<Vec<PartSet>, PlanError> {
    let fair = parts.len().div_ceil(bounds.parallel.max(1));
    let most = bounds.max_parts.min(fair).max(1);
    let mut batches = Vec::new();
    let (mut batch, mut bytes) = (PartSet::default(), 0_u64);
    for part in parts.iter() {
        let len = layout.range(part)?.len;
        let full = batch.len() >= most || bytes.saturating_add(len) > bounds.max_bytes;
        if full && !batch.is_empty() {
            batches.push(std::mem::take(&mut batch));
            bytes = 0;
        }
        batch.push(part);
        bytes = bytes.saturating_add(len);
    }
    if !batch.is_empty() {
        batches.push(batch);
    }
    Ok(batches)
}
