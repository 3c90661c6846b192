//! What transload makes of servers that keep their word, and of those that do not: the real handlers read from a server of
//! the test's own over TLS, and write to a store in memory. Names of tests begin with the row of the fault matrix they show.

// Helpers of tests are tests too.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod guard;
mod independent;
mod kit;
mod offers;
mod proofs;
mod reads;
