//! Reading verbs: every answer is held against what was asked for.

use std::collections::BTreeMap;

use aws_sdk_s3::operation::get_object::GetObjectOutput;
use aws_sdk_s3::operation::head_object::HeadObjectOutput;
use aws_sdk_s3::types::{ChecksumMode, RequestPayer};
use futures::StreamExt;
use transload_plan::ByteRange;
use transload_wire::Etag;

use super::S3Store;
use super::convert::etag;
use super::facts::of_head;
use super::incoming::Incoming;
use super::told::Told;
use crate::{Head, Ranged, StoreError, StoreErrorKind as Kind, StoredRef, Verb};

/// The header that agrees to pay.
pub(super) fn payer(object: &StoredRef) -> Option<RequestPayer> {
    object.requester_pays.then_some(RequestPayer::Requester)
}

pub(super) async fn head(store: &S3Store, object: &StoredRef) -> Result<Head, StoreError> {
    let (place, told) = (object.to_string(), Told::default());
    let of_head = |place: &str, answer: &HeadObjectOutput| {
        let head = of_head(place, answer)?;
        Ok(Head { checksum: head.checksum.or(told.get(store)), ..head })
    };
    match asked(store, object, &told).await {
        Err(error) if matches!(error.kind, Kind::InvalidRequest | Kind::AccessDenied) => {
            match why(store, object, error).await {
                Some(error) => Err(error),
                // What stood in the way is gone: a clock that was wrong, and that the answers have put right.
                None => asked(store, object, &told).await.and_then(|answer| of_head(&place, &answer)),
            }
        }
        answered => answered.and_then(|answer| of_head(&place, &answer)),
    }
}

/// What the store itself tells.
pub(super) async fn ask(store: &S3Store, object: &StoredRef) -> Result<HeadObjectOutput, StoreError> {
    asked(store, object, &Told::default()).await
}

async fn asked(store: &S3Store, object: &StoredRef, told: &Told) -> Result<HeadObjectOutput, StoreError> {
    store
        .call(Verb::HeadObject, &object.to_string(), |client| {
            client
                .head_object()
                .bucket(object.bucket.as_str())
                .key(object.key.as_str())
                .set_version_id(object.version.as_ref().map(ToString::to_string))
                .set_request_payer(payer(object))
                .set_expected_bucket_owner(store.settings.expected_bucket_owner.clone())
                .checksum_mode(ChecksumMode::Enabled)
                .customize()
                .interceptor(told.clone())
                .send()
        })
        .await
}

/// HEAD has no body that could tell why it was refused: 400 is SSE-C as well as an expired token, 403 a wrong clock as well
/// as a missing right. A GET of one byte has. `None`: the GET is not refused.
async fn why(store: &S3Store, object: &StoredRef, head: StoreError) -> Option<StoreError> {
    let place = object.to_string();
    let asked = store
        .call(Verb::GetObject, &place, |client| {
            client
                .get_object()
                .bucket(object.bucket.as_str())
                .key(object.key.as_str())
                .set_version_id(object.version.as_ref().map(ToString::to_string))
                .set_request_payer(payer(object))
                .set_expected_bucket_owner(store.settings.expected_bucket_owner.clone())
                .range("bytes=0-0")
                .send()
        })
        .await;
    Some(match asked {
        Ok(_) => return None,
        Err(error) if error.kind == Kind::WrongRange => head,
        // Not known why: worth another try later.
        Err(error) => error,
    })
}

pub(super) async fn tags(
    store: &S3Store,
    object: &StoredRef,
) -> Result<BTreeMap<String, String>, StoreError> {
    let answer = store
        .call(Verb::GetObjectTagging, &object.to_string(), |client| {
            client
                .get_object_tagging()
                .bucket(object.bucket.as_str())
                .key(object.key.as_str())
                .set_version_id(object.version.as_ref().map(ToString::to_string))
                .set_request_payer(payer(object))
                .set_expected_bucket_owner(store.settings.expected_bucket_owner.clone())
                .send()
        })
        .await?;
    Ok(answer.tag_set().iter().map(|tag| (tag.key().to_owned(), tag.value().to_owned())).collect())
}

pub(super) async fn get_range(
    store: &S3Store,
    object: &StoredRef,
    pin: &Etag,
    range: ByteRange,
    total: u64,
) -> Result<Ranged, StoreError> {
    let place = format!("{object} {range}");
    let answer = store
        .call(Verb::GetObject, &place, |client| {
            client
                .get_object()
                .bucket(object.bucket.as_str())
                .key(object.key.as_str())
                .set_version_id(object.version.as_ref().map(ToString::to_string))
                .set_request_payer(payer(object))
                .set_expected_bucket_owner(store.settings.expected_bucket_owner.clone())
                .if_match(pin.to_header())
                .set_range((range.len > 0).then(|| range.to_string()))
                .send()
        })
        .await?;
    check_range(&place, &answer, pin, range, total)?;
    let body = answer.body.into_inner();
    let place = format!("{} {place}", Verb::GetObject);
    Ok(Ranged { range, body: Incoming::new(body, place, range.len, store.settings.patience.stall).boxed() })
}

/// The SDK takes 200, other offsets and other totals for success.
fn check_range(
    place: &str,
    answer: &GetObjectOutput,
    pin: &Etag,
    range: ByteRange,
    total: u64,
) -> Result<(), StoreError> {
    let refuse = |kind, expected: String, found: String| {
        Err(StoreError::new(kind, format!("{} {place}: expected {expected}, found {found}", Verb::GetObject)))
    };
    let found = etag(Verb::GetObject, place, answer.e_tag())?;
    // A store that ignores If-Match: another ETag is another object.
    if found != *pin {
        return refuse(Kind::PreconditionFailed, format!("ETag {pin}"), format!("ETag {found}"));
    }
    let length = answer.content_length();
    if range.len > 0 {
        let Some(content_range) = answer.content_range() else {
            let bytes = length.map_or("bytes".to_owned(), |length| format!("{length} bytes"));
            return refuse(
                Kind::RangeIgnored,
                "the range (206)".to_owned(),
                format!("an answer of {bytes} without Content-Range"),
            );
        };
        let expected = format!("bytes {}-{}/{total}", range.start, range.end() - 1);
        if content_range != expected {
            return refuse(Kind::WrongRange, expected, content_range.to_owned());
        }
    }
    match length {
        Some(length) if u64::try_from(length) != Ok(range.len) => {
            refuse(Kind::WrongRange, format!("{} bytes", range.len), format!("{length} bytes announced"))
        }
        _ => Ok(()),
    }
}
