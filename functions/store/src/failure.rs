//! What a store's error means for the workflow: the kind, and the side of the transfer it came from, give the name.

use std::error::Error;

use transload_wire::{ErrorName, Failure};

use crate::{StoreError, StoreErrorKind};

/// Which end of the transfer a store is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The object is read there.
    Source,
    /// The object is written there.
    Destination,
}

/// The failure that a state reports for a store's error. A failed body keeps the name of its own failure.
#[must_use]
pub fn failure_of(error: StoreError, side: Side) -> Failure {
    let body = error.source().and_then(|source| source.downcast_ref::<Failure>());
    if let (StoreErrorKind::Body, Some(failure)) = (error.kind, body) {
        return failure.name.because(failure.message.clone()).caused_by(error);
    }
    name_of(error.kind, side).because(error.to_string()).caused_by(error)
}

fn name_of(kind: StoreErrorKind, side: Side) -> ErrorName {
    match side {
        Side::Source => of_source(kind),
        Side::Destination => of_destination(kind),
    }
    .unwrap_or_else(|| of_both(kind))
}

fn of_source(kind: StoreErrorKind) -> Option<ErrorName> {
    use StoreErrorKind as K;
    Some(match kind {
        K::NotFound | K::NoSuchBucket => ErrorName::SourceNotFound,
        K::DeleteMarker => ErrorName::SourceDeleteMarker,
        K::Archived => ErrorName::SourceArchived,
        K::NeedsSseC => ErrorName::SourceNeedsSseC,
        K::AccessDenied => ErrorName::SourceAccessDenied,
        K::PreconditionFailed => ErrorName::SourceChanged,
        K::InvalidRequest => ErrorName::InputInvalid,
        _ => return None,
    })
}

fn of_destination(kind: StoreErrorKind) -> Option<ErrorName> {
    use StoreErrorKind as K;
    Some(match kind {
        K::NotFound | K::NoSuchBucket | K::DeleteMarker => ErrorName::DestinationNotFound,
        K::AccessDenied => ErrorName::DestinationAccessDenied,
        K::PreconditionFailed => ErrorName::DestinationExists,
        K::InvalidRequest | K::NeedsSseC | K::Archived => ErrorName::DestinationInvalid,
        _ => return None,
    })
}

/// What means the same on both sides. Kinds that a side names itself do not arrive here.
fn of_both(kind: StoreErrorKind) -> ErrorName {
    use StoreErrorKind as K;
    match kind {
        K::Credentials => ErrorName::CredentialsExpired,
        K::Conflict => ErrorName::UploadConflict,
        K::NoSuchUpload => ErrorName::UploadGone,
        K::InvalidPart => ErrorName::PartsMissing,
        K::Corrupted => ErrorName::PartCorrupted,
        K::RangeIgnored => ErrorName::RangeIgnored,
        K::WrongRange => ErrorName::SourceBroken,
        K::Malformed | K::Unavailable => ErrorName::Unavailable,
        K::Throttled => ErrorName::Throttled,
        K::Connection => ErrorName::ConnectionLost,
        K::Stalled => ErrorName::Stalled,
        K::KeyUnavailable => ErrorName::KeyUnavailable,
        K::Unsupported => ErrorName::Unsupported,
        K::NotFound
        | K::NoSuchBucket
        | K::DeleteMarker
        | K::Archived
        | K::NeedsSseC
        | K::AccessDenied
        | K::PreconditionFailed
        | K::InvalidRequest
        | K::Body => ErrorName::Internal,
    }
}

#[cfg(test)]
mod tests {
    use std::error::Error;

    use transload_wire::ErrorName;

    use super::{Side, failure_of};
    use crate::{StoreError, StoreErrorKind as K};

    #[test]
    fn the_side_decides_where_a_kind_means_different_things() {
        let rows = [
            (K::NotFound, ErrorName::SourceNotFound, ErrorName::DestinationNotFound),
            (K::NoSuchBucket, ErrorName::SourceNotFound, ErrorName::DestinationNotFound),
            (K::AccessDenied, ErrorName::SourceAccessDenied, ErrorName::DestinationAccessDenied),
            (K::PreconditionFailed, ErrorName::SourceChanged, ErrorName::DestinationExists),
            (K::InvalidRequest, ErrorName::InputInvalid, ErrorName::DestinationInvalid),
            (K::Throttled, ErrorName::Throttled, ErrorName::Throttled),
            (K::WrongRange, ErrorName::SourceBroken, ErrorName::SourceBroken),
        ];
        for (kind, source, destination) in rows {
            let failed = |side| failure_of(StoreError::new(kind, "where"), side).name;
            assert_eq!((failed(Side::Source), failed(Side::Destination)), (source, destination), "{kind:?}");
        }
    }

    #[test]
    fn what_passes_by_itself_is_transient_for_the_workflow_too() {
        for kind in [
            K::Throttled,
            K::Unavailable,
            K::Connection,
            K::Stalled,
            K::Malformed,
            K::Corrupted,
            K::Credentials,
        ] {
            let error = StoreError::new(kind, "where");
            assert!(error.is_transient() && failure_of(error, Side::Destination).is_transient(), "{kind:?}");
        }
    }

    #[test]
    fn a_failed_body_keeps_its_own_name_and_the_whole_chain() {
        let inner = ErrorName::SourceChanged.because("expected ETag \"a\", found \"b\"");
        let error = StoreError::new(K::Body, "UploadPart").caused_by(inner);
        let failure = failure_of(error, Side::Destination);
        assert_eq!(
            (failure.name, failure.message.as_str()),
            (ErrorName::SourceChanged, "expected ETag \"a\", found \"b\"")
        );
        assert_eq!(failure.source().unwrap().to_string(), "UploadPart");
    }
}
