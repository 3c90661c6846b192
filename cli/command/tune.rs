//! `transload tune`: changes how many children of a running execution work at a time, and how many may fail.

use clap::Args;
use serde_json::Value;
use stepfunctions_local::UpdateMapRun;

use super::{print, print_json};
use crate::Global;
use crate::api::Request;
use crate::exit::{CliError, Exit, Outcome};
use crate::table::pairs;
use crate::view::{View, text};

/// Arguments of `tune`.
#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("change").required(true).multiple(true))]
pub(crate) struct TuneArgs {
    /// Name or ARN of the execution
    #[arg(value_name = "EXECUTION")]
    execution: String,
    /// Children at a time: batches of parts, or of objects
    #[arg(long, value_name = "N", group = "change", value_parser = clap::value_parser!(u64).range(1..=10_000))]
    concurrency: Option<u64>,
    /// Children that may fail before the Map Run does
    #[arg(long, value_name = "N", group = "change")]
    tolerated_failures: Option<u64>,
    /// Percentage of the children that may fail before the Map Run does
    #[arg(long, value_name = "PERCENT", group = "change", value_parser = percentage)]
    tolerated_failure_percentage: Option<f64>,
}

fn percentage(text: &str) -> Result<f64, String> {
    let found = text.parse().ok().filter(|share| (0.0..=100.0).contains(share));
    found.ok_or_else(|| "expected a number from 0 to 100".to_owned())
}

/// Changes all Map Runs that run now. Children that work already are not ended.
pub(crate) async fn run(args: TuneArgs, global: &Global) -> Outcome {
    let view = View::open(global).await?;
    let arn = view.execution_arn(&args.execution).await?;
    let status = view.describe(&arn).await?["status"].take();
    if status != "RUNNING" {
        let found = status.as_str().unwrap_or_default();
        let message = format!("{}: expected a RUNNING execution, found {found}", args.execution);
        return Err(CliError::new(Exit::Busy, message));
    }
    let change = UpdateMapRun {
        max_concurrency: args.concurrency,
        tolerated_failure_count: args.tolerated_failures,
        tolerated_failure_percentage: args.tolerated_failure_percentage,
    };
    let mut changed = Vec::new();
    for map_run in view.map_runs(&arn).await? {
        if map_run["stopDate"].is_null() {
            let arn = text(&map_run, "mapRunArn").to_owned();
            view.call(Request::UpdateMapRun(arn.clone(), change.clone())).await?;
            changed.push(view.call(Request::DescribeMapRun(arn)).await?);
        }
    }
    if changed.is_empty() {
        let message = format!(
            "{}: expected a Map Run that runs, found none: there is one while parts or batches are sent",
            args.execution
        );
        return Err(CliError::new(Exit::Busy, message));
    }
    if global.json() {
        print_json(&changed)
    } else {
        changed.iter().try_for_each(|map_run| print(&render(map_run)))
    }
}

fn render(map_run: &Value) -> String {
    pairs(&[
        ("map run", text(map_run, "mapRunArn").to_owned()),
        ("concurrency", map_run["maxConcurrency"].to_string()),
        ("tolerated failures", map_run["toleratedFailureCount"].to_string()),
        ("tolerated percentage", map_run["toleratedFailurePercentage"].to_string()),
        ("running", map_run["executionCounts"]["running"].to_string()),
        ("waiting", map_run["executionCounts"]["pending"].to_string()),
    ])
}
