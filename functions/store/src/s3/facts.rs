//! The facts of an object, as HEAD and GET tell them in the same headers.

use std::collections::BTreeMap;

use aws_sdk_s3::operation::get_object::GetObjectOutput;
use aws_sdk_s3::operation::head_object::HeadObjectOutput;
use transload_wire::{Attributes, is_archive_class};

use super::convert::{checksum_of, etag, size, time, version, whole};
use crate::{Head, StoreError, StoreErrorKind as Kind, Verb};

/// Declares how an answer of the SDK is read. Its two types have the same methods without a common trait; only HEAD tells
/// the tier that an intelligent class keeps an object in, and GET of such an object fails.
macro_rules! facts {
    ($name:ident, $answer:ty, $verb:expr, $tier:expr) => {
        /// What the answer tells of the object.
        ///
        /// # Errors
        /// `DeleteMarker`, `NeedsSseC`, and `Malformed` for an answer without ETag or length.
        pub(super) fn $name(place: &str, answer: &$answer) -> Result<Head, StoreError> {
            refuse($verb, place, answer.delete_marker(), answer.sse_customer_algorithm())?;
            let etag = etag($verb, place, answer.e_tag())?;
            let owned = |text: Option<&str>| text.map(str::to_owned);
            let metadata = answer.metadata().into_iter().flatten();
            let class = answer.storage_class().map(|class| class.as_str());
            let tier: fn(&$answer) -> bool = $tier;
            Ok(Head {
                size: size($verb, place, answer.content_length())?,
                version: version(answer.version_id()),
                last_modified: time(answer.last_modified()),
                checksum: whole(checksum_of!(answer), answer.checksum_type(), &etag),
                attributes: Attributes {
                    content_type: owned(answer.content_type()),
                    content_encoding: owned(answer.content_encoding())
                        .and_then(|coding| without_chunked(&coding)),
                    content_language: owned(answer.content_language()),
                    content_disposition: owned(answer.content_disposition()),
                    cache_control: owned(answer.cache_control()),
                    expires: owned(answer.expires_string()),
                    website_redirect: owned(answer.website_redirect_location()),
                    metadata: metadata.map(|(name, value)| (name.clone(), value.clone())).collect(),
                    tags: BTreeMap::new(),
                    storage_class: owned(class).filter(|class| class != "STANDARD"),
                },
                tag_count: answer.tag_count().and_then(|count| u32::try_from(count).ok()),
                missing_metadata: answer.missing_meta().and_then(|n| u32::try_from(n).ok()).unwrap_or(0),
                archived: is_archived(class, tier(answer), answer.restore()),
                etag,
            })
        }
    };
}

facts!(of_head, HeadObjectOutput, Verb::HeadObject, |answer| answer.archive_status().is_some());
facts!(of_get, GetObjectOutput, Verb::GetObject, |_| false);

fn refuse(verb: Verb, place: &str, marker: Option<bool>, customer: Option<&str>) -> Result<(), StoreError> {
    let (kind, why) = match (marker, customer) {
        (Some(true), _) => (Kind::DeleteMarker, "the version is a delete marker"),
        (_, Some(_)) => (Kind::NeedsSseC, "encrypted with a key of the client's own (SSE-C)"),
        _ => return Ok(()),
    };
    Err(StoreError::new(kind, format!("{verb} {place}: {why}")))
}

/// Some stores keep `aws-chunked`, which belongs to the upload and not to the object.
fn without_chunked(coding: &str) -> Option<String> {
    let kept: Vec<_> =
        coding.split(',').map(str::trim).filter(|word| *word != "aws-chunked" && !word.is_empty()).collect();
    (!kept.is_empty()).then(|| kept.join(","))
}

/// In an archive tier, and not restored: `x-amz-restore` says `ongoing-request="false"` once it is.
fn is_archived(class: Option<&str>, tier: bool, restore: Option<&str>) -> bool {
    let tier = tier || class.is_some_and(is_archive_class);
    tier && !restore.is_some_and(|restore| restore.contains("ongoing-request=\"false\""))
}
