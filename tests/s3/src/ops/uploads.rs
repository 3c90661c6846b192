//! ListMultipartUploads: open uploads by key and then by their beginning, in pages.

use s3s::dto::{
    CommonPrefix, ListMultipartUploadsInput, ListMultipartUploadsOutput, MultipartUpload, StorageClass,
};
use s3s::{S3Request, S3Response, S3Result};

use super::list::{encoded, owner};
use super::parts::page_size;
use crate::storage::Store;
use crate::storage::object::Upload;
use crate::storage::state::Bucket;

pub(super) async fn list(
    store: &Store,
    request: S3Request<ListMultipartUploadsInput>,
) -> S3Result<S3Response<ListMultipartUploadsOutput>> {
    let input = request.input;
    let max = page_size(input.max_uploads, "max-uploads")?;
    let prefix = input.prefix.as_deref().unwrap_or_default();
    let state = store.lock();
    let bucket = state.bucket(&input.bucket)?;
    let key_marker = input.key_marker.as_deref();
    let after = matching(bucket, prefix, key_marker, input.upload_id_marker.as_deref());
    let mut page =
        Page { max: max as usize, prefix, delimiter: input.delimiter.as_deref(), ..Page::default() };
    page.fill(after, key_marker.unwrap_or_default());
    let encoding = input.encoding_type.as_ref();
    let listed =
        page.uploads.iter().map(|upload| Ok(listed(bucket, upload, encoded(&upload.key, encoding)?)));
    let prefixes =
        page.prefixes.iter().map(|name| Ok(CommonPrefix { prefix: Some(encoded(name, encoding)?) }));
    let next = page.next.filter(|_| page.truncated);
    let output = ListMultipartUploadsOutput {
        bucket: Some(input.bucket),
        key_marker: input.key_marker,
        upload_id_marker: input.upload_id_marker,
        next_key_marker: next.as_ref().map(|(key, _)| encoded(key, encoding)).transpose()?,
        next_upload_id_marker: next.map(|(_, id)| id),
        prefix: input.prefix.as_deref().map(|text| encoded(text, encoding)).transpose()?,
        delimiter: input.delimiter.clone(),
        max_uploads: Some(max),
        is_truncated: Some(page.truncated),
        uploads: Some(listed.collect::<S3Result<_>>()?),
        common_prefixes: Some(prefixes.collect::<S3Result<_>>()?),
        encoding_type: input.encoding_type.clone(),
        ..ListMultipartUploadsOutput::default()
    };
    Ok(S3Response::new(output))
}

/// Uploads behind the markers. Of one key they come in the order of their beginning, so the id marker is a position
/// in that order; without it a key marker leaves out its key altogether.
fn matching<'a>(bucket: &'a Bucket, prefix: &str, key: Option<&str>, id: Option<&str>) -> Vec<&'a Upload> {
    let mut all: Vec<_> = bucket.uploads.values().filter(|upload| upload.key.starts_with(prefix)).collect();
    all.sort_by(|a, b| (&a.key, a.initiated, &a.id).cmp(&(&b.key, b.initiated, &b.id)));
    let Some(key) = key else { return all };
    let reached = id.and_then(|id| all.iter().position(|upload| upload.key == key && upload.id == id));
    match reached {
        Some(position) => all.split_off(position + 1),
        None => all.into_iter().filter(|upload| upload.key.as_str() > key).collect(),
    }
}

#[derive(Default)]
struct Page<'a> {
    max: usize,
    prefix: &'a str,
    delimiter: Option<&'a str>,
    uploads: Vec<&'a Upload>,
    prefixes: Vec<String>,
    /// Key and id of the last entry.
    next: Option<(String, String)>,
    truncated: bool,
}

impl<'a> Page<'a> {
    fn fill(&mut self, uploads: Vec<&'a Upload>, marker: &str) {
        for upload in uploads {
            let rolled = self.rolled_up(&upload.key);
            if rolled
                .as_ref()
                .is_some_and(|name| self.prefixes.last() == Some(name) || marker.starts_with(name.as_str()))
            {
                continue;
            }
            if self.uploads.len() + self.prefixes.len() == self.max {
                self.truncated = true;
                return;
            }
            self.next = Some(
                rolled
                    .clone()
                    .map_or_else(|| (upload.key.clone(), upload.id.clone()), |name| (name, String::new())),
            );
            match rolled {
                Some(name) => self.prefixes.push(name),
                None => self.uploads.push(upload),
            }
        }
    }

    fn rolled_up(&self, key: &str) -> Option<String> {
        let delimiter = self.delimiter.filter(|delimiter| !delimiter.is_empty())?;
        let at = key[self.prefix.len()..].find(delimiter)?;
        Some(key[..self.prefix.len() + at + delimiter.len()].to_owned())
    }
}

fn listed(bucket: &Bucket, upload: &Upload, key: String) -> MultipartUpload {
    let (owner, initiator) = owner(bucket);
    MultipartUpload {
        key: Some(key),
        upload_id: Some(upload.id.clone()),
        initiated: Some(upload.initiated.into()),
        storage_class: Some(StorageClass::from(upload.attributes.storage_class.clone())),
        checksum_algorithm: upload.checksum.map(|(algorithm, _)| algorithm.as_str().to_owned().into()),
        checksum_type: upload.checksum.map(|(_, kind)| kind.as_str().to_owned().into()),
        owner: Some(owner),
        initiator: Some(initiator),
    }
}
