//! One GET that gives an object's facts together with its bytes: what HEAD would tell stands in the same answer.

use aws_sdk_s3::operation::get_object::GetObjectOutput;
use futures::StreamExt;
use transload_wire::Etag;

use super::incoming::Incoming;
use super::read::payer;
use super::told::Told;
use super::{S3Store, facts};
use crate::{Head, Opened, StoreError, StoreErrorKind as Kind, StoredRef, Verb};

/// Without a `Range`, so that the checksum in the answer is the whole object's. The SDK is not told of it, for it would
/// hash every byte a second time.
pub(super) async fn open(
    store: &S3Store,
    object: &StoredRef,
    pin: &Etag,
    total: u64,
) -> Result<Opened, StoreError> {
    let (place, told) = (object.to_string(), Told::default());
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
                .customize()
                .interceptor(told.clone())
                .mutate_request(|request| {
                    request.headers_mut().insert("x-amz-checksum-mode", "ENABLED");
                })
                .send()
        })
        .await?;
    let head = facts::of_get(&place, &answer)?;
    let head = Head { checksum: head.checksum.or(told.get(store)), ..head };
    check(&place, &answer, &head, pin, total)?;
    let place = format!("{} {place}", Verb::GetObject);
    let body = answer.body.into_inner();
    Ok(Opened { head, body: Incoming::new(body, place, total, store.settings.patience.stall).boxed() })
}

/// The SDK takes a part of the object, and another object, for success.
fn check(
    place: &str,
    answer: &GetObjectOutput,
    head: &Head,
    pin: &Etag,
    total: u64,
) -> Result<(), StoreError> {
    let refuse = |kind, expected: String, found: String| {
        Err(StoreError::new(kind, format!("{} {place}: expected {expected}, found {found}", Verb::GetObject)))
    };
    if head.etag != *pin {
        // A store that ignores If-Match.
        return refuse(Kind::PreconditionFailed, format!("ETag {pin}"), format!("ETag {}", head.etag));
    }
    if let Some(range) = answer.content_range() {
        return refuse(Kind::WrongRange, "the whole object".to_owned(), range.to_owned());
    }
    if head.size != total {
        return refuse(Kind::WrongRange, format!("{total} bytes"), format!("{} bytes announced", head.size));
    }
    Ok(())
}
