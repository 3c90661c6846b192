//! `If-*` headers: on reads, on the source of a copy, and on writes.

use std::time::SystemTime;

use http::{HeaderMap, StatusCode};
use s3s::dto::{Timestamp, TimestampFormat};
use s3s::{S3ErrorCode, S3Result};

use super::written::text;
use crate::errors;
use crate::storage::Store;
use crate::storage::object::Object;
use crate::storage::state::{Bucket, no_such_key};

/// The four conditions of a read, as headers carry them.
#[derive(Debug, Default)]
pub(super) struct ReadConditions<'a> {
    matching: Option<&'a str>,
    none_matching: Option<&'a str>,
    unmodified: Option<&'a str>,
    modified: Option<&'a str>,
}

impl<'a> ReadConditions<'a> {
    /// Those of GET and HEAD.
    pub(super) fn of_read(headers: &'a HeaderMap) -> Self {
        Self {
            matching: text(headers, "if-match"),
            none_matching: text(headers, "if-none-match"),
            unmodified: text(headers, "if-unmodified-since"),
            modified: text(headers, "if-modified-since"),
        }
    }

    /// Those of a copy's source.
    pub(super) fn of_copy(headers: &'a HeaderMap) -> Self {
        Self {
            matching: text(headers, "x-amz-copy-source-if-match"),
            none_matching: text(headers, "x-amz-copy-source-if-none-match"),
            unmodified: text(headers, "x-amz-copy-source-if-unmodified-since"),
            modified: text(headers, "x-amz-copy-source-if-modified-since"),
        }
    }

    /// 412 or 304 with the object's ETag, in the order of RFC 9110; an ETag condition hides the date beside it.
    pub(super) fn check(&self, object: &Object) -> S3Result<()> {
        let newer = |date: &str| http_date(date).is_some_and(|date| seconds(object.modified) > date);
        if self.matching.is_some_and(|wanted| !names(wanted, &object.etag)) {
            return Err(errors::precondition_failed("If-Match"));
        }
        if self.matching.is_none() && self.unmodified.is_some_and(newer) {
            return Err(errors::precondition_failed("If-Unmodified-Since"));
        }
        if self.none_matching.is_some_and(|wanted| names(wanted, &object.etag)) {
            return Err(not_modified(object));
        }
        if self.none_matching.is_none()
            && self.modified.is_some_and(|date| http_date(date).is_some() && !newer(date))
        {
            return Err(not_modified(object));
        }
        Ok(())
    }

    /// As `check`, but a copy answers 412 where a read answers 304.
    pub(super) fn check_copy(&self, object: &Object) -> S3Result<()> {
        self.check(object).map_err(|error| match error.code() {
            S3ErrorCode::PreconditionFailed => error,
            _ => errors::precondition_failed("x-amz-copy-source-If-None-Match or -If-Modified-Since"),
        })
    }
}

fn not_modified(object: &Object) -> s3s::S3Error {
    let error = errors::refuse_with(StatusCode::NOT_MODIFIED, "NotModified", "Not Modified");
    let modified = super::get::http_date(object.modified);
    errors::with_headers(error, [("etag", format!("\"{}\"", object.etag)), ("last-modified", modified)])
}

/// Whether a list of quoted or bare ETags, or `*`, names this one.
fn names(list: &str, etag: &str) -> bool {
    list.split(',')
        .map(str::trim)
        .any(|one| one == "*" || one.trim_start_matches("W/").trim_matches('"') == etag)
}

/// Whole seconds, as the dates in headers count.
fn seconds(time: SystemTime) -> u64 {
    time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs()
}

fn http_date(text: &str) -> Option<u64> {
    let date = Timestamp::parse(TimestampFormat::HttpDate, text).ok()?;
    let mut out = Vec::new();
    date.format(TimestampFormat::EpochSeconds, &mut out).ok()?;
    String::from_utf8(out).ok()?.split('.').next()?.parse().ok()
}

/// The condition of a PutObject, a copy or a CompleteMultipartUpload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum WriteCondition {
    None,
    /// `If-None-Match: *`
    Absent,
    /// `If-Match`, without quotes.
    Is(String),
}

impl WriteCondition {
    pub(super) fn read(store: &Store, headers: &HeaderMap) -> S3Result<Self> {
        let condition = match (text(headers, "if-match"), text(headers, "if-none-match")) {
            (None, None) => return Ok(Self::None),
            (Some(etag), None) => Self::Is(etag.trim_matches('"').to_owned()),
            (None, Some("*")) => Self::Absent,
            (None, Some(_)) => return Err(errors::not_implemented("If-None-Match with anything but *")),
            (Some(_), Some(_)) => return Err(errors::not_implemented("If-Match and If-None-Match together")),
        };
        if store.capabilities.conditions_unheeded {
            Ok(Self::None)
        } else if store.capabilities.conditional_writes {
            Ok(condition)
        } else {
            Err(errors::not_implemented("conditional write"))
        }
    }

    /// Checked with the write, under one lock. `deletes` is the key's count when the request arrived.
    pub(super) fn check(&self, bucket: &Bucket, key: &str, deletes: u64) -> S3Result<()> {
        let current = bucket.current(key);
        match (self, current) {
            (Self::None, _) => return Ok(()),
            (Self::Absent, Some(_)) => return Err(errors::precondition_failed("If-None-Match")),
            (Self::Is(_), None) => return Err(no_such_key()),
            (Self::Is(etag), Some(object)) if object.etag != *etag => {
                return Err(errors::precondition_failed("If-Match"));
            }
            _ => {}
        }
        if bucket.delete_count(key) != deletes {
            let message = "A delete of the object overlapped this conditional request. Try again.";
            return Err(errors::refuse_with(StatusCode::CONFLICT, "ConditionalRequestConflict", message));
        }
        Ok(())
    }
}
