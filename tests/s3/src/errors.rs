//! Refusals in the words of the S3 API.

use std::borrow::Cow;

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use s3s::{S3Error, S3ErrorCode};

/// A refusal with one of the API's own codes, whose status follows from the code.
pub(crate) fn refuse(code: S3ErrorCode, message: impl Into<Cow<'static, str>>) -> S3Error {
    S3Error::with_message(code, message)
}

/// A refusal whose code the protocol library does not know, or knows with another status.
pub(crate) fn refuse_with(status: StatusCode, code: &str, message: impl Into<Cow<'static, str>>) -> S3Error {
    let code = S3ErrorCode::from_bytes(code.as_bytes()).unwrap_or(S3ErrorCode::InternalError);
    let mut error = S3Error::with_message(code, message);
    error.set_status_code(status);
    error
}

pub(crate) fn invalid_argument(message: impl Into<Cow<'static, str>>) -> S3Error {
    refuse(S3ErrorCode::InvalidArgument, message)
}

pub(crate) fn invalid_request(message: impl Into<Cow<'static, str>>) -> S3Error {
    refuse(S3ErrorCode::InvalidRequest, message)
}

pub(crate) fn not_implemented(what: &str) -> S3Error {
    let message = format!("A header you provided implies functionality that is not implemented: {what}");
    refuse(S3ErrorCode::NotImplemented, message)
}

pub(crate) fn no_such_upload() -> S3Error {
    refuse(
        S3ErrorCode::NoSuchUpload,
        "The specified upload does not exist. It may have been aborted or completed, or belongs to another key.",
    )
}

pub(crate) fn precondition_failed(condition: &str) -> S3Error {
    let message = format!("At least one of the preconditions you specified did not hold: {condition}");
    refuse(S3ErrorCode::PreconditionFailed, message)
}

pub(crate) fn io(error: std::io::Error) -> S3Error {
    S3Error::with_source(S3ErrorCode::InternalError, Box::new(error))
}

/// Adds headers to an error's answer; the body stays XML.
pub(crate) fn with_headers<const N: usize>(
    mut error: S3Error,
    pairs: [(&'static str, String); N],
) -> S3Error {
    let mut headers = HeaderMap::new();
    headers.insert(http::header::CONTENT_TYPE, HeaderValue::from_static("application/xml"));
    for (name, value) in pairs {
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(HeaderName::from_static(name), value);
        }
    }
    error.set_headers(headers);
    error
}
