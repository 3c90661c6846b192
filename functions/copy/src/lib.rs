//! State `Copy`: sends a whole object in one request, with constant memory.
//!
//! As in Complete, success is told after token, size and checksum were read back, and an uncertain answer is settled by
//! reading: see [`transload_store::whole`].

mod failures;

use std::process::ExitCode;

use transload_store::whole::Whole;
use transload_store::{Deadline, Ends, Stores};
use transload_wire::{CompleteOutput, CopyInput, Failure, check_window};

pub use failures::FAILURES;

/// Sends an object whole and proves it.
///
/// # Errors
/// `ChecksumMismatch` if the bytes are not what the source says, twice; `DestinationExists` if another writer was there,
/// `DestinationChanged` if it was a transfer; `WindowClosed` before anything is sent;
/// the source's and the destination's own.
pub async fn handle(
    stores: &impl Stores,
    deadline: Deadline,
    input: CopyInput,
) -> Result<CompleteOutput, Failure> {
    run(stores, deadline, input).await.map_err(|failure| failure.among(FAILURES))
}

async fn run(stores: &impl Stores, deadline: Deadline, input: CopyInput) -> Result<CompleteOutput, Failure> {
    check_window(input.options.window.as_ref(), input.entered)?;
    deadline.check()?;
    let mut ends = Ends::new(stores);
    let source = ends.open_source(&input.source.object)?;
    let destination = ends.open("destination", &input.destination.location)?;
    let whole = Whole::new(source, destination, deadline, input)?;
    let done = whole.send().await?;
    Ok(CompleteOutput {
        proof: whole.proof(),
        etag: done.etag,
        version_id: done.version,
        size: done.size,
        parts: 0,
        checksum: done.checksum,
        reconciled: done.reconciled,
        requests: ends.requests(),
    })
}

/// Serves invocations until the process is ended.
#[must_use]
pub fn serve() -> ExitCode {
    transload_runtime::serve(async |stores, deadline, input| handle(stores, deadline, input).await)
}
