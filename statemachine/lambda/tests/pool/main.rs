//! The pool against real worker processes. They are this very binary, started again to run one of its ignored tests.

// Clippy's exception for tests does not reach the helpers beside them.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod capacity;
mod endings;
mod exchange;
mod lifetime;
mod observed;
mod raw;
mod start;
mod support;
mod worker;
