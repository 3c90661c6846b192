//! One object: as it was listed, in two requests; or, where something changed since, after a look at both ends.

use std::error::Error;

use transload_plan::MIB;
use transload_store::look::{self, look};
use transload_store::whole::{Trust, Whole};
use transload_store::{
    Backoff, ObjectBody, ObjectRef, Opened, Side, StoreError, StoreErrorKind, failure_of, prove,
};
use transload_wire::{
    Attributes, CopyInput, Decision, Destination, ErrorName, Etag, Expect, Failure, Item, ObjectKey,
    Overwrite, Pinned, Source, StoredSource, Token, TransferRequest,
};

use crate::Work;

/// Looks at both ends after what was listed turned out to be old. Each needs another writer in between.
const LOOKS: u32 = 3;
/// GETs that may fail one after the other before the object is left to another call.
const TRIES: u32 = 3;
/// What an object may have grown to since it was listed as a small one: more is not sent by one worker.
const GROWN: u64 = 64 * MIB;

/// How it went well.
#[derive(Debug)]
pub(crate) enum Ended {
    /// It was sent and proven: ETag at the destination and bytes.
    Copied(Etag, u64),
    /// It was there, or a newer version of it.
    Present(Option<Etag>, u64),
    /// Its metadata is not that of those that are asked for.
    Filtered(u64),
    /// It was deleted at the source since it was listed.
    Gone(String),
}

/// Brings one object over.
pub(crate) async fn settle(work: &Work, item: &Item) -> Result<Ended, Failure> {
    let request = request(work, item)?;
    if work.input.exact {
        return exactly(work, item, &request).await;
    }
    let mut result = if work.input.tries == 0 {
        listed(work, item, &request).await
    } else {
        looked(work, item, &request).await
    };
    for _ in 0..LOOKS {
        match result {
            Err(failure) if is_stale(&failure) => {
                tracing::info!(key = %item.key, %failure, "looking again");
                result = looked(work, item, &request).await;
            }
            ended => return ended,
        }
    }
    result
}

/// As it was planned, or not at all. A destination that another transfer wrote meanwhile may hold this very version: an
/// earlier execution of the same plan.
async fn exactly(work: &Work, item: &Item, request: &TransferRequest) -> Result<Ended, Failure> {
    let begun = if work.input.tries == 0 { Some(listed(work, item, request).await) } else { None };
    let result = match begun {
        Some(Err(failure)) if failure.name == ErrorName::DestinationChanged => {
            looked(work, item, request).await
        }
        Some(result) => result,
        None => looked(work, item, request).await,
    };
    match result {
        Ok(Ended::Gone(_)) => Err(changed(request, item)),
        Err(failure) if is_gone(&failure) && !no_bucket(&failure) => {
            Err(changed(request, item).caused_by(failure))
        }
        result => result,
    }
}

fn changed(request: &TransferRequest, item: &Item) -> Failure {
    ErrorName::SourceChanged.because(format!(
        "{}: expected ETag {} (as planned), found nothing",
        request.source,
        item.etag.to_header()
    ))
}

/// Not as it was listed, or as the look before found it.
fn is_stale(failure: &Failure) -> bool {
    use ErrorName as E;
    let gone = matches!(failure.name, E::SourceNotFound | E::SourceDeleteMarker);
    (gone && !no_bucket(failure)) || matches!(failure.name, E::SourceChanged | E::DestinationChanged)
}

/// Without its bucket nothing can be said about an object.
fn no_bucket(failure: &Failure) -> bool {
    let error = failure.source().and_then(|source| source.downcast_ref::<StoreError>());
    error.is_some_and(|error| error.kind == StoreErrorKind::NoSuchBucket)
}

