//! Whether an object is sent whole or in parts.

use crate::Limits;

/// The way an object takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Route {
    /// One PUT by one worker. Zero bytes always go this way: an upload without parts can not be completed.
    Whole,
    /// Parts by many workers.
    Parts,
}

/// Objects up to `threshold` bytes are sent whole, as long as one PUT may carry them (`limits.max_part`).
#[must_use]
pub fn route(size: u64, threshold: u64, limits: &Limits) -> Route {
    if size == 0 || size <= threshold.min(limits.max_part) { Route::Whole } else { Route::Parts }
}
