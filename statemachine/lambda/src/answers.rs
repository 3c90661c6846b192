//! What the Runtime API answers: an invocation, an acknowledgement, a refusal.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use http_body_util::Full;
use hyper::{
    Response, StatusCode,
    header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue},
};
use uuid::Uuid;

use crate::error;

const REQUEST_ID: HeaderName = HeaderName::from_static("lambda-runtime-aws-request-id");
const DEADLINE_MS: HeaderName = HeaderName::from_static("lambda-runtime-deadline-ms");
const FUNCTION_ARN: HeaderName = HeaderName::from_static("lambda-runtime-invoked-function-arn");
const TRACE_ID: HeaderName = HeaderName::from_static("lambda-runtime-trace-id");

pub(crate) type Answer = Response<Full<Bytes>>;

/// An invocation, with `arn` as the function that was invoked. Its deadline is `timeout` from now.
pub(crate) fn deliver(id: Uuid, payload: Bytes, timeout: Duration, arn: HeaderValue) -> Answer {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let mut answer = Response::new(Full::new(payload));
    let headers = answer.headers_mut();
    headers.reserve(5);
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(FUNCTION_ARN, arn);
    insert(headers, REQUEST_ID, id.hyphenated().encode_lower(&mut Uuid::encode_buffer()));
    insert(headers, DEADLINE_MS, &(now + timeout).as_millis().to_string());
    insert(headers, TRACE_ID, &trace(id, now));
    answer
}

/// A trace header in the form of X-Ray, never sampled: there is nobody to send segments to.
fn trace(id: Uuid, now: Duration) -> String {
    let mut buffer = Uuid::encode_buffer();
    let hex = id.simple().encode_lower(&mut buffer);
    format!("Root=1-{:08x}-{};Parent={};Sampled=0", now.as_secs(), &hex[8..], &hex[..16])
}

fn insert(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

pub(crate) fn accepted() -> Answer {
    let mut answer = Response::new(Full::new(Bytes::from_static(b"{\"status\":\"OK\"}\n")));
    *answer.status_mut() = StatusCode::ACCEPTED;
    answer
}

pub(crate) fn not_found() -> Answer {
    refuse(StatusCode::NOT_FOUND, "NotFound", "no such resource")
}

pub(crate) fn unknown_request() -> Answer {
    refuse(StatusCode::BAD_REQUEST, "InvalidRequestID", "Invalid request ID")
}

pub(crate) fn refuse(status: StatusCode, error_type: &str, message: &str) -> Answer {
    let mut answer = Response::new(Full::new(error::payload(error_type, message)));
    *answer.status_mut() = status;
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trace_has_the_form_of_x_ray() {
        let id = Uuid::from_u128(0x0123_4567_89ab_cdef_0011_2233_4455_6677);
        let expected = "Root=1-00000010-89abcdef0011223344556677;Parent=0123456789abcdef;Sampled=0";
        assert_eq!(trace(id, Duration::from_secs(16)), expected);
    }
}
