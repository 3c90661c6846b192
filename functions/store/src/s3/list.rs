//! Listings of objects. Keys come URL-encoded, so that those with characters that XML can not hold survive; a page
//! continues behind the last key of the one before, so that a listing can be taken up by anybody at any page.

use aws_sdk_s3::types::{
    EncodingType, Object, ObjectVersion, OptionalObjectAttributes, RequestPayer, RestoreStatus,
};
use transload_wire::{ObjectKey, is_archive_class};

use super::S3Store;
use super::convert::{etag, required, size, time, version};
use crate::{ListedObject, ObjectListing, Shelf, StoreError, StoreErrorKind as Kind, Verb};

/// Pages without an object that are followed before the store is taken to be broken. A store may answer so while it walks
/// over what was deleted.
const EMPTY_PAGES: u32 = 1_000;

pub(super) async fn objects(
    store: &S3Store,
    shelf: &Shelf,
    after: &str,
    max: u32,
) -> Result<ObjectListing, StoreError> {
    let (verb, place) = (Verb::ListObjectsV2, shelf.to_string());
    let mut token: Option<String> = None;
    for _ in 0..EMPTY_PAGES {
        let answer = store
            .call(verb, &place, |client| {
                client
                    .list_objects_v2()
                    .bucket(shelf.bucket.as_str())
                    .prefix(&shelf.prefix)
                    .set_start_after((!after.is_empty()).then(|| after.to_owned()))
                    .set_continuation_token(token.clone())
                    .max_keys(most(max))
                    .encoding_type(EncodingType::Url)
                    .set_request_payer(payer(shelf))
                    .set_optional_object_attributes(restores(store))
                    .set_expected_bucket_owner(store.settings.expected_bucket_owner.clone())
                    .send()
            })
            .await?;
        let encoded = answer.encoding_type() == Some(&EncodingType::Url);
        let found = answer.contents().iter().map(|object| listed(&place, object, encoded));
        let objects = found.collect::<Result<Vec<_>, _>>()?;
        if !required(verb, &place, "IsTruncated", answer.is_truncated())? {
            return ObjectListing { objects, next: None }.check(verb, shelf, after);
        }
        let next = required(verb, &place, "NextContinuationToken", answer.next_continuation_token())?;
        if let Some(last) = objects.last() {
            let next = Some(last.key.to_string());
            return ObjectListing { objects, next }.check(verb, shelf, after);
        }
        if token.as_deref() == Some(next) {
            break;
        }
        token = Some(next.to_owned());
    }
    Err(StoreError::new(
        Kind::Malformed,
        format!("{verb} {place}: expected objects or an end, found neither"),
    ))
}

fn listed(place: &str, object: &Object, encoded: bool) -> Result<ListedObject, StoreError> {
    let verb = Verb::ListObjectsV2;
    let class = object.storage_class().map(|class| class.as_str());
    Ok(ListedObject {
        key: key(verb, place, object.key(), encoded)?,
        size: size(verb, place, object.size())?,
        etag: etag(verb, place, object.e_tag())?,
        last_modified: time(object.last_modified()),
        storage_class: kept(class),
        archived: is_archived(class, object.restore_status()),
        version: None,
        unfit: None,
    })
}

/// Versions of one key come newest first, so that a key whose old versions begin a page was seen on the page before; the
/// next page continues behind the key, and not between its versions.
pub(super) async fn versions(
    store: &S3Store,
    shelf: &Shelf,
    after: &str,
    max: u32,
) -> Result<ObjectListing, StoreError> {
    let (verb, place) = (Verb::ListObjectVersions, shelf.to_string());
    let answer = store
        .call(verb, &place, |client| {
            client
                .list_object_versions()
                .bucket(shelf.bucket.as_str())
                .prefix(&shelf.prefix)
                .set_key_marker((!after.is_empty()).then(|| after.to_owned()))
                .max_keys(most(max))
                .encoding_type(EncodingType::Url)
                .set_request_payer(payer(shelf))
                .set_optional_object_attributes(restores(store))
                .set_expected_bucket_owner(store.settings.expected_bucket_owner.clone())
                .send()
        })
        .await?;
    let encoded = answer.encoding_type() == Some(&EncodingType::Url);
    let of_versions = answer.versions().last().and_then(|last| last.key());
    let of_markers = answer.delete_markers().last().and_then(|last| last.key());
    let last = |found: Option<&str>| found.map(|found| key(verb, &place, Some(found), encoded)).transpose();
    let last = last(of_versions)?.max(last(of_markers)?);
    let newest = answer.versions().iter().filter(|version| version.is_latest() == Some(true));
    let objects =
        newest.map(|version| of_version(&place, version, encoded)).collect::<Result<Vec<_>, _>>()?;
    let more = required(verb, &place, "IsTruncated", answer.is_truncated())?;
    let next =
        if more { Some(required(verb, &place, "keys on a page that is not the last", last)?) } else { None };
    ObjectListing { objects, next: next.map(|key| key.to_string()) }.check(verb, shelf, after)
}

