//! The PUT, its answer, and another try.

use transload_wire::{ErrorName, Failure};

use super::{Done, Trust, Whole, body};
use crate::prove::{Standing, answers, condition, confirm, exists, guard, read_back};
use crate::rewind::Rewind;
use crate::tap::Flowed;
use crate::{Backoff, Condition, Head, Side, StoreError, StoreErrorKind, Written, failure_of};

/// PUTs in one call. More is the workflow's to decide, with longer waits that cost nothing.
const TRIES: u32 = 4;
/// Bodies that are not what the source says: one may be an accident on the way.
const MISMATCHES: u32 = 2;

/// What a try met.
enum Met {
    Done(Done),
    /// Not there; the same again may succeed.
    Again(Failure),
    /// Our own object is there, with other bytes: it is replaced.
    Broken(Box<Head>, Failure),
}

/// Sends the object until it is proven, or finds that an earlier call did.
pub(super) async fn send(work: &Whole) -> Result<Done, Failure> {
    match try_to_send(work).await {
        Err(failure) if ends_reading(&failure) => sent_before(work, failure).await,
        ended => ended,
    }
}

/// What was pinned is not read, now or later. What the destination said was settled by looking at it already.
fn ends_reading(failure: &Failure) -> bool {
    use ErrorName as E;
    let by_destination = matches!(
        failure.name,
        E::DestinationNotFound
            | E::DestinationAccessDenied
            | E::DestinationExists
            | E::DestinationChanged
            | E::DestinationInvalid
            | E::KeyUnavailable
    );
    !failure.is_transient() && !by_destination
}

/// A worker that sent the object may have died before it could say so, and what it read is no longer there to be compared, or
/// can not be read any more: what stands at the destination is judged by what it says of itself.
async fn sent_before(work: &Whole, failure: Failure) -> Result<Done, Failure> {
    let (store, destination) = (work.destination.as_ref(), &work.input.destination);
    match read_back(store, destination, None, &body::accepted(work)).await {
        // The token is of this very version.
        Ok(Standing::Proven(head)) => Ok(Done::of_head(*head, true)),
        Err(error) if error.is_transient() => Err(failure_of(error, Side::Destination)),
        _ => Err(failure),
    }
}

async fn try_to_send(work: &Whole) -> Result<Done, Failure> {
    let mut condition = condition(&work.input.options, work.input.replaces.as_ref());
    let mut backoff = Backoff::of_tries(TRIES);
    let mut mismatches = 0;
    let mut read = None;
    loop {
        work.deadline.check()?;
        let failure = match send_once(work, &condition, &mut read).await? {
            Met::Done(done) => return Ok(done),
            Met::Again(failure) => failure,
            // What can not be judged is not known to be wrong: only other bytes are overwritten.
            Met::Broken(_, failure) if failure.name != ErrorName::ChecksumMismatch => return Err(failure),
            Met::Broken(head, failure) => {
                condition = Condition::Matches(head.etag);
                failure
            }
        };
        mismatches += u32::from(failure.name == ErrorName::ChecksumMismatch);
        // Bytes that arrived wrong may be wrong here already.
        if matches!(failure.name, ErrorName::ChecksumMismatch | ErrorName::PartCorrupted) {
            read = None;
        }
        if failure.name == ErrorName::Throttled {
            backoff.slow_down();
        }
        if mismatches >= MISMATCHES || !backoff.pause(&work.deadline).await {
            return Err(failure);
        }
    }
}

