//! State `Thaw`: asks a source back from its archive tier, and says when to look again.
//!
//! Nothing waits here: hours pass in the workflow, where they cost nothing.

mod failures;

use std::process::ExitCode;

use transload_store::{Deadline, Ends, Head, ObjectRef, Restore, Side, Stores, failure_of, prove};
use transload_wire::{ErrorName, Failure, Thaw, ThawInput, ThawOutput, Tier};

pub use failures::FAILURES;

/// Seconds before the second look: the fast tier takes 1 to 5 minutes, the others hours.
const SOON: u64 = 60;
const LATER: u64 = 900;
/// Seconds between two looks at most: what is ready is not to lie there, and each look costs two requests.
const LONGEST: u64 = 3_600;

/// Asks for the source, unless it can be read.
///
/// # Errors
/// `ThawOverdue` if it could not be read in the hours allowed; the source's own.
pub async fn handle(
    stores: &impl Stores,
    deadline: Deadline,
    input: ThawInput,
) -> Result<ThawOutput, Failure> {
    run(stores, deadline, input).await.map_err(|failure| failure.among(FAILURES))
}

async fn run(stores: &impl Stores, deadline: Deadline, input: ThawInput) -> Result<ThawOutput, Failure> {
    deadline.check()?;
    let wish = input.thaw.unwrap_or_default();
    let mut ends = Ends::new(stores);
    let store = ends.open_source(&input.source.object)?;
    let object = ObjectRef::of_pinned(&input.source);
    let at = |error| failure_of(error, Side::Source).at("source");
    let ready = match store.head(&object).await {
        Ok(head) if !head.archived => true,
        Ok(head) => {
            overdue(&input, &wish)?;
            store.restore(&object, wish.tier, days(&head, &wish)).await.map_err(at)? == Restore::Readable
        }
        // Head says what that means.
        Err(error) if prove::is_nothing(&error) => true,
        Err(error) => return Err(at(error)),
    };
    let wait_seconds = if ready { 0 } else { wait(wish.tier, input.waited_seconds) };
    Ok(ThawOutput { ready, wait_seconds, requests: ends.requests() })
}

/// An intelligent class takes no days: what comes back stays.
fn days(head: &Head, wish: &Thaw) -> Option<u32> {
    let intelligent = head.attributes.storage_class.as_deref() == Some("INTELLIGENT_TIERING");
    (!intelligent).then_some(wish.days)
}

/// As long again as was waited so far, within bounds: few looks at what takes days, and early ones at what does not.
fn wait(tier: Tier, waited: u64) -> u64 {
    let first = if tier == Tier::Expedited { SOON } else { LATER };
    waited.clamp(first, LONGEST)
}

fn overdue(input: &ThawInput, wish: &Thaw) -> Result<(), Failure> {
    let hours = input.waited_seconds / 3_600;
    if hours < u64::from(wish.deadline_hours) {
        return Ok(());
    }
    Err(ErrorName::ThawOverdue.because(format!(
        "{}: expected it to be readable within {} hours (options.thaw.deadlineHours), found it in its archive tier after {hours}",
        input.source.object, wish.deadline_hours
    )))
}

/// Serves invocations until the process is ended.
#[must_use]
pub fn serve() -> ExitCode {
    transload_runtime::serve(async |stores, deadline, input| handle(stores, deadline, input).await)
}
