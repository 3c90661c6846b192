//! One object: still absent at the source, still as it was listed at the destination, deleted.

use transload_store::{
    Backoff, ObjectRef, Shelf, Side, StoreError, StoreErrorKind as Kind, failure_of, prove,
};
use transload_wire::{Doomed, ErrorName, Failure, ObjectRecord, Outcome};

use crate::Work;

/// Tries of each request.
const TRIES: u32 = 3;
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
        cause: cause.map(shortened),
    }
}

fn shortened(mut cause: String) -> String {
    if cause.len() > CAUSE {
        cause.truncate(cause.floor_char_boundary(CAUSE));
        cause.push_str("...");
    }
    cause
}

async fn settle(work: &Work, doomed: &Doomed) -> Result<Ended, Failure> {
    if is_at_source(work, doomed).await? {
        return Ok(Ended::Kept("SourceExists", "the source has the object again".to_owned()));
    }
    let object = ObjectRef {
        bucket: work.input.destination.bucket.clone(),
        key: doomed.key.clone(),
        version: None,
        requester_pays: false,
    };
    if !work.destination.conditional_writes()
        && let Some(ended) = compare(work, doomed, &object).await?
    {
        return Ok(ended);
    }
    let deleted = again(work, || work.destination.delete_object(&object, &doomed.etag)).await;
    match deleted {
        Ok(_) => Ok(Ended::Deleted),
        // Deleted by a try whose answer was lost, or by somebody else: it is gone.
        Err(error) if prove::is_nothing(&error) => Ok(Ended::Deleted),
        Err(error) if error.kind == Kind::PreconditionFailed => Ok(another(error.to_string())),
        Err(error) => Err(failure_of(error, Side::Destination)),
    }
}

fn another(why: String) -> Ended {
    Ended::Kept("DestinationChanged", why)
}

/// By a listing: HEAD answers for a missing bucket as for a missing key, and a missing bucket has not lost its objects.
async fn is_at_source(work: &Work, doomed: &Doomed) -> Result<bool, Failure> {
    let key = doomed.source_key.as_str();
    let shelf = Shelf {
        bucket: work.input.source.bucket.clone(),
        prefix: key.to_owned(),
        requester_pays: work.input.options.requester_pays,
    };
    // The key itself sorts before all others that begin with it.
    let listed = again(work, || work.source.list_objects(&shelf, "", 1)).await;
    let listed = listed.map_err(|error| failure_of(error, Side::Source).at("source"))?;
    if listed.objects.is_empty() && listed.next.is_some() {
        return Err(ErrorName::SourceBroken.because(format!("{shelf}: expected an object on the first page")));
    }
    Ok(listed.objects.iter().any(|object| object.key == doomed.source_key))
}

/// For stores that ignore conditions: what keeps the object from being deleted, or that it is gone.
async fn compare(work: &Work, doomed: &Doomed, object: &ObjectRef) -> Result<Option<Ended>, Failure> {
    match again(work, || work.destination.head(object)).await {
        Ok(head) if head.etag == doomed.etag => Ok(None),
        Ok(head) => {
            let (expected, found) = (&doomed.etag, &head.etag);
            Ok(Some(another(format!("{object}: expected ETag {expected}, found {found}"))))
        }
        Err(error) if prove::is_nothing(&error) => Ok(Some(Ended::Deleted)),
        Err(error) => Err(failure_of(error, Side::Destination).at("destination")),
    }
}

/// Repeats what may pass.
async fn again<T, F>(work: &Work, call: impl Fn() -> F) -> Result<T, StoreError>
where
    F: Future<Output = Result<T, StoreError>>,
{
    let mut backoff = Backoff::of_tries(TRIES);
    loop {
        match call().await {
            Err(error) if error.is_transient() && backoff.pause(&work.deadline).await => {}
            answer => return answer,
        }
    }
}
