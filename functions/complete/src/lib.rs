//! State `Complete`: counts what is there, proves it against the source, completes the upload, and reads it back.
//!
//! The object appears only after count, sizes and checksum are right, and success is told only after token, size and
//! checksum were read back. An uncertain answer is settled the same way, by reading, never by assuming.

mod evidence;
mod failures;
mod finish;

use std::process::ExitCode;
use std::sync::Arc;

use transload_plan::ListedPart;
use transload_store::{
    Condition, Deadline, Ends, Head, PartRef, Side, Store, StoreErrorKind, Stores, UploadRef, all_parts,
    failure_of, parked, prove,
};
use transload_wire::{CompleteInput, CompleteOutput, ErrorName, Failure, Proof};

pub use failures::FAILURES;

/// What completing needs, for all of its steps.
struct Work {
    store: Arc<dyn Store>,
    upload: UploadRef,
    condition: Condition,
    deadline: Deadline,
    input: CompleteInput,
}

/// What came of it.
struct Done {
    head: Box<Head>,
    proof: Proof,
    reconciled: bool,
}

/// Completes an upload and proves the object.
///
/// # Errors
/// `PartsMissing` if parts are not there; `ChecksumMismatch` if the bytes are not the source's, before the object
/// appears; `DestinationExists` if another writer was there, `DestinationChanged` if it was a transfer; `UploadGone`, `UploadConflict`; the destination's own.
pub async fn handle(
    stores: &impl Stores,
    deadline: Deadline,
    input: CompleteInput,
) -> Result<CompleteOutput, Failure> {
    run(stores, deadline, input).await.map_err(|failure| failure.among(FAILURES))
}

async fn run(
    stores: &impl Stores,
    deadline: Deadline,
    input: CompleteInput,
) -> Result<CompleteOutput, Failure> {
    same_size(&input)?;
    deadline.check()?;
    let mut ends = Ends::new(stores);
    let work = Work {
        store: ends.open("destination", &input.destination.location)?,
        upload: UploadRef::of(&input.destination, &input.upload),
        condition: prove::condition(&input.options, input.replaces.as_ref()),
        deadline,
        input,
    };
    let done = match all_parts(work.store.as_ref(), &work.upload).await {
        Ok(parts) => {
            let parts = parked::of_layout(work.store.as_ref(), &work.input.layout, parts);
            match all_there(&work, &parts) {
                Ok(()) => finish::complete(&work, parts).await?,
                Err(missing) => finish::without(&work, missing).await?,
            }
        }
        // An earlier call may have completed it and lost the answer.
        Err(error) if error.kind == StoreErrorKind::NoSuchUpload => finish::find(&work, error).await?,
        Err(error) => return Err(failure_of(error, Side::Destination)),
    };
    Ok(CompleteOutput {
        etag: done.head.etag,
        version_id: done.head.version,
        size: done.head.size,
        parts: work.input.layout.count(),
        checksum: done.head.checksum,
        proof: done.proof,
        reconciled: done.reconciled,
        requests: ends.requests(),
    })
}

fn same_size(input: &CompleteInput) -> Result<(), Failure> {
    let (expected, found) = (input.source.size, input.layout.size());
    if expected == found && found > 0 {
        return Ok(());
    }
    Err(ErrorName::UploadInvalid
        .because(format!("layout: expected parts of {expected} bytes in all (the source), found {found}")))
}

/// Every part of the layout, with its size.
fn all_there(work: &Work, parts: &[PartRef]) -> Result<(), Failure> {
    let listed: Vec<ListedPart> = parts.iter().map(ListedPart::from).collect();
    let missing = transload_plan::missing(&work.input.layout, &listed)?;
    if missing.is_empty() {
        return Ok(());
    }
    // 10,000 parts in their shortest form can still be 25 KB: too long for a history.
    let mut which: String = missing.to_string().chars().take(200).collect();
    if missing.to_string().len() > which.len() {
        which.push_str("...");
    }
    Err(ErrorName::PartsMissing.because(format!(
        "{}: expected {} parts, found {}; missing {which}",
        work.input.destination,
        work.input.layout.count(),
        listed.len()
    )))
}

/// Serves invocations until the process is ended.
#[must_use]
pub fn serve() -> ExitCode {
    transload_runtime::serve(async |stores, deadline, input| handle(stores, deadline, input).await)
}
