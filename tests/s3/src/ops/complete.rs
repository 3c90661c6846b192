//! CompleteMultipartUpload: every rule checked, then parts become an object without a byte being copied.

use std::sync::Arc;

use http::HeaderMap;
use md5::Digest as _;
use s3s::dto::{CompleteMultipartUploadInput, CompleteMultipartUploadOutput, CompletedPart, ETag};
use s3s::{S3ErrorCode, S3Request, S3Response, S3Result};

use super::conditions::WriteCondition;
use super::written::{self, text};
use crate::checksum::{self, Algorithm, Checksum, ChecksumType};
use crate::errors;
use crate::events::{self, Told};
use crate::storage::Store;
use crate::storage::blob::Content;
use crate::storage::object::{Object, Part, Upload};
use crate::storage::state::Bucket;

pub(super) async fn complete(
    store: &Store,
    request: S3Request<CompleteMultipartUploadInput>,
) -> S3Result<S3Response<CompleteMultipartUploadOutput>> {
    let request_id = events::request_id(&request);
    let input = request.input;
    let condition = WriteCondition::read(store, &request.headers)?;
    let mut state = store.lock();
    let bucket = state.bucket_mut(&input.bucket)?;
    if let Some(done) = completed_before(store, bucket, &input) {
        return Ok(done);
    }
    let upload = bucket.upload(&input.key, &input.upload_id)?;
    let wanted = input.multipart_upload.as_ref().and_then(|list| list.parts.as_deref()).unwrap_or_default();
    let parts = chosen_parts(store, upload, wanted)?;
    let checksum = whole_checksum(upload, &parts);
    check_declared(&request.headers, upload, checksum.as_ref(), &parts)?;
    let deletes = bucket.delete_count(&input.key);
    condition.check(bucket, &input.key, deletes)?;
    let object = Arc::new(assemble(store, upload, parts, checksum));
    let tags = upload.tags.clone();
    let version = bucket.insert(&input.key, Arc::clone(&object), tags, store.unique_id());
    let (owner, request_id) = (&bucket.options.owner, &request_id);
    let told = Told { bucket: &input.bucket, key: &input.key, owner, request_id };
    events::created(store, &told, &object, version.as_deref(), "CompleteMultipartUpload");
    bucket.uploads.remove(&(input.key.clone(), input.upload_id.clone()));
    bucket
        .completed
        .insert(input.upload_id.clone(), (input.key.clone(), Arc::clone(&object), version.clone()));
    Ok(answer(store, &input, &object, version.as_deref()))
}

/// The first answer again, as AWS gives it for a while; compatible stores have forgotten the upload.
fn completed_before(
    store: &Store,
    bucket: &Bucket,
    input: &CompleteMultipartUploadInput,
) -> Option<S3Response<CompleteMultipartUploadOutput>> {
    if store.capabilities.no_such_upload_after_complete {
        return None;
    }
    let (_, object, version) =
        bucket.completed.get(&input.upload_id).filter(|(key, ..)| *key == input.key)?;
    Some(answer(store, input, object, version.as_deref()))
}

fn answer(
    store: &Store,
    input: &CompleteMultipartUploadInput,
    object: &Object,
    version: Option<&str>,
) -> S3Response<CompleteMultipartUploadOutput> {
    let value = |algorithm: Algorithm| {
        object.checksum.as_ref().filter(|sum| sum.algorithm == algorithm).map(|sum| sum.value.clone())
    };
    let output = CompleteMultipartUploadOutput {
        bucket: Some(input.bucket.clone()),
        key: Some(input.key.clone()),
        location: Some(format!("/{}/{}", input.bucket, input.key)),
        e_tag: Some(ETag::Strong(object.etag.clone())),
        checksum_crc32: value(Algorithm::Crc32),
        checksum_crc32c: value(Algorithm::Crc32C),
        checksum_crc64nvme: value(Algorithm::Crc64Nvme),
        checksum_sha1: value(Algorithm::Sha1),
        checksum_sha256: value(Algorithm::Sha256),
        checksum_type: object.checksum.as_ref().map(|sum| sum.kind.as_str().to_owned().into()),
        ..CompleteMultipartUploadOutput::default()
    };
    let mut headers = written::encryption_headers(&object.attributes);
    super::put::version_header(&mut headers, version);
    written::crc64ecma(store, &object.content, &mut headers);
    S3Response::with_headers(output, headers)
}

/// The parts that the client lists, in its order. Errors name the first that breaks a rule.
fn chosen_parts(store: &Store, upload: &Upload, wanted: &[CompletedPart]) -> S3Result<Vec<Part>> {
    if wanted.is_empty() {
        let message =
            "The XML you provided was not well-formed or did not validate: at least one part is needed";
        return Err(errors::refuse(S3ErrorCode::MalformedXML, message));
    }
    let numbers: Vec<_> = wanted.iter().map(|part| part.part_number.unwrap_or_default()).collect();
    if !numbers.is_sorted_by(|a, b| a < b) {
        let message = "The list of parts was not in ascending order. Parts must be ordered by part number.";
        return Err(errors::refuse(S3ErrorCode::InvalidPartOrder, message));
    }
    let parts: Vec<_> = wanted.iter().map(|part| chosen_part(upload, part)).collect::<S3Result<_>>()?;
    check_sizes(store, &parts)?;
    Ok(parts)
}

