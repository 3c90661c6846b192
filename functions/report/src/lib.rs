//! State `Report`: accounts for every object that was listed, from what the Maps' ResultWriters left.
//!
//! Results are read line by line and written on at once, so that memory does not grow with the number of objects. What is
//! kept is sums, and a bounded number of rows for the page.

mod accounts;
mod again;
mod child;
mod csv;
mod failures;
mod gather;
mod html;
mod json;
mod page;
mod results;
mod slowest;
mod spool;
mod throughput;
mod time;

use std::process::ExitCode;
use std::sync::Arc;

use transload_store::Deadline;
use transload_store::work::{OpenWork, WorkFiles};
use transload_wire::{ErrorName, Failure, ReportInput, ReportOutput, Todo};

pub use failures::FAILURES;

use crate::gather::Gathered;

/// Writes the report of a run: `report/report.json`, `report/objects.csv`, `report/report.html`. After a redrive what failed
/// is written as new lists instead; and so it is where a batch met objects that have to be restored first.
///
/// # Errors
/// `ObjectsFailed` if anything failed, `AccountingDiffers` if objects are missing from the results; the report stands then
/// all the same.
pub async fn handle(
    files: Arc<dyn WorkFiles>,
    deadline: Deadline,
    input: ReportInput,
) -> Result<ReportOutput, Failure> {
    let done = deadline.bound(run(&files, &input)).await.and_then(|done| done);
    done.map_err(|failure| failure.among(FAILURES))
}

async fn run(files: &Arc<dyn WorkFiles>, input: &ReportInput) -> Result<ReportOutput, Failure> {
    let Some(last) = input.rounds.last() else {
        return Err(ErrorName::InputInvalid.because("rounds: expected at least one, found none"));
    };
    let redriven = input.execution.redrive_count > last.redrive_count;
    let gathered = gather::all(files, input, !redriven).await?;
    let counts = accounts::counts(&input.found, &gathered);
    let accounted = accounts::check(&input.found, &gathered);
    let failed = counts.failed.objects + counts.undeleted.objects;
    let opens_in = opens_in(input, &gathered)?;
    let thaws = gathered.rounds.last().is_some_and(|[batches, ..]| batches.to_thaw.objects > 0);
    if (redriven || thaws || opens_in.is_some()) && failed > 0 && accounted.is_ok() {
        let (prefix, todo) = again::write(files, input).await?;
        let report = page::name(input, page::HTML);
        return Ok(ReportOutput { again: true, prefix: Some(prefix), opens_in, todo, counts, report });
    }
    // It was paused or stopped before its first report, which has rows too.
    let gathered = if redriven { gather::all(files, input, true).await? } else { gathered };
    let report = page::write(files.as_ref(), input, &counts, &gathered, &accounted).await?;
    accounted?;
    if failed > 0 {
        return Err(failures_of(&gathered, failed, files.bucket(), &report));
    }
    Ok(ReportOutput { again: false, prefix: None, opens_in: None, todo: Todo::default(), counts, report })
}

/// Seconds until what the window closed on may be taken up again; `None` if it closed on nothing.
fn opens_in(input: &ReportInput, gathered: &Gathered) -> Result<Option<u64>, Failure> {
    let closed = gathered.errors.contains_key(ErrorName::WindowClosed.as_str());
    let Some(window) = input.request.options.window.as_ref().filter(|_| closed) else { return Ok(None) };
    // It may have opened in between.
    Ok(Some(transload_wire::opens_in(window, input.entered)?.unwrap_or_default()))
}

fn failures_of(gathered: &Gathered, failed: u64, bucket: &str, report: &str) -> Failure {
    let by_name: Vec<_> =
        gathered.errors.iter().map(|(name, tally)| format!("{} {name}", tally.objects)).collect();
    ErrorName::ObjectsFailed.because(format!(
        "expected no object to fail, found {failed} ({}): see s3://{bucket}/{report}; a redrive sends only them",
        by_name.join(", ")
    ))
}

/// Serves invocations until the process is ended.
#[must_use]
pub fn serve() -> ExitCode {
    let work = OpenWork::default();
    transload_runtime::serve(async |_stores, deadline, input| handle(work.open()?, deadline, input).await)
}
