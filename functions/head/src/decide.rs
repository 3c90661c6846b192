//! Sends whole, or in parts.

use transload_plan::{Layout, Limits, Route, most_at_once};
use transload_store::{Head, ObjectRef, Side, Store, failure_of};
use transload_wire::{Decision, ErrorName, Failure, Pinned, TransferRequest};

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
    if source.in_one_stream(&pinned.etag) {
        return whole(limits, pinned).map(|()| None);
    }
    Ok(match transload_plan::route(pinned.size, options.whole_object_limit, limits) {
        Route::Whole => None,
        Route::Parts => Some(cut),
    })
}

/// One worker reads it from its first byte to its last, and sends it in one request.
fn whole(limits: &Limits, pinned: &Pinned) -> Result<(), Failure> {
    if pinned.size <= limits.max_part {
        return Ok(());
    }
    Err(ErrorName::PlanInvalid.because(format!(
        "source: expected ranges to be served, or at most {} bytes (one request), found {} bytes of {} and no ranges",
        limits.max_part, pinned.size, pinned.object
    )))
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

/// What one worker sends has to pass while it lives.
///
/// # Errors
/// `PlanInvalid` for a bandwidth that is too low for that.
pub(crate) fn passes(
    bandwidth: Option<u64>,
    layout: Option<&Layout>,
    pinned: &Pinned,
) -> Result<(), Failure> {
    let piece = layout.map_or(pinned.size, Layout::part_size);
    match bandwidth.map(most_at_once) {
        Some(most) if piece > most => Err(ErrorName::PlanInvalid.because(format!(
            "options.bandwidth: expected enough for {piece} bytes in ten minutes (a part, or an object sent whole), found \
             enough for {most}"
        ))),
        _ => Ok(()),
    }
}

/// What is done without a look at the destination: nothing for a deletion that is not to be followed, and nothing yet with a
/// source that has to be restored first.
pub(crate) fn instead(request: &TransferRequest, head: &Head) -> Option<(Decision, String)> {
    if request.leaves_deletion() {
        return Some((Decision::Skip, LEFT.to_owned()));
    }
    head.archived.then(|| (Decision::Thaw, "in an archive tier".to_owned()))
}

/// Why an event of a deletion does nothing.
const LEFT: &str = "the event tells of a deletion, and options.delete is off";

/// What is to be done if not nothing.
pub(crate) fn route(layout: Option<&Layout>) -> (Decision, String) {
    match layout {
        None => (Decision::Copy, "small enough for one request".to_owned()),
        Some(layout) => (Decision::Parts, format!("{} parts", layout.count())),
    }
}
