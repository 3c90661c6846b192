//! CopyObject and UploadPartCopy: bytes are shared with the source, never copied, but hashed again where the result
//! needs another ETag or checksum.

use std::sync::Arc;

use http::{HeaderMap, HeaderValue};
use md5::Digest as _;
use s3s::dto::{
    CopyObjectInput, CopyObjectOutput, CopyObjectResult, CopyPartResult, CopySource, ETag,
    UploadPartCopyInput, UploadPartCopyOutput,
};
use s3s::{S3Error, S3ErrorCode, S3Request, S3Response, S3Result};

use super::conditions::{ReadConditions, WriteCondition};
use super::get::{archived, readable};
use super::multipart::{self, Target};
use super::written::{self, text};
use crate::checksum::{self, Algorithm, Checksum, ChecksumType, Hasher};
use crate::errors;
use crate::events::{self, Told};
use crate::storage::Store;
use crate::storage::blob::Content;
use crate::storage::ingest::Received;
use crate::storage::object::{Attributes, Object, Tags};

struct Source {
    bucket: String,
    key: String,
    object: Arc<Object>,
    tags: Tags,
    version: Option<String>,
}

impl Source {
    fn find(store: &Store, source: &CopySource, headers: &HeaderMap) -> S3Result<Self> {
        let CopySource::Bucket { bucket: name, key, version_id } = source else {
            return Err(errors::not_implemented("x-amz-copy-source naming an access point"));
        };
        let state = store.lock();
        let bucket = state.bucket(name)?;
        let (version, object) = bucket.version(key, version_id.as_deref())?;
        ReadConditions::of_copy(headers).check_copy(object)?;
        if object.attributes.is_archived() && !readable(store, version) {
            return Err(archived(object));
        }
        if object.attributes.customer_key.is_some() {
            return Err(errors::not_implemented("a copy of an object under a customer's key"));
        }
        Ok(Self {
            bucket: name.to_string(),
            key: key.to_string(),
            object: Arc::clone(object),
            tags: version.tags.clone(),
            version: bucket.reported(version.id.clone()),
        })
    }

    fn version_header(&self, headers: &mut HeaderMap) {
        if let Some(Ok(id)) = self.version.as_ref().map(HeaderValue::try_from) {
            headers.insert("x-amz-copy-source-version-id", id);
        }
    }
}

/// Hashes off the runtime's threads: gigabytes take seconds.
async fn hash(store: &Store, content: Content, algorithm: Option<Algorithm>) -> S3Result<Received> {
    let scanned = content.clone();
    let hashed = tokio::task::spawn_blocking(move || {
        let (mut md5, mut hasher) = (md5::Md5::new(), algorithm.map(Hasher::new));
        scanned.scan(|frame| {
            md5.update(frame);
            hasher.iter_mut().for_each(|hasher| hasher.update(frame));
        })?;
        let digests = hasher.map(|hasher| (hasher.algorithm(), hasher.finish())).into_iter().collect();
        Ok::<_, std::io::Error>((md5.finalize().into(), digests))
    });
    let (md5, digests) = hashed.await.map_err(S3Error::internal_error)?.map_err(errors::io)?;
    let fingerprint = if store.capabilities.md5_etags { md5 } else { store.unique() };
    Ok(Received { content, fingerprint, digests, declared: None })
}

pub(super) async fn object(
    store: &Store,
    request: S3Request<CopyObjectInput>,
) -> S3Result<S3Response<CopyObjectOutput>> {
    let input = &request.input;
    let condition = WriteCondition::read(store, &request.headers)?;
    let deletes = store.lock().bucket(&input.bucket)?.delete_count(&input.key);
    let source = Source::find(store, &input.copy_source, &request.headers)?;
    check_size(source.object.content.len(), store)?;
    let (attributes, tags) = result_attributes(store, &request, &source)?;
    let kept = source.object.checksum.as_ref().map(|sum| sum.algorithm);
    let named = text(&request.headers, "x-amz-checksum-algorithm").and_then(Algorithm::parse);
    let algorithm = named.or(kept).or(store.default_algorithm());
    let received = hash(store, source.object.content.clone(), algorithm).await?;
    let object = Arc::new(copied(store, received, attributes));
    let mut headers = written::encryption_headers(&object.attributes);
    source.version_header(&mut headers);
    let mut state = store.lock();
    let bucket = state.bucket_mut(&input.bucket)?;
    condition.check(bucket, &input.key, deletes)?;
    let version = bucket.insert(&input.key, Arc::clone(&object), tags, store.unique_id());
    let (owner, request_id) = (&bucket.options.owner, &events::request_id(&request));
    let told = Told { bucket: &input.bucket, key: &input.key, owner, request_id };
    events::created(store, &told, &object, version.as_deref(), "CopyObject");
    super::put::version_header(&mut headers, version.as_deref());
    let output =
        CopyObjectOutput { copy_object_result: Some(result(&object)), ..CopyObjectOutput::default() };
    Ok(S3Response::with_headers(output, headers))
}

fn check_size(size: u64, store: &Store) -> S3Result<()> {
    if size <= store.limits.max_part {
        return Ok(());
    }
    let max = store.limits.max_part;
    Err(errors::invalid_request(format!(
        "The specified copy source is larger than the maximum allowable size for a copy source: {max}"
    )))
}

