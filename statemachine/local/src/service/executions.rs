//! Executions: started, stopped, redriven, described, listed; their histories.
use super::machines::without_data;
use super::params::{ARN, DATA, LONG_ARN, NAME, Params};
use super::{Answer, page, put, written};
use crate::api::{ApiError, DescribeExecution, HistoryOptions, ListExecutions, Page, StartExecution, Status};
use crate::engine::Engine;
use serde_json::{Map, Value, json};

/// Longest `error` and `cause` of StopExecution.
const ERROR: (usize, usize) = (0, 256);
const CAUSE: (usize, usize) = (0, 32_768);

fn started(p: &Params) -> Result<StartExecution, ApiError> {
    let state_machine_arn = p.required_text("stateMachineArn", ARN)?;
    let (name, input) = (p.text("name", NAME)?, p.text("input", DATA)?);
    p.text("traceHeader", (0, 256))?;
    Ok(StartExecution { state_machine_arn, name, input })
}

pub(super) async fn start(engine: &Engine, p: &Params) -> Answer {
    let request = started(p)?;
    p.check()?;
    written(&engine.start_execution(request).await?)
}

pub(super) async fn start_sync(engine: &Engine, p: &Params) -> Answer {
    let request = started(p)?;
    let metadata = without_data(p)?;
    p.check()?;
    if !engine.target(&request.state_machine_arn).await?.loaded.express {
        return Err(ApiError::wrong_type());
    }
    let started = engine.start_execution(request).await?;
    let ended = engine.wait(&started.execution_arn).await?;
    let took = ended.stop_date.map_or(0, |stop| stop.millis() - ended.start_date.millis());
    let mut answer = executed(&ended, metadata)?;
    if let Some(map) = answer.as_object_mut() {
        map.retain(|name, _| !name.starts_with("redrive"));
    }
    // Here it is said also of an output that there is not.
    put(&mut answer, "outputDetails", Some(json!({"included": !metadata})));
    // Billed in steps of 100 ms and 64 MB, and never less than one of each.
    let billed = (took.max(1) + 99) / 100 * 100;
    answer["billingDetails"] = json!({"billedDurationInMilliseconds": billed, "billedMemoryUsedInMB": 64});
    Ok(answer)
}

fn executed(execution: &DescribeExecution, metadata: bool) -> Answer {
    let mut answer = written(execution)?;
    if let Some(map) = answer.as_object_mut().filter(|_| metadata) {
        map.retain(|name, _| !matches!(name.as_str(), "input" | "output" | "error" | "cause"));
        for details in ["inputDetails", "outputDetails"] {
            map.entry(details).and_modify(|d| *d = json!({"included": false}));
        }
    }
    Ok(answer)
}

pub(super) async fn stop(engine: &Engine, p: &Params) -> Answer {
    let arn = p.required_text("executionArn", ARN)?;
    let (error, cause) = (p.text("error", ERROR)?, p.text("cause", CAUSE)?);
    p.check()?;
    written(&engine.stop_execution(&arn, error, cause).await?)
}

pub(super) async fn redrive(engine: &Engine, p: &Params) -> Answer {
    let arn = p.required_text("executionArn", ARN)?;
    p.text("clientToken", (1, 64))?;
    p.check()?;
    written(&engine.redrive_execution(&arn).await?)
}

pub(super) async fn describe(engine: &Engine, p: &Params) -> Answer {
    let arn = p.required_text("executionArn", ARN)?;
    let metadata = without_data(p)?;
    p.check()?;
    let mut answer = executed(&engine.describe_execution(&arn).await?, metadata)?;
    if let Some(origin) = engine.origins(vec![arn.clone()]).await?.remove(&arn) {
        put(&mut answer, "stateMachineVersionArn", origin.version);
        put(&mut answer, "stateMachineAliasArn", origin.alias);
    }
    Ok(answer)
}

/// The service's order of the values, as its messages have it.
const STATUSES: [&str; 6] = ["SUCCEEDED", "TIMED_OUT", "PENDING_REDRIVE", "ABORTED", "FAILED", "RUNNING"];

pub(super) async fn list(engine: &Engine, p: &Params) -> Answer {
    let state_machine_arn = p.text("stateMachineArn", ARN)?;
    let map_run_arn = p.text("mapRunArn", LONG_ARN)?;
    let status = p.choice("statusFilter", &STATUSES)?;
    let redriven = p.choice("redriveFilter", &["REDRIVEN", "NOT_REDRIVEN"])?.map(|f| f == "REDRIVEN");
    let (max_results, next_token) = p.page_with((1, 3_096))?;
    p.check()?;
    let status_filter = status.map(Status::parse);
    let request = ListExecutions { state_machine_arn, map_run_arn, status_filter, max_results, next_token };
    let mut found = engine.list_redriven(request, redriven).await?;
    // Children that wait for a redrive keep the status they ended with here, so none has this one.
    if status == Some("PENDING_REDRIVE") {
        found = Page { items: Vec::new(), next_token: None };
    }
    let mut origins = engine.origins(found.items.iter().map(|e| e.execution_arn.clone()).collect()).await?;
    let mut items = Vec::with_capacity(found.items.len());
    for summary in &found.items {
        let mut item = written(summary)?;
        if let Some(origin) = origins.remove(&summary.execution_arn) {
            put(&mut item, "stateMachineVersionArn", origin.version);
            put(&mut item, "stateMachineAliasArn", origin.alias);
        }
        items.push(item);
    }
    page("executions", Page { items, next_token: found.next_token })
}

pub(super) async fn history(engine: &Engine, p: &Params) -> Answer {
    let arn = p.required_text("executionArn", ARN)?;
    let (max_results, next_token) = p.page()?;
    let reverse_order = p.flag("reverseOrder")?.unwrap_or(false);
    let include_execution_data = p.flag("includeExecutionData")?.unwrap_or(true);
    p.check()?;
    let options = HistoryOptions { max_results, next_token, reverse_order, include_execution_data };
    let found = engine.get_execution_history(&arn, options).await?;
    let mut answer = Map::new();
    answer.insert("events".to_owned(), written(&found.items)?);
    answer.extend(found.next_token.map(|t| ("nextToken".to_owned(), Value::String(t))));
    Ok(Value::Object(answer))
}
