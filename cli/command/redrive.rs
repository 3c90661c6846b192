//! `transload redrive`: goes on with a failed execution where it stopped.

use clap::Args;

use super::{machine, see_any, see_any_deployed};
use crate::Global;
use crate::exit::Outcome;
use crate::view::View;

/// Arguments of `redrive`.
#[derive(Debug, Args)]
pub(crate) struct RedriveArgs {
    /// Name or ARN of the execution
    #[arg(value_name = "EXECUTION")]
    execution: String,
}

/// Redrives it and follows it to its end.
pub(crate) async fn run(args: RedriveArgs, global: &Global) -> Outcome {
    // Asked first, so that a wrong name starts no workers.
    let view = View::open(global).await?;
    let arn = view.execution_arn(&args.execution).await?;
    view.describe(&arn).await?;
    go_on(view, &arn, global).await
}

/// Redrives an execution that is known, and follows it to its end.
///
/// # Errors
/// The API's, and the execution's own.
pub(super) async fn go_on(view: View, arn: &str, global: &Global) -> Outcome {
    if let View::Deployed(deployed) = &view {
        deployed.redrive(arn).await?;
        return see_any_deployed(&view, arn, global).await;
    }
    drop(view);
    let machine = machine(global).await?;
    machine.engine.redrive_execution(arn).await?;
    see_any(machine, arn, global).await
}
