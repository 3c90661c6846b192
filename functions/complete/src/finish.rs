//! The call itself, and what to make of its answer.
//!
//! | answer | the destination then holds | told |
//! |---|---|---|
//! | success | our token, right size and checksum | success |
//! | success | another's object | `DestinationExists`, or `DestinationChanged` if another transfer made it |
//! | any failure | our token, right size and checksum | success, reconciled |
//! | any failure | our token, other bytes | `ChecksumMismatch` |
//! | 412, or 404 where an object was to be replaced | something else than Head found | the same two |
//! | no such upload | something else than Head found | the same two |
//! | no such upload | what Head found | `UploadGone` |
//! | a part is refused though all are listed | no matter | `UploadConflict` |
//! | the whole has another checksum | no matter | `ChecksumMismatch` |
//! | anything else | no matter | what the answer means; transient ones after a few tries |

use transload_store::prove::{Expected, Standing, confirm, exists, guard, read_back};
use transload_store::{
    Backoff, Complete, Condition, Head, PartRef, Side, StoreError, StoreErrorKind, Written, failure_of,
};
use transload_wire::{ErrorName, Failure, Proof};

use crate::evidence::{self, Whole};
use crate::{Done, Work};

/// Calls of Complete in one call of this function. The SDK repeats each a few times by itself.
const TRIES: u32 = 3;

/// Completes, and proves that it is complete.
pub(crate) async fn complete(work: &Work, parts: Vec<PartRef>) -> Result<Done, Failure> {
    let whole = evidence::whole(work, &parts)?;
    let complete = Complete {
        parts,
        size: work.input.layout.size(),
        checksum: whole.checksum.clone(),
        condition: honoured(work).await?,
    };
    let mut backoff = Backoff::of_tries(TRIES);
    loop {
        let error = match call(work, &complete).await {
            Ok(written) => return prove(work, &written, &whole).await,
            Err(error) => error,
        };
        let again = error.is_transient()
            && !matches!(error.kind, StoreErrorKind::Credentials | StoreErrorKind::Corrupted);
        match settle(work, error, &whole.expected, whole.proof).await {
            Err(failure) if !again || !failure.is_transient() || !backoff.pause(&work.deadline).await => {
                return Err(failure);
            }
            Err(_) => {}
            Ok(done) => return Ok(done),
        }
    }
}

/// Looks for the object when the upload is not there any more.
pub(crate) async fn find(work: &Work, error: StoreError) -> Result<Done, Failure> {
    let (expected, proof) = evidence::without_parts(work);
    settle(work, error, &expected, proof).await
}

/// Parts are missing; but another execution with the same input may have made the very object meanwhile.
pub(crate) async fn without(work: &Work, missing: Failure) -> Result<Done, Failure> {
    let (expected, proof) = evidence::without_parts(work);
    match read_back(work.store.as_ref(), &work.input.destination, None, &expected).await {
        Ok(Standing::Proven(head)) => Ok(Done { head, proof, reconciled: true }),
        _ => Err(missing),
    }
}

/// The condition as the store takes it; one that it would ignore is checked here, as late as can be.
async fn honoured(work: &Work) -> Result<Condition, Failure> {
    if work.store.conditional_writes() {
        return Ok(work.condition.clone());
    }
    let (destination, options) = (&work.input.destination, &work.input.options);
    guard(work.store.as_ref(), destination, options, &work.condition, &work.input.token).await?;
    Ok(Condition::Anything)
}

/// A call that is given up at the deadline may have taken effect, as one whose answer is lost.
async fn call(work: &Work, complete: &Complete) -> Result<Written, StoreError> {
    match work.deadline.bound(work.store.complete_upload(&work.upload, complete)).await {
        Ok(answer) => answer,
        Err(failure) => Err(StoreError::new(StoreErrorKind::Body, failure.to_string()).caused_by(failure)),
    }
}

/// An answer of success is not yet a proof.
async fn prove(work: &Work, written: &Written, whole: &Whole) -> Result<Done, Failure> {
    let (destination, options) = (&work.input.destination, &work.input.options);
    match confirm(work.store.as_ref(), destination, written, &whole.expected, &work.deadline).await? {
        Standing::Proven(head) => Ok(Done { head, proof: whole.proof, reconciled: false }),
        Standing::Broken(_, failure) => Err(failure),
        Standing::Another(head) => Err(exists(destination, options, &Condition::Anything, Some(&head))),
        Standing::Nothing => Err(exists(destination, options, &Condition::Anything, None)),
    }
}

/// Settles a failed call by what stands at the destination.
async fn settle(work: &Work, error: StoreError, expected: &Expected, proof: Proof) -> Result<Done, Failure> {
    let found = match read_back(work.store.as_ref(), &work.input.destination, None, expected).await {
        Ok(Standing::Proven(head)) => return Ok(Done { head, proof, reconciled: true }),
        Ok(Standing::Broken(_, failure)) => return Err(failure),
        Ok(Standing::Another(head)) => Some(head),
        Ok(Standing::Nothing) => None,
        // Without having looked, a failure that sounds final may be our own success.
        Err(unread) if may_be_ours(error.kind) => return Err(failure_of(unread, Side::Destination)),
        Err(_) => return Err(failure_of(error, Side::Destination)),
    };
    Err(meaning(work, error, found.as_deref()))
}

fn may_be_ours(kind: StoreErrorKind) -> bool {
    matches!(
        kind,
        StoreErrorKind::PreconditionFailed
            | StoreErrorKind::NoSuchUpload
            | StoreErrorKind::NotFound
            | StoreErrorKind::InvalidPart
            | StoreErrorKind::Corrupted
    )
}

/// What a failed call means, now that the destination is known to be another's or empty.
fn meaning(work: &Work, error: StoreError, found: Option<&Head>) -> Failure {
    let as_found_by_head = match &work.condition {
        Condition::Anything => true,
        Condition::Absent => found.is_none(),
        Condition::Matches(etag) => found.map(|head| &head.etag) == Some(etag),
    };
    let exists = || exists(&work.input.destination, &work.input.options, &work.condition, found);
    match error.kind {
        StoreErrorKind::PreconditionFailed => exists().caused_by(error),
        StoreErrorKind::NotFound | StoreErrorKind::NoSuchUpload if !as_found_by_head => {
            exists().caused_by(error)
        }
        // The store's least part is larger than its profile says: a new upload would be cut the same.
        StoreErrorKind::InvalidPart if error.message.contains("EntityTooSmall") => {
            ErrorName::PlanInvalid.because(error.to_string()).caused_by(error)
        }
        // Every part is listed: another round would find nothing to send, so only a new upload helps.
        StoreErrorKind::InvalidPart => ErrorName::UploadConflict.because(error.to_string()).caused_by(error),
        // The parts' checksums, combined, are not those of the bytes that the store has: sending Complete again changes
        // nothing about that.
        StoreErrorKind::Corrupted => ErrorName::ChecksumMismatch.because(error.to_string()).caused_by(error),
        _ => failure_of(error, Side::Destination),
    }
}
