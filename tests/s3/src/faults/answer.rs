//! Canned answers: the errors that S3, its proxies and KMS give, byte for byte under the test's control.

use bytes::Bytes;
use http::StatusCode;

/// An answer that a fault gives in place of the real one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The status line's code.
    pub status: StatusCode,
    /// `Content-Type`.
    pub content_type: &'static str,
    /// Further headers.
    pub headers: Vec<(&'static str, String)>,
    /// Sent with its length; not sent for HEAD.
    pub body: Bytes,
}

impl Answer {
    /// Any status with an XML error of this code, as S3 writes it.
    #[must_use]
    pub fn error(status: u16, code: &str, message: &str) -> Self {
        let body = format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code><Message>{message}</Message>\
             <RequestId>FAULT</RequestId><HostId>fault</HostId></Error>"
        );
        Self::raw(status, "application/xml", body)
    }

    /// Any status and body. A status outside 100..=999 becomes 500.
    #[must_use]
    pub fn raw(status: u16, content_type: &'static str, body: impl Into<Bytes>) -> Self {
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        Self { status, content_type, headers: Vec::new(), body: body.into() }
    }

    /// 503 `SlowDown`.
    #[must_use]
    pub fn slow_down() -> Self {
        Self::error(503, "SlowDown", "Please reduce your request rate.")
    }

    /// 503 `ServiceUnavailable`.
    #[must_use]
    pub fn service_unavailable() -> Self {
        Self::error(503, "ServiceUnavailable", "Service is unable to handle request.")
    }

    /// 500 `InternalError`.
    #[must_use]
    pub fn internal_error() -> Self {
        Self::error(500, "InternalError", "We encountered an internal error. Please try again.")
    }

    /// 502 with a proxy's HTML.
    #[must_use]
    pub fn bad_gateway() -> Self {
        Self::raw(502, "text/html", "<html><body><h1>502 Bad Gateway</h1></body></html>")
    }

    /// 504 with a proxy's HTML.
    #[must_use]
    pub fn gateway_timeout() -> Self {
        Self::raw(504, "text/html", "<html><body><h1>504 Gateway Time-out</h1></body></html>")
    }

    /// 403 `AccessDenied`, as after a key was revoked.
    #[must_use]
    pub fn access_denied() -> Self {
        Self::error(403, "AccessDenied", "Access Denied")
    }

    /// 403 `InvalidAccessKeyId`.
    #[must_use]
    pub fn invalid_access_key() -> Self {
        let message = "The AWS Access Key Id you provided does not exist in our records.";
        Self::error(403, "InvalidAccessKeyId", message)
    }

    /// 400 `ExpiredToken`.
    #[must_use]
    pub fn expired_token() -> Self {
        Self::error(400, "ExpiredToken", "The provided token has expired.")
    }

    /// 403 `RequestTimeTooSkewed`.
    #[must_use]
    pub fn request_time_too_skewed() -> Self {
        let message = "The difference between the request time and the current time is too large.";
        Self::error(403, "RequestTimeTooSkewed", message)
    }

    /// 400 `RequestTimeout`: the body did not arrive in time.
    #[must_use]
    pub fn request_timeout() -> Self {
        let message =
            "Your socket connection to the server was not read from or written to within the timeout period.";
        Self::error(400, "RequestTimeout", message)
    }

    /// 403 `InvalidObjectState`, as for an object in an archive.
    #[must_use]
    pub fn archived() -> Self {
        Self::error(403, "InvalidObjectState", "The operation is not valid for the object's storage class")
    }

    /// 400 `KMS.DisabledException`.
    #[must_use]
    pub fn kms_disabled() -> Self {
        Self::error(400, "KMS.DisabledException", "The key is disabled.")
    }

    /// 400 `ThrottlingException` of KMS.
    #[must_use]
    pub fn kms_throttling() -> Self {
        let message =
            "You have exceeded the rate at which you may call KMS. Reduce the frequency of your calls.";
        Self::error(400, "ThrottlingException", message)
    }

    /// 404 `NoSuchUpload`.
    #[must_use]
    pub fn no_such_upload() -> Self {
        Self::error(404, "NoSuchUpload", "The specified upload does not exist.")
    }

    /// 404 `NoSuchKey`.
    #[must_use]
    pub fn no_such_key() -> Self {
        Self::error(404, "NoSuchKey", "The specified key does not exist.")
    }

    /// 412 `PreconditionFailed`.
    #[must_use]
    pub fn precondition_failed() -> Self {
        let message = "At least one of the pre-conditions you specified did not hold";
        Self::error(412, "PreconditionFailed", message)
    }

    /// 409 `ConditionalRequestConflict`.
    #[must_use]
    pub fn conditional_conflict() -> Self {
        let message = "The conditional request cannot succeed due to a conflicting operation.";
        Self::error(409, "ConditionalRequestConflict", message)
    }

    /// 400 `InvalidPart`.
    #[must_use]
    pub fn invalid_part() -> Self {
        Self::error(400, "InvalidPart", "One or more of the specified parts could not be found.")
    }

    /// 400 `InvalidPartOrder`.
    #[must_use]
    pub fn invalid_part_order() -> Self {
        Self::error(400, "InvalidPartOrder", "The list of parts was not in ascending order.")
    }

    /// 400 `EntityTooSmall`.
    #[must_use]
    pub fn entity_too_small() -> Self {
        Self::error(400, "EntityTooSmall", "Your proposed upload is smaller than the minimum allowed size")
    }

    /// 200 whose body is an error: what CompleteMultipartUpload and the copies do when they fail late.
    #[must_use]
    pub fn ok_with_error(code: &str) -> Self {
        Self {
            status: StatusCode::OK,
            ..Self::error(200, code, "We encountered an internal error. Please try again.")
        }
    }

    /// 200 without a body.
    #[must_use]
    pub fn ok_empty() -> Self {
        Self::raw(200, "application/xml", Bytes::new())
    }

    /// 200 with HTML, as from a captive portal.
    #[must_use]
    pub fn ok_html() -> Self {
        Self::raw(200, "text/html", "<html><body>Welcome</body></html>")
    }

    /// 204 without a body.
    #[must_use]
    pub fn no_content() -> Self {
        Self::raw(204, "application/xml", Bytes::new())
    }

    /// Adds a header, for example `Retry-After`.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}
