//! How an object was cut into parts when it was uploaded.

use aws_sdk_s3::types::ObjectAttributes;
use transload_plan::Run;

use super::S3Store;
use super::convert::{etag, required, size};
use super::read::payer;
use crate::{Head, StoreError, StoreErrorKind as Kind, StoredRef, Verb};

/// With more parts than this of unequal lengths, asking for each costs more than an equal ETag is worth.
const MOST_HEADS: u32 = 512;

pub(super) async fn source_parts(
    store: &S3Store,
    object: &StoredRef,
    head: &Head,
) -> Result<Option<Vec<Run>>, StoreError> {
    if head.etag.parts().is_none() {
        return Ok(None);
    }
    match by_attributes(store, object, head).await {
        Ok(Some(runs)) => Ok(Some(runs)),
        // Stores without the call, callers without the right, and objects whose parts are not listed (those without
        // checksums): HEAD tells as well.
        Ok(None) => by_heads(store, object, head).await,
        Err(error)
            if matches!(
                error.kind,
                Kind::Unsupported
                    | Kind::AccessDenied
                    | Kind::InvalidRequest
                    | Kind::NotFound
                    | Kind::Malformed
            ) =>
        {
            by_heads(store, object, head).await
        }
        Err(error) => Err(error),
    }
}

async fn by_attributes(
    store: &S3Store,
    object: &StoredRef,
    head: &Head,
) -> Result<Option<Vec<Run>>, StoreError> {
    let place = object.to_string();
    let (mut runs, mut after) = (Vec::new(), None::<String>);
    loop {
        let answer = store
            .call(Verb::GetObjectAttributes, &place, |client| {
                client
                    .get_object_attributes()
                    .bucket(object.bucket.as_str())
                    .key(object.key.as_str())
                    .set_version_id(object.version.as_ref().map(ToString::to_string))
                    .set_request_payer(payer(object))
                    .set_expected_bucket_owner(store.settings.expected_bucket_owner.clone())
                    .object_attributes(ObjectAttributes::Etag)
                    .object_attributes(ObjectAttributes::ObjectParts)
                    .set_part_number_marker(after.clone())
                    .send()
            })
            .await?;
        pinned(Verb::GetObjectAttributes, &place, head, answer.e_tag())?;
        let Some(parts) = answer.object_parts() else { return Ok(None) };
        for part in parts.parts() {
            push(&mut runs, size(Verb::GetObjectAttributes, &place, part.size())?);
        }
        match parts.next_part_number_marker() {
            Some(next) if parts.is_truncated() == Some(true) && after.as_deref() != Some(next) => {
                after = Some(next.to_owned());
            }
            _ => return Ok(adds_up(&runs, head).then_some(runs)),
        }
    }
}

async fn by_heads(store: &S3Store, object: &StoredRef, head: &Head) -> Result<Option<Vec<Run>>, StoreError> {
    let place = object.to_string();
    let (first, count) = head_part(store, object, head, 1).await?;
    let count = required(Verb::HeadObject, &place, "x-amz-mp-parts-count", count.or(head.etag.parts()))?;
    if count <= 1 {
        return Ok(Some(vec![Run { length: first, count: 1 }]));
    }
    let (last, _) = head_part(store, object, head, count).await?;
    let mut runs = Vec::new();
    if first.saturating_mul(u64::from(count - 1)).checked_add(last) == Some(head.size) && last <= first {
        runs.push(Run { length: first, count: count - 1 });
        push(&mut runs, last);
        return Ok(Some(runs));
    }
    if count > MOST_HEADS {
        return Err(StoreError::new(
            Kind::Unsupported,
            format!("{place}: expected at most {MOST_HEADS} parts of unequal lengths, found {count}"),
        ));
    }
    for number in 1..=count {
        push(&mut runs, head_part(store, object, head, number).await?.0);
    }
    if adds_up(&runs, head) {
        return Ok(Some(runs));
    }
    Err(StoreError::new(
        Kind::Malformed,
        format!("{place}: expected parts of {} bytes in all, found others", head.size),
    ))
}

/// Bytes of one part, and how many there are.
async fn head_part(
    store: &S3Store,
    object: &StoredRef,
    head: &Head,
    number: u32,
) -> Result<(u64, Option<u32>), StoreError> {
    let place = format!("{object} part {number}");
    let answer = store
        .call(Verb::HeadObject, &place, |client| {
            client
                .head_object()
                .bucket(object.bucket.as_str())
                .key(object.key.as_str())
                .set_version_id(object.version.as_ref().map(ToString::to_string))
                .set_request_payer(payer(object))
                .set_expected_bucket_owner(store.settings.expected_bucket_owner.clone())
                .part_number(i32::try_from(number).unwrap_or(i32::MAX))
                .send()
        })
        .await?;
    pinned(Verb::HeadObject, &place, head, answer.e_tag())?;
    let count = answer.parts_count().and_then(|count| u32::try_from(count).ok());
    Ok((size(Verb::HeadObject, &place, answer.content_length())?, count))
}

fn pinned(verb: Verb, place: &str, head: &Head, found: Option<&str>) -> Result<(), StoreError> {
    let found = etag(verb, place, found)?;
    if found == head.etag {
        return Ok(());
    }
    let message = format!("{verb} {place}: expected ETag {}, found {found}", head.etag);
    Err(StoreError::new(Kind::PreconditionFailed, message))
}

fn push(runs: &mut Vec<Run>, length: u64) {
    match runs.last_mut() {
        Some(last) if last.length == length => last.count += 1,
        _ => runs.push(Run { length, count: 1 }),
    }
}

/// Whether the parts are as many as the ETag says, and make the object.
fn adds_up(runs: &[Run], head: &Head) -> bool {
    let bytes: u64 =
        runs.iter().map(|run| run.length.saturating_mul(run.count.into())).fold(0, u64::saturating_add);
    let count: u32 = runs.iter().map(|run| run.count).sum();
    bytes == head.size && head.etag.parts() == Some(count)
}
