//! What this function may fail with: the definition has to retry, catch or park each of these.

use transload_wire::ErrorName as E;

/// Every failure of [`handle`](crate::handle), and of the runtime around it (`InputInvalid` for an input that can not be
/// read, `Internal` for a panic).
pub const FAILURES: &[E] = &[
    E::InputInvalid,
    E::PlanInvalid,
    E::DestinationInvalid,
    E::Unsupported,
    E::SourceNotFound,
    E::SourceAccessDenied,
    E::SourceDeleteMarker,
    E::SourceArchived,
    E::SourceNeedsSseC,
    E::SourceChanged,
    E::SourceBroken,
    E::RangeIgnored,
    E::DestinationNotFound,
    E::DestinationAccessDenied,
    E::DestinationExists,
    E::DestinationChanged,
    E::ChecksumMismatch,
    E::KeyUnavailable,
    E::Internal,
    E::Throttled,
    E::Unavailable,
    E::ConnectionLost,
    E::Stalled,
    E::CredentialsExpired,
    E::PartCorrupted,
    E::OutOfTime,
    E::UploadGone,
    E::UploadConflict,
    E::PartsMissing,
];