fn request(work: &Work, item: &Item) -> Result<TransferRequest, Failure> {
    let (from, to) = (&work.input.source, &work.input.destination);
    let request = TransferRequest {
        source: Source::Stored(StoredSource {
            location: from.location.clone(),
            bucket: from.bucket.clone(),
            key: item.key.clone(),
            version_id: item.version_id.clone(),
        }),
        destination: Destination {
            location: to.location.clone(),
            bucket: to.bucket.clone(),
            key: destination_key(work, &item.key)?,
        },
        options: work.input.options.clone(),
        expect: work.input.exact.then(|| Expect { etag: item.etag.clone(), replaces: item.replaces.clone() }),
        route: work.input.route.clone(),
        run: None,
        event: None,
    };
    request.check()?;
    Ok(request)
}

/// What follows the source's prefix follows the destination's.
fn destination_key(work: &Work, key: &ObjectKey) -> Result<ObjectKey, Failure> {
    let (from, to) = (&work.input.source.prefix, &work.input.destination.prefix);
    let rest = key.as_str().strip_prefix(from.as_str()).ok_or_else(|| {
        ErrorName::InputInvalid
            .because(format!("objects: expected keys that begin with {from:?}, found {key}"))
    })?;
    format!("{to}{rest}").parse().map_err(|error: transload_wire::NameError| {
        ErrorName::DestinationInvalid.because(format!("key below {to:?}: {error}"))
    })
}

/// As it was listed: one GET and one PUT.
async fn listed(work: &Work, item: &Item, request: &TransferRequest) -> Result<Ended, Failure> {
    if request.options.overwrite == Overwrite::Never && item.replaces.is_some() {
        return Err(ErrorName::DestinationExists.because(format!(
            "{}: expected nothing (options.overwrite is never), found it in the listing",
            request.destination
        )));
    }
    fits(work, request, item, item.size, &item.etag)?;
    let object = to_read(request, item);
    let Opened { mut head, body } = open(work, item, &object).await?;
    // Where another object is replaced, only the newest version is known not to be older than that one.
    if item.version_id.is_some() && head.version != item.version_id {
        return Err(ErrorName::SourceChanged.because(format!(
            "{}: expected the version that was listed, found another one",
            request.source
        )));
    }
    if !request.options.takes_metadata(&head.attributes.metadata) {
        return Ok(Ended::Filtered(head.size));
    }
    work.tagging.settle(work.source.as_ref(), &object, &request.options, &mut head).await?;
    let attributes = look::attributes::wanted(work.source.as_ref(), request, &object, &head).await?;
    let pinned = look::pin::of(request, &head);
    let names = look::names(request, &work.input.execution, &pinned, &attributes)?;
    let input = copy_input(request, pinned, attributes, names, item.replaces.clone());
    send(work, item, input, Some(body)).await
}

/// The object to read. A version that was listed is named, unless it is to replace something: then whatever is newest is
/// read, and has to be that version.
fn to_read(request: &TransferRequest, item: &Item) -> ObjectRef {
    let newest = item.replaces.is_some() && request.options.overwrite == Overwrite::IfDifferent;
    let source = request.source.at_version(item.version_id.clone().filter(|_| !newest));
    ObjectRef::of_source(&source, request.options.requester_pays)
}

/// Opens the object; faults that pass are met a few times.
async fn open(work: &Work, item: &Item, object: &ObjectRef) -> Result<Opened, Failure> {
    let mut backoff = Backoff::of_tries(TRIES);
    loop {
        let answer = work.deadline.bound(work.source.open(object, &item.etag, item.size)).await?;
        match answer {
            Ok(opened) => return Ok(opened),
            Err(error) => {
                if error.kind == StoreErrorKind::Throttled {
                    backoff.slow_down();
                }
                if !error.is_transient() || !backoff.pause(&work.deadline).await {
                    return Err(failure_of(error, Side::Source));
                }
            }
        }
    }
}

