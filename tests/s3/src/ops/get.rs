//! GetObject and HeadObject: versions, conditions, ranges, part numbers, archives, customer keys.

use std::ops::Range;
use std::sync::Arc;
use std::time::SystemTime;

use http::{HeaderMap, HeaderValue, StatusCode};
use s3s::dto::{
    GetObjectInput, GetObjectOutput, HeadObjectInput, HeadObjectOutput, StreamingBlob, Timestamp,
    TimestampFormat,
};
use s3s::{S3Error, S3ErrorCode, S3Request, S3Response, S3Result};

use super::conditions::ReadConditions;
use super::written::{self, text};
use crate::checksum::{self, Checksum, ChecksumType};
use crate::errors;
use crate::storage::Store;
use crate::storage::object::{Object, Version};
use crate::storage::state::Bucket;

pub(super) async fn get(
    store: &Store,
    request: S3Request<GetObjectInput>,
) -> S3Result<S3Response<GetObjectOutput>> {
    let input = &request.input;
    let overlooked = request.extensions.get::<super::WholeObject>().is_some();
    let wanted = Wanted { range: input.range.filter(|_| !overlooked), part: input.part_number };
    let mut found =
        find(store, &input.bucket, &input.key, input.version_id.as_deref(), &request.headers, wanted)?;
    if found.archived {
        return Err(archived(&found.object));
    }
    drop_overridden(input, &mut found.headers);
    let body = found.object.content.slice(found.range.start, found.range.end).reader();
    let output = GetObjectOutput {
        body: Some(StreamingBlob::new(body)),
        content_length: Some((found.range.end - found.range.start) as i64),
        ..GetObjectOutput::default()
    };
    Ok(respond(output, found.partial, found.headers))
}

pub(super) async fn head(
    store: &Store,
    request: S3Request<HeadObjectInput>,
) -> S3Result<S3Response<HeadObjectOutput>> {
    let input = &request.input;
    let wanted = Wanted { range: input.range, part: input.part_number };
    let found =
        find(store, &input.bucket, &input.key, input.version_id.as_deref(), &request.headers, wanted)?;
    let length = found.range.end - found.range.start;
    let output = HeadObjectOutput { content_length: Some(length as i64), ..HeadObjectOutput::default() };
    Ok(respond(output, found.partial, found.headers))
}

fn respond<T>(output: T, partial: bool, headers: HeaderMap) -> S3Response<T> {
    super::answer(output, if partial { StatusCode::PARTIAL_CONTENT } else { StatusCode::OK }, headers)
}

struct Wanted {
    range: Option<s3s::dto::Range>,
    part: Option<i32>,
}

struct Found {
    object: Arc<Object>,
    range: Range<u64>,
    partial: bool,
    archived: bool,
    headers: HeaderMap,
}

fn find(
    store: &Store,
    bucket: &str,
    key: &str,
    id: Option<&str>,
    headers: &HeaderMap,
    wanted: Wanted,
) -> S3Result<Found> {
    let (version, object, id) = {
        let state = store.lock();
        let bucket = state.bucket(bucket)?;
        let (version, object) = bucket.version(key, id)?;
        (version.clone(), Arc::clone(object), reported_id(bucket, version))
    };
    check_customer_key(&object, headers)?;
    ReadConditions::of_read(headers).check(&object)?;
    let (range, checksum) = select(&object, &wanted)?;
    let partial = wanted.range.is_some() || wanted.part.is_some();
    let mut out = describe(store, &version, &object, id.as_deref());
    if partial {
        content_range(&mut out, &range, object.content.len());
    }
    if text(headers, "x-amz-checksum-mode").is_some_and(|mode| mode.eq_ignore_ascii_case("ENABLED"))
        && let Some(checksum) = checksum
    {
        checksum.put_headers(&mut out);
    }
    if wanted.part.is_some() && !object.parts.is_empty() {
        out.insert("x-amz-mp-parts-count", HeaderValue::from(object.parts.len() as u64));
    }
    let archived = object.attributes.is_archived() && !readable(store, &version);
    Ok(Found { object, range, partial, archived, headers: out })
}

/// The version id to report: `null` too where versioning was ever on.
fn reported_id(bucket: &Bucket, version: &Version) -> Option<String> {
    bucket.reported(version.id.clone())
}

/// The bytes asked for, and the checksum that belongs to exactly those.
fn select(object: &Object, wanted: &Wanted) -> S3Result<(Range<u64>, Option<Checksum>)> {
    let length = object.content.len();
    match (&wanted.range, wanted.part) {
        (Some(_), Some(_)) => {
            Err(errors::invalid_request("Cannot specify both Range header and partNumber query parameter"))
        }
        (None, None) => Ok((0..length, object.checksum.clone())),
        (Some(range), None) => {
            let range = range.check(length).map_err(|_| unsatisfiable(length))?;
            let part = parts_with_ranges(object).find(|(_, of_part)| *of_part == range);
            Ok((range, part.and_then(|(number, _)| part_checksum(object, number))))
        }
        (None, Some(number)) => part_range(object, number),
    }
}

