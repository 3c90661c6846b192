//! Runs the calls of a case one after the other, as its test made them, and keeps what was answered.
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use stepfunctions_local::{ApiError, Clock, Engine, VirtualClock};

/// What the calls of a case were answered: by number, and by the key under which the recording has it.
#[derive(Default)]
pub(crate) struct Answers {
    by_step: BTreeMap<String, Value>,
    pub(crate) by_key: Map<String, Value>,
}

/// Looks at a running execution, 5 ms apart, before a poll is given up; what does not hold by then shows in later answers.
const LOOKS: usize = 400;

/// So many looks without news show that an execution rests.
const QUIET: usize = 4;

/// Calls that may themselves take time.
const LONG: [&str; 5] =
    ["delete_state_machine", "get_activity_task", "start_sync_execution", "stop_execution", "test_state"];

/// Makes every call of the case. Time goes on only where the case waits, as if the calls between took none.
pub(crate) async fn run(engine: &Engine, clock: &VirtualClock, case: &Value) -> Answers {
    let mut answers = Answers::default();
    let mut held = Some(clock.hold());
    for step in case["steps"].as_array().into_iter().flatten() {
        let key = step["expected_key"].as_str();
        // The SDK refuses such a call by itself: it was never sent.
        if key.is_some_and(|k| case["expected_errors"][k]["client_side"] == true) {
            continue;
        }
        let args = filled(&step["args"], &answers);
        let op = step["op"].as_str().unwrap_or_default();
        let passes = step["service"] == "wait" || LONG.contains(&op);
        if passes {
            held = None;
        }
        let answer = match step["service"].as_str() {
            Some("stepfunctions") => call(engine, op, args).await,
            Some("wait") => {
                wait(engine, clock, op, &args).await;
                held = Some(clock.hold());
                continue;
            }
            // Functions and buckets are there from the start.
            _ => continue,
        };
        if held.is_none() {
            held = Some(clock.hold());
        }
        let answer = answer.unwrap_or_else(|e| json!({"code": e.code, "message": e.message}));
        if let Some(key) = key {
            answers.by_key.insert(key.to_owned(), answer.clone());
        }
        answers.by_step.insert(step["i"].to_string(), answer);
    }
    drop(held);
    answers
}

/// `create_state_machine` is `CreateStateMachine`.
fn action(op: &str) -> String {
    let word = |w: &str| w.chars().next().map(|c| c.to_uppercase().to_string() + &w[c.len_utf8()..]);
    op.split('_').filter_map(word).collect()
}

async fn call(engine: &Engine, op: &str, mut args: Value) -> Result<Value, ApiError> {
    let all = args.as_object_mut().and_then(|a| a.remove("__paginated__")).is_some_and(|p| p != false);
    let mut answer = engine.call(&action(op), args.clone()).await?;
    while let (true, Some(token)) = (all, answer.get("nextToken").cloned()) {
        args["nextToken"] = token;
        let page = engine.call(&action(op), args.clone()).await?;
        answer = joined(answer, page);
    }
    Ok(answer)
}

/// Two pages as one.
fn joined(mut before: Value, page: Value) -> Value {
    if let Some(map) = before.as_object_mut() {
        map.remove("nextToken");
    }
    for (name, value) in page.as_object().into_iter().flatten() {
        match (before.get_mut(name).and_then(Value::as_array_mut), value.as_array()) {
            (Some(list), Some(more)) => list.extend(more.iter().cloned()),
            _ => before[name] = value.clone(),
        }
    }
    before
}

/// Waits for an execution where the step names one; everything else holds as soon as it has been answered.
async fn wait(engine: &Engine, clock: &VirtualClock, op: &str, args: &Value) {
    let arn = ["executionArn", "execution_arn"].into_iter().find_map(|name| args[name].as_str());
    let Some(arn) = arn else { return };
    let running = op.ends_with("_started") || args["status"] == "RUNNING";
    if running {
        rest(engine, clock, arn).await;
    } else if let Err(e) = super::ended(engine, clock, arn).await {
        // Not there: the answers that follow say so.
        tracing::debug!(code = %e.code, "nothing to wait for");
    }
}

/// Lets an execution come as far as it does without time passing.
async fn rest(engine: &Engine, clock: &VirtualClock, arn: &str) {
    let _hold = clock.hold();
    let request = json!({"executionArn": arn, "maxResults": 1000});
    let (mut seen, mut quiet) = (0, 0);
    for _ in 0..LOOKS {
        let Ok(answer) = engine.call("GetExecutionHistory", request.clone()).await else { return };
        let events = answer["events"].as_array().map_or(0, Vec::len);
        quiet = if events == seen { quiet + 1 } else { 0 };
        seen = events;
        if quiet == QUIET && seen > 0 {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
}

/// The arguments with `{{3.executionArn}}` replaced by what step 3 was answered.
fn filled(value: &Value, answers: &Answers) -> Value {
    match value {
        Value::Array(list) => list.iter().map(|v| filled(v, answers)).collect(),
        Value::Object(map) => {
            Value::Object(map.iter().map(|(k, v)| (k.clone(), filled(v, answers))).collect())
        }
        Value::String(text) => filled_text(text, answers),
        other => other.clone(),
    }
}

fn filled_text(text: &str, answers: &Answers) -> Value {
    let mut done = String::new();
    let mut rest = text;
    while let Some((before, name, after)) = next_name(rest) {
        let found = looked_up(name, answers);
        if before.is_empty() && after.is_empty() && done.is_empty() {
            return found;
        }
        done.push_str(before);
        done.push_str(&found.as_str().map_or_else(|| found.to_string(), str::to_owned));
        rest = after;
    }
    Value::String(done + rest)
}

fn next_name(text: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = text.split_once("{{")?;
    let (name, after) = rest.split_once("}}")?;
    Some((before, name, after))
}

fn looked_up(name: &str, answers: &Answers) -> Value {
    let (step, path) = name.split_once('.').unwrap_or((name, ""));
    let pointer: String = path.split('.').filter(|p| !p.is_empty()).map(|p| format!("/{p}")).collect();
    answers.by_step.get(step).and_then(|answer| answer.pointer(&pointer)).cloned().unwrap_or_default()
}
