//! The simulation itself: it repeats, its faults happen, and what it finds is found.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // helpers of tests may panic as tests do

mod faults;
mod planted;
mod random;
mod repeats;
