//! List against places that fail, lie, and are listed a page at a time.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // helpers of tests may panic as tests do

mod bad_input;
mod budget;
mod comparing;
mod crashes;
mod deletes;
mod faults;
mod filters;
mod frozen;
mod lies;
mod manifest;
mod random;
mod resuming;
mod strict;
mod support;
