//! DeleteObject and DeleteObjects.

use http::{HeaderMap, HeaderValue};
use s3s::dto::{
    DeleteObjectInput, DeleteObjectOutput, DeleteObjectsInput, DeleteObjectsOutput, DeletedObject, Error,
    ObjectIdentifier,
};
use s3s::{S3ErrorCode, S3Request, S3Response, S3Result};

use super::written::text;
use crate::errors;
use crate::events::{self, Told};
use crate::storage::Store;
use crate::storage::state::{Bucket, Deleted};

/// Keys in one DeleteObjects.
const MAX_KEYS: usize = 1000;

/// 204 whether or not there was anything to delete.
pub(super) async fn one(
    store: &Store,
    request: S3Request<DeleteObjectInput>,
) -> S3Result<S3Response<DeleteObjectOutput>> {
    let request_id = events::request_id(&request);
    let input = request.input;
    let mut state = store.lock();
    let bucket = state.bucket_mut(&input.bucket)?;
    if let Some(etag) = text(&request.headers, "if-match") {
        check_match(bucket, &input.key, etag)?;
    }
    let told = (input.bucket.as_str(), request_id.as_str());
    let deleted = erase(store, bucket, &input.key, input.version_id.as_deref(), told);
    let mut headers = HeaderMap::new();
    if deleted.marker {
        headers.insert("x-amz-delete-marker", HeaderValue::from_static("true"));
    }
    super::put::version_header(&mut headers, deleted.version.as_deref());
    Ok(S3Response::with_headers(DeleteObjectOutput::default(), headers))
}

/// 412 with another ETag. Where there is no object there is nothing to protect: the delete succeeds.
fn check_match(bucket: &Bucket, key: &str, etag: &str) -> S3Result<()> {
    let Some(current) = bucket.current(key) else { return Ok(()) };
    let same = etag == "*" || etag.trim_matches('"') == current.etag;
    if same { Ok(()) } else { Err(errors::precondition_failed("If-Match")) }
}

pub(super) async fn many(
    store: &Store,
    request: S3Request<DeleteObjectsInput>,
) -> S3Result<S3Response<DeleteObjectsOutput>> {
    let request_id = events::request_id(&request);
    let told = (request.input.bucket.as_str(), request_id.as_str());
    let wish = request.input.delete;
    if wish.objects.is_empty() || wish.objects.len() > MAX_KEYS {
        let message = format!("The XML you provided did not validate: 1 to {MAX_KEYS} objects are expected");
        return Err(errors::refuse(S3ErrorCode::MalformedXML, message));
    }
    let mut state = store.lock();
    let bucket = state.bucket_mut(&request.input.bucket)?;
    let (mut gone, mut failed) = (Vec::new(), Vec::new());
    for object in wish.objects {
        match delete(store, bucket, &object, told) {
            Ok(deleted) => gone.push(named(object, deleted)),
            Err(error) => failed.push(failure(object, &error)),
        }
    }
    let deleted = if wish.quiet == Some(true) { None } else { Some(gone) };
    let output = DeleteObjectsOutput { deleted, errors: Some(failed), ..DeleteObjectsOutput::default() };
    Ok(S3Response::new(output))
}

/// Deletes, and tells so if there was anything to delete. `told`: the bucket's name, the request.
fn erase(
    store: &Store,
    bucket: &mut Bucket,
    key: &str,
    version: Option<&str>,
    (name, request_id): (&str, &str),
) -> Deleted {
    let gone = bucket.named(key, version).map(|version| version.object.clone());
    let deleted = bucket.delete(key, version, store.unique_id(), store.now());
    let told = Told { bucket: name, key, owner: &bucket.options.owner, request_id };
    if deleted.marker && version.is_none() {
        events::deleted(store, &told, None, deleted.version.as_deref(), "Delete Marker Created");
    } else if let Some(object) = gone {
        events::deleted(store, &told, object.as_deref(), deleted.version.as_deref(), "Permanently Deleted");
    }
    deleted
}

fn delete(
    store: &Store,
    bucket: &mut Bucket,
    object: &ObjectIdentifier,
    told: (&str, &str),
) -> S3Result<Deleted> {
    if let Some(etag) = &object.e_tag {
        check_match(bucket, &object.key, etag.value())?;
    }
    Ok(erase(store, bucket, &object.key, object.version_id.as_deref(), told))
}

fn named(object: ObjectIdentifier, deleted: Deleted) -> DeletedObject {
    DeletedObject {
        key: Some(object.key),
        delete_marker: deleted.marker.then_some(true),
        delete_marker_version_id: deleted.version.filter(|_| deleted.marker),
        version_id: object.version_id,
    }
}

fn failure(object: ObjectIdentifier, error: &s3s::S3Error) -> Error {
    Error {
        key: Some(object.key),
        version_id: object.version_id,
        code: Some(error.code().as_str().to_owned()),
        message: error.message().map(ToOwned::to_owned),
    }
}
