//! What the SDK's errors mean: by the store's code first, then by the status.

use std::error::Error;

use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::operation::{RequestId, RequestIdExt};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;

use crate::keys::Unread;
use crate::{StoreError, StoreErrorKind as Kind, Verb};

/// An error of the SDK as ours. Never holds headers: only operation, place, code, status and request ids.
pub(super) fn map<E>(verb: Verb, place: &str, error: SdkError<E, HttpResponse>) -> StoreError
where
    E: ProvideErrorMetadata + Error + Send + Sync + 'static,
{
    let (code, status) =
        (error.code().map(str::to_owned), error.raw_response().map(|raw| raw.status().as_u16()));
    let marker = error
        .raw_response()
        .and_then(|raw| raw.headers().get("x-amz-delete-marker"))
        .is_some_and(|value| value == "true");
    let kind = match (&error, status) {
        (SdkError::ServiceError(_) | SdkError::ResponseError(_), Some(_)) if marker => Kind::DeleteMarker,
        (SdkError::ServiceError(_) | SdkError::ResponseError(_), Some(400)) if is_of_framing(&error) => {
            Kind::Corrupted
        }
        (SdkError::ServiceError(_) | SdkError::ResponseError(_), Some(400))
            if verb == Verb::GetObject && is_of_customer_key(&error) =>
        {
            Kind::NeedsSseC
        }
        (SdkError::ServiceError(_) | SdkError::ResponseError(_), Some(status)) => {
            kind_of(verb, code.as_deref(), status)
        }
        (SdkError::TimeoutError(_), _) => Kind::Stalled,
        (SdkError::ConstructionFailure(_), _) => before_sending(&error),
        (SdkError::DispatchFailure(failure), _) if failure.is_timeout() => Kind::Connection,
        (SdkError::DispatchFailure(_), _) => before_sending(&error),
        _ => Kind::Malformed,
    };
    StoreError::new(kind, message(verb, place, &error, code.as_deref(), status, kind))
        .caused_by(chain(&error))
}

/// The store could not take the body apart. We frame all bodies alike, so this one was altered on its way.
fn is_of_framing<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>) -> bool {
    error.code() == Some("InvalidRequest")
        && error.message().is_some_and(|message| message.contains("aws-chunked"))
}

/// In S3's words: "The object was stored using a form of Server Side Encryption. The correct parameters must be provided".
fn is_of_customer_key<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>) -> bool {
    let said = error.message().unwrap_or_default().to_ascii_lowercase();
    error.code() == Some("InvalidRequest")
        && ["server side encryption", "sse-c", "customer-provided"].iter().any(|words| said.contains(words))
}

/// Nothing was sent, or no answer came: credentials that can not be read are told apart from a broken connection.
pub(super) fn before_sending<E: Error + 'static>(error: &SdkError<E, HttpResponse>) -> Kind {
    use aws_credential_types::provider::error::CredentialsError;
    let mut cause: Option<&(dyn Error + 'static)> = error.source();
    let mut of_credentials = false;
    while let Some(found) = cause {
        if let Some(unread) = found.downcast_ref::<Unread>() {
            return unread.kind;
        }
        of_credentials |= found.is::<CredentialsError>();
        cause = found.source();
    }
    match error {
        _ if of_credentials => Kind::Credentials,
        SdkError::ConstructionFailure(_) => Kind::InvalidRequest,
        _ => Kind::Connection,
    }
}

/// The kind by code and status. Codes are those of S3's list of error responses, and of STS and KMS as S3 passes them on.
pub(super) fn kind_of(verb: Verb, code: Option<&str>, status: u16) -> Kind {
    code.and_then(by_code).unwrap_or_else(|| by_status(verb, code.is_some(), status))
}

