//! The network between workers and stores: connections within the process that take time, lose and damage bytes.

mod exchange;
mod lane;
mod link;

pub use exchange::{At, Exchange, Fault, Turn, Way};
pub(crate) use link::{ClientEnd, Link};
