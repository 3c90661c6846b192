//! What a store may answer instead of what was asked.

use std::error::Error;
use std::fmt;

use transload_wire::Failure;

/// The kinds of failure that callers tell apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StoreErrorKind {
    /// No such key, version or bucket (404).
    NotFound,
    /// No such bucket (404 NoSuchBucket).
    NoSuchBucket,
    /// The newest version is a delete marker (404 or 405 with `x-amz-delete-marker`).
    DeleteMarker,
    /// In an archive tier (403 InvalidObjectState).
    Archived,
    /// Encrypted with the client's own key (SSE-C).
    NeedsSseC,
    /// Not allowed (403).
    AccessDenied,
    /// Credentials expired, unknown or rejected (ExpiredToken, InvalidAccessKeyId, SignatureDoesNotMatch ...).
    Credentials,
    /// A condition did not hold (412).
    PreconditionFailed,
    /// Another write was under way (409 ConditionalRequestConflict): make the upload again.
    Conflict,
    /// No such upload (404 NoSuchUpload).
    NoSuchUpload,
    /// Complete was refused for its parts (InvalidPart, InvalidPartOrder, EntityTooSmall).
    InvalidPart,
    /// The body arrived altered (BadDigest and its kin), or the store computed another checksum than we sent.
    Corrupted,
    /// Range ignored: 200 with the whole object.
    RangeIgnored,
    /// 206 with another offset, total, length or ETag than asked for.
    WrongRange,
    /// The answer is not one of a store: no ETag, cut or empty XML, HTML.
    Malformed,
    /// Slow down (503 SlowDown, 429).
    Throttled,
    /// 5xx.
    Unavailable,
    /// Connection refused, reset, closed early.
    Connection,
    /// No byte came for longer than the stall guard allows.
    Stalled,
    /// The encryption key is disabled or may not be used.
    KeyUnavailable,
    /// The request itself is refused (400): a setting, a name, a size.
    InvalidRequest,
    /// The body that was being sent failed: the [`Failure`] is the source of this error.
    Body,
    /// The store, or its profile, can not do this.
    Unsupported,
}

/// A failed call: kind, where and what, and the error it came from.
#[derive(Debug)]
pub struct StoreError {
    /// What kind of failure it is.
    pub kind: StoreErrorKind,
    /// Operation, object, and expected versus found; never a secret.
    pub message: String,
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl StoreError {
    /// A failure without an underlying error.
    pub fn new(kind: StoreErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), source: None }
    }

    /// The body that was being sent failed. It stays in reach as the source of the error.
    pub fn of_body(place: impl fmt::Display, failure: Failure) -> Self {
        Self::new(StoreErrorKind::Body, format!("{place}: the body ended: {failure}")).caused_by(failure)
    }

    /// Keeps what it came from.
    #[must_use]
    pub fn caused_by(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// Whether the same call may succeed a little later.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        use StoreErrorKind as K;
        matches!(
            self.kind,
            K::Throttled
                | K::Unavailable
                | K::Connection
                | K::Stalled
                | K::Malformed
                | K::Corrupted
                | K::Credentials
        )
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for StoreError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_ref().map(|source| source.as_ref() as &(dyn Error + 'static))
    }
}
