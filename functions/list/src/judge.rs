//! What is to be done about one key.

use transload_plan::{Facts, Joined, Keyed, Verdict};
use transload_store::ListedObject;
use transload_wire::{Archived, Doomed, ErrorName, Etag, Failure, ObjectKey, Overwrite, PlanCopy, PlanSkip};

use crate::asked::Asked;
use crate::lister::Pair;
use crate::lists::Lists;
use crate::look::Settled;

/// Reasons beside those of the filter.
const KEY_UNUSABLE: &str = "keyUnusable";
const ARCHIVED: &str = "archived";
const EXISTS: &str = "exists";
const METADATA: &str = "metadata";

/// The key of a row, behind the prefixes.
pub(crate) fn key(row: &Pair) -> &str {
    match row {
        Joined::Both(row, _) | Joined::Source(row) | Joined::Destination(row) => row.key(),
    }
}

/// Counts a row, and writes it to the list where it belongs.
///
/// # Errors
/// `SourceArchived`, where the request wants to fail for that.
pub(crate) fn judge(asked: &Asked, lists: &mut Lists, row: Pair, settled: Settled) -> Result<(), Failure> {
    let (source, destination) = match row {
        Joined::Both(source, destination) => (Some(source.object), Some(destination.object)),
        Joined::Source(source) => (Some(source.object), None),
        Joined::Destination(destination) => (None, Some(destination.object)),
    };
    // What is no object there is neither replaced nor deleted; a copy in its place fails, and says why.
    let destination = destination.filter(|standing| standing.unfit.is_none());
    if let Some(standing) = &destination {
        lists.found.destination.add(standing.size);
    }
    match (source, destination) {
        (Some(source), destination) => {
            lists.found.listed.add(source.size);
            send(asked, lists, source, destination.map(|standing| standing.etag), settled)
        }
        (None, Some(destination)) => delete(asked, lists, destination),
        (None, None) => Ok(()),
    }
}

/// Why an object of the source does not take part.
pub(crate) fn left_out(asked: &Asked, source: &ListedObject) -> Option<&'static str> {
    let shelf = &asked.source.shelf;
    if let Some(unfit) = source.unfit {
        let behind = relative(source, &shelf.prefix);
        let ruled = asked.filter.judge_key(shelf.bucket.as_str(), source.key.as_str(), behind);
        return Some(ruled.map_or(unfit.as_str(), transload_plan::Reason::as_str));
    }
    let facts = Facts {
        bucket: shelf.bucket.as_str(),
        key: source.key.as_str(),
        relative: relative(source, &shelf.prefix),
        size: source.size,
        modified: &source.last_modified,
        class: source.storage_class.as_deref().unwrap_or("STANDARD"),
    };
    asked.filter.judge(&facts).map(transload_plan::Reason::as_str)
}

fn relative<'a>(object: &'a ListedObject, prefix: &str) -> &'a str {
    object.key.as_str().get(prefix.len()..).unwrap_or_default()
}

fn send(
    asked: &Asked,
    lists: &mut Lists,
    source: ListedObject,
    standing: Option<Etag>,
    settled: Settled,
) -> Result<(), Failure> {
    if let Some(reason) = left_out(asked, &source) {
        return skip(lists, source, reason);
    }
    let to = destination_key(asked, source.key.as_str());
    let Some(to) = to else { return skip(lists, source, KEY_UNUSABLE) };
    if standing.is_some() && settled.verdict == Verdict::Same {
        lists.found.present.add(source.size);
        return Ok(());
    }
    if standing.is_some() && asked.request.options.overwrite == Overwrite::Never {
        return skip(lists, source, EXISTS);
    }
    if !settled.wanted {
        return skip(lists, source, METADATA);
    }
    let thaws = source.archived && asked.request.sync.archived == Archived::Thaw;
    if source.archived && !thaws {
        return archived(asked, lists, source);
    }
    let ListedObject { key, size, etag, version: version_id, last_modified, archived, storage_class, .. } =
        source;
    let last_modified = Some(last_modified);
    let copy = PlanCopy { key, size, etag, version_id, last_modified, archived, replaces: standing };
    lists.copy(copy, to, storage_class.as_deref())
}

/// What follows the source's prefix follows the destination's; `None` for what is no key there, or not below the prefix.
pub(crate) fn destination_key(asked: &Asked, key: &str) -> Option<ObjectKey> {
    let rest = key.strip_prefix(asked.source.shelf.prefix.as_str())?;
    let key = format!("{}{rest}", asked.destination.shelf.prefix).parse().ok();
    key.filter(|key| asked.destination.store.takes(key))
}

fn skip(lists: &mut Lists, source: ListedObject, reason: &str) -> Result<(), Failure> {
    let ListedObject { key, size, .. } = source;
    lists.skip(PlanSkip { key, size, reason: reason.to_owned() })
}

fn archived(asked: &Asked, lists: &mut Lists, source: ListedObject) -> Result<(), Failure> {
    match asked.request.sync.archived {
        // What is to be thawed does not come here.
        Archived::Skip | Archived::Thaw => skip(lists, source, ARCHIVED),
        Archived::Fail => Err(ErrorName::SourceArchived.because(format!(
            "source: expected no object in an archive tier (sync.archived is fail), found s3://{}/{}",
            asked.source.shelf.bucket, source.key
        ))),
    }
}

/// What the rules keep out by its key was never to be copied, so that its absence says nothing.
fn delete(asked: &Asked, lists: &mut Lists, standing: ListedObject) -> Result<(), Failure> {
    let behind = relative(&standing, &asked.destination.shelf.prefix);
    let shelf = &asked.source.shelf;
    let whole = format!("{}{behind}", shelf.prefix);
    let kept = asked.filter.judge_key(shelf.bucket.as_str(), &whole, behind).is_some();
    // A key that the source can not have was not made from it.
    let (Ok(source_key), Some(_), false) = (whole.parse::<ObjectKey>(), &asked.request.sync.delete, kept)
    else {
        return Ok(());
    };
    let ListedObject { key, size, etag, .. } = standing;
    lists.doom(&Doomed { key, source_key, size, etag })
}
