//! State `Batch`: sends many small objects, each with one GET and one PUT.
//!
//! The answer of the GET carries what HEAD would tell, and the answer of the PUT proves the bytes, so nothing else is
//! asked of an object as long as it is as it was listed. What becomes of one object never ends the batch: it is recorded,
//! or left for another call.

mod budget;
mod failures;
mod object;
mod outcome;
mod tagging;

use std::process::ExitCode;
use std::sync::Arc;

use futures::StreamExt;
use transload_store::{Deadline, Ends, Pace, Store, Stores, look};
use transload_wire::{BatchInput, BatchOutput, Destination, ErrorName, Failure, Item, check_window};

use crate::budget::Budget;
use crate::tagging::Tagging;

pub use failures::FAILURES;

/// What every object of the batch is sent with.
struct Work {
    source: Arc<dyn Store>,
    destination: Arc<dyn Store>,
    deadline: Deadline,
    budget: Budget,
    pace: Pace,
    tagging: Tagging,
    input: BatchInput,
}

/// Sends the objects of a batch, `in_flight` at a time.
///
/// # Errors
/// Only what concerns all objects alike: `InputInvalid`, `DestinationInvalid`, `Unsupported`, `WindowClosed`. What fails for one object is
/// its record, or what is left.
pub async fn handle(
    stores: &impl Stores,
    deadline: Deadline,
    input: BatchInput,
) -> Result<BatchOutput, Failure> {
    run(stores, deadline, input).await.map_err(|failure| failure.among(FAILURES))
}

async fn run(
    stores: &impl Stores,
    deadline: Deadline,
    mut input: BatchInput,
) -> Result<BatchOutput, Failure> {
    check(&input)?;
    check_window(input.options.window.as_ref(), input.entered)?;
    let objects = std::mem::take(&mut input.objects);
    let mut ends = Ends::new(stores);
    let source = ends.open("source", &input.source.location)?;
    let destination = ends.open("destination", &input.destination.location)?;
    refuse(&input, objects.first(), destination.as_ref())?;
    let in_flight = usize::try_from(input.in_flight).unwrap_or(1);
    let pace = Pace::of(input.options.bandwidth);
    let budget = Budget::new(&pace);
    let work = Work { source, destination, deadline, budget, pace, tagging: Tagging::default(), input };
    let sent = futures::stream::iter(objects.into_iter().enumerate())
        .map(|(index, item)| {
            let work = &work;
            async move {
                let ended = outcome::of(work, &item).await;
                (index, item, ended)
            }
        })
        .buffer_unordered(in_flight);
    let mut done: Vec<_> = sent.collect().await;
    done.sort_unstable_by_key(|(index, ..)| *index);
    let done = done.into_iter().map(|(_, item, ended)| (item, ended));
    Ok(outcome::output(done, work.input.exact, ends.requests()))
}

fn check(input: &BatchInput) -> Result<(), Failure> {
    if !(1..=256).contains(&input.in_flight) {
        let found = input.in_flight;
        return Err(ErrorName::InputInvalid.because(format!("inFlight: expected 1 to 256, found {found}")));
    }
    input.options.check()
}

/// Refuses a destination that could not prove what is written to it; by the first object, for it is the same for all.
fn refuse(input: &BatchInput, first: Option<&Item>, store: &dyn Store) -> Result<(), Failure> {
    let Some(first) = first else { return Ok(()) };
    let destination = Destination {
        location: input.destination.location.clone(),
        bucket: input.destination.bucket.clone(),
        key: first.key.clone(),
    };
    look::refuse::destination(&destination, &input.options, store)
}

/// Serves invocations until the process is ended.
#[must_use]
pub fn serve() -> ExitCode {
    transload_runtime::serve(async |stores, deadline, input| handle(stores, deadline, input).await)
}
