//! State `Part`: streams a batch of parts from the pinned source into the upload.
//!
//! Bytes flow from GET to PUT with a small buffer, whatever the size of a part. Sending a part twice leaves one part, so
//! everything here may be repeated.

mod batch;
mod failures;
mod send;
mod twice;

use std::process::ExitCode;
use std::sync::Arc;

use transload_plan::{ByteRange, PartNumber};
use transload_store::{Deadline, Ends, Pace, Store, Stores, UploadRef};
use transload_wire::{ErrorName, Failure, PartInput, PartOutput, check_window};

pub use failures::FAILURES;

/// Most parts of one call: with records of about 300 bytes, their output stays below a third of the 262,144 bytes that a
/// state may hand on. Batches of the workflow are of at most 10.
const MAX_PARTS: u32 = 256;

/// A part to send.
#[derive(Debug, Clone, Copy)]
struct Piece {
    number: PartNumber,
    range: ByteRange,
}

/// What every part of the batch is sent with.
struct Work {
    source: Arc<dyn Store>,
    destination: Arc<dyn Store>,
    upload: UploadRef,
    deadline: Deadline,
    pace: Pace,
    input: PartInput,
}

/// Sends the parts of a batch.
///
/// # Errors
/// `UploadInvalid` for parts that the layout does not have; `WindowClosed` before anything is sent; `OutOfTime` with what was sent staying there; what the last
/// try of a part met. Permanent failures come before transient ones.
pub async fn handle(
    stores: &impl Stores,
    deadline: Deadline,
    input: PartInput,
) -> Result<PartOutput, Failure> {
    run(stores, deadline, input).await.map_err(|failure| failure.among(FAILURES))
}

async fn run(stores: &impl Stores, deadline: Deadline, input: PartInput) -> Result<PartOutput, Failure> {
    let pieces = pieces(&input)?;
    check_window(input.window.as_ref(), input.entered)?;
    deadline.check()?;
    let mut ends = Ends::new(stores);
    let work = Work {
        source: ends.open_source(&input.source.object)?,
        destination: ends.open("destination", &input.destination.location)?,
        upload: UploadRef::of(&input.destination, &input.upload),
        deadline,
        pace: Pace::of(input.bandwidth),
        input,
    };
    let mut parts = batch::left_by_earlier_try(&work, &pieces).await?;
    let rest =
        pieces.into_iter().filter(|piece| parts.iter().all(|part| part.part_number != piece.number.get()));
    parts.extend(batch::send_all(&work, rest.collect()).await?);
    parts.sort_unstable_by_key(|part| part.part_number);
    Ok(PartOutput { parts, requests: ends.requests() })
}

/// The bytes of every part asked for.
fn pieces(input: &PartInput) -> Result<Vec<Piece>, Failure> {
    if input.layout.size() != input.source.size {
        return Err(ErrorName::UploadInvalid.because(format!(
            "layout: expected parts of {} bytes in all (the source), found {}",
            input.source.size,
            input.layout.size()
        )));
    }
    let in_range = |found: u32, most: u32, field: &str| {
        let message = format!("{field}: expected 1 to {most}, found {found}");
        if (1..=most).contains(&found) { Ok(()) } else { Err(ErrorName::InputInvalid.because(message)) }
    };
    in_range(input.parts.len(), MAX_PARTS, "parts, how many")?;
    in_range(input.parts_in_flight, 16, "partsInFlight")?;
    let piece = |number| Ok(Piece { number: PartNumber::new(number)?, range: input.layout.range(number)? });
    input.parts.iter().map(piece).collect()
}

/// Serves invocations until the process is ended.
#[must_use]
pub fn serve() -> ExitCode {
    transload_runtime::serve(async |stores, deadline, input| handle(stores, deadline, input).await)
}
