//! Batch: many small objects between stores in memory that fail on demand.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // helpers of tests may panic as tests do

mod changes;
mod exact;
mod faults;
mod kit;
mod plain;
