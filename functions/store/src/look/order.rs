//! Keeps an older version of the source from replacing a newer one.
//!
//! A transfer that reads whatever is newest needs no more than the order of its looks: see [`look`](super::look). Only
//! a version that was named, or pinned a while ago, may be older than what another transfer wrote meanwhile.
//!
//! Dates decide between two versions of which neither is the newest, and only then: S3 dates an object by the start of
//! its upload, so a large one may be newer than its date.

use std::cmp::Ordering;

use transload_wire::{Decision, Failure, Overwrite, Pinned, TransferRequest};

use crate::{Head, ObjectRef, Side, Store, failure_of, made_from, prove};

/// What is to be done instead, if the pinned version may be older than the one that stands at the destination. `before`
/// says that it was pinned a while ago.
pub(super) async fn judge(
    store: &dyn Store,
    standing: Option<&Head>,
    request: &TransferRequest,
    before: bool,
    pinned: &Pinned,
) -> Result<Option<(Decision, String)>, Failure> {
    let named = request.source.version_id().is_some();
    if request.options.overwrite != Overwrite::IfDifferent || !(named || before) {
        return Ok(None);
    }
    let Some(order) = standing.and_then(|head| made_from(head, pinned)) else { return Ok(None) };
    if is_newest(store, pinned).await? {
        return Ok(None);
    }
    Ok(match (named, order) {
        (false, _) => Some((
            Decision::Renew,
            "another transfer wrote the destination, and the source has a newer version".to_owned(),
        )),
        (true, Ordering::Less) => None,
        (true, _) => Some((
            Decision::Skip,
            format!(
                "the destination holds a version of the source that is not older (the one asked for is of {}); \
                 options.overwrite always replaces it",
                pinned.last_modified
            ),
        )),
    })
}

/// Whether no newer version has come, and no delete marker.
async fn is_newest(store: &dyn Store, pinned: &Pinned) -> Result<bool, Failure> {
    let source = pinned.object.at_version(None);
    let head = match store.head(&ObjectRef::of_source(&source, pinned.requester_pays)).await {
        Ok(head) => head,
        Err(error) if prove::is_nothing(&error) => return Ok(false),
        Err(error) => return Err(failure_of(error, Side::Source).at("source")),
    };
    Ok((head.version.as_ref(), &head.etag) == (pinned.object.version_id(), &pinned.etag))
}
