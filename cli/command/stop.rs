//! `transload stop`: ends a running execution, whichever process it runs in.

use clap::Args;
use serde_json::json;

use super::{machine, print, print_json};
use crate::Global;
use crate::api::{self, Request};
use crate::exit::{CliError, Exit, Outcome};
use crate::view::{View, text};

/// Arguments of `stop`.
#[derive(Debug, Args)]
pub(crate) struct StopArgs {
    /// Name or ARN of the execution
    #[arg(value_name = "EXECUTION")]
    execution: String,
    /// Why; kept in its history
    #[arg(long, default_value = "stopped by hand", value_name = "TEXT")]
    cause: String,
}

/// Stops it. The upload is kept on this computer: a redrive goes on with it.
pub(crate) async fn run(args: StopArgs, global: &Global) -> Outcome {
    let StopArgs { execution, cause } = args;
    let done = format!(
        "stopped {execution}; the parts that were sent are kept, go on with: transload redrive {execution}\n"
    );
    end(&execution, ("Stopped", cause), &done, global).await
}

/// Ends a running execution with an error and a cause, and says so.
///
/// # Errors
/// [`Exit::Busy`] if it does not run; the API's.
pub(super) async fn end(name: &str, (error, cause): (&str, String), done: &str, global: &Global) -> Outcome {
    let view = View::open(global).await?;
    let arn = view.execution_arn(name).await?;
    let described = view.describe(&arn).await?;
    let status = text(&described, "status");
    if status != "RUNNING" {
        let message = format!("{name}: expected a RUNNING execution, found {status}");
        return Err(CliError::new(Exit::Busy, message));
    }
    let request = Request::StopExecution(arn.clone(), error.to_owned(), cause);
    let stopped = match view {
        View::There(_) | View::Deployed(_) => view.call(request).await?,
        // Nobody runs it, so it is brought back for the moment of its end.
        View::Here { .. } => {
            drop(view);
            let machine = machine(global).await?;
            let stopped = api::call(&machine.engine, request).await;
            machine.shutdown().await?;
            stopped?
        }
    };
    if global.json() {
        return print_json(&json!({ "executionArn": arn, "stopDate": stopped["stopDate"] }));
    }
    print(done)
}
