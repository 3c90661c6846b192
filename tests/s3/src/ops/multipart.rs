//! CreateMultipartUpload, UploadPart, AbortMultipartUpload.

use std::collections::BTreeMap;

use http::{HeaderMap, HeaderValue};
use s3s::dto::{
    AbortMultipartUploadInput, AbortMultipartUploadOutput, CreateMultipartUploadInput,
    CreateMultipartUploadOutput, ETag, UploadPartInput, UploadPartOutput,
};
use s3s::{S3Request, S3Response, S3Result};

use super::put::declared;
use super::written::{self, text};
use crate::checksum::{self, Algorithm, Checksum, ChecksumType};
use crate::errors;
use crate::storage::Store;
use crate::storage::ingest::Received;
use crate::storage::object::{Part, Upload};

pub(super) async fn create(
    store: &Store,
    request: S3Request<CreateMultipartUploadInput>,
) -> S3Result<S3Response<CreateMultipartUploadOutput>> {
    let (bucket, key) = (request.input.bucket, request.input.key);
    let explicit = text(&request.headers, "x-amz-checksum-algorithm");
    let checksum = chosen_checksum(store, explicit, text(&request.headers, "x-amz-checksum-type"))?;
    let upload = Upload {
        id: store.unique_id(),
        key: key.clone(),
        initiated: store.now(),
        attributes: written::attributes(store, &request.headers)?,
        tags: written::tag_header(&request.headers)?,
        checksum,
        explicit: explicit.is_some(),
        parts: BTreeMap::new(),
    };
    let mut headers = written::encryption_headers(&upload.attributes);
    if let (true, Some((algorithm, kind))) = (upload.explicit, checksum) {
        headers.insert("x-amz-checksum-algorithm", HeaderValue::from_static(algorithm.as_str()));
        headers.insert("x-amz-checksum-type", HeaderValue::from_static(kind.as_str()));
    }
    let id = upload.id.clone();
    store.lock().bucket_mut(&bucket)?.uploads.insert((key.clone(), id.clone()), upload);
    let output = CreateMultipartUploadOutput {
        bucket: Some(bucket),
        key: Some(key),
        upload_id: Some(id),
        ..CreateMultipartUploadOutput::default()
    };
    Ok(S3Response::with_headers(output, headers))
}

fn chosen_checksum(
    store: &Store,
    algorithm: Option<&str>,
    kind: Option<&str>,
) -> S3Result<Option<(Algorithm, ChecksumType)>> {
    let Some(name) = algorithm else {
        if kind.is_some() {
            let message =
                "The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header.";
            return Err(errors::invalid_request(message));
        }
        return Ok(store.default_algorithm().map(|algorithm| (algorithm, ChecksumType::FullObject)));
    };
    let algorithm = Algorithm::parse(name).ok_or_else(|| {
        errors::invalid_request(
            "Checksum algorithm provided is unsupported. Please try again with any of the valid types",
        )
    })?;
    let known =
        store.capabilities.checksums && (store.capabilities.crc64nvme || algorithm != Algorithm::Crc64Nvme);
    if !known {
        return Err(errors::not_implemented(&format!("x-amz-checksum-algorithm: {name}")));
    }
    let kind = match kind {
        None => algorithm.default_type(),
        Some(text) => ChecksumType::parse(text)
            .ok_or_else(|| errors::invalid_request("Value for x-amz-checksum-type header is invalid."))?,
    };
    if !algorithm.allows(kind) {
        return Err(errors::invalid_request(format!(
            "The {} checksum type cannot be used with the {} checksum algorithm.",
            kind.as_str(),
            algorithm.as_str().to_lowercase()
        )));
    }
    Ok(Some((algorithm, kind)))
}

/// A part number within the server's limits.
pub(super) fn part_number(store: &Store, number: i32) -> S3Result<u32> {
    let max = store.limits.max_parts;
    u32::try_from(number).ok().filter(|number| (1..=max).contains(number)).ok_or_else(|| {
        errors::invalid_argument(format!("Part number must be an integer between 1 and {max}, inclusive"))
    })
}

