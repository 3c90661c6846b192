//! All parts of an upload, page by page.

use transload_plan::{ListedPart, PartNumber};
use transload_wire::{Destination, Upload};

use crate::{PartRef, Store, StoreError, StoreErrorKind, UploadRef};

/// Every part that an upload holds, ascending. 10,000 parts are 10 pages.
///
/// # Errors
/// As [`Store::list_parts`]; `Malformed` if the pages do not ascend, which would be read as parts that are there.
pub async fn all_parts(store: &dyn Store, upload: &UploadRef) -> Result<Vec<PartRef>, StoreError> {
    let mut parts: Vec<PartRef> = Vec::new();
    let mut after = 0;
    loop {
        let page = store.list_parts(upload, after).await?;
        for part in page.parts {
            let last = parts.last().map_or(0, |last| last.number.get());
            if part.number.get() <= last {
                return Err(out_of_order(upload, last, part.number.get()));
            }
            parts.push(part);
        }
        match page.next {
            Some(next) if next > after && next < PartNumber::MAX => after = next,
            Some(next) if next < PartNumber::MAX => return Err(out_of_order(upload, after, next)),
            _ => return Ok(parts),
        }
    }
}

fn out_of_order(upload: &UploadRef, after: u32, found: u32) -> StoreError {
    StoreError::new(
        StoreErrorKind::Malformed,
        format!("ListParts of {upload}: expected part numbers above {after}, found {found}"),
    )
}

impl UploadRef {
    /// An upload at a destination.
    #[must_use]
    pub fn of(destination: &Destination, upload: &Upload) -> Self {
        Self {
            bucket: destination.bucket.clone(),
            key: destination.key.clone(),
            id: upload.upload_id.clone(),
            checksum_algorithm: upload.checksum_algorithm,
        }
    }
}

impl From<&PartRef> for ListedPart {
    fn from(part: &PartRef) -> Self {
        Self { number: part.number.get(), size: part.size }
    }
}
