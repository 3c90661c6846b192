//! The functions of a transfer, one by one and together, with every fault that stores in memory can show.
//! Time is paused: what waits, waits at once. Names of tests begin with the row of the fault matrix they show.

// Helpers of tests are tests too.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod abort;
mod adopt;
mod bad_input;
mod complete;
mod copy;
mod everywhere;
mod files;
mod head;
mod init;
mod part;

use transload_wire::{ErrorName, Failure};

/// The name of a failure.
fn name<T>(result: Result<T, Failure>) -> Result<(), ErrorName> {
    result.map(|_| ()).map_err(|failure| failure.name)
}
