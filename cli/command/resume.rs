//! `transload resume`: goes on with executions that were paused, or whose process was interrupted or killed.

use clap::Args;
use serde_json::Value;
use stepfunctions_local::Status;

use super::pause::PAUSED;
use super::{machine, print, redrive, see_any, see_any_deployed};
use crate::Global;
use crate::exit::{CliError, Exit, Outcome};
use crate::machine::Machine;
use crate::sync;
use crate::view::{View, text};

/// Executions that were stopped are asked one by one whether they are paused; of the newest, so many.
const ASKED: usize = 50;

/// Arguments of `resume`.
#[derive(Debug, Args)]
pub(crate) struct ResumeArgs {
    /// Name or ARN of the execution [default: of those that run the one that was started last, else of those that are paused]
    #[arg(value_name = "EXECUTION")]
    execution: Option<String>,
}

/// An execution to go on with.
enum Found {
    /// It runs, or will as soon as the home is opened.
    Running(String),
    /// A redrive goes on with it.
    Paused(String),
}

/// Opens the home, which resumes everything that was interrupted, and follows one execution.
pub(crate) async fn run(args: ResumeArgs, global: &Global) -> Outcome {
    let view = View::open(global).await?;
    let Some(found) = choose(args, &view).await? else {
        return print("nothing to resume\n");
    };
    let (arn, paused) = match found {
        Found::Running(arn) => (arn, false),
        Found::Paused(arn) => (arn, true),
    };
    if paused {
        return redrive::go_on(view, &arn, global).await;
    }
    if let View::Deployed(_) = &view {
        return see_any_deployed(&view, &arn, global).await;
    }
    drop(view);
    let machine: Machine = machine(global).await?;
    see_any(machine, &arn, global).await
}

async fn choose(args: ResumeArgs, view: &View) -> Outcome<Option<Found>> {
    if let Some(name) = args.execution {
        let described = view.describe(&view.execution_arn(&name).await?).await?;
        return found(&described).map(Some).ok_or_else(|| refused(&name, &described));
    }
    let running = view.all_executions(Some(Status::Running)).await?;
    // A run over many objects begins executions of its own: the run is the one to follow.
    let run = running.iter().find(|execution| sync::is_arn(text(execution, "executionArn")));
    if let Some(execution) = run.or(running.first()) {
        return Ok(Some(Found::Running(text(execution, "executionArn").to_owned())));
    }
    for execution in view.all_executions(Some(Status::Aborted)).await?.iter().take(ASKED) {
        let described = view.describe(text(execution, "executionArn")).await?;
        if let Some(found) = found(&described) {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

/// What an execution's description says.
fn found(described: &Value) -> Option<Found> {
    let arn = text(described, "executionArn").to_owned();
    match (text(described, "status"), text(described, "error")) {
        ("RUNNING", _) => Some(Found::Running(arn)),
        ("ABORTED", PAUSED) => Some(Found::Paused(arn)),
        _ => None,
    }
}

fn refused(name: &str, described: &Value) -> CliError {
    let status = text(described, "status");
    let message = format!("{name}: expected an execution that runs or is paused, found {status}");
    CliError::new(Exit::Busy, message)
        .hint(format!("one that failed or was stopped goes on with: transload redrive {name}"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Found, found};

    #[test]
    fn only_what_runs_or_is_paused_is_gone_on_with() {
        let told = |status: &str, error: Option<&str>| found(&json!({"status": status, "error": error}));
        assert!(matches!(told("RUNNING", None), Some(Found::Running(_))));
        assert!(matches!(told("ABORTED", Some("Paused")), Some(Found::Paused(_))));
        for (status, error) in
            [("ABORTED", Some("Stopped")), ("ABORTED", None), ("FAILED", Some("Paused")), ("SUCCEEDED", None)]
        {
            assert!(told(status, error).is_none(), "{status} {error:?}");
        }
    }
}
