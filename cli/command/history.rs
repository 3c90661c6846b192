//! `transload history`: the events of an execution, and of its children.

use clap::Args;
use serde_json::{Value, json};
use stepfunctions_local::ListExecutions;

use super::{print, print_json};
use crate::Global;
use crate::exit::Outcome;
use crate::summary::message;
use crate::table::{Side, Table, cut};
use crate::times;
use crate::view::{View, text};

/// Arguments of `history`.
#[derive(Debug, Args)]
pub(crate) struct HistoryArgs {
    /// Name or ARN of the execution; the ARN of a child works, too
    #[arg(value_name = "EXECUTION")]
    execution: String,
    /// The histories of its children, too: one child is one batch of parts
    #[arg(long)]
    children: bool,
}

/// Most characters of a detail: so that a line fits a wide terminal.
const DETAIL: usize = 110;

/// Shows it.
pub(crate) async fn run(args: HistoryArgs, global: &Global) -> Outcome {
    let view = View::open(global).await?;
    let arn = view.execution_arn(&args.execution).await?;
    let events = view.history(&arn).await?;
    let children = if args.children { children(&view, &arn).await? } else { Vec::new() };
    if global.json() {
        let mut answer = json!({ "events": events });
        if args.children {
            let each = children.iter().map(|(arn, events)| json!({"executionArn": arn, "events": events}));
            answer["children"] = each.collect();
        }
        return print_json(&answer);
    }
    let mut text = render(&events);
    for (arn, events) in &children {
        text.push_str(&format!("\n{arn}\n{}", render(events)));
    }
    print(&text)
}

async fn children(view: &View, arn: &str) -> Outcome<Vec<(String, Vec<Value>)>> {
    let mut all = Vec::new();
    for map_run in view.map_runs(arn).await? {
        let list = ListExecutions {
            map_run_arn: Some(text(&map_run, "mapRunArn").to_owned()),
            ..ListExecutions::default()
        };
        for child in view.executions(list).await? {
            let child = text(&child, "executionArn").to_owned();
            let events = view.history(&child).await?;
            all.push((child, events));
        }
    }
    Ok(all)
}

fn render(events: &[Value]) -> String {
    let mut table = Table::new(&[
        ("id", Side::Right),
        ("time (UTC)", Side::Left),
        ("type", Side::Left),
        ("state", Side::Left),
        ("detail", Side::Left),
    ]);
    let mut state = String::new();
    for event in events {
        let kind = text(event, "type");
        if let Some(name) = event["stateEnteredEventDetails"]["name"].as_str() {
            name.clone_into(&mut state);
        }
        let of_a_state = !kind.starts_with("Execution");
        table.row([
            event["id"].to_string(),
            times::clock(&event["timestamp"]),
            kind.to_owned(),
            if of_a_state { state.clone() } else { String::new() },
            cut(&detail(event), DETAIL),
        ]);
    }
    table.render()
}

/// What is worth a line of an event: its error, or where its data went.
fn detail(event: &Value) -> String {
    let details = event.as_object().into_iter().flatten();
    let Some((_, details)) = details.into_iter().find(|(name, _)| name.ends_with("EventDetails")) else {
        return String::new();
    };
    if let Some(error) = details["error"].as_str() {
        return format!("{error}: {}", message(text(details, "cause")));
    }
    let function = details["parameters"].as_str().and_then(|p| serde_json::from_str::<Value>(p).ok());
    if let Some(function) = function.as_ref().and_then(|p| p["FunctionName"].as_str()) {
        return function.rsplit(':').next().unwrap_or(function).to_owned();
    }
    if let Some(count) = details["redriveCount"].as_u64() {
        return format!("redrive {count}");
    }
    if let Some(length) = details["length"].as_u64() {
        return format!("{length} items");
    }
    text(details, "mapRunArn").to_owned()
}

#[cfg(test)]
mod tests {
    use super::render;
    use serde_json::json;

    #[test]
    fn a_line_names_the_state_and_the_error() {
        let cause = json!({"errorType": "Throttled", "errorMessage": "slow down"}).to_string();
        let events = [
            json!({"id": 1, "timestamp": 0.0, "type": "ExecutionStarted", "executionStartedEventDetails": {"input": "{}"}}),
            json!({"id": 2, "timestamp": 0.25, "type": "TaskStateEntered", "stateEnteredEventDetails": {"name": "Head"}}),
            json!({"id": 3, "timestamp": 1.5, "type": "TaskFailed", "taskFailedEventDetails": {"error": "Throttled", "cause": cause}}),
        ];
        let expected = "id  time (UTC)    type              state  detail\n \
                        1  00:00:00.000  ExecutionStarted\n \
                        2  00:00:00.250  TaskStateEntered  Head\n \
                        3  00:00:01.500  TaskFailed        Head   Throttled: slow down\n";
        assert_eq!(render(&events), expected);
    }
}