/// The source's metadata and tags, or the request's, as the directives say.
fn result_attributes(
    store: &Store,
    request: &S3Request<CopyObjectInput>,
    source: &Source,
) -> S3Result<(Attributes, Tags)> {
    let headers = &request.headers;
    let replaces = |name: &str| match text(headers, name) {
        None | Some("COPY") => Ok(false),
        Some("REPLACE") => Ok(true),
        Some(other) => Err(errors::invalid_argument(format!("Unknown directive for {name}: {other}"))),
    };
    let (new_metadata, new_tags) =
        (replaces("x-amz-metadata-directive")?, replaces("x-amz-tagging-directive")?);
    let given = written::attributes(store, headers)?;
    let itself = (source.bucket.as_str(), source.key.as_str()) == (&request.input.bucket, &request.input.key);
    let same_class = given.storage_class == source.object.attributes.storage_class;
    let encrypts = headers.contains_key("x-amz-server-side-encryption");
    if itself && !new_metadata && same_class && !encrypts && source.object.parts.is_empty() {
        let message = "This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata, storage class, website redirect location or encryption attributes.";
        return Err(errors::invalid_request(message));
    }
    let tags = if new_tags { written::tag_header(headers)? } else { source.tags.clone() };
    if new_metadata {
        return Ok((given, tags));
    }
    let mut kept = source.object.attributes.headers.clone();
    kept.remove(&crate::storage::object::ENCRYPTION);
    kept.remove(&crate::storage::object::KMS_KEY);
    kept.extend(written::encryption_headers(&given));
    Ok((Attributes { headers: kept, ..given }, tags))
}

fn copied(store: &Store, received: Received, attributes: Attributes) -> Object {
    let checksum = received.digests.first().map(|(algorithm, raw)| Checksum {
        algorithm: *algorithm,
        kind: ChecksumType::FullObject,
        value: checksum::encode(raw),
    });
    Object {
        etag: store.etag(received.fingerprint, &attributes),
        content: received.content,
        modified: store.now(),
        parts: Vec::new(),
        checksum,
        attributes,
    }
}

fn result(object: &Object) -> CopyObjectResult {
    let value = |algorithm: Algorithm| {
        object.checksum.as_ref().filter(|sum| sum.algorithm == algorithm).map(|sum| sum.value.clone())
    };
    CopyObjectResult {
        e_tag: Some(ETag::Strong(object.etag.clone())),
        last_modified: Some(object.modified.into()),
        checksum_crc32: value(Algorithm::Crc32),
        checksum_crc32c: value(Algorithm::Crc32C),
        checksum_crc64nvme: value(Algorithm::Crc64Nvme),
        checksum_sha1: value(Algorithm::Sha1),
        checksum_sha256: value(Algorithm::Sha256),
        checksum_type: object.checksum.as_ref().map(|sum| sum.kind.as_str().to_owned().into()),
    }
}

pub(super) async fn part(
    store: &Store,
    request: S3Request<UploadPartCopyInput>,
) -> S3Result<S3Response<UploadPartCopyOutput>> {
    let input = &request.input;
    let number = multipart::part_number(store, input.part_number)?;
    let target = Target::of(&input.bucket, &input.key, &input.upload_id);
    let upload = target.look_up(store, &request.headers)?;
    let source = Source::find(store, &input.copy_source, &request.headers)?;
    let content = range(&source.object.content, input.copy_source_range.as_deref())?;
    check_size(content.len(), store)?;
    let received = hash(store, content, upload.algorithm).await?;
    let value = |algorithm: Algorithm| received.digest(algorithm).map(checksum::encode);
    let mut result = CopyPartResult {
        last_modified: Some(store.now().into()),
        checksum_crc32: value(Algorithm::Crc32),
        checksum_crc32c: value(Algorithm::Crc32C),
        checksum_crc64nvme: value(Algorithm::Crc64Nvme),
        checksum_sha1: value(Algorithm::Sha1),
        checksum_sha256: value(Algorithm::Sha256),
        ..CopyPartResult::default()
    };
    let mut headers = upload.headers.clone();
    source.version_header(&mut headers);
    result.e_tag = Some(ETag::Strong(target.keep(store, number, received, upload.algorithm)?));
    let output = UploadPartCopyOutput { copy_part_result: Some(result), ..UploadPartCopyOutput::default() };
    Ok(S3Response::with_headers(output, headers))
}

/// `bytes=first-last`, both given and within the source.
fn range(content: &Content, text: Option<&str>) -> S3Result<Content> {
    let Some(text) = text else { return Ok(content.clone()) };
    let bounds = text.strip_prefix("bytes=").and_then(|range| range.split_once('-'));
    let bounds =
        bounds.and_then(|(first, last)| Some((first.parse::<u64>().ok()?, last.parse::<u64>().ok()?)));
    let Some((first, last)) = bounds.filter(|(first, last)| first <= last) else {
        let message = "The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the zero-based offsets of the first and last bytes to copy";
        return Err(errors::invalid_argument(message));
    };
    if last >= content.len() {
        let message = format!("Range specified is not valid for source object of size: {}", content.len());
        return Err(errors::refuse(S3ErrorCode::InvalidRange, message));
    }
    Ok(content.slice(first, last + 1))
}
