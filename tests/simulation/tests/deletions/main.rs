//! Deletions that are followed: whatever happens to a source, and however its events come, the destination ends as it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // helpers of tests may panic as tests do

mod ends;
mod histories;
mod thaw;
