//! State `Head`: reads the source's facts and pins its version, reads the destination, and decides what is to be done.
//!
//! Nothing is written here, and whatever is wrong with a request is refused here, before anything is.

mod attributes;
mod decide;
mod failures;
mod identity;
mod order;
mod pin;
mod refuse;

use std::process::ExitCode;

use transload_store::{Deadline, Ends, Stamp, Stores};
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
    let source = ends.open("source", &request.source.location)?;
    let destination = ends.open("destination", &request.destination.location)?;
    refuse::destination(request, destination.as_ref())?;

    // The destination first: what another transfer wrote there was pinned before this one pins its own, so it is never
    // newer; and what comes after this look makes the write fail, which is conditional on it.
    let standing = decide::standing(destination.as_ref(), &request.destination).await?;
    let (pinned, head) = pin::pin(source.as_ref(), request, input.pinned.as_ref()).await?;
    if let Some(before) = &input.pinned {
        pin::compare(before, &pinned)?;
        pin::probe(source.as_ref(), &pinned).await?;
    }
    let attributes = attributes::wanted(source.as_ref(), request, &pinned, &head).await?;
    let identity = identity::of_version(&pinned)?;
    let token = identity::of_transfer(&input, &identity, &attributes)?;
    attributes::fit(&attributes, &Stamp::new(&token, &identity, &pinned))?;
    let layout = decide::layout(source.as_ref(), destination.as_ref(), request, &pinned, &head).await?;

    let (decision, reason) = match decide::skip(standing.as_ref(), request, &pinned, (&token, &identity))? {
        Some(why) => (Decision::Skip, why),
        None => order::judge(source.as_ref(), standing.as_ref(), &input, &pinned)
            .await?
            .unwrap_or_else(|| decide::route(layout.as_ref())),
    };
    Ok(HeadOutput {
        decision,
        reason,
        source: pinned,
        destination: request.destination.clone(),
        options: request.options.clone(),
        attributes,
        identity,
        token,
        standing: standing.as_ref().and_then(decide::token),
        replaces: standing.map(|head| head.etag),
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
