//! Map Runs and their children: each child sends one batch of parts.

use futures::stream::{self, FuturesOrdered, StreamExt, TryStreamExt};
use serde_json::{Value, json};

use crate::http::{Refusal, Request};
use crate::look::{page, status};
use crate::report::Look;
use crate::states::{Of, Page};
use crate::story::failure;
use crate::{World, ours};

/// Children that are looked into at once and at a time: two requests each, of an account's rate that all share.
const MOST: usize = 50;
const AT_A_TIME: usize = 8;

/// Events of a child that are read: more than these are retries of retries.
const EVENTS: u32 = 200;

/// The Map Runs of an execution, oldest first, each with its counts.
pub(crate) async fn map_runs(world: &World, request: &Request) -> Result<Value, Refusal> {
    let arn = ours::execution(&world.machines, "arn", request.required("arn")?)?;
    let runs = world.states.map_runs(arn).await?;
    let ask = |run: &Value| {
        let arn = run["mapRunArn"].as_str().unwrap_or_default().to_owned();
        async move { world.states.map_run(&arn).await }
    };
    let described: FuturesOrdered<_> = runs.iter().map(ask).collect();
    let mut described: Vec<Value> = described.try_collect().await?;
    let started = |run: &Value| run["startDate"].as_f64().unwrap_or_default();
    described.sort_by(|a, b| started(a).total_cmp(&started(b)));
    Ok(json!({ "mapRuns": described }))
}

/// A page of children, as the API lists them.
pub(crate) async fn list(world: &World, request: &Request) -> Result<Value, Refusal> {
    let map_run = ours::map_run(&world.machines, "mapRun", request.required("mapRun")?)?;
    let (status, page) = (status(request)?, page(request, 1_000)?);
    world.states.executions(Of::MapRun(map_run), status, &page).await
}

/// What the named children do: their parts, attempts that failed, bytes.
pub(crate) async fn parts(world: &World, request: &Request) -> Result<Value, Refusal> {
    let arns: Vec<String> = request.parameters("arn").map(str::to_owned).collect();
    if arns.is_empty() || arns.len() > MOST {
        return Err(Refusal::field("arn", format!("1 to {MOST} of them"), arns.len().to_string()));
    }
    for arn in &arns {
        ours::execution(&world.machines, "arn", arn)?;
    }
    let asked = stream::iter(arns.into_iter().map(|arn| child(world, arn))).buffered(AT_A_TIME);
    let children: Vec<Value> = asked.try_collect().await?;
    Ok(json!({ "children": children }))
}

async fn child(world: &World, arn: String) -> Result<Value, Refusal> {
    let described = world.states.execution(&arn).await?;
    let page = Page { limit: EVENTS, cursor: None };
    let history = world.states.events(&arn, &page, false, true).await?;
    let events = history["events"].as_array().map(Vec::as_slice).unwrap_or_default();
    let failures: Vec<&str> = events.iter().filter_map(failure).collect();
    let read = |field: &str| {
        let text = described[field].as_str().unwrap_or("null");
        serde_json::from_str::<Value>(text).unwrap_or_default()
    };
    let (mut input, mut output) = (read("input"), read("output"));
    Ok(json!({
        "executionArn": arn,
        "status": described["status"],
        "startDate": described["startDate"],
        "stopDate": described["stopDate"],
        "error": described["error"],
        "cause": described["cause"],
        "redriveCount": described["redriveCount"],
        "asked": input["parts"].take(),
        "layout": input["layout"].take(),
        "parts": output["parts"].take(),
        "failures": failures,
    }))
}
