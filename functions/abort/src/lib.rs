//! State `Abort`: releases an upload, and makes sure that it is released.
//!
//! Parts that are on their way when an upload is aborted may still arrive and are then stored and paid for, so the store
//! is asked again until it knows nothing of the upload. An upload that was completed after all, by a call whose answer
//! was lost, is no open upload any more: the store refuses to abort it, and the object stays.

mod failures;

use std::process::ExitCode;

use transload_store::{
    Backoff, Deadline, Ends, ObjectRef, Side, Store, StoreError, StoreErrorKind, Stores, UploadRef,
    failure_of, prove,
};
use transload_wire::{AbortInput, AbortOutput, ErrorName, Failure, TOKEN_METADATA};

pub use failures::FAILURES;

/// Rounds of abort and look in one call; the workflow repeats it, and the sweep after that.
const TRIES: u32 = 6;

/// Releases an upload. Doing so twice is harmless.
///
/// # Errors
/// The destination's own; `Unavailable` if the upload is still there after several rounds.
pub async fn handle(
    stores: &impl Stores,
    deadline: Deadline,
    input: AbortInput,
) -> Result<AbortOutput, Failure> {
    run(stores, deadline, input).await.map_err(|failure| failure.among(FAILURES))
}

async fn run(stores: &impl Stores, deadline: Deadline, input: AbortInput) -> Result<AbortOutput, Failure> {
    deadline.check()?;
    let mut ends = Ends::new(stores);
    let store = ends.open("destination", &input.destination.location)?;
    let aborted = match &input.upload {
        Some(upload) => {
            release(store.as_ref(), &UploadRef::of(&input.destination, upload), &deadline).await?
        }
        None => false,
    };
    let finished = finished(store.as_ref(), &input).await?;
    Ok(AbortOutput { aborted, finished, requests: ends.requests() })
}

/// Aborts until the store knows nothing of the upload. Whether there was something to abort.
async fn release(store: &dyn Store, upload: &UploadRef, deadline: &Deadline) -> Result<bool, Failure> {
    let mut backoff = Backoff::of_tries(TRIES);
    let mut aborted = false;
    loop {
        let failure = match store.abort_upload(upload).await {
            Ok(()) => {
                aborted = true;
                match is_gone(store, upload).await {
                    Ok(true) => return Ok(true),
                    Ok(false) => ErrorName::Unavailable
                        .because(format!("{upload}: expected no part after it was aborted, found some")),
                    Err(error) => transient(error)?,
                }
            }
            Err(error) if error.kind == StoreErrorKind::NoSuchUpload => return Ok(aborted),
            Err(error) => transient(error)?,
        };
        if !backoff.pause(deadline).await {
            return Err(failure);
        }
    }
}

/// S3: an aborted upload is gone, or listed without parts for a while; one with parts has to be aborted again.
async fn is_gone(store: &dyn Store, upload: &UploadRef) -> Result<bool, StoreError> {
    match store.list_parts(upload, 0).await {
        Ok(page) => Ok(page.parts.is_empty()),
        Err(error) if error.kind == StoreErrorKind::NoSuchUpload => Ok(true),
        Err(error) => Err(error),
    }
}

fn transient(error: StoreError) -> Result<Failure, Failure> {
    let again = error.is_transient();
    let failure = failure_of(error, Side::Destination);
    if again { Ok(failure) } else { Err(failure) }
}

/// Whether the destination bears the token: then the transfer is finished, whatever its last answer was. Told, not acted
/// upon; so a destination that may not be read is no reason to fail.
async fn finished(store: &dyn Store, input: &AbortInput) -> Result<bool, Failure> {
    let Some(token) = &input.token else { return Ok(false) };
    match store.head(&ObjectRef::of_destination(&input.destination)).await {
        Ok(head) => {
            Ok(head.attributes.metadata.get(TOKEN_METADATA).is_some_and(|found| found == token.as_str()))
        }
        Err(error) if prove::is_nothing(&error) || !error.is_transient() => Ok(false),
        Err(error) => Err(failure_of(error, Side::Destination)),
    }
}

/// Serves invocations until the process is ended.
#[must_use]
pub fn serve() -> ExitCode {
    transload_runtime::serve(async |stores, deadline, input| handle(stores, deadline, input).await)
}
