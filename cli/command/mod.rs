//! One file per command: its arguments, and what it does with them.

mod alone;
pub(crate) mod console;
pub(crate) mod copy;
pub(crate) mod describe;
pub(crate) mod evidence;
pub(crate) mod executions;
pub(crate) mod history;
pub(crate) mod local;
pub(crate) mod pack;
pub(crate) mod pause;
pub(crate) mod plan;
pub(crate) mod redrive;
pub(crate) mod report;
pub(crate) mod resume;
pub(crate) mod stop;
pub(crate) mod sync;
pub(crate) mod tune;
pub(crate) mod unpack;
pub(crate) mod uploads;
pub(crate) mod verify;
pub(crate) mod worker;

use serde::Serialize;

use crate::Global;
use crate::archive::{self, Packing, Unpacking};
use crate::exit::{CliError, Exit, Outcome};
use crate::follow::{Ended, follow};
use crate::locations::Known;
use crate::machine::{Machine, WorkerSettings};
use crate::progress::Progress;
use crate::report::{self as reports, Report};
use crate::story::Story;
use crate::view::View;
use crate::watch::{self, watch};
use crate::{locations, summary};

/// Prints JSON, indented, on standard output.
pub(crate) fn print_json(value: &impl Serialize) -> Outcome {
    let text = serde_json::to_string_pretty(value).map_err(|e| CliError::trouble("output", e))?;
    print(&format!("{text}\n"))
}

/// Prints text. A reader that has enough (`| head`) is no error.
pub(crate) fn print(text: &str) -> Outcome {
    use std::io::Write;
    match std::io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(CliError::trouble("output", error))
        }
        _ => Ok(()),
    }
}

/// Opens the home with workers that know the locations of the user's file.
async fn machine(global: &Global) -> Outcome<Machine> {
    machine_of(global, locations::read(global.locations.as_deref())?).await
}

async fn machine_of(global: &Global, known: Known) -> Outcome<Machine> {
    let settings = WorkerSettings { inherit: known.variables(), locations: known.file, env: Vec::new() };
    Machine::open(&global.home()?, &settings).await
}

/// [`see_through`], of whichever machine the execution is.
async fn see_any(machine: Machine, arn: &str, global: &Global) -> Outcome {
    if crate::sync::is_arn(arn) {
        return sync::see_through(machine, arn, global).await;
    }
    if archive::is_packing(arn) {
        return alone::see_through::<Packing>(machine, arn, global).await;
    }
    if archive::is_unpacking(arn) {
        return alone::see_through::<Unpacking>(machine, arn, global).await;
    }
    see_through(machine, arn, global).await
}

/// [`see_deployed`], of whichever machine the execution is.
async fn see_any_deployed(view: &View, arn: &str, global: &Global) -> Outcome {
    if crate::sync::is_arn(arn) {
        return sync::see_deployed(view, arn, global).await;
    }
    if archive::is_packing(arn) {
        return alone::see_deployed::<Packing>(view, arn, global).await;
    }
    if archive::is_unpacking(arn) {
        return alone::see_deployed::<Unpacking>(view, arn, global).await;
    }
    see_deployed(view, arn, global).await
}

/// Follows an execution, ends the machine, and prints the report.
async fn see_through(machine: Machine, arn: &str, global: &Global) -> Outcome {
    let mut progress = Progress::new(false);
    let ended = follow(&machine, arn, &mut progress).await?;
    if matches!(ended, Ended::Interrupted) {
        return interrupted(machine, arn).await;
    }
    let report = reports::read(&View::of(&machine.engine), arn).await?;
    machine.shutdown().await?;
    shown(&report, global)
}

/// Follows an execution of a deployed machine, and prints the report.
async fn see_deployed(view: &View, arn: &str, global: &Global) -> Outcome {
    let name = arn.rsplit(':').next().unwrap_or(arn);
    eprintln!("{name}");
    let mut progress = Progress::new(false);
    if let Ended::Interrupted = watch::<Story>(view, arn, watch::LOOK, &mut progress).await? {
        let message = format!("{name} goes on without being watched");
        return Err(CliError::new(Exit::Interrupted, message)
            .hint(format!("look at it with: transload describe {name}")));
    }
    shown(&reports::read(view, arn).await?, global)
}

fn shown(report: &Report, global: &Global) -> Outcome {
    if global.json() {
        print_json(report)?
    } else {
        print(&summary::lines(report))?
    }
    verdict(report)
}

/// Keeps the execution for later. A second Ctrl-C does not wait for the database.
async fn interrupted(machine: Machine, arn: &str) -> Outcome {
    let name = arn.rsplit(':').next().unwrap_or(arn).to_owned();
    tokio::select! {
        ended = machine.shutdown() => ended?,
        _ = tokio::signal::ctrl_c() => {}
    }
    let message = format!("interrupted; {name} is kept, with what was sent");
    Err(CliError::new(Exit::Interrupted, message).hint("go on with: transload resume"))
}

/// What is said of an execution that was paused while it was followed.
fn paused(name: &str) -> CliError {
    CliError::new(Exit::Interrupted, format!("{name} was paused, and is kept for 14 days with what was sent"))
        .hint(format!("go on with: transload resume {name}"))
}

/// Success or the transfer's failure.
fn verdict(report: &Report) -> Outcome {
    if report.error.as_deref() == Some(pause::PAUSED) {
        return Err(paused(&report.name));
    }
    let error = match report.status.as_str() {
        "SUCCEEDED" => return Ok(()),
        status => report.error.clone().unwrap_or_else(|| status.to_owned()),
    };
    let cause = summary::message(report.cause.as_deref().unwrap_or_default());
    let failed = CliError::new(Exit::Failed, format!("the transfer failed: {error}: {cause}"));
    let next = if report.redrivable {
        format!("transload redrive {}", report.name)
    } else {
        "the same command again; this execution is over".to_owned()
    };
    Err(failed
        .hint(format!("what happened: transload history {}\n  once it is mended:  {next}", report.name)))
}
