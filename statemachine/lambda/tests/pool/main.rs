//! The pool against real worker processes. They are this very binary, started again to run one of its ignored tests.

mod capacity;
mod endings;
mod exchange;
mod lifetime;
mod observed;
mod raw;
mod start;
mod support;
mod worker;
