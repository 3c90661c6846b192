//! Why credentials could not be had.

use std::error::Error;
use std::fmt;

use crate::StoreErrorKind as Kind;

/// What stood in the way of reading credentials. The message names places and codes, never a value.
#[derive(Debug)]
pub(crate) struct Unread {
    /// What it means for the request that needed them.
    pub(crate) kind: Kind,
    /// The service's own, if it answered.
    pub(crate) code: Option<String>,
    message: String,
}

impl Unread {
    pub(crate) fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self { kind, code: None, message: message.into() }
    }

    /// What an operator has to mend: a right, a name, a secret's content.
    pub(super) fn refused(message: impl Into<String>) -> Self {
        Self::new(Kind::AccessDenied, message)
    }

    /// An answer of an AWS service that is no success.
    pub(super) fn answered(action: &str, status: u16, code: Option<&str>, message: Option<&str>) -> Self {
        let kind = kind_of(status, code);
        let mut text = format!("{action}: {} ({status})", code.unwrap_or("no error code"));
        // Rights and names are the operator's to mend, and the service says which.
        if let (Kind::AccessDenied, Some(words)) = (kind, message) {
            text.push_str(": ");
            text.extend(words.chars().filter(|c| !c.is_control()).take(300));
        }
        Self { code: code.map(ToOwned::to_owned), ..Self::new(kind, text) }
    }

    /// Puts where it happened in front of the message.
    pub(super) fn at(mut self, place: &str) -> Self {
        self.message = format!("{place}: {}", self.message);
        self
    }
}

/// Codes of the services' models and of their common errors.
fn kind_of(status: u16, code: Option<&str>) -> Kind {
    match code.unwrap_or_default() {
        "Throttling"
        | "ThrottlingException"
        | "ThrottledException"
        | "RequestThrottled"
        | "RequestThrottledException"
        | "TooManyRequestsException"
        | "RequestLimitExceeded"
        | "SlowDown" => Kind::Throttled,
        // Our own: they may be newer in a moment.
        "ExpiredToken"
        | "ExpiredTokenException"
        | "InvalidClientTokenId"
        | "InvalidSignatureException"
        | "RequestExpired"
        | "SignatureDoesNotMatch"
        | "UnrecognizedClientException" => Kind::Credentials,
        // "A transient error might have occurred while the provider was contacted", says its documentation.
        "IDPCommunicationError" => Kind::Unavailable,
        _ if status == 429 => Kind::Throttled,
        _ if status >= 500 => Kind::Unavailable,
        _ => Kind::AccessDenied,
    }
}

impl fmt::Display for Unread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for Unread {}

#[cfg(test)]
mod tests {
    use super::{Kind, Unread};

    #[test]
    fn code_and_status_tell_what_passes_and_what_has_to_be_mended() {
        for (status, code, kind) in [
            (400, Some("ThrottlingException"), Kind::Throttled),
            (429, None, Kind::Throttled),
            (400, Some("ExpiredTokenException"), Kind::Credentials),
            (403, Some("InvalidClientTokenId"), Kind::Credentials),
            (500, Some("InternalServerError"), Kind::Unavailable),
            (503, None, Kind::Unavailable),
            (400, Some("IDPCommunicationError"), Kind::Unavailable),
            (400, Some("ResourceNotFoundException"), Kind::AccessDenied),
            (400, Some("ParameterNotFound"), Kind::AccessDenied),
            (400, Some("AccessDeniedException"), Kind::AccessDenied),
            (403, Some("OutboundWebIdentityFederationDisabledException"), Kind::AccessDenied),
        ] {
            assert_eq!(Unread::answered("x", status, code, None).kind, kind, "{status} {code:?}");
        }
    }
}
