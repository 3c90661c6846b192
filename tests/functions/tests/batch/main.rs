//! Batch: many small objects between stores in memory that fail on demand.

mod changes;
mod faults;
mod kit;
mod plain;
