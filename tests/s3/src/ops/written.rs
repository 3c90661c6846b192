//! What a writer says about an object: content headers, metadata, storage class, encryption, tags.

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use s3s::{S3ErrorCode, S3Result};

use super::tags;
use crate::checksum;
use crate::errors;
use crate::storage::Store;
use crate::storage::blob::Content;
use crate::storage::object::{Attributes, ENCRYPTION, KMS_KEY, Tags};

/// Bytes of names and values together.
const MAX_METADATA: usize = 2048;

const CLASSES: [&str; 11] = [
    "STANDARD",
    "REDUCED_REDUNDANCY",
    "STANDARD_IA",
    "ONEZONE_IA",
    "INTELLIGENT_TIERING",
    "GLACIER",
    "DEEP_ARCHIVE",
    "OUTPOSTS",
    "GLACIER_IR",
    "SNOW",
    "EXPRESS_ONEZONE",
];

const CONTENT_HEADERS: [&str; 10] = [
    "content-type",
    "cache-control",
    "content-disposition",
    "content-language",
    "expires",
    "x-amz-website-redirect-location",
    "x-amz-object-lock-mode",
    "x-amz-object-lock-retain-until-date",
    "x-amz-object-lock-legal-hold",
    "x-amz-server-side-encryption-bucket-key-enabled",
];

pub(super) fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

/// Reads and checks everything but the tags.
pub(super) fn attributes(store: &Store, headers: &HeaderMap) -> S3Result<Attributes> {
    let mut kept = HeaderMap::new();
    for name in CONTENT_HEADERS {
        if let Some(value) = headers.get(name) {
            kept.insert(HeaderName::from_static(name), value.clone());
        }
    }
    kept.entry("content-type").or_insert(HeaderValue::from_static("binary/octet-stream"));
    content_encoding(store, headers, &mut kept);
    metadata(headers, &mut kept)?;
    let customer_key = customer_key(headers)?;
    if customer_key.is_none() {
        encryption(store, headers, &mut kept)?;
    }
    Ok(Attributes { headers: kept, storage_class: storage_class(headers)?, customer_key })
}

/// `aws-chunked` describes the request and not the object.
fn content_encoding(store: &Store, headers: &HeaderMap, kept: &mut HeaderMap) {
    let Some(value) = text(headers, "content-encoding") else { return };
    let of_request = |coding: &str| coding == "aws-chunked" && !store.capabilities.framing_kept;
    let own: Vec<_> = value.split(',').map(str::trim).filter(|coding| !of_request(coding)).collect();
    if let (false, Ok(value)) = (own.is_empty(), HeaderValue::from_str(&own.join(","))) {
        kept.insert("content-encoding", value);
    }
}

fn metadata(headers: &HeaderMap, kept: &mut HeaderMap) -> S3Result<()> {
    let mut size = 0;
    for (name, value) in headers.iter().filter(|(name, _)| name.as_str().starts_with("x-amz-meta-")) {
        size += name.as_str().len() - "x-amz-meta-".len() + value.len();
        kept.append(name, value.clone());
    }
    if size > MAX_METADATA {
        let message = format!(
            "Your metadata headers exceed the maximum allowed metadata size of {MAX_METADATA} bytes: {size}"
        );
        return Err(errors::refuse(S3ErrorCode::MetadataTooLarge, message));
    }
    Ok(())
}

fn storage_class(headers: &HeaderMap) -> S3Result<String> {
    let class = text(headers, "x-amz-storage-class").unwrap_or("STANDARD");
    if CLASSES.contains(&class) {
        return Ok(class.to_owned());
    }
    let message = format!("The storage class you specified is not valid: {class}");
    Err(errors::refuse(S3ErrorCode::InvalidStorageClass, message))
}

/// SSE-S3 when nothing is named, as on AWS since 2023.
fn encryption(store: &Store, headers: &HeaderMap, kept: &mut HeaderMap) -> S3Result<()> {
    let method = text(headers, "x-amz-server-side-encryption").unwrap_or("AES256");
    let key = text(headers, "x-amz-server-side-encryption-aws-kms-key-id");
    match (method, key) {
        ("AES256", Some(_)) => {
            return Err(errors::invalid_argument("A KMS key id goes only with the encryption aws:kms."));
        }
        ("AES256", None) | ("aws:kms" | "aws:kms:dsse", _) => {}
        _ => {
            return Err(errors::invalid_argument(format!(
                "The encryption method specified is not supported: {method}"
            )));
        }
    }
    if let Ok(value) = HeaderValue::from_str(method) {
        kept.insert(ENCRYPTION.clone(), value);
    }
    if method != "AES256" {
        let key =
            key.map_or_else(|| format!("{}:key/aws-managed", kms_prefix(store)), |key| kms_arn(store, key));
        check_kms_key(store, &key)?;
        kept.insert(
            KMS_KEY.clone(),
            HeaderValue::try_from(key).unwrap_or_else(|_| HeaderValue::from_static("")),
        );
    }
    Ok(())
}