fn chosen_part(upload: &Upload, wanted: &CompletedPart) -> S3Result<Part> {
    let number = wanted.part_number.unwrap_or_default();
    let etag = wanted.e_tag.as_ref().map(ETag::value).unwrap_or_default();
    let found = u32::try_from(number).ok().and_then(|number| upload.parts.get(&number));
    let part =
        found.filter(|part| part.etag == etag.trim_matches('"')).ok_or_else(|| invalid_part(number))?;
    let given = [
        (Algorithm::Crc64Nvme, &wanted.checksum_crc64nvme),
        (Algorithm::Crc32, &wanted.checksum_crc32),
        (Algorithm::Crc32C, &wanted.checksum_crc32c),
        (Algorithm::Sha1, &wanted.checksum_sha1),
        (Algorithm::Sha256, &wanted.checksum_sha256),
    ];
    for (algorithm, value) in given.into_iter().filter_map(|(kind, value)| Some((kind, value.as_ref()?))) {
        let kept =
            part.digest.as_ref().filter(|(kind, _)| *kind == algorithm).map(|(_, raw)| checksum::encode(raw));
        // An upload for which nothing was chosen keeps another algorithm than the client may have used.
        if kept.as_deref() != Some(value) && (upload.explicit || kept.is_some()) {
            return Err(invalid_part(number));
        }
    }
    let has_value =
        given.iter().any(|(kind, value)| value.is_some() && Some(*kind) == upload.checksum.map(|sum| sum.0));
    match upload.checksum {
        Some((algorithm, ChecksumType::Composite)) if upload.explicit && !has_value => {
            Err(errors::invalid_request(format!(
                "The upload was created using a {} checksum. The complete request must include the checksum for each part. It was missing for part {number} in the request.",
                algorithm.as_str().to_lowercase()
            )))
        }
        _ => Ok(part.clone()),
    }
}

fn invalid_part(number: i32) -> s3s::S3Error {
    let message = format!(
        "One or more of the specified parts could not be found. The part may not have been uploaded, or the specified entity tag may not match the part's entity tag: part {number}"
    );
    errors::refuse(S3ErrorCode::InvalidPart, message)
}

fn check_sizes(store: &Store, parts: &[Part]) -> S3Result<()> {
    let all_but_last = &parts[..parts.len() - 1];
    if let Some(small) = all_but_last.iter().find(|part| part.content.len() < store.limits.min_part) {
        let message = format!(
            "Your proposed upload is smaller than the minimum allowed size: part {} has {} bytes",
            small.number,
            small.content.len()
        );
        return Err(errors::refuse(S3ErrorCode::EntityTooSmall, message));
    }
    let first = parts[0].content.len();
    let unequal = all_but_last.iter().any(|part| part.content.len() != first)
        || parts.last().is_some_and(|last| last.content.len() > first);
    if store.capabilities.equal_parts && unequal {
        return Err(errors::refuse(
            S3ErrorCode::InvalidPart,
            "All non-trailing parts must have the same length.",
        ));
    }
    let total: u64 = parts.iter().map(|part| part.content.len()).sum();
    if total > store.limits.max_object {
        let message = format!("Your proposed upload exceeds the maximum allowed object size: {total} bytes");
        return Err(errors::refuse(S3ErrorCode::EntityTooLarge, message));
    }
    Ok(())
}

fn whole_checksum(upload: &Upload, parts: &[Part]) -> Option<Checksum> {
    let (algorithm, kind) = upload.checksum?;
    let digests: Option<Vec<_>> =
        parts.iter().map(|part| Some((part.digest.as_ref()?.1.clone(), part.content.len()))).collect();
    checksum::of_parts(algorithm, kind, &digests?)
}

/// What the client declares of the whole: type, checksum, size.
fn check_declared(
    headers: &HeaderMap,
    upload: &Upload,
    computed: Option<&Checksum>,
    parts: &[Part],
) -> S3Result<()> {
    let size: u64 = parts.iter().map(|part| part.content.len()).sum();
    if let Some(declared) = text(headers, "x-amz-mp-object-size")
        && declared.parse() != Ok(size)
    {
        let message = format!(
            "The provided 'x-amz-mp-object-size' header value {declared} does not match what was computed: {size}"
        );
        return Err(errors::invalid_request(message));
    }
    if let (Some(kind), Some((_, expected))) = (text(headers, "x-amz-checksum-type"), upload.checksum)
        && kind != expected.as_str()
    {
        let expected = expected.as_str();
        let message = format!(
            "The upload was created using the {expected} checksum mode. The complete request must use the same checksum mode."
        );
        return Err(errors::invalid_request(message));
    }
    for algorithm in Algorithm::ALL {
        let Some(declared) = text(headers, algorithm.header().as_str()) else { continue };
        let computed = computed.filter(|sum| sum.algorithm == algorithm);
        // The number of parts behind a composite value may be left out.
        let matches = computed
            .is_some_and(|sum| sum.value == declared || sum.value.split('-').next() == Some(declared));
        if !matches {
            let message =
                format!("The {} you specified did not match the calculated checksum.", algorithm.as_str());
            return Err(errors::refuse(S3ErrorCode::BadDigest, message));
        }
    }
    Ok(())
}

fn assemble(store: &Store, upload: &Upload, parts: Vec<Part>, checksum: Option<Checksum>) -> Object {
    let mut md5 = md5::Md5::new();
    parts.iter().for_each(|part| md5.update(part.fingerprint));
    let attributes = upload.attributes.clone();
    Object {
        content: Content::concatenated(parts.iter().map(|part| &part.content)),
        etag: format!("{}-{}", store.etag(md5.finalize().into(), &attributes), parts.len()),
        modified: upload.initiated,
        parts,
        checksum,
        attributes,
    }
}
