//! Requests to the engine that one process may send for another, in the shapes of the Step Functions API. Answers are the
//! API's JSON: what `--output json` prints and what tables are made from.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use stepfunctions_local::{ApiError, Engine, HistoryOptions, ListExecutions, UpdateMapRun};

use crate::exit::{CliError, Exit};

/// What may be asked.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) enum Request {
    /// DescribeExecution, by ARN.
    DescribeExecution(String),
    /// ListExecutions: one page.
    ListExecutions(ListExecutions),
    /// GetExecutionHistory, by ARN: one page.
    GetExecutionHistory(String, HistoryOptions),
    /// ListMapRuns of an execution, by ARN.
    ListMapRuns(String),
    /// DescribeMapRun, by ARN.
    DescribeMapRun(String),
    /// UpdateMapRun, by ARN.
    UpdateMapRun(String, UpdateMapRun),
    /// DescribeStateMachineForExecution, by ARN.
    DescribeStateMachineForExecution(String),
    /// StopExecution, by ARN, with the error and the cause that it ends with.
    StopExecution(String, String, String),
}

/// A refusal that has crossed a socket: as the API names it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Refusal {
    /// `ExecutionDoesNotExist`, ...
    pub(crate) code: String,
    /// What and where.
    pub(crate) message: String,
}

impl From<ApiError> for Refusal {
    fn from(error: ApiError) -> Self {
        Self { code: error.code.to_owned(), message: error.message }
    }
}

impl From<Refusal> for CliError {
    fn from(refusal: Refusal) -> Self {
        let exit = match refusal.code.as_str() {
            "ExecutionDoesNotExist" | "StateMachineDoesNotExist" | "InvalidArn" | "ResourceNotFound" => {
                Exit::NotFound
            }
            "ExecutionAlreadyExists" | "ExecutionNotRedrivable" => Exit::Busy,
            "InvalidName" | "InvalidExecutionInput" | "InvalidToken" | "ValidationException" => Exit::Usage,
            _ => Exit::Trouble,
        };
        Self::new(exit, format!("{}: {}", refusal.code, refusal.message))
    }
}

impl From<ApiError> for CliError {
    fn from(error: ApiError) -> Self {
        Refusal::from(error).into()
    }
}

/// Answers a request.
///
/// # Errors
/// The API's.
pub(crate) async fn call(engine: &Engine, request: Request) -> Result<Value, Refusal> {
    match request {
        Request::DescribeExecution(arn) => value(engine.describe_execution(&arn).await?),
        Request::ListExecutions(list) => {
            let page = engine.list_executions(list).await?;
            Ok(paged("executions", value(page.items)?, page.next_token))
        }
        Request::GetExecutionHistory(arn, options) => {
            let page = engine.get_execution_history(&arn, options).await?;
            Ok(paged("events", value(page.items)?, page.next_token))
        }
        Request::ListMapRuns(arn) => Ok(paged("mapRuns", value(engine.list_map_runs(&arn).await?)?, None)),
        Request::DescribeMapRun(arn) => value(engine.describe_map_run(&arn).await?),
        Request::UpdateMapRun(arn, change) => {
            engine.update_map_run(&arn, change).await?;
            Ok(json!({}))
        }
        Request::DescribeStateMachineForExecution(arn) => {
            let asked = json!({ "executionArn": arn });
            Ok(engine.call("DescribeStateMachineForExecution", asked).await?)
        }
        Request::StopExecution(arn, error, cause) => {
            value(engine.stop_execution(&arn, Some(error), Some(cause)).await?)
        }
    }
}

fn value(answer: impl Serialize) -> Result<Value, Refusal> {
    let refuse = |e: serde_json::Error| Refusal { code: "Internal".to_owned(), message: e.to_string() };
    serde_json::to_value(answer).map_err(refuse)
}

/// A page as the API writes it: `{"events": [...], "nextToken": ...}`.
fn paged(name: &str, items: Value, next: Option<String>) -> Value {
    let mut page = json!({ name: items });
    if let Some(next) = next {
        page["nextToken"] = json!(next);
    }
    page
}
