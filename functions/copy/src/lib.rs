//! State `Copy`: sends a whole object in one request, with constant memory.
//!
//! The last frame of the body is let go only when the checksum over all bytes is the source's own, so altered bytes are
//! never committed. As in Complete, success is told after token, size and checksum were read back, and an uncertain
//! answer is settled by reading.

mod body;
mod failures;
mod send;

use std::process::ExitCode;
use std::sync::Arc;

use transload_store::{Deadline, Ends, Stamp, Store, Stores, Target, prove};
use transload_wire::{ChecksumKind, CompleteOutput, CopyInput, Failure, Proof, Verify};

pub use failures::FAILURES;

/// What sending needs, for every try.
struct Work {
    source: Arc<dyn Store>,
    destination: Arc<dyn Store>,
    target: Target,
    deadline: Deadline,
    input: CopyInput,
}

/// Sends an object whole and proves it.
///
/// # Errors
/// `ChecksumMismatch` if the bytes are not what the source says, twice; `DestinationExists` if another writer was there,
/// `DestinationChanged` if it was a transfer;
/// the source's and the destination's own.
pub async fn handle(
    stores: &impl Stores,
    deadline: Deadline,
    input: CopyInput,
) -> Result<CompleteOutput, Failure> {
    run(stores, deadline, input).await.map_err(|failure| failure.among(FAILURES))
}

async fn run(stores: &impl Stores, deadline: Deadline, input: CopyInput) -> Result<CompleteOutput, Failure> {
    deadline.check()?;
    let mut ends = Ends::new(stores);
    let source = ends.open("source", &input.source.object.location)?;
    let destination = ends.open("destination", &input.destination.location)?;
    prove::provable(destination.as_ref(), &input.destination)?;
    let algorithm = prove::algorithm(input.source.checksum.as_ref(), destination.as_ref());
    let stamp = Stamp::new(&input.token, &input.identity, &input.source);
    let target = Target::of(&input.destination, &input.attributes, &input.options, &stamp, algorithm);
    let work = Work { source, destination, target, deadline, input };
    let done = send::send(&work).await?;
    Ok(CompleteOutput {
        proof: proof(&work),
        etag: done.head.etag,
        version_id: done.head.version,
        size: done.head.size,
        parts: 0,
        checksum: done.head.checksum,
        reconciled: done.reconciled,
        requests: ends.requests(),
    })
}

/// The body is compared with the source's whole-object checksum whatever its algorithm; the destination's is compared
/// with that of the same bytes.
fn proof(work: &Work) -> Proof {
    match (&work.input.source.checksum, work.target.checksum_algorithm) {
        (Some(own), _) if own.kind == ChecksumKind::FullObject => Proof::SourceChecksum,
        _ if work.input.options.verify == Verify::ReadBack => Proof::ReadTwice,
        (_, Some(_)) => Proof::TransitChecksum,
        (_, None) => Proof::PartEtags,
    }
}

/// Serves invocations until the process is ended.
#[must_use]
pub fn serve() -> ExitCode {
    transload_runtime::serve(async |stores, deadline, input| handle(stores, deadline, input).await)
}