fn kms_prefix(store: &Store) -> String {
    let partition = if store.region.starts_with("cn-") { "aws-cn" } else { "aws" };
    format!("arn:{partition}:kms:{}:{}", store.region, crate::config::DEFAULT_OWNER)
}

fn kms_arn(store: &Store, key: &str) -> String {
    if key.starts_with("arn:") { key.to_owned() } else { format!("{}:key/{key}", kms_prefix(store)) }
}

/// A key of another Region, and so of another partition, does not exist here.
fn check_kms_key(store: &Store, arn: &str) -> S3Result<()> {
    let partition_and_region = |arn: &str| arn.split(':').take(4).map(str::to_owned).collect::<Vec<_>>();
    if partition_and_region(arn) == partition_and_region(&kms_prefix(store)) {
        return Ok(());
    }
    let message = format!("Invalid arn {arn}");
    Err(errors::refuse_with(StatusCode::BAD_REQUEST, "KMS.NotFoundException", message))
}

/// The MD5 of the customer's key, once all three headers agree.
pub(super) fn customer_key(headers: &HeaderMap) -> S3Result<Option<String>> {
    use md5::Digest as _;
    let part = |name: &str| text(headers, &format!("x-amz-server-side-encryption-customer-{name}"));
    let (algorithm, key, md5) = match (part("algorithm"), part("key"), part("key-md5")) {
        (None, None, None) => return Ok(None),
        (Some(algorithm), Some(key), Some(md5)) => (algorithm, key, md5),
        _ => {
            return Err(errors::invalid_argument(
                "Requests with a customer's key need its algorithm, key and MD5.",
            ));
        }
    };
    if algorithm != "AES256" {
        return Err(errors::invalid_argument("The encryption algorithm of a customer's key must be AES256."));
    }
    let raw = checksum::decode(key).filter(|raw| raw.len() == 32);
    let raw = raw
        .ok_or_else(|| errors::invalid_argument("The secret key was invalid for the specified algorithm."))?;
    if checksum::encode(&md5::Md5::digest(&raw)) != md5 {
        let message = "The calculated MD5 hash of the key did not match the hash that was provided.";
        return Err(errors::invalid_argument(message));
    }
    Ok(Some(md5.to_owned()))
}

/// The tags in `x-amz-tagging`.
pub(super) fn tag_header(headers: &HeaderMap) -> S3Result<Tags> {
    tags::from_header(text(headers, "x-amz-tagging").unwrap_or_default())
}

/// What Aliyun OSS tells of the bytes that it took, or has. It is computed over what is kept, so that it tells of bytes that
/// were altered on their way.
pub(super) fn crc64ecma(store: &Store, content: &Content, headers: &mut HeaderMap) {
    if !store.capabilities.crc64ecma {
        return;
    }
    let mut digest = crc_fast::Digest::new(crc_fast::CrcAlgorithm::Crc64Xz);
    // What can not be read has no checksum; the answer that is to carry it fails by itself.
    if content.frames().try_for_each(|frame| frame.map(|bytes| digest.update(&bytes))).is_ok() {
        headers.insert("x-oss-hash-crc64ecma", HeaderValue::from(digest.finalize()));
    }
}

/// The encryption headers that every answer about the object carries.
pub(super) fn encryption_headers(attributes: &Attributes) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for name in [&ENCRYPTION, &KMS_KEY] {
        if let Some(value) = attributes.headers.get(name) {
            headers.insert(name.clone(), value.clone());
        }
    }
    if let Some(Ok(md5)) = attributes.customer_key.as_ref().map(HeaderValue::try_from) {
        headers.insert("x-amz-server-side-encryption-customer-key-md5", md5);
        headers.insert("x-amz-server-side-encryption-customer-algorithm", HeaderValue::from_static("AES256"));
    }
    headers
}
