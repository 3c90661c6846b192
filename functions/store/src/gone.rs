//! What is deleted at a destination because its source is gone: whether it is gone, and the deed.

use transload_wire::{BucketName, ErrorName, Etag, Failure, ObjectKey};

use crate::{
    Backoff, Deadline, ObjectRef, Shelf, Side, Store, StoreError, StoreErrorKind as Kind, failure_of, prove,
};

/// Tries of each request.
const TRIES: u32 = 3;

/// What became of an object that was to be deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Erased {
    /// It is gone, by this call or another.
    Gone,
    /// Another object stands there, and was left: what was expected and found.
    Another(String),
}

/// Whether a bucket has a key, by a listing: HEAD answers for a missing bucket as for a missing key, and a missing bucket
/// has not lost its objects. What can not be listed is an error, never an absence.
///
/// # Errors
/// The listing's own; `SourceBroken` for an answer that says nothing.
pub async fn is_listed(
    store: &dyn Store,
    (bucket, key): (&BucketName, &ObjectKey),
    requester_pays: bool,
    deadline: &Deadline,
) -> Result<bool, Failure> {
    let shelf = Shelf { bucket: bucket.clone(), prefix: key.as_str().to_owned(), requester_pays };
    // The key itself sorts before all others that begin with it.
    let listed = again(deadline, || store.list_objects(&shelf, "", 1)).await;
    let listed = listed.map_err(|error| failure_of(error, Side::Source).at("source"))?;
    if listed.objects.is_empty() && listed.next.is_some() {
        return Err(ErrorName::SourceBroken.because(format!("{shelf}: expected an object on the first page")));
    }
    Ok(listed.objects.iter().any(|object| object.key == *key))
}

/// Deletes an object if it has this ETag. Stores that ignore conditions are asked for the ETag just before; another writer
/// can still come between.
///
/// # Errors
/// The destination's own.
pub async fn erase(
    store: &dyn Store,
    object: &ObjectRef,
    etag: &Etag,
    deadline: &Deadline,
) -> Result<Erased, Failure> {
    if !store.conditional_writes()
        && let Some(ended) = compare(store, object, etag, deadline).await?
    {
        return Ok(ended);
    }
    match again(deadline, || store.delete_object(object, etag)).await {
        Ok(_) => Ok(Erased::Gone),
        // Deleted by a try whose answer was lost, or by somebody else: it is gone.
        Err(error) if prove::is_nothing(&error) => Ok(Erased::Gone),
        Err(error) if error.kind == Kind::PreconditionFailed => Ok(Erased::Another(error.to_string())),
        Err(error) => Err(failure_of(error, Side::Destination)),
    }
}

/// What keeps the object from being deleted, or that it is gone.
async fn compare(
    store: &dyn Store,
    object: &ObjectRef,
    etag: &Etag,
    deadline: &Deadline,
) -> Result<Option<Erased>, Failure> {
    match again(deadline, || store.head(object)).await {
        Ok(head) if head.etag == *etag => Ok(None),
        Ok(head) => Ok(Some(Erased::Another(format!("{object}: expected ETag {etag}, found {}", head.etag)))),
        Err(error) if prove::is_nothing(&error) => Ok(Some(Erased::Gone)),
        Err(error) => Err(failure_of(error, Side::Destination).at("destination")),
    }
}

/// Repeats what may pass.
///
/// # Errors
/// The last try's.
pub async fn again<T, F>(deadline: &Deadline, call: impl Fn() -> F) -> Result<T, StoreError>
where
    F: Future<Output = Result<T, StoreError>>,
{
    let mut backoff = Backoff::of_tries(TRIES);
    loop {
        match call().await {
            Err(error) if error.is_transient() && backoff.pause(deadline).await => {}
            answer => return answer,
        }
    }
}
