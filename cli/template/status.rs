//! What Step Functions tells EventBridge of executions whose status changes, out of the engine's own notifications.

use std::time::SystemTime;

use serde_json::{Map, Value, json};
use stepfunctions_local::{Engine, Notification, Status, Timestamp};
use tokio::sync::broadcast::{Receiver, error::RecvError};
use tokio::sync::mpsc::UnboundedSender;

/// Input and output are left out of an event that they would make longer than this (Step Functions, "Events": 248 KiB).
const LONGEST: usize = 248 << 10;

/// Tells until the engine or the bus is gone. Children of Map Runs are left out: rules name machines, and a child's is not one.
pub(crate) async fn tell(engine: Engine, mut news: Receiver<Notification>, bus: UnboundedSender<Value>) {
    loop {
        match news.recv().await {
            Ok(told) if told.map_run_arn.is_some() => {}
            Ok(told) => {
                if bus.send(event(&engine, &told).await).is_err() {
                    return;
                }
            }
            Err(RecvError::Lagged(missed)) => tracing::warn!(missed, "changes of status not told"),
            Err(RecvError::Closed) => return,
        }
    }
}

async fn event(engine: &Engine, told: &Notification) -> Value {
    let arn = &told.execution_arn;
    let described = engine.call("DescribeExecution", json!({"executionArn": arn})).await.unwrap_or_default();
    let part = |index: usize| arn.split(':').nth(index).unwrap_or_default();
    let time = Timestamp::from(SystemTime::now()).to_rfc3339();
    json!({
        "version": "0",
        "id": uuid::Uuid::new_v4().to_string(),
        "detail-type": "Step Functions Execution Status Change",
        "source": "aws.states",
        "account": part(4),
        "time": format!("{}Z", time.get(..19).unwrap_or_default()),
        "region": part(3),
        "resources": [arn],
        "detail": detail(told, &described),
    })
}

/// Times are milliseconds; members that do not apply are null.
fn detail(told: &Notification, described: &Value) -> Value {
    let millis = |name: &str| described[name].as_f64().map(|seconds| (seconds * 1000.0).round() as i64);
    let mut detail = Map::new();
    for name in [
        "executionArn",
        "stateMachineArn",
        "name",
        "stateMachineVersionArn",
        "stateMachineAliasArn",
        "redriveCount",
        "redriveStatus",
        "redriveStatusReason",
    ] {
        detail.insert(name.to_owned(), described[name].clone());
    }
    detail.insert("status".to_owned(), json!(told.status.as_str()));
    detail.insert("startDate".to_owned(), json!(millis("startDate")));
    detail.insert("redriveDate".to_owned(), json!(millis("redriveDate")));
    let over = told.status != Status::Running;
    detail.insert("stopDate".to_owned(), json!(millis("stopDate").filter(|_| over)));
    for name in ["error", "cause"] {
        detail.insert(name.to_owned(), if over { described[name].clone() } else { Value::Null });
    }
    data(&mut detail, described);
    Value::Object(detail)
}

/// The input goes first where both are too long together.
fn data(detail: &mut Map<String, Value>, described: &Value) {
    let length = |name: &str| described[name].as_str().map_or(0, |text| json!(text).to_string().len());
    let output = length("output") <= LONGEST;
    let beside = if output { length("output") } else { 0 };
    let input = length("input") + beside <= LONGEST;
    for (name, fits) in [("input", input), ("output", output)] {
        let there = described[name].is_string();
        let text = if fits { described[name].clone() } else { Value::Null };
        detail.insert(name.to_owned(), text);
        let facts = if there { json!({"included": fits}) } else { Value::Null };
        detail.insert(format!("{name}Details"), facts);
    }
}
