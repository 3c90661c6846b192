//! Object tags: the header, the three operations, the limits.

use http::StatusCode;
use s3s::dto::{
    DeleteObjectTaggingInput, DeleteObjectTaggingOutput, GetObjectTaggingInput, GetObjectTaggingOutput,
    PutObjectTaggingInput, PutObjectTaggingOutput, Tag,
};
use s3s::{S3ErrorCode, S3Request, S3Response, S3Result};

use crate::errors;
use crate::storage::Store;
use crate::storage::object::Tags;

/// The vendor's limits: tags, characters of a key, characters of a value.
const MAX_TAGS: usize = 10;
const MAX_KEY: usize = 128;
const MAX_VALUE: usize = 256;

/// Reads `a=b&c=d`, URL-encoded.
pub(super) fn from_header(text: &str) -> S3Result<Tags> {
    let decode = |part: &str| {
        let spaced = part.replace('+', " ");
        urlencoding::decode(&spaced).map(std::borrow::Cow::into_owned).map_err(|_| {
            errors::invalid_argument("The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query parameters without tag name duplicates.")
        })
    };
    let pairs = text.split('&').filter(|pair| !pair.is_empty());
    let tags = pairs.map(|pair| {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        Ok((decode(key)?, decode(value)?))
    });
    check(tags.collect::<S3Result<_>>()?)
}

fn check(tags: Tags) -> S3Result<Tags> {
    if tags.len() > MAX_TAGS {
        let message = format!("Object tags cannot be greater than {MAX_TAGS}");
        return Err(errors::refuse_with(StatusCode::BAD_REQUEST, "BadRequest", message));
    }
    for (index, (key, value)) in tags.iter().enumerate() {
        let length = key.chars().count();
        if !(1..=MAX_KEY).contains(&length) || !key.chars().all(allowed) {
            return Err(invalid("The TagKey you have provided is invalid"));
        }
        if value.chars().count() > MAX_VALUE || !value.chars().all(allowed) {
            return Err(invalid("The TagValue you have provided is invalid"));
        }
        if key.starts_with("aws:") {
            return Err(invalid("System tags cannot be added/updated by requester"));
        }
        if tags[..index].iter().any(|(earlier, _)| earlier == key) {
            return Err(invalid("Cannot provide multiple Tags with the same key"));
        }
    }
    Ok(tags)
}

fn invalid(message: &'static str) -> s3s::S3Error {
    errors::refuse(S3ErrorCode::InvalidTag, message)
}

/// Letters, digits and spaces of any script, and `+ - = . _ : / @`.
fn allowed(c: char) -> bool {
    c.is_alphanumeric() || c.is_whitespace() || "+-=._:/@".contains(c)
}

pub(super) async fn get(
    store: &Store,
    request: S3Request<GetObjectTaggingInput>,
) -> S3Result<S3Response<GetObjectTaggingOutput>> {
    let input = request.input;
    let state = store.lock();
    let bucket = state.bucket(&input.bucket)?;
    let (version, _) = bucket.version(&input.key, input.version_id.as_deref())?;
    let tag = |(key, value): &(String, String)| Tag { key: Some(key.clone()), value: Some(value.clone()) };
    let tag_set = version.tags.iter().map(tag).collect();
    let version_id = bucket.reported(version.id.clone());
    Ok(S3Response::new(GetObjectTaggingOutput { tag_set, version_id }))
}

pub(super) async fn put(
    store: &Store,
    request: S3Request<PutObjectTaggingInput>,
) -> S3Result<S3Response<PutObjectTaggingOutput>> {
    let input = request.input;
    let pair = |tag: Tag| (tag.key.unwrap_or_default(), tag.value.unwrap_or_default());
    let tags = check(input.tagging.tag_set.into_iter().map(pair).collect())?;
    let version_id = replace(store, &input.bucket, &input.key, input.version_id.as_deref(), tags)?;
    Ok(S3Response::new(PutObjectTaggingOutput { version_id }))
}

pub(super) async fn delete(
    store: &Store,
    request: S3Request<DeleteObjectTaggingInput>,
) -> S3Result<S3Response<DeleteObjectTaggingOutput>> {
    let input = request.input;
    let version_id = replace(store, &input.bucket, &input.key, input.version_id.as_deref(), Vec::new())?;
    Ok(S3Response::new(DeleteObjectTaggingOutput { version_id }))
}

fn replace(store: &Store, bucket: &str, key: &str, id: Option<&str>, tags: Tags) -> S3Result<Option<String>> {
    let mut state = store.lock();
    let bucket = state.bucket_mut(bucket)?;
    let version = bucket.version_mut(key, id)?;
    version.tags = tags;
    let id = version.id.clone();
    Ok(bucket.reported(id))
}
