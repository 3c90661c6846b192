//! Skips, sends whole, or sends in parts.

use transload_plan::{Layout, Limits, Route};
use transload_store::{Head, ObjectRef, Side, Store, failure_of, prove};
use transload_wire::{
    ChecksumKind, Decision, Destination, ErrorName, Failure, Overwrite, Pinned, SOURCE_METADATA,
    TOKEN_METADATA, Token, TransferRequest,
};

/// The parts; `None` if the object is sent whole.
pub(crate) async fn layout(
    source: &dyn Store,
    destination: &dyn Store,
    request: &TransferRequest,
    pinned: &Pinned,
    head: &Head,
) -> Result<Option<Layout>, Failure> {
    let (options, limits) = (&request.options, destination.limits());
    // A wish that no object could have is refused for a small one too: the next object may be larger.
    let cut = transload_plan::layout(pinned.size, options.part_size, limits)?;
    if options.preserve_etag && pinned.size > 0 {
        return as_the_source(source, limits, pinned, head).await;
    }
    Ok(match transload_plan::route(pinned.size, options.whole_object_limit, limits) {
        Route::Whole => None,
        Route::Parts => Some(cut),
    })
}

/// Cut where the source was cut. What was sent whole has the MD5 of its bytes as ETag and must be sent whole again.
async fn as_the_source(
    source: &dyn Store,
    limits: &Limits,
    pinned: &Pinned,
    head: &Head,
) -> Result<Option<Layout>, Failure> {
    let parts = source.source_parts(&ObjectRef::of_pinned(pinned), head).await;
    match parts.map_err(|error| failure_of(error, Side::Source))? {
        Some(runs) => Ok(Some(transload_plan::layout_from_parts(pinned.size, &runs, limits)?)),
        None if pinned.size <= limits.max_part => Ok(None),
        None => Err(ErrorName::PlanInvalid.because(format!(
            "options.preserveEtag: expected a source in parts or of at most {} bytes (one request), found {} bytes in one",
            limits.max_part, pinned.size
        ))),
    }
}

/// What stands at the destination.
pub(crate) async fn standing(store: &dyn Store, destination: &Destination) -> Result<Option<Head>, Failure> {
    match store.head(&ObjectRef::of_destination(destination)).await {
        Ok(head) => Ok(Some(head)),
        Err(error) if prove::is_nothing(&error) => Ok(None),
        Err(error) => Err(failure_of(error, Side::Destination).at("destination")),
    }
}

/// Why nothing is to be done, if so.
pub(crate) fn skip(
    standing: Option<&Head>,
    request: &TransferRequest,
    pinned: &Pinned,
    (token, identity): (&Token, &Token),
) -> Result<Option<String>, Failure> {
    let Some(head) = standing else { return Ok(None) };
    let says = |name: &str, token: &Token| {
        head.attributes.metadata.get(name).is_some_and(|found| found == token.as_str())
    };
    let same = says(SOURCE_METADATA, identity) && head.size == pinned.size && !checksums_differ(head, pinned);
    if same && says(TOKEN_METADATA, token) {
        return Ok(Some("this very transfer was done already".to_owned()));
    }
    match request.options.overwrite {
        Overwrite::IfDifferent if same => Ok(Some(
            "the destination holds this version of the source already, as its metadata says".to_owned(),
        )),
        Overwrite::Never => Err(ErrorName::DestinationExists.because(format!(
            "{}: expected nothing (options.overwrite is never), found ETag {}",
            request.destination,
            head.etag.to_header()
        ))),
        Overwrite::IfDifferent | Overwrite::Always => Ok(None),
    }
}

/// Token of the transfer that wrote an object, if one did.
pub(crate) fn token(head: &Head) -> Option<Token> {
    head.attributes.metadata.get(TOKEN_METADATA)?.parse().ok()
}

/// Whether both sides tell a comparable checksum and it differs. Checksums of parts say nothing about another layout.
fn checksums_differ(head: &Head, pinned: &Pinned) -> bool {
    let (Some(here), Some(there)) = (&head.checksum, &pinned.checksum) else { return false };
    let comparable = here.algorithm == there.algorithm
        && [here, there].iter().all(|checksum| checksum.kind == ChecksumKind::FullObject);
    comparable && here.value != there.value
}

/// What is to be done if not nothing.
pub(crate) fn route(layout: Option<&Layout>) -> (Decision, String) {
    match layout {
        None => (Decision::Copy, "small enough for one request".to_owned()),
        Some(layout) => (Decision::Parts, format!("{} parts", layout.count())),
    }
}