fn part_range(object: &Object, number: i32) -> S3Result<(Range<u64>, Option<Checksum>)> {
    if object.parts.is_empty() && number == 1 {
        return Ok((0..object.content.len(), object.checksum.clone()));
    }
    let found = parts_with_ranges(object).find(|(have, _)| i64::from(*have) == i64::from(number));
    let (number, range) = found.ok_or_else(|| {
        let message = "The requested partnumber is not satisfiable";
        errors::refuse_with(StatusCode::RANGE_NOT_SATISFIABLE, "InvalidPartNumber", message)
    })?;
    Ok((range, part_checksum(object, number)))
}

/// Part numbers of a finished object count from 1, whatever numbers its upload used.
fn parts_with_ranges(object: &Object) -> impl Iterator<Item = (u32, Range<u64>)> {
    object.parts.iter().zip(1..).scan(0, |start, (part, number)| {
        let range = *start..*start + part.content.len();
        *start = range.end;
        Some((number, range))
    })
}

fn part_checksum(object: &Object, number: u32) -> Option<Checksum> {
    let (algorithm, raw) = object.parts.get(number as usize - 1)?.digest.as_ref()?;
    let kind = object.checksum.as_ref().map_or(ChecksumType::FullObject, |whole| whole.kind);
    Some(Checksum { algorithm: *algorithm, kind, value: checksum::encode(raw) })
}

fn unsatisfiable(length: u64) -> S3Error {
    let error = errors::refuse(S3ErrorCode::InvalidRange, "The requested range is not satisfiable");
    errors::with_headers(error, [("content-range", format!("bytes */{length}"))])
}

fn content_range(headers: &mut HeaderMap, range: &Range<u64>, length: u64) {
    // A part of an object without bytes has no last byte to name.
    if let (false, Ok(value)) =
        (range.is_empty(), HeaderValue::try_from(format!("bytes {}-{}/{length}", range.start, range.end - 1)))
    {
        headers.insert("content-range", value);
    }
}

/// The headers that GET and HEAD share, whatever range was asked for.
fn describe(store: &Store, version: &Version, object: &Object, id: Option<&str>) -> HeaderMap {
    let mut headers = object.attributes.headers.clone();
    headers.extend(written::encryption_headers(&object.attributes));
    let mut put = |name: &'static str, value: String| {
        if let Ok(value) = HeaderValue::try_from(value) {
            headers.insert(name, value);
        }
    };
    put("etag", format!("\"{}\"", object.etag));
    put("last-modified", http_date(object.modified));
    put("accept-ranges", "bytes".to_owned());
    if object.attributes.storage_class != "STANDARD" {
        put("x-amz-storage-class", object.attributes.storage_class.clone());
    }
    if let Some(id) = id {
        put("x-amz-version-id", id.to_owned());
    }
    if !version.tags.is_empty() {
        put("x-amz-tagging-count", version.tags.len().to_string());
    }
    if let Some(restore) = version.restore {
        put("x-amz-restore", super::restore::header(restore, store.now()));
    }
    written::crc64ecma(store, &object.content, &mut headers);
    headers
}

/// A date as HTTP headers carry it.
pub(crate) fn http_date(time: SystemTime) -> String {
    let mut out = Vec::new();
    let written = Timestamp::from(time).format(TimestampFormat::HttpDate, &mut out);
    written.ok().and_then(|()| String::from_utf8(out).ok()).unwrap_or_default()
}

/// A date as events carry it: `2026-01-31T12:00:00Z`.
pub(crate) fn iso_date(time: SystemTime) -> String {
    let mut out = Vec::new();
    let written = Timestamp::from(time).format(TimestampFormat::DateTime, &mut out);
    let text = written.ok().and_then(|()| String::from_utf8(out).ok()).unwrap_or_default();
    text.get(..19).map(|seconds| format!("{seconds}Z")).unwrap_or_default()
}

pub(super) fn readable(store: &Store, version: &Version) -> bool {
    let now = store.now();
    version.restore.is_some_and(|restore| restore.ready <= now && now < restore.expires)
}

/// 403 for an object that is in an archive and not restored.
pub(super) fn archived(object: &Object) -> S3Error {
    let class = &object.attributes.storage_class;
    let message = format!("The operation is not valid for the object's storage class: {class}");
    errors::refuse(S3ErrorCode::InvalidObjectState, message)
}

/// 400 without the customer's key, 403 with another one.
pub(super) fn check_customer_key(object: &Object, headers: &HeaderMap) -> S3Result<()> {
    match (&object.attributes.customer_key, written::customer_key(headers)?) {
        (Some(_), None) => Err(errors::invalid_request(
            "The object was stored using a form of Server Side Encryption. The correct parameters must be provided to retrieve the object.",
        )),
        (Some(wanted), Some(given)) if *wanted != given => {
            Err(errors::refuse(S3ErrorCode::AccessDenied, "The provided encryption key is not the object's."))
        }
        (None, Some(_)) => {
            Err(errors::invalid_request("The encryption parameters are not applicable to this object."))
        }
        _ => Ok(()),
    }
}

/// `response-*` parameters win over the object's own headers.
fn drop_overridden(input: &GetObjectInput, headers: &mut HeaderMap) {
    let overridden = [
        ("content-type", input.response_content_type.is_some()),
        ("content-language", input.response_content_language.is_some()),
        ("expires", input.response_expires.is_some()),
        ("cache-control", input.response_cache_control.is_some()),
        ("content-disposition", input.response_content_disposition.is_some()),
        ("content-encoding", input.response_content_encoding.is_some()),
    ];
    for (name, _) in overridden.into_iter().filter(|(_, given)| *given) {
        headers.remove(name);
    }
}
