//! One object: still absent at the source, still as it was listed at the destination, deleted.

use transload_store::gone::{self, Erased};
use transload_store::{ObjectRef, StoredRef};
use transload_wire::{Doomed, Failure, ObjectRecord, Outcome, shorten};

use crate::Work;

/// Bytes of a cause: an answer has 256 KiB, for up to a thousand objects.
const CAUSE: usize = 120;

/// What keeps an object, or that it is gone.
enum Ended {
    Deleted,
    Kept(&'static str, String),
}

/// Deletes an object, and tells what became of it.
pub(crate) async fn delete(work: &Work, doomed: Doomed) -> ObjectRecord {
    let begun = tokio::time::Instant::now();
    let ended = match work.deadline.check() {
        Ok(()) => work.deadline.bound(settle(work, &doomed)).await.and_then(|ended| ended),
        Err(failure) => Err(failure),
    };
    let (outcome, error, cause) = match ended {
        Ok(Ended::Deleted) => (Outcome::Deleted, None, None),
        Ok(Ended::Kept(reason, why)) => (Outcome::Skipped, Some(reason.to_owned()), Some(why)),
        Err(failure) => (Outcome::Failed, Some(failure.name.to_string()), Some(failure.message)),
    };
    ObjectRecord {
        key: doomed.key,
        outcome,
        size: doomed.size,
        etag: Some(doomed.etag),
        duration_ms: u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX),
        error,
        cause: cause.map(|mut cause| {
            shorten(&mut cause, CAUSE);
            cause
        }),
    }
}

async fn settle(work: &Work, doomed: &Doomed) -> Result<Ended, Failure> {
    let (from, to) = (&work.input.source, &work.input.destination);
    let pays = work.input.options.requester_pays;
    let key = (&from.bucket, &doomed.source_key);
    if gone::is_listed(work.source.as_ref(), key, pays, &work.deadline).await? {
        return Ok(Ended::Kept("SourceExists", "the source has the object again".to_owned()));
    }
    let object = ObjectRef::from(StoredRef {
        bucket: to.bucket.clone(),
        key: doomed.key.clone(),
        version: None,
        requester_pays: false,
    });
    Ok(match gone::erase(work.destination.as_ref(), &object, &doomed.etag, &work.deadline).await? {
        Erased::Gone => Ended::Deleted,
        Erased::Another(why) => Ended::Kept("DestinationChanged", why),
    })
}
