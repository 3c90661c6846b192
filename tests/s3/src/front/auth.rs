//! Checks of a signature that the protocol library leaves out: scheme, Region, signed headers, the server's clock.

use std::time::SystemTime;

use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use s3s::{S3Error, S3ErrorCode, S3Result};

use super::classify::Query;
use crate::errors;
use crate::storage::Store;

/// How far a request's date may lie from the server's: 15 minutes, as the vendor documents.
const MAX_SKEW: u64 = 15 * 60;

/// A presigned URL lives a week at most.
const MAX_EXPIRES: u64 = 7 * 24 * 3600;

pub(super) fn check(store: &Store, request: &Parts) -> S3Result<()> {
    let query = Query::of(&request.uri);
    if query.has("X-Amz-Signature") {
        return check_presigned(store, &query);
    }
    let Some(authorization) = text(&request.headers, "authorization") else {
        let refused = query.has("AWSAccessKeyId") || query.has("Signature");
        return if refused { Err(unsupported_scheme()) } else { Ok(()) };
    };
    let Some(fields) = authorization.strip_prefix("AWS4-HMAC-SHA256") else {
        return Err(unsupported_scheme());
    };
    let field = |name: &str| {
        let wanted =
            fields.split(',').map(str::trim).find_map(|field| field.strip_prefix(name)?.strip_prefix('='));
        wanted.ok_or_else(|| {
            malformed(&format!("The authorization header is malformed: {name} is missing."), None)
        })
    };
    check_region(store, field("Credential")?, S3ErrorCode::AuthorizationHeaderMalformed)?;
    check_signed_headers(&request.headers, field("SignedHeaders")?)?;
    check_date(store, text(&request.headers, "x-amz-date"))?;
    check_streaming(store, &request.headers)
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

fn unsupported_scheme() -> S3Error {
    errors::invalid_request(
        "The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.",
    )
}

fn malformed(message: &str, code: Option<S3ErrorCode>) -> S3Error {
    errors::refuse(code.unwrap_or(S3ErrorCode::AuthorizationHeaderMalformed), message.to_owned())
}

/// The credential is `key/date/region/service/aws4_request`.
fn check_region(store: &Store, credential: &str, code: S3ErrorCode) -> S3Result<()> {
    let scope: Vec<_> = credential.rsplit('/').collect();
    let [terminator, service, region, _date, _key, ..] = scope.as_slice() else {
        return Err(malformed("The credential is malformed: five fields are expected.", Some(code)));
    };
    if *region != store.region {
        let message = format!("The region '{region}' is wrong; expecting '{}'", store.region);
        let mut error = malformed(&message, Some(code));
        // It is how clients learn the bucket's Region, of a HEAD above all: that has no body.
        if let Ok(region) = HeaderValue::try_from(&store.region) {
            error.set_headers(
                [(HeaderName::from_static("x-amz-bucket-region"), region)].into_iter().collect(),
            );
        }
        return Err(error);
    }
    if (*service, *terminator) != ("s3", "aws4_request") {
        return Err(malformed("The credential's scope must end in s3/aws4_request.", Some(code)));
    }
    Ok(())
}

/// `host` and every `x-amz-*` header must be under the signature.
fn check_signed_headers(headers: &HeaderMap, signed: &str) -> S3Result<()> {
    let signed: Vec<_> = signed.split(';').collect();
    let must_be = |name: &str| name == "host" || name.starts_with("x-amz-");
    match headers.keys().find(|name| must_be(name.as_str()) && !signed.contains(&name.as_str())) {
        None => Ok(()),
        Some(name) => {
            let message = format!("There were headers present in the request which were not signed: {name}");
            Err(errors::refuse(S3ErrorCode::AccessDenied, message))
        }
    }
}

fn check_date(store: &Store, date: Option<&str>) -> S3Result<()> {
    let Some(date) = date.and_then(parse_date) else {
        let message = "AWS authentication requires a valid Date or x-amz-date header";
        return Err(errors::refuse(S3ErrorCode::AccessDenied, message));
    };
    let now = store.now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
    if now.abs_diff(date) <= MAX_SKEW {
        return Ok(());
    }
    let message = "The difference between the request time and the current time is too large.";
    Err(errors::refuse_with(StatusCode::FORBIDDEN, "RequestTimeTooSkewed", message))
}

/// Seconds since 1970 of a date such as `20260131T235959Z`.
fn parse_date(text: &str) -> Option<u64> {
    let digits = |range: std::ops::Range<usize>| text.get(range)?.parse::<u64>().ok();
    let plain = text.len() == 16 && text.get(8..9) == Some("T") && text.ends_with('Z');
    let (year, month, day) = (digits(0..4)?, digits(4..6)?, digits(6..8)?);
    let (hour, minute, second) = (digits(9..11)?, digits(11..13)?, digits(13..15)?);
    if !plain || year < 1970 || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    // Days of the proleptic Gregorian calendar, counted in years that begin in March.
    let (shifted_year, shifted_month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let leap_days = shifted_year / 4 - shifted_year / 100 + shifted_year / 400;
    let days = shifted_year * 365 + leap_days + (shifted_month * 153 + 2) / 5 + day - 1 - 719_468;
    Some(((days * 24 + hour) * 60 + minute) * 60 + second)
}

fn check_presigned(store: &Store, query: &Query) -> S3Result<()> {
    let code = || {
        S3ErrorCode::from_bytes(b"AuthorizationQueryParametersError").unwrap_or(S3ErrorCode::InvalidRequest)
    };
    let bad = |message: &str| {
        let mut error = malformed(message, Some(code()));
        error.set_status_code(StatusCode::BAD_REQUEST);
        error
    };
    let mut region = check_region(store, &query.get("X-Amz-Credential").unwrap_or_default(), code());
    if let Err(error) = &mut region {
        error.set_status_code(StatusCode::BAD_REQUEST);
    }
    region?;
    let expires = query.get("X-Amz-Expires").and_then(|seconds| seconds.parse::<u64>().ok());
    if expires.is_none_or(|seconds| seconds > MAX_EXPIRES) {
        return Err(bad("X-Amz-Expires must be a number of seconds less than a week (604800)"));
    }
    Ok(())
}

fn check_streaming(store: &Store, headers: &HeaderMap) -> S3Result<()> {
    let streams = text(headers, "x-amz-content-sha256").is_some_and(|hash| hash.starts_with("STREAMING-"));
    if streams && !store.capabilities.trailers { Err(errors::not_implemented("aws-chunked")) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::parse_date;

    #[test]
    fn dates_are_seconds_since_1970() {
        assert_eq!(parse_date("19700101T000000Z"), Some(0));
        assert_eq!(parse_date("20000229T120000Z"), Some(951_825_600));
        assert_eq!(parse_date("20261121T103433Z"), Some(1_795_257_273));
        assert_eq!(parse_date("20261321T103433Z"), None);
        assert_eq!(parse_date("2026-11-21T10:34:33Z"), None);
    }
}
