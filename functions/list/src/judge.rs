//! What is to be done about one key.

use transload_plan::{Facts, Joined, Keyed, Verdict};
use transload_store::ListedObject;
use transload_wire::{Archived, Doomed, ErrorName, Etag, Failure, Item, Large, ObjectKey, Overwrite};

use crate::asked::Asked;
use crate::lister::Pair;
use crate::lists::Lists;

/// Reasons beside those of the filter.
const KEY_UNUSABLE: &str = "keyUnusable";
const ARCHIVED: &str = "archived";
const EXISTS: &str = "exists";

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
pub(crate) fn judge(asked: &Asked, lists: &mut Lists, row: Pair, verdict: Verdict) -> Result<(), Failure> {
    let (source, destination) = match row {
        Joined::Both(source, destination) => (Some(source.object), Some(destination.object)),
        Joined::Source(source) => (Some(source.object), None),
        Joined::Destination(destination) => (None, Some(destination.object)),
    };
    if let Some(standing) = &destination {
        lists.found.destination.add(standing.size);
    }
    match (source, destination) {
        (Some(source), destination) => {
            lists.found.listed.add(source.size);
            send(asked, lists, source, destination.map(|standing| standing.etag), verdict)
        }
        (None, Some(destination)) => delete(asked, lists, destination),
        (None, None) => Ok(()),
    }
}

/// Why an object of the source does not take part.
pub(crate) fn left_out(asked: &Asked, source: &ListedObject) -> Option<&'static str> {
    let shelf = &asked.source.shelf;
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
    verdict: Verdict,
) -> Result<(), Failure> {
    if let Some(reason) = left_out(asked, &source) {
        return lists.skip(source, reason);
    }
    let to = format!("{}{}", asked.destination.shelf.prefix, relative(&source, &asked.source.shelf.prefix));
    let Ok(to) = to.parse::<ObjectKey>() else { return lists.skip(source, KEY_UNUSABLE) };
    if standing.is_some() && verdict == Verdict::Same {
        lists.found.present.add(source.size);
        return Ok(());
    }
    if standing.is_some() && asked.request.options.overwrite == Overwrite::Never {
        return lists.skip(source, EXISTS);
    }
    if source.archived {
        return archived(asked, lists, source);
    }
    if source.size <= asked.small && !wants_parts(asked, &source) {
        let ListedObject { key, size, etag, version, .. } = source;
        return lists.small(&Item { key, size, etag, version_id: version, replaces: standing });
    }
    let ListedObject { key, size, version, .. } = source;
    lists.large(&Large { key, destination_key: to, size, version_id: version })
}

/// An object that was sent in parts keeps its ETag only if it is cut as it was: one request can not do that.
fn wants_parts(asked: &Asked, source: &ListedObject) -> bool {
    asked.request.options.preserve_etag && source.etag.parts().is_some()
}

fn archived(asked: &Asked, lists: &mut Lists, source: ListedObject) -> Result<(), Failure> {
    match asked.request.sync.archived {
        Archived::Skip => lists.skip(source, ARCHIVED),
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
