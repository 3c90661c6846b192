//! Runs one recorded case: makes what has to exist, does what its test did, and gives what was answered.
mod functions;
mod moments;
mod steps;

use functions::Functions;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use stepfunctions_local::{
    ApiError, Clock, CreateStateMachine, Engine, MachineType, MemoryObjects, Objects, Timestamp, VirtualClock,
};

const ROLE: &str = "arn:aws:iam::111111111111:role/conformance-sfn-role";

/// The longest that a case may take of real time. The slowest recorded one takes less than a second.
const PATIENCE: Duration = Duration::from_secs(60);

type Failed = Box<dyn std::error::Error + Send + Sync>;

/// What has come of a case: a line for each run, and why there is none or not all.
#[derive(Default)]
pub(crate) struct Done {
    pub(crate) lines: Vec<Value>,
    pub(crate) trouble: Option<String>,
}

/// Runs a case. Whatever goes wrong in it is its own trouble; the caller goes on with the next.
pub(crate) async fn run(case: Value, newest: bool) -> Done {
    let id = case["id"].clone();
    let task = tokio::spawn(async move { lines(&moments::at_run_time(case), newest).await });
    let stop = task.abort_handle();
    let trouble = match tokio::time::timeout(PATIENCE, task).await {
        Ok(Ok(Ok(lines))) => return Done { lines, trouble: None },
        Ok(Ok(Err(error))) => error.to_string(),
        Ok(Err(broken)) => broken.to_string(),
        Err(_) => {
            stop.abort();
            format!("no end after {} s", PATIENCE.as_secs())
        }
    };
    Done { lines: Vec::new(), trouble: Some(format!("{id}: {}", trouble.replace('\n', " "))) }
}

async fn lines(case: &Value, newest: bool) -> Result<Vec<Value>, Failed> {
    let moment = if newest { None } else { moments::recorded(case) };
    match case["kind"].as_str().unwrap_or_default() {
        "execution" | "sync_execution" if !case["runs"].is_array() => Err("no runs".into()),
        "execution" if needs_order(case) => with_workers(case, moment).await,
        "execution" | "sync_execution" => executions(case, moment).await,
        "api" | "test_state" | "create_error" if case["steps"].is_array() => calls(case, moment).await,
        "create_error" => create_error(case, moment).await,
        other => Err(format!("kind {other:?}, or its steps are missing").into()),
    }
}

/// Whether something beside the executions themselves acts on them, so that the order of the calls counts.
fn needs_order(case: &Value) -> bool {
    let acts = ["delete_activity", "send_task_", "stop_execution", "redrive_execution", "update_map_run"];
    let mut steps = case["steps"].as_array().into_iter().flatten();
    let acted = |op: &str| acts.iter().any(|a| op.starts_with(a));
    !case["activities"].is_null() || steps.any(|s| s["op"].as_str().is_some_and(acted))
}

/// An engine with everything that the case wants to exist.
async fn prepare(case: &Value, moment: Option<Timestamp>) -> Result<(Engine, VirtualClock), Failed> {
    let (engine, clock) = engine(case, moment).await?;
    for machine in case["state_machines"].as_array().into_iter().flatten() {
        create(&engine, &machine["name"], text(&machine["definition"]), &machine["type"]).await?;
    }
    Ok((engine, clock))
}