fn by_code(code: &str) -> Option<Kind> {
    Some(match code {
        "NoSuchKey" | "NoSuchVersion" => Kind::NotFound,
        "NoSuchBucket" => Kind::NoSuchBucket,
        "NoSuchUpload" => Kind::NoSuchUpload,
        "InvalidObjectState" => Kind::Archived,
        "AccessDenied" | "AllAccessDisabled" | "AccountProblem" | "NotSignedUp" => Kind::AccessDenied,
        "ExpiredToken"
        | "ExpiredTokenException"
        | "InvalidAccessKeyId"
        | "InvalidClientTokenId"
        | "InvalidToken"
        | "RequestExpired"
        | "RequestTimeTooSkewed"
        | "SignatureDoesNotMatch"
        | "TokenRefreshRequired"
        | "UnrecognizedClientException" => Kind::Credentials,
        "PreconditionFailed" => Kind::PreconditionFailed,
        "ConditionalRequestConflict" | "RestoreAlreadyInProgress" => Kind::Conflict,
        "InvalidPart" | "InvalidPartOrder" | "EntityTooSmall" => Kind::InvalidPart,
        "BadDigest"
        | "InvalidChunkSizeError"
        | "MalformedTrailerError"
        | "XAmzContentChecksumMismatch"
        | "XAmzContentSHA256Mismatch" => Kind::Corrupted,
        "IncompleteBody" => Kind::Connection,
        "RequestTimeout" => Kind::Stalled,
        "InvalidRange" => Kind::WrongRange,
        "NotImplemented" => Kind::Unsupported,
        "BandwidthLimitExceeded"
        | "RequestLimitExceeded"
        | "RequestThrottled"
        | "SlowDown"
        | "Throttling"
        | "ThrottlingException"
        | "TooManyRequests"
        | "TooManyRequestsException" => Kind::Throttled,
        "GlacierExpeditedRetrievalNotAvailable"
        | "InternalError"
        | "InternalFailure"
        | "OperationAborted"
        | "ServiceUnavailable" => Kind::Unavailable,
        code => return of_keys(code),
    })
}

/// Codes of the key service, which S3 passes on with a prefix.
fn of_keys(code: &str) -> Option<Kind> {
    let code = code.strip_prefix("KMS.")?;
    Some(match code.strip_prefix("KMS").unwrap_or(code) {
        "ThrottlingException" | "Throttling" | "LimitExceededException" => Kind::Throttled,
        "InternalException" | "DependencyTimeoutException" => Kind::Unavailable,
        _ => Kind::KeyUnavailable,
    })
}

fn by_status(verb: Verb, has_code: bool, status: u16) -> Kind {
    match status {
        // The server in front of the store could not read the request: something befell it on its way.
        400 if !has_code && matches!(verb, Verb::PutObject | Verb::UploadPart) => Kind::Corrupted,
        401 => Kind::Credentials,
        403 => Kind::AccessDenied,
        404 => match verb {
            Verb::UploadPart
            | Verb::ListParts
            | Verb::CompleteMultipartUpload
            | Verb::AbortMultipartUpload => Kind::NoSuchUpload,
            _ => Kind::NotFound,
        },
        405 | 501 => Kind::Unsupported,
        408 => Kind::Stalled,
        412 => Kind::PreconditionFailed,
        416 => Kind::WrongRange,
        429 => Kind::Throttled,
        // HEAD has no body to tell SlowDown in; it is what S3 sends 503 for.
        503 if verb == Verb::HeadObject && !has_code => Kind::Throttled,
        500.. => Kind::Unavailable,
        300..=499 => Kind::InvalidRequest,
        _ => Kind::Malformed,
    }
}

fn message<E>(
    verb: Verb,
    place: &str,
    error: &SdkError<E, HttpResponse>,
    code: Option<&str>,
    status: Option<u16>,
    kind: Kind,
) -> String
where
    E: ProvideErrorMetadata + Error + 'static,
{
    let mut text = format!("{verb} {place}: ");
    match status {
        Some(status) => text.push_str(&format!("{} ({status})", code.unwrap_or("no error code"))),
        None => text.push_str(&chain(error)),
    }
    // What was refused is the user's to mend; the store's words help. Other messages say nothing beyond the code.
    if matches!(kind, Kind::InvalidRequest | Kind::AccessDenied | Kind::Unsupported)
        && let Some(words) = error.message()
    {
        text.push_str(": ");
        text.extend(words.chars().filter(|c| !c.is_control()).take(300));
    }
    if kind == Kind::NeedsSseC {
        text.push_str(": encrypted with a key of the client's own (SSE-C)");
    }
    if let Some(id) = error.request_id() {
        text.push_str(&format!(", request {id}"));
    }
    if let Some(id) = error.extended_request_id() {
        text.push_str(&format!(" {id}"));
    }
    text
}

