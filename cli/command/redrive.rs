//! `transload redrive`: goes on with a failed execution where it stopped.

use clap::Args;

use super::{machine, see_through};
use crate::Global;
use crate::exit::Outcome;
use crate::view::{View, execution_arn};

/// Arguments of `redrive`.
#[derive(Debug, Args)]
pub(crate) struct RedriveArgs {
    /// Name or ARN of the execution
    #[arg(value_name = "EXECUTION")]
    execution: String,
}

/// Redrives it and follows it to its end.
pub(crate) async fn run(args: RedriveArgs, global: &Global) -> Outcome {
    let arn = execution_arn(&args.execution);
    // Asked first, so that a wrong name starts no workers.
    drop({
        let view = View::open(&global.home()?).await?;
        view.describe(&arn).await?
    });
    let machine = machine(global).await?;
    machine.engine.redrive_execution(&arn).await?;
    see_through(machine, &arn, global).await
}
