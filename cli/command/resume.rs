//! `transload resume`: goes on with executions whose process was interrupted or killed.

use clap::Args;
use stepfunctions_local::{ListExecutions, Status};

use super::{machine, print, see_through};
use crate::Global;
use crate::exit::{CliError, Exit, Outcome};
use crate::machine::Machine;
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
    see_through(machine, &arn, global).await
}

async fn choose(args: ResumeArgs, global: &Global) -> Outcome<Option<String>> {
    let view = View::open(global).await?;
    if let Some(name) = args.execution {
        let described = view.describe(&view.execution_arn(&name)).await?;
        return match text(&described, "status") {
            "RUNNING" => Ok(Some(text(&described, "executionArn").to_owned())),
            status => Err(CliError::new(
                Exit::Busy,
                format!("{name}: expected a RUNNING execution, found {status}"),
            )
            .hint(format!("a failed one goes on with: transload redrive {name}"))),
        };
    }
    let list = ListExecutions {
        state_machine_arn: Some(view.machine_arn()),
        status_filter: Some(Status::Running),
        ..ListExecutions::default()
    };
    let running = view.executions(list).await?;
    Ok(running.first().map(|execution| text(execution, "executionArn").to_owned()))
}
