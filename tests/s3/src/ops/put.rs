//! PutObject: body checked, stored and made visible at once.

use std::sync::Arc;

use http::{HeaderMap, HeaderValue};
use s3s::dto::{ETag, PutObjectInput, PutObjectOutput};
use s3s::{S3Request, S3Response, S3Result};

use super::conditions::WriteCondition;
use super::written;
use crate::checksum::{self, Algorithm, Checksum, ChecksumType};
use crate::errors;
use crate::events::{self, Told};
use crate::storage::Store;
use crate::storage::ingest::{Declared, Received};
use crate::storage::object::{Attributes, Object};

pub(super) async fn put(
    store: &Store,
    mut request: S3Request<PutObjectInput>,
) -> S3Result<S3Response<PutObjectOutput>> {
    let (bucket, key) = (request.input.bucket.clone(), request.input.key.clone());
    let condition = WriteCondition::read(store, &request.headers)?;
    let deletes = store.lock().bucket(&bucket)?.delete_count(&key);
    let attributes = written::attributes(store, &request.headers)?;
    let tags = written::tag_header(&request.headers)?;
    let declared = declared(store, &request.headers, request.trailing_headers.take())?;
    let also = store.default_algorithm();
    let (arrival, request_id) = (super::arrival(&request), events::request_id(&request));
    let body = request.input.body.take();
    let received = store.receive(body, declared, also, store.limits.max_part, &arrival).await?;
    let object = Arc::new(object(store, received, attributes));
    let mut headers = written::encryption_headers(&object.attributes);
    if let Some(checksum) = &object.checksum {
        checksum.put_headers(&mut headers);
    }
    written::crc64ecma(store, &object.content, &mut headers);
    let mut state = store.lock();
    let name = bucket;
    let bucket = state.bucket_mut(&name)?;
    condition.check(bucket, &key, deletes)?;
    let version = bucket.insert(&key, Arc::clone(&object), tags, store.unique_id());
    let told = Told { bucket: &name, key: &key, owner: &bucket.options.owner, request_id: &request_id };
    events::created(store, &told, &object, version.as_deref(), "PutObject");
    version_header(&mut headers, version.as_deref());
    let output =
        PutObjectOutput { e_tag: Some(ETag::Strong(object.etag.clone())), ..PutObjectOutput::default() };
    Ok(S3Response::with_headers(output, headers))
}

fn object(store: &Store, received: Received, attributes: Attributes) -> Object {
    let algorithm = received.declared.or(store.default_algorithm());
    let checksum = algorithm.and_then(|algorithm| {
        let value = checksum::encode(received.digest(algorithm)?);
        Some(Checksum { algorithm, kind: ChecksumType::FullObject, value })
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

/// Reads the body's declarations, as far as the server has the capability.
pub(super) fn declared(
    store: &Store,
    headers: &HeaderMap,
    trailer: Option<s3s::TrailingHeaders>,
) -> S3Result<Declared> {
    let capabilities = &store.capabilities;
    let used = |algorithm: &Algorithm| {
        let header = algorithm.header();
        let announced = written::text(headers, "x-amz-trailer").unwrap_or_default();
        headers.contains_key(&header) || announced.contains(header.as_str())
    };
    for algorithm in Algorithm::ALL.iter().filter(|algorithm| used(algorithm)) {
        let known = capabilities.checksums && (capabilities.crc64nvme || *algorithm != Algorithm::Crc64Nvme);
        if !known {
            return Err(errors::not_implemented(algorithm.header().as_str()));
        }
    }
    Declared::read(headers, trailer)
}

pub(super) fn version_header(headers: &mut HeaderMap, version: Option<&str>) {
    if let Some(Ok(id)) = version.map(HeaderValue::from_str) {
        headers.insert("x-amz-version-id", id);
    }
}

impl Store {
    /// The checksum of a body for which the client chose none.
    pub(crate) fn default_algorithm(&self) -> Option<Algorithm> {
        (self.capabilities.crc64nvme && self.capabilities.checksums).then_some(Algorithm::Crc64Nvme)
    }

    /// The MD5, except under KMS or a customer's key, where the ETag says nothing of the bytes. A part that is sent
    /// again has the same ETag again.
    pub(crate) fn etag(&self, fingerprint: [u8; 16], attributes: &Attributes) -> String {
        let plain = attributes.encryption() == "AES256" && attributes.customer_key.is_none();
        crate::storage::hex(&if plain { fingerprint } else { self.veiled(fingerprint) })
    }
}
