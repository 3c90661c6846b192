//! What both ends are, and what follows.

use transload_store::gone::{self, Erased};
use transload_store::look::{identity, pin};
use transload_store::{Head, ObjectRef, Side, failure_of, is_from, prove};
use transload_wire::{ErrorName, Failure, Removal, SOURCE_METADATA, TransferRequest};

use crate::Work;

/// Looks in one call, where each loses to somebody else. After that the workflow begins anew, with a pause.
const LOOKS: u32 = 3;

/// What was done, and why.
pub(crate) type Settled = (Removal, &'static str);

/// The destination first, as Head does: what is deleted was there before the source was seen to be gone.
pub(crate) async fn settle(work: &Work) -> Result<Settled, Failure> {
    for _ in 0..LOOKS {
        let standing = standing(work).await?;
        let source = source(work).await?;
        let (standing, source) = match (standing, source) {
            (None, None) => return Ok((Removal::Kept, "source and destination are gone")),
            (None, Some(_)) => return Ok((Removal::Again, "the source is there, and no copy of it")),
            (Some(standing), source) => (standing, source),
        };
        if !is_from(&standing, &work.input.source) {
            return Ok((Removal::Kept, "what stands at the destination was not copied from this source"));
        }
        match source {
            Some(source) if is_copy(work, &standing, &source)? => {
                return Ok((Removal::Kept, "the destination holds this version of the source"));
            }
            Some(_) => return Ok((Removal::Again, "the source has another version")),
            None => {}
        }
        if erase(work, &standing).await? {
            return after(work).await;
        }
    }
    Ok((Removal::Again, "others wrote the destination meanwhile"))
}

/// The same where nothing is to be deleted: only whether a newer version is there to be copied. Neither bucket has to be
/// listed for that, so a key that is gone may be answered 403.
pub(crate) async fn look(work: &Work) -> Result<Settled, Failure> {
    let standing = unless_refused(standing(work).await)?;
    let source = unless_refused(head_of_source(work).await)?;
    let (Some(standing), Some(source)) = (standing, source) else {
        return Ok((Removal::Kept, "source or destination can not be looked at any more"));
    };
    if is_from(&standing, &work.input.source) && !is_copy(work, &standing, &source)? {
        return Ok((Removal::Again, "the source has another version"));
    }
    Ok((Removal::Kept, "the destination holds this version of the source, or another writer's object"))
}

/// What was written is proven: a look that will never be answered is no reason to call it a failure.
fn unless_refused(found: Result<Option<Head>, Failure>) -> Result<Option<Head>, Failure> {
    match found {
        Err(failure) if !failure.is_transient() => Ok(None),
        found => found,
    }
}

/// The look after the deed: it may have hit a copy of what the source has by now, for a version with the same bytes has the
/// same ETag.
async fn after(work: &Work) -> Result<Settled, Failure> {
    Ok(match source(work).await? {
        None => (Removal::Deleted, "the source is gone"),
        Some(_) => (Removal::Again, "the source is there again"),
    })
}

async fn standing(work: &Work) -> Result<Option<Head>, Failure> {
    let object = ObjectRef::of_destination(&work.input.destination);
    match gone::again(&work.deadline, || work.destination.head(&object)).await {
        Ok(head) => Ok(Some(head)),
        Err(error) if prove::is_nothing(&error) => Ok(None),
        Err(error) => Err(failure_of(error, Side::Destination).at("destination")),
    }
}

/// What is newest at the source. HEAD is cheaper than a listing and says enough of what is there; that nothing is there is
/// believed only of a listing.
async fn source(work: &Work) -> Result<Option<Head>, Failure> {
    let (source, pays) = (&work.input.source, work.input.options.requester_pays);
    for _ in 0..LOOKS {
        if let Some(head) = head_of_source(work).await? {
            return Ok(Some(head));
        }
        let Some(stored) = source.stored() else { return Err(unlisted(work)) };
        let key = (&stored.bucket, &stored.key);
        if !gone::is_listed(work.source.as_ref(), key, pays, &work.deadline).await? {
            return Ok(None);
        }
    }
    Err(ErrorName::Unavailable.because(format!("source: expected {source} to be there or not, found both")))
}

async fn head_of_source(work: &Work) -> Result<Option<Head>, Failure> {
    let object = ObjectRef::of_source(&work.input.source, work.input.options.requester_pays);
    match gone::again(&work.deadline, || work.source.head(&object)).await {
        Ok(head) => Ok(Some(head)),
        Err(error) if prove::is_nothing(&error) => Ok(None),
        Err(error) => Err(failure_of(error, Side::Source).at("source")),
    }
}

/// That a URL answers 404 does not say that its object is gone for good.
fn unlisted(work: &Work) -> Failure {
    let found = format!("source: expected an object of a bucket, found {}", work.input.source);
    ErrorName::Unsupported.because(found)
}

/// Whether the copy is of what the source has, as its metadata says.
fn is_copy(work: &Work, standing: &Head, source: &Head) -> Result<bool, Failure> {
    let (from, to) = (work.input.source.clone(), work.input.destination.clone());
    let options = work.input.options.clone();
    let request = TransferRequest {
        source: from,
        destination: to,
        options,
        expect: None,
        route: None,
        run: None,
        event: None,
    };
    let identity = identity::of_version(&pin::of(&request, source))?;
    let says = standing.attributes.metadata.get(SOURCE_METADATA);
    Ok(says.map(String::as_str) == Some(identity.as_str()))
}

/// False: another object stands there now.
async fn erase(work: &Work, standing: &Head) -> Result<bool, Failure> {
    let object = ObjectRef::of_destination(&work.input.destination);
    let erased = gone::erase(work.destination.as_ref(), &object, &standing.etag, &work.deadline).await?;
    Ok(erased == Erased::Gone)
}
