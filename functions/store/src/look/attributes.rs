//! What the destination will carry beside the bytes.

use std::collections::BTreeMap;

use transload_wire::{
    Attributes, ErrorName, Failure, MAX_METADATA_BYTES, RESERVED_METADATA_PREFIX, TransferRequest,
    is_portable_storage_class,
};

use crate::{Head, ObjectRef, Side, Stamp, Store, StoreErrorKind, failure_of};

/// The source's attributes, as far as the options do not replace them. Tags are read of `object`, unless the head says
/// that there are none.
///
/// # Errors
/// `Unsupported` for metadata that the store can not send; those of reading tags.
pub async fn wanted(
    store: &dyn Store,
    request: &TransferRequest,
    object: &ObjectRef,
    head: &Head,
) -> Result<Attributes, Failure> {
    let options = &request.options;
    complete(request, head)?;
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
        None if options.copy_tags && head.tag_count != Some(0) => tags(store, object).await?,
        None => BTreeMap::new(),
    };
    Ok(attributes)
}

/// Refuses to lose metadata that the store keeps but can not send.
fn complete(request: &TransferRequest, head: &Head) -> Result<(), Failure> {
    if head.missing_metadata == 0 || request.options.metadata.is_some() {
        return Ok(());
    }
    Err(ErrorName::Unsupported.because(format!(
        "{}: expected all metadata, found {} entries that the store can not send as headers (x-amz-missing-meta); \
         set options.metadata to what the destination shall carry",
        request.source, head.missing_metadata
    )))
}

/// Tags of an object. A store that has no tags at all has none to lose.
///
/// # Errors
/// The store's own; of a missing right with what to do about it.
pub async fn tags(store: &dyn Store, object: &ObjectRef) -> Result<BTreeMap<String, String>, Failure> {
    match store.tags(object).await {
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
///
/// # Errors
/// `DestinationInvalid`.
pub fn fit(attributes: &Attributes, stamp: &Stamp) -> Result<(), Failure> {
    let bytes = |map: &BTreeMap<String, String>| {
        map.iter().map(|(name, value)| name.len() + value.len()).sum::<usize>()
    };
    let (theirs, all) = (bytes(&attributes.metadata), bytes(&stamp.onto(&attributes.metadata)));
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

#[cfg(test)]
mod tests {
    use transload_wire::{ErrorName, Failure, TransferRequest, parse};

    use crate::look::pin::pin;
    use crate::memory::{MemoryConfig, MemoryStore};
    use crate::{Head, ObjectRef, Store};

    /// What is wanted of an object that lost as many entries, under these options.
    async fn wanted(missing_metadata: u32, options: &str) -> Result<Vec<String>, Failure> {
        let store = MemoryStore::new(MemoryConfig::default()).with_bucket("abc");
        store.write("abc", "k", "bytes");
        let json = format!(
            r#"{{"source": {{"location": "g", "bucket": "abc", "key": "k"}},
                "destination": {{"location": "c", "bucket": "abc", "key": "l"}}, "options": {options}}}"#
        );
        let request: TransferRequest = parse(json.as_bytes()).unwrap();
        let (pinned, head) = pin(&store as &dyn Store, &request, None).await.unwrap();
        assert_eq!(head.missing_metadata, 0);
        let head = Head { missing_metadata, ..head };
        let attributes = super::wanted(&store, &request, &ObjectRef::of_pinned(&pinned), &head).await?;
        Ok(attributes.metadata.into_keys().collect())
    }

    #[tokio::test]
    async fn metadata_is_not_lost_silently() {
        assert!(wanted(0, "{}").await.unwrap().is_empty());
        let refused = wanted(2, "{}").await.unwrap_err();
        assert_eq!(refused.name, ErrorName::Unsupported);
        assert!(refused.message.contains("found 2 entries") && refused.message.contains("options.metadata"));
        assert_eq!(wanted(2, r#"{"metadata": {"Own": "1"}}"#).await.unwrap(), ["own"]);
    }
}
