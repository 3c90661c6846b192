//! Multipart verbs but for UploadPart.

use aws_sdk_s3::types::{
    ChecksumAlgorithm as SdkAlgorithm, ChecksumType, CompletedMultipartUpload, CompletedPart, EncodingType,
};
use aws_smithy_types::timeout::TimeoutConfig;
use transload_plan::PartNumber;
use transload_wire::{BucketName, Checksum, ChecksumAlgorithm, ChecksumKind, ObjectKey, UploadId};

use super::S3Store;
use super::convert::{
    checksum_of, encryption, etag, name, part as part_checksum, required, size, tagging, time, version, whole,
};
use super::told::Told;
use super::write::expires;
use crate::{
    Complete, Created, ListedUpload, PartListing, PartRef, StoreError, StoreErrorKind as Kind, Target,
    UploadRef, Uploads, Verb, Written,
};

pub(super) async fn create(store: &S3Store, target: &Target) -> Result<Created, StoreError> {
    let place = format!("s3://{}/{}", target.bucket, target.key);
    let verb = Verb::CreateMultipartUpload;
    let sent = target.checksum_algorithm.filter(|algorithm| algorithm.is_sent());
    let algorithm = sent.map(|algorithm| SdkAlgorithm::from(algorithm.as_str()));
    let kind = sent.map(|algorithm| {
        if ChecksumAlgorithm::COMBINABLE.contains(&algorithm) {
            ChecksumType::FullObject
        } else {
            ChecksumType::Composite
        }
    });
    let answer = store
        .call(verb, &place, |client| {
            let attributes = target.attributes.clone();
            let (sse, key_id, bucket_key) = encryption(target.encryption.as_ref());
            client
                .create_multipart_upload()
                .bucket(target.bucket.as_str())
                .key(target.key.as_str())
                .set_expected_bucket_owner(store.settings.expected_bucket_owner.clone())
                .set_content_type(attributes.content_type)
                .set_content_encoding(attributes.content_encoding)
                .set_content_language(attributes.content_language)
                .set_content_disposition(attributes.content_disposition)
                .set_cache_control(attributes.cache_control)
                .set_website_redirect_location(attributes.website_redirect)
                .set_metadata(Some(attributes.metadata.into_iter().collect()))
                .set_tagging(tagging(&attributes.tags))
                .set_storage_class(attributes.storage_class.as_deref().map(Into::into))
                .set_server_side_encryption(sse)
                .set_ssekms_key_id(key_id)
                .set_bucket_key_enabled(bucket_key)
                .set_checksum_algorithm(algorithm.clone())
                .set_checksum_type(kind.clone())
                .customize()
                .mutate_request(expires(attributes.expires))
                .send()
        })
        .await?;
    let id: UploadId = name(verb, &place, "an upload id", answer.upload_id())?;
    Ok(Created { id, checksum_algorithm: accepted(&place, target, answer.checksum_algorithm())? })
}

/// What the store will compute. It may leave out the header (older stores do); it may not choose another algorithm.
fn accepted(
    place: &str,
    target: &Target,
    said: Option<&SdkAlgorithm>,
) -> Result<Option<ChecksumAlgorithm>, StoreError> {
    match (target.checksum_algorithm, said) {
        (Some(asked), Some(said)) if said.as_str() != asked.as_str() => Err(StoreError::new(
            Kind::Unsupported,
            format!(
                "CreateMultipartUpload {place}: expected checksum {}, found {}",
                asked.as_str(),
                said.as_str()
            ),
        )),
        (asked, _) => Ok(asked),
    }
}

pub(super) async fn list_parts(
    store: &S3Store,
    upload: &UploadRef,
    after: u32,
) -> Result<PartListing, StoreError> {
    let (verb, place) = (Verb::ListParts, upload.to_string());
    let answer = store
        .call(verb, &place, |client| {
            client
                .list_parts()
                .bucket(upload.bucket.as_str())
                .key(upload.key.as_str())
                .upload_id(upload.id.as_str())
                .set_expected_bucket_owner(store.settings.expected_bucket_owner.clone())
                .set_part_number_marker((after > 0).then(|| after.to_string()))
                .send()
        })
        .await?;
    if answer.upload_id().is_some_and(|found| found != upload.id.as_str()) {
        return Err(StoreError::new(
            Kind::Malformed,
            format!("{verb} {place}: the answer is of another upload"),
        ));
    }
    let mut parts = Vec::with_capacity(answer.parts().len());
    let mut changed = None;
    for part in answer.parts() {
        let number = part.part_number().and_then(|number| u32::try_from(number).ok());
        let number = PartNumber::new(number.unwrap_or(0))
            .map_err(|error| StoreError::new(Kind::Malformed, format!("{verb} {place}: {error}")))?;
        changed = changed.max(part.last_modified().map(|date| (time(Some(date)), number)));
        parts.push(PartRef {
            number,
            size: size(verb, &place, part.size())?,
            etag: etag(verb, &place, part.e_tag())?,
            checksum: part_checksum(checksum_of!(part)),
        });
    }
    let more = required(verb, &place, "IsTruncated", answer.is_truncated())?;
    let marker = answer.next_part_number_marker().and_then(|marker| marker.parse().ok());
    let next = if more { Some(required(verb, &place, "NextPartNumberMarker", marker)?) } else { None };
    let initiator = answer.initiator().and_then(|who| who.id()).map(str::to_owned);
    Ok(PartListing { parts, next, initiator, changed })
}

