//! State `Init`: makes the upload, or finds what earlier rounds left of it, and gives out what is missing.
//!
//! An answer to CreateMultipartUpload that is lost leaves an upload that nobody knows the id of. It can not be told from
//! another writer's: listings of uploads show key, id and date, not the metadata with our token. So it is not touched
//! here. It holds no part and costs nothing; a lifecycle rule for incomplete uploads, or the sweep, removes it.

mod adopt;
mod failures;

use std::process::ExitCode;

use transload_plan::{BatchBounds, ListedPart, PartSet, Share};
use transload_store::{
    Deadline, Ends, PartRef, Side, Stamp, Store, StoreErrorKind, Stores, Target, UploadRef, all_parts,
    failure_of, parked, prove,
};
use transload_wire::{ErrorName, Failure, InitInput, InitOutput, Upload};

pub use failures::FAILURES;

/// Parts at a time of a worker that has an object to itself: what several workers have under way together.
const IN_FLIGHT_ALONE: u32 = 8;

/// Longest wait before a round, in seconds, unless the user's first one is longer.
const LONGEST_BACKOFF: u32 = 300;

/// Makes or finds the upload, and lists what is missing.
///
/// # Errors
/// `RoundsExhausted` if all rounds are used up; `UploadInvalid` if the upload holds parts of another layout; the
/// destination's own.
pub async fn handle(
    stores: &impl Stores,
    deadline: Deadline,
    input: InitInput,
) -> Result<InitOutput, Failure> {
    run(stores, deadline, input).await.map_err(|failure| failure.among(FAILURES))
}

async fn run(stores: &impl Stores, deadline: Deadline, input: InitInput) -> Result<InitOutput, Failure> {
    same_size(&input)?;
    deadline.check()?;
    let mut ends = Ends::new(stores);
    let store = ends.open("destination", &input.destination.location)?;
    if let Err(exhausted) = rounds_left(&input) {
        park(store.as_ref(), &input).await;
        return Err(exhausted);
    }
    let (upload, parts) = upload(store.as_ref(), &input).await?;

    let listed: Vec<ListedPart> = parts.iter().map(ListedPart::from).collect();
    let missing = transload_plan::missing(&input.layout, &listed)?;
    let bytes_missing = bytes(&input, &missing)?;
    let limit = input.options.single_worker_limit.unwrap_or_default();
    let alone = BatchBounds::of_one_worker(limit, bytes_missing, missing.len());
    let one_worker = alone.is_some() && !missing.is_empty();
    let most = if one_worker { 1 } else { input.options.max_concurrency };
    let share = input.options.bandwidth.map(|bandwidth| Share::of(bandwidth, most));
    let parallel = share.map_or(most, |share| share.workers);
    let bounds = alone.unwrap_or(BatchBounds { parallel, ..BatchBounds::default() });
    let batches = transload_plan::batches(&input.layout, &missing, &bounds)?;
    let share = share.map(|share| share.among(u32::try_from(batches.len()).unwrap_or(u32::MAX)));
    Ok(InitOutput {
        upload,
        batches,
        parts_missing: missing.len(),
        bytes_missing,
        parts_present: input.layout.count() - missing.len(),
        max_concurrency: share.map_or(parallel, |share| share.workers),
        one_worker,
        parts_in_flight: in_flight(&input, one_worker),
        bandwidth: share.map(|share| share.each),
        backoff_seconds: backoff(input.options.backoff_seconds, input.round),
        requests: ends.requests(),
    })
}

/// Lets a later execution with the same input find what is kept. Without that it sends all of it again, so it is no reason
/// for another failure.
async fn park(store: &dyn Store, input: &InitInput) {
    if let Some(upload) = &input.upload {
        let upload = UploadRef::of(&input.destination, upload);
        let _ = parked::leave(store, &upload, &input.layout, &input.token).await;
    }
}

/// Each redrive brings as many rounds as the first run had.
fn rounds_left(input: &InitInput) -> Result<(), Failure> {
    let most = u64::from(input.options.rounds) * (1 + u64::from(input.execution.redrive_count));
    if u64::from(input.round) < most {
        return Ok(());
    }
    Err(ErrorName::RoundsExhausted.because(format!(
        "{}: expected every part within {most} rounds, found some missing after each; the upload is kept: \
         redrive the execution to send only what is missing",
        input.destination
    )))
}

fn same_size(input: &InitInput) -> Result<(), Failure> {
    let (layout, source) = (input.layout.size(), input.source.size);
    if input.layout.count() > 0 && source == layout {
        return Ok(());
    }
    Err(ErrorName::UploadInvalid.because(format!(
        "layout: expected parts of {source} bytes in all, found {} parts of {layout}",
        input.layout.count()
    )))
}

/// The upload of an earlier round with its parts, or a new one: there is none yet, or a lifecycle rule removed it.
async fn upload(store: &dyn Store, input: &InitInput) -> Result<(Upload, Vec<PartRef>), Failure> {
    if let Some(upload) = &input.upload {
        match all_parts(store, &UploadRef::of(&input.destination, upload)).await {
            Ok(parts) => return Ok((upload.clone(), parked::of_layout(store, &input.layout, parts))),
            Err(error) if error.kind == StoreErrorKind::NoSuchUpload => {}
            Err(error) => return Err(failure_of(error, Side::Destination)),
        }
    }
    prove::provable(store, &input.destination)?;
    if let Some(adopted) = adopt::adopt(store, input).await {
        return Ok((adopted.upload, adopted.parts));
    }
    let created = store
        .create_upload(&target(store, input))
        .await
        .map_err(|error| failure_of(error, Side::Destination))?;
    Ok((Upload { upload_id: created.id, checksum_algorithm: created.checksum_algorithm }, Vec::new()))
}

fn in_flight(input: &InitInput, one_worker: bool) -> u32 {
    let asked = input.options.parts_in_flight;
    if one_worker { asked.max(IN_FLIGHT_ALONE) } else { asked }
}

fn target(store: &dyn Store, input: &InitInput) -> Target {
    let algorithm = prove::algorithm(input.source.checksum.as_ref(), store);
    let stamp = Stamp::new(&input.token, &input.identity, &input.source);
    Target::of(&input.destination, &input.attributes, &input.options, &stamp, algorithm)
}

fn bytes(input: &InitInput, missing: &PartSet) -> Result<u64, Failure> {
    let mut sum = 0;
    for part in missing.iter() {
        sum += input.layout.range(part)?.len;
    }
    Ok(sum)
}

/// Doubles with the round.
fn backoff(first: u32, round: u32) -> u32 {
    let doubled = first.saturating_mul(2_u32.saturating_pow(round));
    doubled.min(LONGEST_BACKOFF.max(first))
}

/// Serves invocations until the process is ended.
#[must_use]
pub fn serve() -> ExitCode {
    transload_runtime::serve(async |stores, deadline, input| handle(stores, deadline, input).await)
}

#[cfg(test)]
mod tests {
    use super::backoff;

    #[test]
    fn the_wait_doubles_up_to_five_minutes() {
        let waits: Vec<_> = (0..8).map(|round| backoff(5, round)).collect();
        assert_eq!(waits, [5, 10, 20, 40, 80, 160, 300, 300]);
        assert_eq!((backoff(600, 0), backoff(600, 9), backoff(1, u32::MAX)), (600, 600, 300));
    }
}
