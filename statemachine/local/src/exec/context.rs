//! The context object: `$$`, and `$states.context`.
use super::{Cursor, Item, Run};
use crate::asl::Kind;
use serde_json::{Map, Value, json};

/// Builds it for a state of an execution.
pub(super) fn build(run: &Run, cursor: &Cursor, item: Option<&Item>, kind: &Kind) -> Value {
    if let Some(pretended) = &run.context {
        return pretended.clone();
    }
    let mut execution = json!({
        "Id": run.arn,
        "Input": *run.input,
        "StartTime": run.start.to_rfc3339(),
        "Name": run.name,
        "RoleArn": run.machine.role,
    });
    // An EXPRESS execution knows of no redrives; nor does its context object.
    if !run.express && run.engine.vintage.redrive {
        execution["RedriveCount"] = json!(run.redrives);
    }
    if let Some(time) = run.redriven {
        execution["RedriveTime"] = json!(time.to_rfc3339());
    }
    let mut context = Map::new();
    context.insert("Execution".to_owned(), execution);
    context.insert("StateMachine".to_owned(), json!({"Id": run.machine.arn, "Name": run.machine.name}));
    let mut state = json!({"Name": cursor.state, "EnteredTime": cursor.entered_at.to_rfc3339()});
    // As recorded: only states that can be retried have a count.
    if matches!(kind, Kind::Task(_) | Kind::Map(_) | Kind::Parallel { .. }) {
        state["RetryCount"] = json!(cursor.retry_count);
    }
    context.insert("State".to_owned(), state);
    if let Some(callback) = &cursor.callback {
        context.insert("Task".to_owned(), json!({"Token": callback.token}));
    }
    if let Some(item) = item {
        let mut found = json!({"Index": item.index, "Value": *item.value});
        if let Some(source) = &item.source {
            found["Source"] = json!(source);
        }
        context.insert("Map".to_owned(), json!({"Item": found}));
    }
    Value::Object(context)
}
