//! ListObjectVersions: every version and delete marker, newest first within a key.

use s3s::dto::*;
use s3s::{S3Request, S3Response, S3Result};

use super::list::{encoded, owner};
use super::parts::page_size;
use crate::storage::Store;
use crate::storage::object::{Object, Version};
use crate::storage::state;

/// A version with its key, and whether it is the key's latest.
type Row<'a> = (&'a str, &'a Version, bool);

pub(super) async fn list(
    store: &Store,
    request: S3Request<ListObjectVersionsInput>,
) -> S3Result<S3Response<ListObjectVersionsOutput>> {
    let input = request.input;
    let max = page_size(input.max_keys, "max-keys")?;
    let state = store.lock();
    let bucket = state.bucket(&input.bucket)?;
    let prefix = input.prefix.as_deref().unwrap_or_default();
    let delimiter = input.delimiter.as_deref().filter(|text| !text.is_empty());
    let rows = behind(bucket, prefix, input.key_marker.as_deref(), input.version_id_marker.as_deref());
    let marker = input.key_marker.as_deref().unwrap_or_default();
    let page = page(&rows, prefix, delimiter, marker, max as usize);
    let encoding = input.encoding_type.as_ref();
    let (mut versions, mut markers) = (Vec::new(), Vec::new());
    for (key, version, latest) in &page.rows {
        let key = encoded(key, encoding)?;
        match &version.object {
            Some(object) => versions.push(listed(bucket, key, version, object, *latest)),
            None => markers.push(marker_entry(bucket, key, version, *latest)),
        }
    }
    let prefixes =
        page.prefixes.iter().map(|name| Ok(CommonPrefix { prefix: Some(encoded(name, encoding)?) }));
    let next = page.last.filter(|_| page.truncated);
    let output = ListObjectVersionsOutput {
        name: Some(input.bucket),
        prefix: Some(encoded(prefix, encoding)?),
        delimiter: input.delimiter.clone(),
        max_keys: Some(max),
        is_truncated: Some(page.truncated),
        next_key_marker: next.as_ref().map(|(key, _)| encoded(key, encoding)).transpose()?,
        next_version_id_marker: next.and_then(|(_, id)| id),
        key_marker: input.key_marker.clone(),
        version_id_marker: input.version_id_marker,
        versions: Some(versions),
        delete_markers: Some(markers),
        common_prefixes: Some(prefixes.collect::<S3Result<_>>()?),
        encoding_type: input.encoding_type.clone(),
        ..ListObjectVersionsOutput::default()
    };
    Ok(S3Response::new(output))
}

fn behind<'a>(bucket: &'a state::Bucket, prefix: &str, key: Option<&str>, id: Option<&str>) -> Vec<Row<'a>> {
    let keys = bucket.objects.iter().filter(|(name, _)| name.starts_with(prefix));
    let all: Vec<Row<'_>> = keys
        .flat_map(|(name, versions)| {
            let newest_first = versions.iter().rev().enumerate();
            newest_first.map(move |(index, version)| (name.as_str(), version, index == 0))
        })
        .collect();
    let Some(key) = key else { return all };
    match id.and_then(|id| all.iter().position(|(name, version, _)| *name == key && version.id == id)) {
        Some(position) => all[position + 1..].to_vec(),
        None => all.into_iter().filter(|(name, ..)| *name > key).collect(),
    }
}

#[derive(Default)]
struct Page<'a> {
    rows: Vec<Row<'a>>,
    prefixes: Vec<String>,
    last: Option<(String, Option<String>)>,
    truncated: bool,
}

fn page<'a>(rows: &[Row<'a>], prefix: &str, delimiter: Option<&str>, marker: &str, max: usize) -> Page<'a> {
    let mut page = Page::default();
    for row in rows {
        let end =
            delimiter.and_then(|text| Some(prefix.len() + row.0[prefix.len()..].find(text)? + text.len()));
        let rolled = end.map(|end| row.0[..end].to_owned());
        if rolled
            .as_ref()
            .is_some_and(|name| page.prefixes.last() == Some(name) || marker.starts_with(name.as_str()))
        {
            continue;
        }
        if page.rows.len() + page.prefixes.len() == max {
            page.truncated = true;
            return page;
        }
        match rolled {
            Some(name) => {
                page.last = Some((name.clone(), None));
                page.prefixes.push(name);
            }
            None => {
                page.last = Some((row.0.to_owned(), Some(row.1.id.clone())));
                page.rows.push(*row);
            }
        }
    }
    page
}

fn listed(
    bucket: &state::Bucket,
    key: String,
    version: &Version,
    object: &Object,
    latest: bool,
) -> ObjectVersion {
    ObjectVersion {
        key: Some(key),
        version_id: Some(version.id.clone()),
        is_latest: Some(latest),
        e_tag: Some(ETag::Strong(object.etag.clone())),
        size: Some(object.content.len() as i64),
        last_modified: Some(object.modified.into()),
        owner: Some(owner(bucket).0),
        storage_class: Some(ObjectVersionStorageClass::from(object.attributes.storage_class.clone())),
        checksum_algorithm: object
            .checksum
            .as_ref()
            .map(|sum| vec![sum.algorithm.as_str().to_owned().into()]),
        checksum_type: object.checksum.as_ref().map(|sum| sum.kind.as_str().to_owned().into()),
        ..ObjectVersion::default()
    }
}

fn marker_entry(bucket: &state::Bucket, key: String, version: &Version, latest: bool) -> DeleteMarkerEntry {
    DeleteMarkerEntry {
        key: Some(key),
        version_id: Some(version.id.clone()),
        is_latest: Some(latest),
        last_modified: Some(version.modified.into()),
        owner: Some(owner(bucket).0),
    }
}