fn of_version(place: &str, object: &ObjectVersion, encoded: bool) -> Result<ListedObject, StoreError> {
    let verb = Verb::ListObjectVersions;
    let class = object.storage_class().map(|class| class.as_str());
    Ok(ListedObject {
        key: key(verb, place, object.key(), encoded)?,
        size: size(verb, place, object.size())?,
        etag: etag(verb, place, object.e_tag())?,
        last_modified: time(object.last_modified()),
        storage_class: kept(class),
        archived: is_archived(class, object.restore_status()),
        version: version(object.version_id()),
        unfit: None,
    })
}

fn payer(shelf: &Shelf) -> Option<RequestPayer> {
    shelf.requester_pays.then_some(RequestPayer::Requester)
}

/// Only Amazon tells in a list what was restored.
fn restores(store: &S3Store) -> Option<Vec<OptionalObjectAttributes>> {
    store.settings.partition.map(|_| vec![OptionalObjectAttributes::RestoreStatus])
}

/// S3 gives at most 1,000 whatever is asked for.
fn most(max: u32) -> i32 {
    i32::try_from(max.clamp(1, 1_000)).unwrap_or(1_000)
}

fn kept(class: Option<&str>) -> Option<String> {
    class.filter(|class| *class != "STANDARD").map(ToOwned::to_owned)
}

fn is_archived(class: Option<&str>, restore: Option<&RestoreStatus>) -> bool {
    let restored = restore.is_some_and(|status| {
        status.is_restore_in_progress() != Some(true) && status.restore_expiry_date().is_some()
    });
    class.is_some_and(is_archive_class) && !restored
}

fn key(verb: Verb, place: &str, found: Option<&str>, encoded: bool) -> Result<ObjectKey, StoreError> {
    let found = required(verb, place, "a key", found)?;
    let refuse = |kind, expected: &str| {
        StoreError::new(kind, format!("{verb} {place}: expected {expected}, found {found:?}"))
    };
    let text = if encoded {
        decoded(found).ok_or_else(|| refuse(Kind::Malformed, "a URL-encoded key of UTF-8"))?
    } else {
        found.to_owned()
    };
    // What has no name here can neither be read nor be left out unseen.
    text.parse().map_err(|_| refuse(Kind::Unsupported, "a key of 1 to 1024 bytes of UTF-8 without NUL"))
}

/// Undoes `encoding-type=url`: `%XX`, and `+` for a space.
fn decoded(text: &str) -> Option<String> {
    let (mut bytes, mut rest) = (Vec::with_capacity(text.len()), text.bytes());
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let digit = |byte: Option<u8>| char::from(byte?).to_digit(16);
                let value = digit(rest.next())? * 16 + digit(rest.next())?;
                u8::try_from(value).ok()?
            }
            byte => byte,
        });
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::decoded;

    #[test]
    fn encoded_keys_are_read_as_s3_writes_them() {
        for (encoded, key) in [
            ("a/b", "a/b"),
            ("a+b%2Bc%20d", "a b+c d"),
            ("%E2%98%83%0A%01", "\u{2603}\n\u{1}"),
            ("100%25", "100%"),
            ("%252F", "%2F"),
        ] {
            assert_eq!(decoded(encoded).as_deref(), Some(key));
        }
        for bad in ["%", "%4", "%zz", "%FF", "%+1"] {
            assert_eq!(decoded(bad), None, "{bad}");
        }
    }
}
