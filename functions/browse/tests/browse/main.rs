//! The API against the engine of this repository, over its HTTP API as against the service; trees of places in memory.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // helpers of tests may panic as tests do

mod executions;
mod filelist;
mod gateway;
mod mounts;
mod notes;
mod refusals;
mod support;