pub(super) async fn complete(
    store: &S3Store,
    upload: &UploadRef,
    complete: &Complete,
) -> Result<Written, StoreError> {
    let (verb, place) = (Verb::CompleteMultipartUpload, upload.to_string());
    let is_sent = |sum: &&Checksum| sum.kind == ChecksumKind::FullObject && sum.algorithm.is_sent();
    let checksum = complete.checksum.as_ref().filter(is_sent);
    let told = Told::default();
    let value = |algorithm| checksum.filter(|sum| sum.algorithm == algorithm).map(|sum| sum.value.clone());
    let (if_match, if_none_match) = store.condition(&complete.condition);
    let parts = CompletedMultipartUpload::builder()
        .set_parts(Some(complete.parts.iter().map(completed).collect()))
        .build();
    let answer = store
        .call(verb, &place, |client| {
            client
                .complete_multipart_upload()
                .bucket(upload.bucket.as_str())
                .key(upload.key.as_str())
                .upload_id(upload.id.as_str())
                .set_expected_bucket_owner(store.settings.expected_bucket_owner.clone())
                .multipart_upload(parts.clone())
                .set_checksum_crc64_nvme(value(ChecksumAlgorithm::Crc64Nvme))
                .set_checksum_crc32_c(value(ChecksumAlgorithm::Crc32c))
                .set_checksum_crc32(value(ChecksumAlgorithm::Crc32))
                .set_checksum_type(checksum.map(|_| ChecksumType::FullObject))
                .set_mpu_object_size(checksum.and(i64::try_from(complete.size).ok()))
                .set_if_match(if_match.clone())
                .set_if_none_match(if_none_match.clone())
                .customize()
                .config_override(slow(store))
                .interceptor(told.clone())
                .send()
        })
        .await?;
    // A cut answer parses: what a store always says must be there, and be ours.
    if answer.key().is_some_and(|key| key != upload.key.as_str()) {
        return Err(StoreError::new(
            Kind::Malformed,
            format!("{verb} {place}: the answer is of another key"),
        ));
    }
    let found = etag(verb, &place, answer.e_tag())?;
    let checksum = whole(checksum_of!(answer), answer.checksum_type(), &found).or(told.get(store));
    Ok(Written { etag: found, version: version(answer.version_id()), checksum })
}

/// S3 may take minutes to join the parts, and sends only blanks meanwhile.
fn slow(store: &S3Store) -> aws_sdk_s3::config::Builder {
    let timeout =
        TimeoutConfig::builder().operation_attempt_timeout(store.settings.patience.complete).build();
    aws_sdk_s3::config::Builder::new().timeout_config(timeout)
}

fn completed(part: &PartRef) -> CompletedPart {
    let value = |algorithm| {
        part.checksum.as_ref().filter(|sum| sum.algorithm == algorithm).map(|sum| sum.value.clone())
    };
    CompletedPart::builder()
        .part_number(i32::try_from(part.number.get()).unwrap_or(i32::MAX))
        .e_tag(part.etag.to_header())
        .set_checksum_crc64_nvme(value(ChecksumAlgorithm::Crc64Nvme))
        .set_checksum_crc32_c(value(ChecksumAlgorithm::Crc32c))
        .set_checksum_crc32(value(ChecksumAlgorithm::Crc32))
        .set_checksum_sha1(value(ChecksumAlgorithm::Sha1))
        .set_checksum_sha256(value(ChecksumAlgorithm::Sha256))
        .build()
}

pub(super) async fn abort(store: &S3Store, upload: &UploadRef) -> Result<(), StoreError> {
    store
        .call(Verb::AbortMultipartUpload, &upload.to_string(), |client| {
            client
                .abort_multipart_upload()
                .bucket(upload.bucket.as_str())
                .key(upload.key.as_str())
                .upload_id(upload.id.as_str())
                .set_expected_bucket_owner(store.settings.expected_bucket_owner.clone())
                .send()
        })
        .await
        .map(|_| ())
}

pub(super) async fn list_uploads(
    store: &S3Store,
    bucket: &BucketName,
    prefix: &str,
    after: Option<&(ObjectKey, UploadId)>,
) -> Result<Uploads, StoreError> {
    let (verb, place) = (Verb::ListMultipartUploads, format!("s3://{bucket}/{prefix}"));
    let answer = store
        .call(verb, &place, |client| {
            client
                .list_multipart_uploads()
                .bucket(bucket.as_str())
                .prefix(prefix)
                .set_expected_bucket_owner(store.settings.expected_bucket_owner.clone())
                .set_key_marker(after.map(|(key, _)| key.to_string()))
                .set_upload_id_marker(after.map(|(_, id)| id.to_string()))
                .send()
        })
        .await?;
    let encoded = answer.encoding_type() == Some(&EncodingType::Url);
    if encoded {
        return Err(StoreError::new(
            Kind::Malformed,
            format!("{verb} {place}: expected raw keys, found encoded ones"),
        ));
    }
    let mut uploads = Vec::with_capacity(answer.uploads().len());
    for upload in answer.uploads() {
        uploads.push(ListedUpload {
            key: name(verb, &place, "a key", upload.key())?,
            id: name(verb, &place, "an upload id", upload.upload_id())?,
            initiated: time(upload.initiated()),
        });
    }
    let next = match answer.is_truncated() {
        Some(true) => Some((
            name(verb, &place, "NextKeyMarker", answer.next_key_marker())?,
            name(verb, &place, "NextUploadIdMarker", answer.next_upload_id_marker())?,
        )),
        _ => None,
    };
    Ok(Uploads { uploads, next })
}
