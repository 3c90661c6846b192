//! `transload pause`: ends a running execution so that `resume` goes on with it, and nothing that was sent is released.

use clap::Args;

use super::stop;
use crate::Global;
use crate::exit::Outcome;

/// The error that a paused execution ends with: the janitor knows it by this name, and keeps its uploads.
pub(crate) const PAUSED: &str = "Paused";

/// Arguments of `pause`.
#[derive(Debug, Args)]
pub(crate) struct PauseArgs {
    /// Name or ARN of the execution
    #[arg(value_name = "EXECUTION")]
    execution: String,
    /// Why; kept in its history
    #[arg(long, default_value = "paused by hand", value_name = "TEXT")]
    cause: String,
}

/// Pauses it. An execution of many objects pauses those that it began with it.
pub(crate) async fn run(args: PauseArgs, global: &Global) -> Outcome {
    let PauseArgs { execution, cause } = args;
    let cause = format!("{cause}; within 14 days it goes on with: transload resume {execution}");
    let done = format!("paused {execution}; go on within 14 days with: transload resume {execution}\n");
    stop::end(&execution, (PAUSED, cause), &done, global).await
}
