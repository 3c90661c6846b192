//! `transload resume`: goes on with executions whose process was interrupted or killed.

use clap::Args;
use stepfunctions_local::Status;

use super::{machine, print, see_any};
use crate::Global;
use crate::exit::{CliError, Exit, Outcome};
use crate::machine::Machine;
use crate::sync;
use crate::view::{View, text};

/// Arguments of `resume`.
#[derive(Debug, Args)]
pub(crate) struct ResumeArgs {
    /// Name or ARN of the execution to follow [default: the one that was started last]
    #[arg(value_name = "EXECUTION")]
    execution: Option<String>,
}

/// Opens the home, which resumes everything, and follows one execution.
pub(crate) async fn run(args: ResumeArgs, global: &Global) -> Outcome {
    let Some(arn) = choose(args, global).await? else {
        return print("nothing to resume\n");
    };
    let machine: Machine = machine(global).await?;
    see_any(machine, &arn, global).await
}

async fn choose(args: ResumeArgs, global: &Global) -> Outcome<Option<String>> {
    let view = View::open(global).await?;
    if let Some(name) = args.execution {
        let described = view.describe(&view.execution_arn(&name).await?).await?;
        return match text(&described, "status") {
            "RUNNING" => Ok(Some(text(&described, "executionArn").to_owned())),
            status => Err(CliError::new(
                Exit::Busy,
                format!("{name}: expected a RUNNING execution, found {status}"),
            )
            .hint(format!("a failed one goes on with: transload redrive {name}"))),
        };
    }
    let running = view.all_executions(Some(Status::Running)).await?;
    // A run over many objects begins executions of its own: the run is the one to follow.
    let run = running.iter().find(|execution| sync::is_arn(text(execution, "executionArn")));
    Ok(run.or(running.first()).map(|execution| text(execution, "executionArn").to_owned()))
}
