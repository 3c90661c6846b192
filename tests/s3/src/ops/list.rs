//! ListObjects, both versions: keys in byte order, prefixes rolled up, pages that continue where the last one ended.

use s3s::dto::*;
use s3s::{S3Request, S3Response, S3Result};

use super::parts::page_size;
use crate::checksum;
use crate::errors;
use crate::storage::Store;
use crate::storage::object;
use crate::storage::state;

/// What a listing asks for.
#[derive(Default)]
pub(super) struct Wish<'a> {
    pub prefix: &'a str,
    pub delimiter: Option<&'a str>,
    /// Entries, keys and prefixes alike, must sort behind this.
    pub after: &'a str,
    pub max: usize,
}

/// An entry: a key, or a prefix that stands for all keys that begin with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Entry {
    Key(String),
    Prefix(String),
}

impl Entry {
    pub(super) fn name(&self) -> &str {
        match self {
            Self::Key(name) | Self::Prefix(name) => name,
        }
    }
}

/// A page of entries from keys in byte order, and whether there is more.
pub(super) fn page<'a>(keys: impl Iterator<Item = &'a str>, wish: &Wish<'_>) -> (Vec<Entry>, bool) {
    let mut entries: Vec<Entry> = Vec::new();
    for key in keys.filter(|key| key.starts_with(wish.prefix)) {
        let entry = roll_up(key, wish);
        // A key behind a prefix that was already given belongs to it.
        let given = matches!(&entry, Entry::Prefix(name) if wish.after.starts_with(name.as_str()));
        if given || entry.name() <= wish.after || entries.last() == Some(&entry) {
            continue;
        }
        if entries.len() == wish.max {
            return (entries, true);
        }
        entries.push(entry);
    }
    (entries, false)
}

fn roll_up(key: &str, wish: &Wish<'_>) -> Entry {
    let delimiter = wish.delimiter.filter(|delimiter| !delimiter.is_empty());
    let end = delimiter.and_then(|delimiter| {
        let rest = &key[wish.prefix.len()..];
        rest.find(delimiter).map(|at| wish.prefix.len() + at + delimiter.len())
    });
    end.map_or_else(|| Entry::Key(key.to_owned()), |end| Entry::Prefix(key[..end].to_owned()))
}

/// The owner of a bucket, and as who its uploads were begun.
pub(super) fn owner(bucket: &state::Bucket) -> (Owner, Initiator) {
    let id = Some(bucket.options.owner.clone());
    (Owner { id: id.clone(), display_name: None }, Initiator { id, display_name: None })
}

/// Escapes for `encoding-type=url`.
pub(super) fn encoded(text: &str, encoding: Option<&EncodingType>) -> S3Result<String> {
    match encoding.map(EncodingType::as_str) {
        None => Ok(text.to_owned()),
        Some(EncodingType::URL) => Ok(urlencoding::encode(text).replace("%2F", "/")),
        Some(other) => {
            Err(errors::invalid_argument(format!("Invalid Encoding Method specified in Request: {other}")))
        }
    }
}

struct Contents {
    objects: Vec<Object>,
    prefixes: Vec<CommonPrefix>,
    truncated: bool,
    last: Option<String>,
}

fn contents(
    bucket: &state::Bucket,
    wish: &Wish<'_>,
    encoding: Option<&EncodingType>,
    with_owner: bool,
) -> S3Result<Contents> {
    let keys = bucket.objects.keys().filter(|key| bucket.current(key).is_some()).map(String::as_str);
    let (entries, truncated) = if wish.max == 0 { (Vec::new(), false) } else { page(keys, wish) };
    let last = entries.last().map(|entry| entry.name().to_owned());
    let (mut objects, mut prefixes) = (Vec::new(), Vec::new());
    for entry in entries {
        let name = encoded(entry.name(), encoding)?;
        match entry {
            Entry::Prefix(_) => prefixes.push(CommonPrefix { prefix: Some(name) }),
            Entry::Key(key) => {
                objects.extend(bucket.current(&key).map(|found| Object {
                    owner: with_owner.then(|| owner(bucket).0),
                    ..listed(name, found)
                }));
            }
        }
    }
    Ok(Contents { objects, prefixes, truncated, last })
}

