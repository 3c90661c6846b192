//! What the destination will carry beside the bytes.

use std::collections::BTreeMap;

use transload_store::{Head, ObjectRef, Side, Store, StoreErrorKind, failure_of, stamped};
use transload_wire::{
    Attributes, ErrorName, Failure, MAX_METADATA_BYTES, Pinned, RESERVED_METADATA_PREFIX, Token,
    TransferRequest, is_portable_storage_class,
};

/// The source's attributes, as far as the options do not replace them.
pub(crate) async fn wanted(
    store: &dyn Store,
    request: &TransferRequest,
    pinned: &Pinned,
    head: &Head,
) -> Result<Attributes, Failure> {
    let options = &request.options;
    let mut attributes = head.attributes.clone();
    // A source that was itself written by a transfer carries that transfer's entries.
    attributes.metadata.retain(|name, _| !name.starts_with(RESERVED_METADATA_PREFIX));
    if let Some(metadata) = &options.metadata {
        attributes.metadata =
            metadata.iter().map(|(name, value)| (name.to_ascii_lowercase(), value.clone())).collect();
    }
    attributes.storage_class = match &options.storage_class {
        Some(class) => Some(class.clone()).filter(|class| class != "STANDARD"),
        None => attributes.storage_class.filter(|class| is_portable_storage_class(class)),
    };
    attributes.tags = match &options.tags {
        Some(tags) => tags.clone(),
        None if options.copy_tags && head.tag_count != Some(0) => tags(store, pinned).await?,
        None => BTreeMap::new(),
    };
    Ok(attributes)
}

/// Tags of the pinned version. A store that has no tags at all has none to lose.
async fn tags(store: &dyn Store, pinned: &Pinned) -> Result<BTreeMap<String, String>, Failure> {
    match store.tags(&ObjectRef::of_pinned(pinned)).await {
        Ok(tags) => Ok(tags),
        Err(error) if error.kind == StoreErrorKind::Unsupported => Ok(BTreeMap::new()),
        Err(error) => {
            let denied = error.kind == StoreErrorKind::AccessDenied;
            let mut failure = failure_of(error, Side::Source).at("source's tags");
            if denied {
                failure.message.push_str("; without the right to read tags, set options.copyTags to false");
            }
            Err(failure)
        }
    }
}

/// Refuses metadata that does not fit together with our own entries, before anything is written.
pub(crate) fn fit(attributes: &Attributes, token: &Token, identity: &Token) -> Result<(), Failure> {
    let bytes = |map: &BTreeMap<String, String>| {
        map.iter().map(|(name, value)| name.len() + value.len()).sum::<usize>()
    };
    let (theirs, all) = (bytes(&attributes.metadata), bytes(&stamped(&attributes.metadata, token, identity)));
    if all <= MAX_METADATA_BYTES {
        return Ok(());
    }
    Err(ErrorName::DestinationInvalid.because(format!(
        "metadata: expected at most {} bytes of names and values (S3 takes {MAX_METADATA_BYTES}, transload's own entries need {}), \
         found {theirs}; options.metadata can replace them",
        MAX_METADATA_BYTES - (all - theirs),
        all - theirs,
    )))
}
