//! Looks at single objects, where two lists do not tell whether they are the same.

use transload_plan::{Joined, Likeness, Listed, Verdict, compare};
use transload_store::look::identity;
use transload_store::{
    Backoff, Deadline, Head, ListedObject, ObjectRef, Shelf, Side, Store, StoreErrorKind, StoredRef,
    failure_of,
};
use transload_wire::{ChecksumKind, Failure, Pinned, SOURCE_METADATA, Source, StoredSource};

use crate::asked::Asked;
use crate::lister::{Pair, World};

/// HEADs at a time, of all listers together.
pub(crate) const AT_A_TIME: usize = 64;
/// Tries of one HEAD.
const TRIES: u32 = 3;

/// What is known of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Settled {
    /// Whether its sides are the same.
    pub(crate) verdict: Verdict,
    /// Whether the source's metadata are those that are asked for.
    pub(crate) wanted: bool,
}

/// Whether such a request may ask for more than lists.
pub(crate) fn may_ask(asked: &Asked) -> bool {
    matches!(asked.likeness, Likeness::Checksum | Likeness::Version)
        || asked.request.options.metadata_filter.is_some()
}

/// What lists and, where they do not tell, looks at the objects say of a row.
pub(crate) async fn settle(world: &World<'_>, row: &Pair) -> Result<Settled, Failure> {
    let verdict = verdict(world, row).await?;
    let wanted = verdict == Verdict::Same || is_wanted(world, row).await?;
    Ok(Settled { verdict, wanted })
}

/// Whether an object that would be sent has the metadata that are asked for; lists do not tell them.
async fn is_wanted(world: &World<'_>, row: &Pair) -> Result<bool, Failure> {
    let options = &world.asked.request.options;
    let (Joined::Source(source) | Joined::Both(source, _)) = row else { return Ok(true) };
    if options.metadata_filter.is_none() || crate::judge::left_out(world.asked, &source.object).is_some() {
        return Ok(true);
    }
    let _one = world.heads.acquire().await;
    let from = &world.asked.source;
    let object = listed_at(&from.shelf, &source.object);
    let found = head(from.store.as_ref(), &object, Side::Source).await?;
    // Whoever is to send what is gone will see.
    Ok(found.is_none_or(|head| options.takes_metadata(&head.attributes.metadata)))
}

/// What two lists tell of a row.
pub(crate) fn by_lists(asked: &Asked, row: &Pair) -> Settled {
    Settled { verdict: listed_verdict(asked, row), wanted: true }
}

fn listed_verdict(asked: &Asked, row: &Pair) -> Verdict {
    match row {
        Joined::Both(source, destination) => {
            compare(asked.likeness, &listed(&source.object), &listed(&destination.object))
        }
        Joined::Source(_) | Joined::Destination(_) => Verdict::Differs,
    }
}

/// Whether both sides of a row are the same.
async fn verdict(world: &World<'_>, row: &Pair) -> Result<Verdict, Failure> {
    let verdict = listed_verdict(world.asked, row);
    let Joined::Both(source, destination) = row else { return Ok(verdict) };
    let (source, destination) = (&source.object, &destination.object);
    // What is left out anyway needs no look.
    if verdict != Verdict::NeedsHead
        || destination.unfit.is_some()
        || crate::judge::left_out(world.asked, source).is_some()
    {
        return Ok(verdict);
    }
    let _one = world.heads.acquire().await;
    let same = is_same(world, source, destination).await?;
    Ok(if same { Verdict::Same } else { Verdict::Differs })
}

fn listed(object: &ListedObject) -> Listed<'_> {
    Listed { size: object.size, etag: object.etag.as_str(), modified: &object.last_modified }
}

/// Whether the destination says that it was made from the source's present version; or else, where checksums count, whether
/// both tell the same one.
async fn is_same(
    world: &World<'_>,
    source: &ListedObject,
    destination: &ListedObject,
) -> Result<bool, Failure> {
    let (from, to) = (&world.asked.source, &world.asked.destination);
    let Some(there) = head(to.store.as_ref(), &listed_at(&to.shelf, destination), Side::Destination).await?
    else {
        return Ok(false);
    };
    if there.size != source.size {
        return Ok(false);
    }
    let made_from = there.attributes.metadata.get(SOURCE_METADATA);
    let is = |pinned: Pinned| {
        identity::of_version(&pinned).map(|id| made_from.is_some_and(|made| made == id.as_str()))
    };
    if is(pinned(world, source, None))? {
        return Ok(true);
    }
    let checksums = world.asked.likeness == Likeness::Checksum;
    // Where the metadata alone decides, a look at the source tells no more than a list of its versions.
    if !checksums && (made_from.is_none() || source.version.is_some()) {
        return Ok(false);
    }
    let Some(here) = head(from.store.as_ref(), &listed_at(&from.shelf, source), Side::Source).await? else {
        return Ok(false);
    };
    if here.etag != source.etag {
        return Ok(false);
    }
    Ok(is(pinned(world, source, Some(&here)))? || checksums && tell_the_same(&here, &there))
}

fn tell_the_same(here: &Head, there: &Head) -> bool {
    let (Some(here), Some(there)) = (&here.checksum, &there.checksum) else { return false };
    here == there && here.kind == ChecksumKind::FullObject
}

/// The source as a transfer would pin it: by what was listed, or what a HEAD told.
fn pinned(world: &World<'_>, source: &ListedObject, head: Option<&Head>) -> Pinned {
    let tree = &world.asked.request.source;
    Pinned {
        object: Source::Stored(StoredSource {
            location: tree.location.clone(),
            bucket: tree.bucket.clone(),
            key: source.key.clone(),
            version_id: head.and_then(|head| head.version.clone()).or_else(|| source.version.clone()),
        }),
        etag: source.etag.clone(),
        size: source.size,
        last_modified: head.map_or_else(|| source.last_modified.clone(), |head| head.last_modified.clone()),
        checksum: None,
        requester_pays: world.asked.request.options.requester_pays,
    }
}

fn listed_at(shelf: &Shelf, object: &ListedObject) -> ObjectRef {
    ObjectRef::from(StoredRef {
        bucket: shelf.bucket.clone(),
        key: object.key.clone(),
        version: object.version.clone(),
        requester_pays: shelf.requester_pays,
    })
}

/// Facts of an object; `None` if there is none.
pub(crate) async fn head(store: &dyn Store, object: &ObjectRef, side: Side) -> Result<Option<Head>, Failure> {
    let mut backoff = Backoff::of_tries(TRIES);
    loop {
        match store.head(object).await {
            Ok(head) => return Ok(Some(head)),
            // Gone, or of a kind that can not be compared: whoever is to send it will see.
            Err(error)
                if matches!(
                    error.kind,
                    StoreErrorKind::NotFound | StoreErrorKind::DeleteMarker | StoreErrorKind::NeedsSseC
                ) =>
            {
                return Ok(None);
            }
            Err(error) if error.is_transient() && backoff.pause(&Deadline::NONE).await => {}
            Err(error) => return Err(failure_of(error, side)),
        }
    }
}