/// An engine with the case's objects and functions.
async fn engine(case: &Value, moment: Option<Timestamp>) -> Result<(Engine, VirtualClock), Failed> {
    let objects = MemoryObjects::new();
    for (bucket, keys) in case["s3"].as_object().into_iter().flatten() {
        objects.bucket(bucket);
        for (key, body) in keys.as_object().into_iter().flatten() {
            objects.put(bucket, key, functions::body(body)?.into()).await?;
        }
    }
    // Milliseconds of three digits, as in nine of ten moments: the length of an answer's body depends on them.
    let now = Timestamp::from(std::time::SystemTime::now()).millis() / 1000 * 1000 + 123;
    let clock = VirtualClock::new(Timestamp::from_millis(now));
    let mut builder = Engine::builder();
    if let Some(moment) = moment {
        builder = builder.as_of(moment);
    }
    let engine = builder
        .account("111111111111")
        .clock(Arc::new(clock.clone()))
        .objects(Arc::new(objects))
        .lambda(Arc::new(Functions::of(&case["lambdas"])))
        .seed(1)
        .open()
        .await?;
    Ok((engine, clock))
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

async fn create(engine: &Engine, name: &Value, definition: String, kind: &Value) -> Result<String, ApiError> {
    let kind = if kind == "EXPRESS" { MachineType::Express } else { MachineType::Standard };
    let name = name.as_str().unwrap_or("machine").to_owned();
    let request = CreateStateMachine { name, definition, role_arn: ROLE.to_owned(), kind };
    engine.create_state_machine(request).await.map(|m| m.state_machine_arn)
}

fn definition(case: &Value, run: &Value) -> String {
    let own = [&run["definition"], &case["definition"], &case["definition_text"]];
    own.into_iter().find(|d| !d.is_null()).map(text).unwrap_or_default()
}

fn refused(case: &Value, run: &Value, error: &ApiError) -> Value {
    json!({"id": case["id"], "run": run, "error": {"code": error.code, "message": error.message}})
}

async fn create_error(case: &Value, moment: Option<Timestamp>) -> Result<Vec<Value>, Failed> {
    let (engine, _) = prepare(case, moment).await?;
    let run = case["runs"].get(0).cloned().unwrap_or_default();
    let express = case["features"].as_array().is_some_and(|f| f.iter().any(|f| f == "Express"));
    let kind = if express { json!("EXPRESS") } else { json!("STANDARD") };
    Ok(match create(&engine, &json!("machine"), definition(case, &run), &kind).await {
        Ok(_) => vec![json!({"id": case["id"], "run": 0, "error": null})],
        Err(e) => vec![refused(case, &json!(0), &e)],
    })
}

/// A case that is nothing but calls.
async fn calls(case: &Value, moment: Option<Timestamp>) -> Result<Vec<Value>, Failed> {
    let (engine, clock) = engine(case, moment).await?;
    let answers = steps::run(&engine, &clock, case).await;
    Ok(vec![json!({"id": case["id"], "run": 0, "responses": answers.by_key})])
}

/// A case whose executions need others beside them: everything happens in the order of its calls.
async fn with_workers(case: &Value, moment: Option<Timestamp>) -> Result<Vec<Value>, Failed> {
    let (engine, clock) = engine(case, moment).await?;
    let answers = steps::run(&engine, &clock, case).await;
    let line = |run: &Value| {
        let mut line = json!({"id": case["id"], "run": run["run"], "responses": answers.by_key});
        for (name, key) in [("history", "history_key"), ("describe", "describe_key")] {
            if let Some(answer) = run[key].as_str().and_then(|k| answers.by_key.get(k)) {
                line[name] = answer.clone();
            }
        }
        line
    };
    Ok(case["runs"].as_array().into_iter().flatten().map(line).collect())
}

async fn executions(case: &Value, moment: Option<Timestamp>) -> Result<Vec<Value>, Failed> {
    let (engine, clock) = prepare(case, moment).await?;
    let mut lines = Vec::new();
    for run in case["runs"].as_array().into_iter().flatten() {
        lines.push(match one(&engine, &clock, case, run).await {
            Ok(line) => line,
            Err(e) => refused(case, &run["run"], &e),
        });
    }
    Ok(lines)
}

async fn one(engine: &Engine, clock: &VirtualClock, case: &Value, run: &Value) -> Result<Value, ApiError> {
    let arn = create(engine, &run["state_machine_name"], definition(case, run), &run["type"]).await?;
    let mut request = json!({"stateMachineArn": arn});
    if run["input_absent"] != true {
        request["input"] = json!(run["input"].to_string());
    }
    if let Some(name) = run["execution_name"].as_str() {
        request["name"] = json!(name);
    }
    let describe = if run.get("sync_key").is_some() {
        engine.call("StartSyncExecution", request).await?
    } else {
        let started = engine.call("StartExecution", request).await?;
        let arn = &started["executionArn"];
        ended(engine, clock, arn.as_str().unwrap_or_default()).await?;
        engine.call("DescribeExecution", json!({"executionArn": arn})).await?
    };
    let history = json!({"executionArn": describe["executionArn"], "maxResults": 1000});
    let history = engine.call("GetExecutionHistory", history).await?["events"].take();
    Ok(json!({"id": case["id"], "run": run["run"], "history": history, "describe": describe}))
}

/// What an execution has come to: its end, or where it stands after a day. Nobody has waited longer for a recording.
async fn ended(engine: &Engine, clock: &VirtualClock, arn: &str) -> Result<(), ApiError> {
    let start = clock.now();
    for hour in 1..=24 {
        tokio::select! {
            biased;
            ended = engine.wait(arn) => return ended.map(drop),
            () = clock.sleep_until(start.plus_seconds(f64::from(hour) * 3600.0)) => {}
        }
    }
    Ok(())
}