fn listed(key: String, found: &object::Object) -> Object {
    Object {
        key: Some(key),
        e_tag: Some(ETag::Strong(found.etag.clone())),
        size: Some(found.content.len() as i64),
        last_modified: Some(found.modified.into()),
        storage_class: Some(ObjectStorageClass::from(found.attributes.storage_class.clone())),
        checksum_algorithm: found.checksum.as_ref().map(|sum| vec![sum.algorithm.as_str().to_owned().into()]),
        checksum_type: found.checksum.as_ref().map(|sum| sum.kind.as_str().to_owned().into()),
        ..Object::default()
    }
}

pub(super) async fn second(
    store: &Store,
    request: S3Request<ListObjectsV2Input>,
) -> S3Result<S3Response<ListObjectsV2Output>> {
    let input = request.input;
    let max = page_size(input.max_keys, "max-keys")?;
    let token = input.continuation_token.as_deref().map(from_token).transpose()?;
    let after = token.as_deref().or(input.start_after.as_deref()).unwrap_or_default();
    let prefix = input.prefix.as_deref().unwrap_or_default();
    let wish = Wish { prefix, delimiter: input.delimiter.as_deref(), after, max: max as usize };
    let encoding = input.encoding_type.as_ref();
    let state = store.lock();
    let found = contents(state.bucket(&input.bucket)?, &wish, encoding, input.fetch_owner == Some(true))?;
    let output = ListObjectsV2Output {
        prefix: Some(encoded(prefix, encoding)?),
        delimiter: input.delimiter.as_deref().map(|text| encoded(text, encoding)).transpose()?,
        start_after: input.start_after.as_deref().map(|text| encoded(text, encoding)).transpose()?,
        name: Some(input.bucket),
        max_keys: Some(max),
        key_count: Some((found.objects.len() + found.prefixes.len()) as i32),
        is_truncated: Some(found.truncated),
        next_continuation_token: found
            .last
            .filter(|_| found.truncated)
            .map(|last| checksum::encode(last.as_bytes())),
        continuation_token: input.continuation_token,
        contents: Some(found.objects),
        common_prefixes: Some(found.prefixes),
        encoding_type: input.encoding_type,
        ..ListObjectsV2Output::default()
    };
    Ok(S3Response::new(output))
}

fn from_token(token: &str) -> S3Result<String> {
    let key = checksum::decode(token).and_then(|raw| String::from_utf8(raw).ok());
    key.ok_or_else(|| errors::invalid_argument("The continuation token provided is incorrect"))
}

pub(super) async fn first(
    store: &Store,
    request: S3Request<ListObjectsInput>,
) -> S3Result<S3Response<ListObjectsOutput>> {
    let input = request.input;
    let max = page_size(input.max_keys, "max-keys")?;
    let prefix = input.prefix.as_deref().unwrap_or_default();
    let after = input.marker.as_deref().unwrap_or_default();
    let wish = Wish { prefix, delimiter: input.delimiter.as_deref(), after, max: max as usize };
    let encoding = input.encoding_type.as_ref();
    let state = store.lock();
    let found = contents(state.bucket(&input.bucket)?, &wish, encoding, true)?;
    let next = found.last.filter(|_| found.truncated && input.delimiter.is_some());
    let output = ListObjectsOutput {
        prefix: Some(encoded(prefix, encoding)?),
        marker: Some(encoded(after, encoding)?),
        delimiter: input.delimiter.as_deref().map(|text| encoded(text, encoding)).transpose()?,
        name: Some(input.bucket),
        max_keys: Some(max),
        is_truncated: Some(found.truncated),
        next_marker: next.map(|text| encoded(&text, encoding)).transpose()?,
        contents: Some(found.objects),
        common_prefixes: Some(found.prefixes),
        encoding_type: input.encoding_type,
        ..ListObjectsOutput::default()
    };
    Ok(S3Response::new(output))
}
