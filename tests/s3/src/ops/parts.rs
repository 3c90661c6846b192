//! ListParts: pages of an open upload's parts, with their checksums.

use s3s::dto::{ETag, ListPartsInput, ListPartsOutput, Part as Listed, StorageClass};
use s3s::{S3Request, S3Response, S3Result};

use crate::checksum::{self, Algorithm};
use crate::errors;
use crate::storage::Store;
use crate::storage::object::Part;

/// Parts in a page at most, whatever the client asks for.
const PAGE: i32 = 1000;

pub(super) async fn list(
    store: &Store,
    request: S3Request<ListPartsInput>,
) -> S3Result<S3Response<ListPartsOutput>> {
    let input = request.input;
    let max = page_size(input.max_parts, "max-parts")?;
    let marker = input.part_number_marker.unwrap_or(0);
    let state = store.lock();
    let bucket = state.bucket(&input.bucket)?;
    let upload = bucket.upload(&input.key, &input.upload_id)?;
    let from = u32::try_from(marker)
        .map_err(|_| errors::invalid_argument("part-number-marker must not be negative"))?;
    let mut after = upload.parts.range(from.saturating_add(1)..).map(|(_, part)| part);
    let page: Vec<_> = after.by_ref().take(max as usize).map(listed).collect();
    let truncated = after.next().is_some();
    let (owner, initiator) = super::list::owner(bucket);
    let output = ListPartsOutput {
        bucket: Some(input.bucket),
        key: Some(input.key),
        upload_id: Some(input.upload_id),
        part_number_marker: Some(marker),
        next_part_number_marker: Some(page.last().and_then(|part| part.part_number).unwrap_or(0)),
        max_parts: Some(max),
        is_truncated: Some(truncated),
        parts: Some(page),
        storage_class: Some(StorageClass::from(upload.attributes.storage_class.clone())),
        checksum_algorithm: upload.checksum.map(|(algorithm, _)| algorithm.as_str().to_owned().into()),
        checksum_type: upload.checksum.map(|(_, kind)| kind.as_str().to_owned().into()),
        owner: Some(owner),
        initiator: Some(initiator),
        ..ListPartsOutput::default()
    };
    Ok(S3Response::new(output))
}

/// 1,000 when not given; more is cut to that; negative is refused.
pub(super) fn page_size(asked: Option<i32>, name: &str) -> S3Result<i32> {
    match asked.unwrap_or(PAGE) {
        negative if negative < 0 => Err(errors::invalid_argument(format!(
            "Argument {name} must be an integer between 0 and 2147483647"
        ))),
        size => Ok(size.min(PAGE)),
    }
}

fn listed(part: &Part) -> Listed {
    let value = |algorithm: Algorithm| {
        part.digest.as_ref().filter(|(kind, _)| *kind == algorithm).map(|(_, raw)| checksum::encode(raw))
    };
    Listed {
        part_number: Some(part.number as i32),
        e_tag: Some(ETag::Strong(part.etag.clone())),
        size: Some(part.content.len() as i64),
        last_modified: Some(part.modified.into()),
        checksum_crc32: value(Algorithm::Crc32),
        checksum_crc32c: value(Algorithm::Crc32C),
        checksum_crc64nvme: value(Algorithm::Crc64Nvme),
        checksum_sha1: value(Algorithm::Sha1),
        checksum_sha256: value(Algorithm::Sha256),
    }
}
