//! The report of a transfer: what was moved, how, and what it took; each part with its attempts.

use async_trait::async_trait;
use serde::Serialize;
use serde_json::Value;
use transload_wire::{CompleteOutput, PartOutput, PartRecord, Requests};

use crate::story::{Story, add, failure, text};

/// Looks at executions, wherever they are. Answers are in the API's JSON, lists are whole.
#[async_trait]
pub trait Look: Sync {
    /// Why it can not be seen.
    type Error;

    /// DescribeExecution.
    async fn describe(&self, arn: &str) -> Result<Value, Self::Error>;

    /// All events of an execution, in order.
    async fn history(&self, arn: &str) -> Result<Vec<Value>, Self::Error>;

    /// The Map Runs of an execution.
    async fn map_runs(&self, arn: &str) -> Result<Vec<Value>, Self::Error>;

    /// The children of a Map Run.
    async fn children(&self, map_run: &str) -> Result<Vec<Value>, Self::Error>;
}

/// A report, in the shape of `--output json`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// The execution's ARN.
    pub execution_arn: String,
    /// Its name.
    pub name: String,
    /// Its status.
    pub status: String,
    /// The workflow's error, if it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// Its cause.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cause: Option<String>,
    /// Whether it failed where a redrive goes on. An execution that ended in a Fail state would only fail there again.
    pub redrivable: bool,
    /// `LOCATION:s3://BUCKET/KEY`, once Head has run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// As the source.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub destination: Option<String>,
    /// What Head decided: `parts`, `copy` or `skip`, and why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decision: Option<String>,
    /// Bytes of the object.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// Parts; 0 if it goes whole.
    pub parts: u32,
    /// Bytes of a part but the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub part_size: Option<u64>,
    /// From start to end (or to the newest event), in seconds, waits included.
    pub seconds: f64,
    /// Rounds over the missing parts.
    pub rounds: u32,
    /// Redrives.
    pub redrives: u64,
    /// What Complete or Copy proved.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub result: Option<CompleteOutput>,
    /// Requests by operation, as workers reported them. Those of a worker that died or failed are not in it.
    pub requests: Requests,
    /// Failed attempts of tasks, by error: each was retried, or ended its round.
    pub failed_attempts: Requests,
    /// PUTs beyond the first of each part.
    pub repeated_puts: u64,
    /// GETs beyond the first of each part.
    pub repeated_gets: u64,
    /// What became of each part, ascending.
    pub part_records: Vec<PartRecord>,
}

/// Reads everything that is known of an execution.
///
/// # Errors
/// If there is no such execution.
pub async fn read<L: Look>(view: &L, arn: &str) -> Result<Report, L::Error> {
    let described = view.describe(arn).await?;
    let history = view.history(arn).await?;
    let mut story = Story::default();
    story.read(&history);
    let (mut requests, mut failures) =
        (std::mem::take(&mut story.requests), std::mem::take(&mut story.failures));
    let mut parts = std::mem::take(&mut story.sent);
    for map_run in view.map_runs(arn).await? {
        for child in view.children(text(&map_run, "mapRunArn")).await? {
            let child = text(&child, "executionArn");
            let output = view.describe(child).await?["output"].take();
            if let Some(output) = output.as_str().and_then(|o| serde_json::from_str::<PartOutput>(o).ok()) {
                add(&mut requests, &serde_json::json!(output.requests));
                parts.extend(output.parts);
            }
            for event in view.history(child).await? {
                if let Some(error) = failure(&event) {
                    *failures.entry(error.to_owned()).or_default() += 1;
                }
            }
        }
    }
    parts.sort_by_key(|part| part.part_number);
    Ok(assemble(&described, &history, story, requests, failures, parts))
}

fn assemble(
    described: &Value,
    history: &[Value],
    story: Story,
    requests: Requests,
    failed_attempts: Requests,
    part_records: Vec<PartRecord>,
) -> Report {
    let owned = |field: &str| described[field].as_str().map(str::to_owned);
    let newest = history.last().map(|event| event["timestamp"].as_f64().unwrap_or_default());
    let end = described["stopDate"].as_f64().or(newest).unwrap_or_default();
    let head = story.head.as_ref();
    Report {
        execution_arn: owned("executionArn").unwrap_or_default(),
        name: owned("name").unwrap_or_default(),
        status: owned("status").unwrap_or_default(),
        error: owned("error"),
        cause: owned("cause"),
        redrivable: redrivable(described["status"].as_str().unwrap_or_default(), history),
        source: head.map(|head| head.source.object.to_string()),
        destination: head.map(|head| head.destination.to_string()),
        decision: head.map(|head| format!("{}: {}", decision(head), head.reason)),
        size: head.map(|head| head.source.size),
        parts: story.parts(),
        part_size: head.and_then(|head| head.layout.as_ref()).map(transload_plan::Layout::part_size),
        seconds: (end - described["startDate"].as_f64().unwrap_or(end)).max(0.0),
        rounds: story.rounds,
        redrives: described["redriveCount"].as_u64().unwrap_or_default(),
        result: story.result,
        requests,
        failed_attempts,
        repeated_puts: part_records.iter().map(|part| u64::from(part.attempts.saturating_sub(1))).sum(),
        repeated_gets: part_records.iter().map(|part| u64::from(part.reads.saturating_sub(1))).sum(),
        part_records,
    }
}

/// Whether a redrive would go on: an execution that ended in a Fail state would only fail there again.
#[must_use]
pub fn redrivable(status: &str, history: &[Value]) -> bool {
    let mut entered = history.iter().rev().filter_map(|event| event["type"].as_str());
    let last = entered.find(|kind| kind.ends_with("StateEntered"));
    !matches!(status, "RUNNING" | "SUCCEEDED") && last != Some("FailStateEntered")
}

fn decision(head: &transload_wire::HeadOutput) -> &'static str {
    match head.decision {
        transload_wire::Decision::Skip => "skip",
        transload_wire::Decision::Copy => "copy",
        transload_wire::Decision::Parts => "parts",
        transload_wire::Decision::Renew => "renew",
        transload_wire::Decision::Thaw => "thaw",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::redrivable;

    #[test]
    fn what_ended_in_a_fail_state_is_over() {
        let entered = |kind: &str| json!({"type": kind, "stateEnteredEventDetails": {"name": "x"}});
        let ended = json!({"type": "ExecutionFailed"});
        let parked = [entered("MapStateEntered"), entered("TaskStateEntered"), ended.clone()];
        let over = [entered("TaskStateEntered"), entered("FailStateEntered"), ended.clone()];
        assert!(redrivable("FAILED", &parked) && redrivable("TIMED_OUT", &parked));
        assert!(!redrivable("FAILED", &over) && !redrivable("RUNNING", &parked[..2]));
        assert!(redrivable("ABORTED", &[ended]), "it was stopped before its first state");
    }
}
