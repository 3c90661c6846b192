//! Holds both ends against what a request expects of them: what was planned is sent, never another version.

use transload_wire::{ErrorName, Etag, Failure, Pinned, TransferRequest};

use crate::Head;

fn shown(etag: Option<&Etag>) -> String {
    etag.map_or_else(|| "nothing".to_owned(), |etag| format!("ETag {}", etag.to_header()))
}

/// Refuses another version of the source.
pub(super) fn source(request: &TransferRequest, pinned: &Pinned) -> Result<(), Failure> {
    match &request.expect {
        Some(expect) if expect.etag != pinned.etag => Err(ErrorName::SourceChanged.because(format!(
            "{}: expected {} (as planned), found {}",
            request.source,
            shown(Some(&expect.etag)),
            shown(Some(&pinned.etag))
        ))),
        _ => Ok(()),
    }
}

/// A source that is gone has changed since it was planned.
pub(super) fn gone(request: &TransferRequest, failure: Failure) -> Failure {
    let gone = matches!(failure.name, ErrorName::SourceNotFound | ErrorName::SourceDeleteMarker);
    let Some(expect) = request.expect.as_ref().filter(|_| gone) else { return failure };
    let expected = shown(Some(&expect.etag));
    ErrorName::SourceChanged
        .because(format!("{}: expected {expected} (as planned), found nothing", request.source))
        .caused_by(failure)
}

/// Whether something else stands at the destination than what may be replaced.
pub(super) fn differs(request: &TransferRequest, standing: Option<&Head>) -> bool {
    let found = standing.map(|head| &head.etag);
    request.expect.as_ref().is_some_and(|expect| expect.replaces.as_ref() != found)
}

/// Says so.
pub(super) fn refusal(request: &TransferRequest, standing: Option<&Head>) -> Failure {
    let expected = request.expect.as_ref().and_then(|expect| expect.replaces.as_ref());
    ErrorName::DestinationChanged.because(format!(
        "{}: expected {} (as planned), found {}",
        request.destination,
        shown(expected),
        shown(standing.map(|head| &head.etag))
    ))
}
