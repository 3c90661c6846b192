//! GetObjectAttributes: size, ETag, checksum, storage class, and the parts in pages.

use http::{HeaderMap, HeaderValue};
use s3s::dto::{
    Checksum as Sums, ETag, GetObjectAttributesInput, GetObjectAttributesOutput, GetObjectAttributesParts,
    ObjectPart, StorageClass,
};
use s3s::{S3Request, S3Response, S3Result};

use super::get::{check_customer_key, http_date};
use super::parts::page_size;
use crate::checksum::{self, Algorithm};
use crate::errors;
use crate::storage::Store;
use crate::storage::object::{Object, Part};

pub(super) async fn get(
    store: &Store,
    request: S3Request<GetObjectAttributesInput>,
) -> S3Result<S3Response<GetObjectAttributesOutput>> {
    let input = request.input;
    // The header may name several, with or without spaces behind the commas.
    let wants = |name: &str| {
        input.object_attributes.iter().any(|one| one.as_str().split(',').any(|one| one.trim() == name))
    };
    let state = store.lock();
    let bucket = state.bucket(&input.bucket)?;
    let (version, object) = bucket.version(&input.key, input.version_id.as_deref())?;
    check_customer_key(object, &request.headers)?;
    let mut headers = HeaderMap::new();
    super::put::version_header(&mut headers, bucket.reported(version.id.clone()).as_deref());
    if let Ok(date) = HeaderValue::try_from(http_date(object.modified)) {
        headers.insert("last-modified", date);
    }
    let parts =
        wants("ObjectParts").then(|| parts(object, input.max_parts, input.part_number_marker)).transpose()?;
    let class = object.attributes.storage_class.clone();
    let output = GetObjectAttributesOutput {
        e_tag: wants("ETag").then(|| ETag::Strong(object.etag.clone())),
        checksum: wants("Checksum").then(|| sums(object)).flatten(),
        object_parts: parts.flatten(),
        object_size: wants("ObjectSize").then_some(object.content.len() as i64),
        storage_class: wants("StorageClass").then(|| StorageClass::from(class)),
        ..GetObjectAttributesOutput::default()
    };
    Ok(S3Response::with_headers(output, headers))
}

fn sums(object: &Object) -> Option<Sums> {
    let sum = object.checksum.as_ref()?;
    let value = |algorithm: Algorithm| (sum.algorithm == algorithm).then(|| sum.value.clone());
    Some(Sums {
        checksum_crc32: value(Algorithm::Crc32),
        checksum_crc32c: value(Algorithm::Crc32C),
        checksum_crc64nvme: value(Algorithm::Crc64Nvme),
        checksum_sha1: value(Algorithm::Sha1),
        checksum_sha256: value(Algorithm::Sha256),
        checksum_type: Some(sum.kind.as_str().to_owned().into()),
    })
}

/// None for an object that was put at once.
fn parts(
    object: &Object,
    max: Option<i32>,
    marker: Option<i32>,
) -> S3Result<Option<GetObjectAttributesParts>> {
    if object.parts.is_empty() {
        return Ok(None);
    }
    let max = page_size(max, "max-parts")?;
    let marker = marker.unwrap_or(0);
    let skip = usize::try_from(marker)
        .map_err(|_| errors::invalid_argument("The part number marker is negative"))?;
    let mut rest = object.parts.iter().zip(1..).skip(skip);
    let page: Vec<_> = rest.by_ref().take(max as usize).map(|(part, number)| listed(part, number)).collect();
    Ok(Some(GetObjectAttributesParts {
        is_truncated: Some(rest.next().is_some()),
        max_parts: Some(max),
        part_number_marker: Some(marker),
        next_part_number_marker: Some(page.last().and_then(|part| part.part_number).unwrap_or(0)),
        total_parts_count: Some(object.parts.len() as i32),
        parts: Some(page),
    }))
}

fn listed(part: &Part, number: i32) -> ObjectPart {
    let value = |algorithm: Algorithm| {
        part.digest.as_ref().filter(|(kind, _)| *kind == algorithm).map(|(_, raw)| checksum::encode(raw))
    };
    ObjectPart {
        part_number: Some(number),
        size: Some(part.content.len() as i64),
        checksum_crc32: value(Algorithm::Crc32),
        checksum_crc32c: value(Algorithm::Crc32C),
        checksum_crc64nvme: value(Algorithm::Crc64Nvme),
        checksum_sha1: value(Algorithm::Sha1),
        checksum_sha256: value(Algorithm::Sha256),
    }
}
