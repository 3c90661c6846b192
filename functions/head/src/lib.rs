//! State `Head`: reads the source's facts and pins its version, reads the destination, and decides what is to be done.
//!
//! Nothing is written here, and whatever is wrong with a request is refused here, before anything is.

mod decide;
mod failures;

use std::process::ExitCode;

use transload_store::{Deadline, Ends, Stores, look};
use transload_wire::{Decision, Failure, HeadInput, HeadOutput};

pub use failures::FAILURES;

/// Decides what is to be done with one object.
///
/// # Errors
/// `InputInvalid`, `PlanInvalid`, `DestinationInvalid` and the source's and destination's own: all before any write.
/// `SourceChanged` if the source is not what was pinned before, `RangeIgnored` and `SourceBroken` if it can not be read.
pub async fn handle(
    stores: &impl Stores,
    deadline: Deadline,
    input: HeadInput,
) -> Result<HeadOutput, Failure> {
    run(stores, deadline, input).await.map_err(|failure| failure.among(FAILURES))
}

async fn run(stores: &impl Stores, deadline: Deadline, input: HeadInput) -> Result<HeadOutput, Failure> {
    let request = &input.request;
    request.check()?;
    deadline.check()?;
    let mut ends = Ends::new(stores);
    let source = ends.open_source(&request.source)?;
    let destination = ends.open("destination", &request.destination.location)?;
    look::refuse::destination(&request.destination, &request.options, destination.as_ref())?;
    let (from, to) = (source.as_ref(), destination.as_ref());
    let looked = look::look(from, to, request, &input.execution, input.pinned.as_ref()).await?;
    let layout = decide::layout(from, to, request, &looked.pinned, &looked.head).await?;
    let (decision, reason) = decide::instead(request, &looked.head)
        .filter(|_| looked.instead.is_none() || request.leaves_deletion())
        .or(looked.instead)
        .unwrap_or_else(|| decide::route(layout.as_ref()));
    if matches!(decision, Decision::Copy | Decision::Parts) {
        decide::passes(request.options.bandwidth, layout.as_ref(), &looked.pinned)?;
    }
    Ok(HeadOutput {
        decision,
        reason,
        filtered: decision == Decision::Skip && looked.filtered,
        source: looked.pinned,
        destination: request.destination.clone(),
        options: request.options.clone(),
        attributes: looked.attributes,
        identity: looked.identity,
        token: looked.token,
        // A wish for one version is not to be followed by another; what a URL gives has no versions: each execution copies
        // what it finds.
        follow: request.source.stored().is_some_and(|stored| stored.version_id.is_none())
            && request.options.looks_again(looked.standing.is_some(), to.conditional_writes()),
        standing: looked.standing.as_ref().and_then(look::token),
        replaces: looked.standing.map(|head| head.etag),
        route: request.route.clone(),
        layout: layout.filter(|_| decision == Decision::Parts),
        requests: ends.requests(),
    })
}

/// Serves invocations until the process is ended.
#[must_use]
pub fn serve() -> ExitCode {
    transload_runtime::serve(async |stores, deadline, input| handle(stores, deadline, input).await)
}
