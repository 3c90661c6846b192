//! Whatever a store answers, a user writes or a workflow hands over: an answer that fits or a refusal by name, never a
//! panic, a loop or a wrong part taken for a right one. `corpus` holds what is altered; a text that once broke something
//! is kept there and has a test of its own.

// Helpers of tests are tests too.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod alter;
mod answers;
mod canned;
mod inputs;
mod locations;
mod ranges;
mod rows;