pub(super) async fn upload_part(
    store: &Store,
    mut request: S3Request<UploadPartInput>,
) -> S3Result<S3Response<UploadPartOutput>> {
    let number = part_number(store, request.input.part_number)?;
    let target = Target::of(&request.input.bucket, &request.input.key, &request.input.upload_id);
    let upload = target.look_up(store, &request.headers)?;
    let declared = declared(store, &request.headers, request.trailing_headers.take())?;
    let also = upload.algorithm;
    let arrival = super::arrival(&request);
    let body = request.input.body.take();
    let received = store.receive(body, declared, also, store.limits.max_part, &arrival).await?;
    upload.check_algorithm(received.declared)?;
    let mut headers = upload.headers.clone();
    answer_checksum(&received, also, &mut headers);
    written::crc64ecma(store, &received.content, &mut headers);
    let etag = target.keep(store, number, received, also)?;
    let output = UploadPartOutput { e_tag: Some(ETag::Strong(etag)), ..UploadPartOutput::default() };
    Ok(S3Response::with_headers(output, headers))
}

/// The checksum of the answer: what the client sent, else what the upload keeps.
fn answer_checksum(received: &Received, kept: Option<Algorithm>, headers: &mut HeaderMap) {
    let Some(algorithm) = received.declared.or(kept) else { return };
    if let Some(raw) = received.digest(algorithm) {
        let value = checksum::encode(raw);
        Checksum { algorithm, kind: ChecksumType::FullObject, value }.put_header(headers);
    }
}

/// The upload that a part goes to.
pub(super) struct Target<'a> {
    bucket: &'a str,
    key: &'a str,
    id: &'a str,
}

/// What a part must fit.
pub(super) struct Expected {
    pub algorithm: Option<Algorithm>,
    explicit: bool,
    pub headers: HeaderMap,
}

impl Expected {
    /// A client that named an algorithm for the upload may not send parts with another.
    fn check_algorithm(&self, declared: Option<Algorithm>) -> S3Result<()> {
        match (self.algorithm, declared) {
            (Some(expected), Some(actual)) if self.explicit && expected != actual => {
                Err(errors::invalid_request(format!(
                    "Checksum Type mismatch occurred, expected checksum Type: {}, actual checksum Type: {}",
                    expected.as_str().to_lowercase(),
                    actual.as_str().to_lowercase()
                )))
            }
            _ => Ok(()),
        }
    }
}

impl<'a> Target<'a> {
    pub(super) const fn of(bucket: &'a str, key: &'a str, id: &'a str) -> Self {
        Self { bucket, key, id }
    }

    /// Checks that the upload exists and that its customer key is this one.
    pub(super) fn look_up(&self, store: &Store, headers: &HeaderMap) -> S3Result<Expected> {
        let given = written::customer_key(headers)?;
        let state = store.lock();
        let upload = state.bucket(self.bucket)?.upload(self.key, self.id)?;
        if upload.attributes.customer_key != given {
            let message = "The multipart upload initiate requested encryption with a customer's key. Subsequent part requests must include the same key.";
            return Err(errors::invalid_request(message));
        }
        let algorithm = upload.checksum.map(|(algorithm, _)| algorithm);
        let headers = written::encryption_headers(&upload.attributes);
        Ok(Expected { algorithm, explicit: upload.explicit, headers })
    }

    /// Puts the part in place of any earlier one with its number, if the upload is still open. Returns the ETag.
    pub(super) fn keep(
        &self,
        store: &Store,
        number: u32,
        received: Received,
        algorithm: Option<Algorithm>,
    ) -> S3Result<String> {
        let modified = store.now();
        let mut state = store.lock();
        let upload = state.bucket_mut(self.bucket)?.upload_mut(self.key, self.id)?;
        let etag = store.etag(received.fingerprint, &upload.attributes);
        let digest = algorithm.and_then(|kind| Some((kind, received.digest(kind)?.to_vec())));
        let (content, fingerprint) = (received.content, received.fingerprint);
        upload
            .parts
            .insert(number, Part { number, content, etag: etag.clone(), fingerprint, modified, digest });
        Ok(etag)
    }
}

pub(super) async fn abort(
    store: &Store,
    request: S3Request<AbortMultipartUploadInput>,
) -> S3Result<S3Response<AbortMultipartUploadOutput>> {
    let input = request.input;
    let mut state = store.lock();
    let bucket = state.bucket_mut(&input.bucket)?;
    let removed = bucket.uploads.remove(&(input.key, input.upload_id)).ok_or_else(errors::no_such_upload)?;
    drop(state);
    drop(removed);
    Ok(S3Response::new(AbortMultipartUploadOutput::default()))
}