/// After a look at both ends, the destination first: an older version never replaces a newer one.
async fn looked(work: &Work, item: &Item, request: &TransferRequest) -> Result<Ended, Failure> {
    let (from, to) = (work.source.as_ref(), work.destination.as_ref());
    let look = work.deadline.bound(look(from, to, request, &work.input.execution, None)).await?;
    let seen = match look {
        Ok(seen) => seen,
        Err(failure) if is_gone(&failure) => return gone(work, item, request, failure).await,
        Err(failure) => return Err(failure),
    };
    if seen.filtered {
        return Ok(Ended::Filtered(seen.pinned.size));
    }
    match seen.instead {
        Some((Decision::Skip, _)) => {
            return Ok(Ended::Present(seen.standing.map(|head| head.etag), seen.pinned.size));
        }
        Some((_, why)) => return Err(ErrorName::SourceChanged.because(why)),
        None => {}
    }
    fits(work, request, item, seen.pinned.size, &seen.pinned.etag)?;
    let replaces = seen.standing.map(|head| head.etag);
    let input = copy_input(request, seen.pinned, seen.attributes, (seen.identity, seen.token), replaces);
    send(work, item, input, None).await
}

fn is_gone(failure: &Failure) -> bool {
    matches!(failure.name, ErrorName::SourceNotFound | ErrorName::SourceDeleteMarker)
}

/// HEAD has no body that could tell a missing key from a missing bucket; GET has.
async fn gone(work: &Work, item: &Item, request: &TransferRequest, found: Failure) -> Result<Ended, Failure> {
    let object = ObjectRef::of_source(&request.source, request.options.requester_pays);
    match work.deadline.bound(work.source.open(&object, &item.etag, item.size)).await? {
        Err(error) if prove::is_nothing(&error) => Ok(Ended::Gone(found.message)),
        Err(error) => Err(failure_of(error, Side::Source)),
        Ok(_) => Err(ErrorName::SourceChanged.because("expected no object, found one again")),
    }
}

/// Refuses what one request can not carry as it is asked for.
fn fits(work: &Work, request: &TransferRequest, item: &Item, size: u64, etag: &Etag) -> Result<(), Failure> {
    let most = work.destination.limits().max_part.min(item.size.max(GROWN));
    if size > most {
        return Err(ErrorName::PlanInvalid.because(format!(
            "{}: expected at most {most} bytes (one request), found {size}: another run sends it in parts",
            request.source
        )));
    }
    if request.options.preserve_etag && size > 0 && etag.parts().is_some() {
        return Err(ErrorName::PlanInvalid.because(format!(
            "{}: options.preserveEtag: expected an object that was sent whole, found ETag {etag} of one in parts",
            request.source
        )));
    }
    Ok(())
}

fn copy_input(
    request: &TransferRequest,
    source: Pinned,
    attributes: Attributes,
    (identity, token): (Token, Token),
    replaces: Option<Etag>,
) -> CopyInput {
    CopyInput {
        source,
        destination: request.destination.clone(),
        options: request.options.clone(),
        attributes,
        identity,
        token,
        replaces,
        route: request.route.clone(),
        entered: None,
    }
}

async fn send(
    work: &Work,
    item: &Item,
    input: CopyInput,
    body: Option<ObjectBody>,
) -> Result<Ended, Failure> {
    // Without listed versions there may be no right to read one: what is newest has to have the ETag.
    let version = input.source.object.version_id().filter(|_| item.version_id.is_some()).cloned();
    let source = input.source.object.at_version(version);
    let object = ObjectRef::of_source(&source, input.source.requester_pays);
    let (from, to) = (work.source.clone(), work.destination.clone());
    let mut whole = Whole::new(from, to, work.deadline, input)?
        .trusting(Trust::Answer)
        .reading(object)
        .paced(work.pace.clone())
        .one_of(work.input.in_flight);
    if let Some(body) = body {
        whole = whole.opened(body);
    }
    let done = work.deadline.bound(whole.send()).await??;
    Ok(Ended::Copied(done.etag, done.size))
}
