//! What became of each object: a record, or something that is left.

use transload_wire::{
    BatchOutput, ErrorName, Etag, Failure, Item, ObjectRecord, Outcome, Requests, Unfinished, shorten,
};

use crate::Work;
use crate::object::{Ended, settle};

/// Bytes of all causes of one answer: a state's output has 256 KiB in all, and the keys need most of it.
const CAUSES: usize = 48 << 10;
/// Bytes of one cause, however many there are, and at most.
const CAUSE: std::ops::RangeInclusive<usize> = 48..=1_024;

/// Why an object is skipped that the filter by metadata does not take: as the definition says it of large ones.
const METADATA: &str = "metadata";

/// How an object ended, and how long it took.
pub(crate) struct Timed {
    ended: Result<Ended, Failure>,
    duration_ms: u64,
}

/// Sends one object once there is room for it. What can not be begun any more is `OutOfTime`.
pub(crate) async fn of(work: &Work, item: &Item) -> Timed {
    let room = work.deadline.bound(work.budget.take(item.size)).await;
    let begun = tokio::time::Instant::now();
    let ended = match room.and_then(|room| work.deadline.check().map(|()| room)) {
        Ok(_room) => settle(work, item).await,
        Err(failure) => Err(failure),
    };
    let duration_ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
    Timed { ended, duration_ms }
}

/// The answer of the whole call.
pub(crate) fn output(
    ended: impl Iterator<Item = (Item, Timed)>,
    exact: bool,
    requests: Requests,
) -> BatchOutput {
    let mut output = BatchOutput { records: Vec::new(), left: Vec::new(), requests };
    for (item, Timed { ended, duration_ms }) in ended {
        match ended {
            Err(failure) if is_left(&failure, exact) => {
                let (error, cause) = (failure.name.to_string(), failure.message);
                output.left.push(Unfinished { item, error, cause });
            }
            ended => output.records.push(record(item, ended, duration_ms)),
        }
    }
    shorten_causes(&mut output);
    output
}

/// Another call may do better: by itself, or because another transfer will have ended. To what a plan says, another transfer
/// puts an end.
fn is_left(failure: &Failure, exact: bool) -> bool {
    failure.is_transient() || failure.name == ErrorName::DestinationChanged && !exact
}

fn record(item: Item, ended: Result<Ended, Failure>, duration_ms: u64) -> ObjectRecord {
    let gone = ErrorName::SourceNotFound;
    let (outcome, size, etag, error, cause): (_, _, Option<Etag>, _, _) = match ended {
        Ok(Ended::Copied(etag, size)) => (Outcome::Copied, size, Some(etag), None, None),
        Ok(Ended::Present(etag, size)) => (Outcome::Present, size, etag, None, None),
        Ok(Ended::Filtered(size)) => (Outcome::Skipped, size, None, Some(METADATA.to_owned()), None),
        Ok(Ended::Gone(why)) => (Outcome::Skipped, item.size, None, Some(gone.to_string()), Some(why)),
        Err(failure) => {
            (Outcome::Failed, item.size, None, Some(failure.name.to_string()), Some(failure.message))
        }
    };
    ObjectRecord { key: item.key, outcome, size, etag, duration_ms, error, cause }
}

/// Keeps the answer below what a state may give.
fn shorten_causes(output: &mut BatchOutput) {
    let records = output.records.iter_mut().filter_map(|record| record.cause.as_mut());
    let mut causes: Vec<&mut String> =
        records.chain(output.left.iter_mut().map(|left| &mut left.cause)).collect();
    let most = (CAUSES / causes.len().max(1)).clamp(*CAUSE.start(), *CAUSE.end());
    for cause in &mut causes {
        shorten(cause, most);
    }
}
