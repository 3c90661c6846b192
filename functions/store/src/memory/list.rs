//! Listings of a store in memory.

use std::ops::Bound;

use transload_wire::ObjectKey;

use super::MemoryConfig;
use super::state::{Bucket, State, Version};
use crate::{ListedObject, ObjectListing, Shelf, StoreError, StoreErrorKind, Verb};

/// A page of the newest versions. Delete markers take no place on it, unless versions are listed.
pub(super) fn list(
    config: &MemoryConfig,
    state: &mut State,
    verb: Verb,
    shelf: &Shelf,
    (after, max): (&str, u32),
) -> Result<ObjectListing, StoreError> {
    state.begin(verb, &shelf.bucket)?;
    let bucket = state.bucket(verb, shelf.bucket.as_str())?;
    if bucket.requester_pays && !shelf.requester_pays {
        let why = format!("{verb} {shelf}: the requester has to pay");
        return Err(StoreError::new(StoreErrorKind::AccessDenied, why));
    }
    let versions = verb == Verb::ListObjectVersions;
    let max = config.page.min(usize::try_from(max).unwrap_or(usize::MAX));
    let mut rows =
        behind(bucket, &shelf.prefix, after).filter(|(_, newest)| versions || newest.content.is_some());
    let page: Vec<_> = rows.by_ref().take(max).collect();
    let more = rows.next().is_some();
    let next = page.last().filter(|_| more).map(|(key, _)| key.to_string());
    let objects = page.into_iter().filter_map(|(key, newest)| listed(key, newest, versions)).collect();
    Ok(ObjectListing { objects, next })
}

fn behind<'a>(
    bucket: &'a Bucket,
    prefix: &'a str,
    after: &'a str,
) -> impl Iterator<Item = (&'a ObjectKey, &'a Version)> {
    let from = if after > prefix { after } else { prefix };
    // An empty text is no key: then all of them are behind it.
    let start = from.parse().map_or(Bound::Unbounded, Bound::<ObjectKey>::Included);
    bucket
        .objects
        .range((start, Bound::Unbounded))
        .take_while(move |(key, _)| key.as_str().starts_with(prefix) || key.as_str() < prefix)
        .filter(move |(key, _)| key.as_str() > after && key.as_str().starts_with(prefix))
        .filter_map(|(key, versions)| versions.last().map(|newest| (key, newest)))
}

fn listed(key: &ObjectKey, newest: &Version, versions: bool) -> Option<ListedObject> {
    let content = newest.content.as_ref()?;
    let class = content.target.attributes.storage_class.clone().filter(|class| class != "STANDARD");
    Some(ListedObject {
        key: key.clone(),
        size: content.bytes.len() as u64,
        etag: content.etag.clone(),
        last_modified: content.modified.clone(),
        storage_class: if content.archived { class.or_else(|| Some("GLACIER".to_owned())) } else { class },
        archived: content.archived,
        version: newest.id.clone().filter(|_| versions),
        unfit: None,
    })
}
