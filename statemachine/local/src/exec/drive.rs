//! Takes an execution from where it stands to its end.
use super::{Cursor, Failure, Run, Scope, Stop, Trouble};
use crate::api::Status;
use crate::engine::Engine;
use crate::history::Draft;
use crate::store::StoreError;
use futures::future::BoxFuture;
use serde_json::{Value, json};
use std::sync::Arc;

/// Seconds that an EXPRESS execution may take (facts: 5 minutes).
const EXPRESS_SECONDS: f64 = 300.0;

/// How an execution ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) status: Status,
}

enum Way {
    Through(Result<(Arc<Value>, u64), Trouble>),
    Stopped(Stop),
    Late,
}

/// Runs until the end is recorded; `None` if the engine shut down meanwhile.
pub(crate) async fn drive(run: Arc<Run>, cursor: Cursor) -> Result<Option<Ended>, StoreError> {
    let way = {
        let scope = Scope::new(run.clone(), run.flow.clone(), String::new(), run.address.clone(), cursor);
        let told = async {
            let way = tokio::select! {
                biased;
                stop = run.stopped() => Way::Stopped(stop),
                () = late(&run) => Way::Late,
            };
            run.divisible().await;
            way
        };
        tokio::select! {
            biased;
            way = told => way,
            found = scope.run() => Way::Through(found),
        }
    };
    let ended = match way {
        Way::Stopped(Stop::Suspend) => return Ok(None),
        Way::Stopped(Stop::Abort { error, cause }) => {
            run.engine.abort_map_runs(&run).await?;
            stop_nested(&run).await;
            end(
                &run,
                "ExecutionAborted",
                "executionAbortedEventDetails",
                Status::Aborted,
                Failure { error, cause, ..Failure::default() },
            )
        }
        Way::Late => {
            run.engine.abort_map_runs(&run).await?;
            stop_nested(&run).await;
            let failure = Failure { error: Some("States.Timeout".to_owned()), ..Failure::default() };
            end(&run, "ExecutionTimedOut", "executionTimedOutEventDetails", Status::TimedOut, failure)
        }
        Way::Through(Ok((output, previous))) => return succeed(&run, output, previous).await,
        Way::Through(Err(Trouble::Store(error))) => return Err(error),
        Way::Through(Err(Trouble::Error(failure))) => {
            end(&run, "ExecutionFailed", "executionFailedEventDetails", Status::Failed, failure)
        }
    };
    run.flush(ended.1).await?;
    Ok(Some(ended.0))
}

/// As the service does: what is waited for (`.sync`) is stopped with the execution that waits, and told no reason. Boxed,
/// because a stop waits for an end that is driven here too.
fn stop_nested(run: &Run) -> BoxFuture<'static, ()> {
    let (engine, nested) = (Engine::from_inner(run.engine.clone()), run.take_awaited());
    Box::pin(async move {
        for arn in nested {
            // It may have ended by itself, which is as good.
            let _ = engine.stop_execution(&arn, None, None).await;
        }
    })
}

async fn late(run: &Run) {
    let seconds = match (run.express, &run.map_run) {
        (true, _) => Some(EXPRESS_SECONDS),
        (false, None) => run.machine.machine.timeout_seconds.map(|s| s as f64),
        (false, Some(_)) => None,
    };
    match seconds {
        Some(seconds) => {
            let start = run.redriven.unwrap_or(run.start);
            run.engine.clock.sleep_until(start.plus_seconds(seconds)).await;
        }
        None => std::future::pending().await,
    }
}

async fn succeed(run: &Run, output: Arc<Value>, previous: u64) -> Result<Option<Ended>, StoreError> {
    let text = output.to_string();
    let details = json!({"output": text, "outputDetails": {"truncated": false}});
    run.log_one(previous, &Draft::new("ExecutionSucceeded", "executionSucceededEventDetails", details));
    run.flush(run.ending(Status::Succeeded, Some(text), None, None)).await?;
    Ok(Some(Ended { status: Status::Succeeded }))
}

fn end(
    run: &Run,
    kind: &str,
    key: &'static str,
    status: Status,
    failure: Failure,
) -> (Ended, Vec<crate::store::Op>) {
    let previous = failure.after.unwrap_or_else(|| run.last_event());
    run.log_one(previous, &Draft::failed(kind, key, failure.error.as_deref(), failure.cause.as_deref()));
    // As recorded: that it timed out is all a description says.
    let error = failure.error.filter(|_| status != Status::TimedOut);
    let ops = run.ending(status, None, error, failure.cause);
    (Ended { status }, ops)
}
