//! State `Remove`: the last look of a transfer that replaced something, or that follows deletions. Deletes the copy of a
//! source that is gone, if the request says so, and after a write sees whether the source is still what was written.
//!
//! # Why the destination ends as the source
//!
//! Events come twice, late and in any order, and executions for one key run side by side. Conditions on ETags do not order
//! them: after `A`, deleted, `A` again, both copies have one ETag, and `nothing` always looks the same. What does is one
//! rule: **an execution that changed the destination ends only after a look at the source that came after its last change
//! and agrees with it**; else it begins again at Head. Say M is the last change that anybody makes to the destination, by
//! execution X, and T the last change of the source.
//!
//! - X's look came after T. It agreed with M, and the source has not changed since: the two are the same.
//! - X's look came before T, and so did M. The event of T starts an execution after T; its looks see what M left and what
//!   T left. If the two differ it changes the destination, but M was the last change: so they are the same.
//!
//! No condition is needed for that; they only save turns. It rests on three things: each change of the source gives at least
//! one event (at least once is enough), the execution that it starts succeeds, and a write does not take effect after its
//! worker was given up. For the first, a comparison of the whole bucket on a schedule finds what was missed; the second is
//! an alarm and a redrive.
//!
//! Each turn means that the source changed meanwhile, or that another execution wrote; with the source at rest, the
//! first to write what it has is left alone by all others.

mod failures;
mod settle;

use std::process::ExitCode;
use std::sync::Arc;

use transload_store::{Deadline, Ends, Store, Stores};
use transload_wire::{ErrorName, Failure, RemoveInput, RemoveOutput};

pub use failures::FAILURES;

/// What each look needs.
struct Work {
    source: Arc<dyn Store>,
    destination: Arc<dyn Store>,
    deadline: Deadline,
    input: RemoveInput,
}

/// Looks at the destination, then at the source, and deletes the one if the other is gone.
///
/// # Errors
/// `InputInvalid` if a version is asked for; both sides' own. What can not be looked up is not absent.
pub async fn handle(
    stores: &impl Stores,
    deadline: Deadline,
    input: RemoveInput,
) -> Result<RemoveOutput, Failure> {
    run(stores, deadline, input).await.map_err(|failure| failure.among(FAILURES))
}

async fn run(stores: &impl Stores, deadline: Deadline, input: RemoveInput) -> Result<RemoveOutput, Failure> {
    deadline.check()?;
    if input.source.version_id().is_some() {
        return Err(ErrorName::InputInvalid
            .because("source.versionId: expected none where the newest version is followed, found one"));
    }
    let mut ends = Ends::new(stores);
    let source = ends.open_source(&input.source)?;
    let destination = ends.open("destination", &input.destination.location)?;
    let work = Work { source, destination, deadline, input };
    let (outcome, reason) =
        if work.input.options.delete { settle::settle(&work).await? } else { settle::look(&work).await? };
    Ok(RemoveOutput { outcome, reason: reason.to_owned(), requests: ends.requests() })
}

/// Serves invocations until the process is ended.
#[must_use]
pub fn serve() -> ExitCode {
    transload_runtime::serve(async |stores, deadline, input| handle(stores, deadline, input).await)
}
