//! Answers: JSON with the headers that clients look for.
use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::{Response, StatusCode};
use serde_json::{Value, json};
use stepfunctions_local::ApiError;

/// What hyper sends.
pub type Answer = Response<Full<Bytes>>;

const JSON: HeaderValue = HeaderValue::from_static("application/x-amz-json-1.0");

/// A refusal: the service's code and its message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) code: String,
    pub(crate) message: String,
}

impl Refusal {
    pub(crate) fn new(code: &str, message: impl Into<String>) -> Self {
        Self { code: code.to_owned(), message: message.into() }
    }

    /// What went wrong here is the server's fault; clients try again.
    fn status(&self) -> StatusCode {
        match self.code.as_str() {
            "InternalFailure" => StatusCode::INTERNAL_SERVER_ERROR,
            // Signatures and rights included: that is how the JSON protocols of AWS answer.
            _ => StatusCode::BAD_REQUEST,
        }
    }
}

impl From<ApiError> for Refusal {
    fn from(error: ApiError) -> Self {
        // The engine's own name for a failing disk; the service has no such thing to say.
        let code = if error.code == "StorageFailure" { "InternalFailure" } else { error.code };
        Self::new(code, error.message)
    }
}

/// The answer to a request.
pub(crate) fn answer(result: Result<Value, Refusal>) -> Answer {
    let (status, body) = match result {
        Ok(value) => (StatusCode::OK, value),
        Err(refusal) => (refusal.status(), json!({"__type": refusal.code, "message": refusal.message})),
    };
    let mut response = Response::new(Full::new(Bytes::from(body.to_string())));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, JSON);
    if let Ok(id) = HeaderValue::try_from(uuid::Uuid::new_v4().to_string()) {
        response.headers_mut().insert("x-amzn-requestid", id);
    }
    response
}