/// `read` is what the try before sent, as far as another one may send it again.
async fn send_once(work: &Whole, condition: &Condition, read: &mut Option<Rewind>) -> Result<Met, Failure> {
    let honoured = if work.destination.conditional_writes() {
        condition.clone()
    } else {
        let (destination, options) = (&work.input.destination, &work.input.options);
        guard(work.destination.as_ref(), destination, options, condition, &work.input.token).await?;
        Condition::Anything
    };
    let (body, seen) = match body::again_or_open(work, read).await {
        Ok(opened) => opened,
        Err(failure) if failure.name == ErrorName::ChecksumMismatch => return Ok(Met::Again(failure)),
        Err(failure) => return Err(failure),
    };
    let answer = match work.deadline.bound(work.destination.put(&work.target, body, &honoured)).await {
        Ok(answer) => answer,
        Err(failure) => Err(StoreError::new(StoreErrorKind::Body, failure.to_string()).caused_by(failure)),
    };
    match (answer, seen.get()) {
        (Ok(written), Some(flowed)) => prove(work, &written, &flowed).await,
        (Ok(_), None) => Ok(Met::Again(ErrorName::PartCorrupted.because(format!(
            "{}: expected the store to take the whole body, found that it answered before its end",
            work.input.destination
        )))),
        (Err(error), flowed) => settle(work, condition, error, flowed).await,
    }
}

/// An answer of success is not yet a proof.
async fn prove(work: &Whole, written: &Written, flowed: &Flowed) -> Result<Met, Failure> {
    let (store, destination, options) =
        (work.destination.as_ref(), &work.input.destination, &work.input.options);
    let expected = body::expected(work, Some(flowed));
    if work.trust == Trust::Answer && answers(store, written, &expected) {
        return Ok(Met::Done(Done::of_answer(written, expected.size)));
    }
    Ok(match confirm(store, destination, written, &expected, &work.deadline).await? {
        Standing::Proven(head) => Met::Done(Done::of_head(*head, false)),
        Standing::Broken(head, failure) => Met::Broken(head, failure),
        Standing::Another(head) => {
            return Err(exists(destination, options, &Condition::Anything, Some(&head)));
        }
        Standing::Nothing => return Err(exists(destination, options, &Condition::Anything, None)),
    })
}

/// Settles a failed PUT by what stands at the destination: this try's object or an earlier one's, or not ours.
async fn settle(
    work: &Whole,
    condition: &Condition,
    error: StoreError,
    flowed: Option<Flowed>,
) -> Result<Met, Failure> {
    if error.kind == StoreErrorKind::Throttled {
        // Nothing was taken. Should a store say so of what it took, the condition of the next try does not hold, and that
        // is settled then.
        return again(error);
    }
    let (store, destination) = (work.destination.as_ref(), &work.input.destination);
    let mut expected = body::expected(work, flowed.as_ref());
    let mut standing = read_back(store, destination, None, &expected).await;
    if matches!(standing, Ok(Standing::Broken(..))) && expected.evidence.is_empty() {
        // Ours, but the store turned this try away before its bytes had passed: what they prove is read once more.
        expected = body::expected(work, Some(&body::measure(work).await?));
        standing = read_back(store, destination, None, &expected).await;
    }
    let found = match standing {
        Ok(Standing::Proven(head)) => return Ok(Met::Done(Done::of_head(*head, true))),
        Ok(Standing::Broken(head, failure)) => return Ok(Met::Broken(head, failure)),
        Ok(Standing::Another(head)) => Some(head),
        Ok(Standing::Nothing) => None,
        Err(unread) if refused(error.kind) => return Err(failure_of(unread, Side::Destination)),
        Err(_) => return again(error),
    };
    if refused(error.kind) {
        let options = &work.input.options;
        return Err(exists(destination, options, condition, found.as_deref()).caused_by(error));
    }
    again(error)
}

/// The condition did not hold (S3 answers 404 where an object was to be replaced and there is none).
fn refused(kind: StoreErrorKind) -> bool {
    matches!(kind, StoreErrorKind::PreconditionFailed | StoreErrorKind::NotFound)
}

/// Whether a PUT that took no effect may be repeated within this call.
fn again(error: StoreError) -> Result<Met, Failure> {
    let failure = failure_of(error, Side::Destination);
    match failure.name {
        ErrorName::Throttled
        | ErrorName::Unavailable
        | ErrorName::ConnectionLost
        | ErrorName::Stalled
        | ErrorName::PartCorrupted
        | ErrorName::ChecksumMismatch => Ok(Met::Again(failure)),
        _ => Err(failure),
    }
}
