//! Wires a handler to the Lambda Runtime API: input, deadline, stores, logs.
//!
//! The same code serves a deployed function and a worker process on one machine. Before the first invocation it does no
//! more than read a few variables: stores are opened by the first one that needs them, and kept for those after it.

mod invoke;
mod log;
mod metrics;
mod stores;

use std::process::ExitCode;
use std::time::{Duration, SystemTime};

use lambda_runtime::{LambdaEvent, Runtime, layers::TracingLayer, service_fn};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use transload_store::Deadline;
use transload_wire::Failure;

use crate::metrics::Metrics;

pub use invoke::invoke;
pub use metrics::{Facts, Input, Measure, Output};
pub use stores::OpenStores;

/// Variables without which the Lambda runtime would panic; Lambda, and whoever starts workers like it, sets them.
const VARIABLES: [&str; 4] = [
    "AWS_LAMBDA_RUNTIME_API",
    "AWS_LAMBDA_FUNCTION_NAME",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
    "AWS_LAMBDA_FUNCTION_VERSION",
];

/// Serves invocations with this handler until the process is ended. Call it from `main`, outside of any async runtime.
///
/// Failures reach the workflow by their names, input that is no `I` as `InputInvalid` with the field, and a panic of the
/// handler as `Internal`; the worker goes on after each of them.
pub fn serve<I, O, H>(handler: H) -> ExitCode
where
    I: DeserializeOwned + Input,
    O: Serialize + Output,
    H: AsyncFn(&OpenStores, Deadline, I) -> Result<O, Failure>,
{
    log::start();
    let run = || -> Result<(), lambda_runtime::Error> {
        check_variables(|name| std::env::var_os(name).is_some())?;
        // One invocation at a time: one thread is enough, and starts fastest.
        let tokio = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        tokio.block_on(poll(&handler))
    };
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(%error, "the worker can not go on");
            ExitCode::FAILURE
        }
    }
}

async fn poll<I, O, H>(handler: &H) -> Result<(), lambda_runtime::Error>
where
    I: DeserializeOwned + Input,
    O: Serialize + Output,
    H: AsyncFn(&OpenStores, Deadline, I) -> Result<O, Failure>,
{
    let stores = &OpenStores::default();
    let metrics = &Metrics::of(|name| std::env::var(name).ok());
    let service = service_fn(async move |event: LambdaEvent<Box<RawValue>>| {
        let left = event.context.deadline().duration_since(SystemTime::now()).unwrap_or(Duration::ZERO);
        invoke::measured(handler, stores, left, event.payload.get(), metrics.as_ref()).await
    });
    Runtime::new(service).layer(TracingLayer::new()).run().await
}

fn check_variables(is_set: impl Fn(&str) -> bool) -> Result<(), String> {
    let missing: Vec<_> = VARIABLES.into_iter().filter(|name| !is_set(name)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    Err(format!(
        "expected to be started by Lambda or a local pool of workers, found no {}",
        missing.join(", ")
    ))
}

#[cfg(test)]
mod tests {
    use super::check_variables;

    #[test]
    fn a_worker_started_by_hand_says_what_it_misses() {
        assert_eq!(check_variables(|_| true), Ok(()));
        let refused = check_variables(|name| name != "AWS_LAMBDA_RUNTIME_API").unwrap_err();
        assert!(refused.ends_with("found no AWS_LAMBDA_RUNTIME_API"), "{refused}");
    }
}