/// The causes' own words, outermost first. Their `Debug` would print headers.
pub(super) fn chain(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(found) = cause {
        let words = found.to_string();
        if !text.ends_with(&words) {
            text = format!("{text}: {words}");
        }
        cause = found.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::kind_of;
    use crate::StoreErrorKind as K;
    use crate::Verb::{
        AbortMultipartUpload, CompleteMultipartUpload, GetObject, HeadObject, ListParts, PutObject,
        UploadPart,
    };

    #[test]
    fn code_and_status_give_the_kind() {
        let rows = [
            (GetObject, Some("NoSuchKey"), 404, K::NotFound),
            (GetObject, Some("NoSuchVersion"), 404, K::NotFound),
            (PutObject, Some("NoSuchBucket"), 404, K::NoSuchBucket),
            (UploadPart, Some("NoSuchUpload"), 404, K::NoSuchUpload),
            (ListParts, None, 404, K::NoSuchUpload),
            (AbortMultipartUpload, Some("Weird"), 404, K::NoSuchUpload),
            (HeadObject, None, 404, K::NotFound),
            (GetObject, Some("InvalidObjectState"), 403, K::Archived),
            (GetObject, Some("AccessDenied"), 403, K::AccessDenied),
            (HeadObject, None, 403, K::AccessDenied),
            (GetObject, Some("ExpiredToken"), 400, K::Credentials),
            (GetObject, Some("InvalidAccessKeyId"), 403, K::Credentials),
            (GetObject, Some("SignatureDoesNotMatch"), 403, K::Credentials),
            (GetObject, None, 401, K::Credentials),
            (GetObject, Some("PreconditionFailed"), 412, K::PreconditionFailed),
            (HeadObject, None, 412, K::PreconditionFailed),
            (CompleteMultipartUpload, Some("ConditionalRequestConflict"), 409, K::Conflict),
            (CompleteMultipartUpload, Some("OperationAborted"), 409, K::Unavailable),
            (CompleteMultipartUpload, Some("InvalidPart"), 400, K::InvalidPart),
            (CompleteMultipartUpload, Some("InvalidPartOrder"), 400, K::InvalidPart),
            (CompleteMultipartUpload, Some("EntityTooSmall"), 400, K::InvalidPart),
            (CompleteMultipartUpload, Some("InternalError"), 200, K::Unavailable),
            (CompleteMultipartUpload, Some("SlowDown"), 200, K::Throttled),
            (CompleteMultipartUpload, None, 200, K::Malformed),
            (UploadPart, Some("BadDigest"), 400, K::Corrupted),
            (UploadPart, Some("XAmzContentChecksumMismatch"), 400, K::Corrupted),
            (UploadPart, Some("IncompleteBody"), 400, K::Connection),
            (UploadPart, Some("RequestTimeout"), 400, K::Stalled),
            (GetObject, Some("InvalidRange"), 416, K::WrongRange),
            (GetObject, Some("SlowDown"), 503, K::Throttled),
            (HeadObject, None, 503, K::Throttled),
            (GetObject, None, 503, K::Unavailable),
            (GetObject, None, 429, K::Throttled),
            (GetObject, Some("InternalError"), 500, K::Unavailable),
            (GetObject, None, 502, K::Unavailable),
            (GetObject, None, 504, K::Unavailable),
            (PutObject, Some("NotImplemented"), 501, K::Unsupported),
            (PutObject, Some("InvalidStorageClass"), 400, K::InvalidRequest),
            (PutObject, Some("MetadataTooLarge"), 400, K::InvalidRequest),
            (GetObject, Some("PermanentRedirect"), 301, K::InvalidRequest),
            (PutObject, Some("KMS.DisabledException"), 400, K::KeyUnavailable),
            (PutObject, Some("KMS.KMSInvalidStateException"), 400, K::KeyUnavailable),
            (PutObject, Some("KMS.NotFoundException"), 400, K::KeyUnavailable),
            (PutObject, Some("KMS.ThrottlingException"), 400, K::Throttled),
            (PutObject, Some("KMS.KMSInternalException"), 500, K::Unavailable),
        ];
        for (verb, code, status, expected) in rows {
            assert_eq!(kind_of(verb, code, status), expected, "{verb} {code:?} {status}");
        }
    }
}
