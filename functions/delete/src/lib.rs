//! State `Delete`: deletes objects of the destination that the source does not have any more.
//!
//! Each is looked up at the source once more, and deleted only if it is still as it was listed. What can not be looked up is
//! not absent: it fails, and stays.

mod failures;
mod object;

use std::process::ExitCode;
use std::sync::Arc;

use futures::StreamExt;
use transload_store::{Deadline, Ends, Store, Stores};
use transload_wire::{DeleteInput, DeleteOutput, ErrorName, Failure};

pub use failures::FAILURES;

/// What every deletion needs.
struct Work {
    source: Arc<dyn Store>,
    destination: Arc<dyn Store>,
    deadline: Deadline,
    input: DeleteInput,
}

/// Deletes, `in_flight` at a time.
///
/// # Errors
/// Only what concerns all objects alike: `InputInvalid`, `Unsupported`.
pub async fn handle(
    stores: &impl Stores,
    deadline: Deadline,
    input: DeleteInput,
) -> Result<DeleteOutput, Failure> {
    run(stores, deadline, input).await.map_err(|failure| failure.among(FAILURES))
}

async fn run(
    stores: &impl Stores,
    deadline: Deadline,
    mut input: DeleteInput,
) -> Result<DeleteOutput, Failure> {
    if !(1..=256).contains(&input.in_flight) {
        let found = input.in_flight;
        return Err(ErrorName::InputInvalid.because(format!("inFlight: expected 1 to 256, found {found}")));
    }
    let objects = std::mem::take(&mut input.objects);
    let mut ends = Ends::new(stores);
    let source = ends.open("source", &input.source.location)?;
    let destination = ends.open("destination", &input.destination.location)?;
    let in_flight = usize::try_from(input.in_flight).unwrap_or(1);
    let work = Work { source, destination, deadline, input };
    let deleted = futures::stream::iter(objects)
        .map(|doomed| {
            let work = &work;
            async move { object::delete(work, doomed).await }
        })
        .buffered(in_flight);
    Ok(DeleteOutput { records: deleted.collect().await, requests: ends.requests() })
}

/// Serves invocations until the process is ended.
#[must_use]
pub fn serve() -> ExitCode {
    transload_runtime::serve(async |stores, deadline, input| handle(stores, deadline, input).await)
}
