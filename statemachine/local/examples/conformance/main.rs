//! Runs a folder of recorded cases and writes one JSON line a run, in the format that the cases' comparison reads:
//! `cargo run --release -p stepfunctions-local --example conformance -- CASES_DIR > actual.jsonl`.
//!
//! A case says when it was recorded; the engine then behaves as the service did at that time where that is known to differ.
//! With `--newest` it always behaves as the newest recordings.
//!
//! Time is virtual: waits, delays and timeouts cost nothing. Kinds of cases that the engine cannot run yet are listed on
//! the standard error stream and have no line.
mod functions;
mod steps;

use functions::Functions;
use serde_json::{Value, json};
use std::sync::Arc;
use stepfunctions_local::{
    ApiError, Clock, CreateStateMachine, Engine, MachineType, MemoryObjects, Objects, Timestamp, VirtualClock,
};

const ROLE: &str = "arn:aws:iam::111111111111:role/conformance-sfn-role";
type Failed = Box<dyn std::error::Error>;

#[tokio::main]
async fn main() -> Result<(), Failed> {
    let folder = std::env::args().nth(1).ok_or("usage: conformance CASES_DIR")?;
    let mut files: Vec<_> =
        std::fs::read_dir(folder)?.collect::<Result<Vec<_>, _>>()?.iter().map(|e| e.path()).collect();
    files.retain(|f| f.extension().is_some_and(|e| e == "json"));
    files.sort();
    for file in files {
        let case: Value = serde_json::from_slice(&std::fs::read(&file)?)?;
        let kind = case["kind"].as_str().unwrap_or_default();
        let done = match kind {
            "execution" | "sync_execution" if case["activities"].is_null() => executions(&case).await,
            "execution" => with_workers(&case).await,
            "api" | "test_state" | "create_error" if case["steps"].is_array() => calls(&case).await,
            "create_error" => create_error(&case).await,
            other => Err(format!("kind {other}").into()),
        };
        if let Err(error) = done {
            eprintln!("not run: {} ({error})", case["id"]);
        }
    }
    Ok(())
}

fn emit(line: &Value) {
    println!("{line}");
}

/// When the case was recorded (`31-12-2024, 12:00:00`), if it says so and is asked.
fn recorded(case: &Value) -> Option<Timestamp> {
    let format = time::macros::format_description!("[day]-[month]-[year], [hour]:[minute]:[second]");
    let moment = time::PrimitiveDateTime::parse(case["recorded"].as_str()?, format).ok()?;
    let newest = std::env::args().any(|a| a == "--newest");
    (!newest).then(|| Timestamp::from_millis(moment.assume_utc().unix_timestamp() * 1000))
}

/// An engine with everything that the case wants to exist.
async fn prepare(case: &Value) -> Result<(Engine, VirtualClock), Failed> {
    let (engine, clock) = engine(case).await?;
    for machine in case["state_machines"].as_array().into_iter().flatten() {
        create(&engine, &machine["name"], text(&machine["definition"]), &machine["type"]).await?;
    }
    Ok((engine, clock))
}

/// An engine with the case's objects and functions.
async fn engine(case: &Value) -> Result<(Engine, VirtualClock), Failed> {
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
    if let Some(moment) = recorded(case) {
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

fn error(id: &Value, run: &Value, error: &ApiError) -> Value {
    json!({"id": id, "run": run, "error": {"code": error.code, "message": error.message}})
}

async fn create_error(case: &Value) -> Result<(), Failed> {
    let (engine, _) = prepare(case).await?;
    let run = case["runs"].get(0).cloned().unwrap_or_default();
    let kind = if case["features"].as_array().is_some_and(|f| f.iter().any(|f| f == "Express")) {
        json!("EXPRESS")
    } else {
        json!(null)
    };
    match create(&engine, &json!("machine"), definition(case, &run), &kind).await {
        Ok(_) => emit(&json!({"id": case["id"], "run": 0, "error": null})),
        Err(e) => emit(&error(&case["id"], &json!(0), &e)),
    }
    Ok(())
}

/// A case that is nothing but calls.
async fn calls(case: &Value) -> Result<(), Failed> {
    let (engine, clock) = engine(case).await?;
    let answers = steps::run(&engine, &clock, case).await;
    emit(&json!({"id": case["id"], "run": 0, "responses": answers.by_key}));
    Ok(())
}

/// A case whose executions need others beside them: everything happens in the order of its calls.
async fn with_workers(case: &Value) -> Result<(), Failed> {
    let (engine, clock) = engine(case).await?;
    let answers = steps::run(&engine, &clock, case).await;
    for run in case["runs"].as_array().into_iter().flatten() {
        let of = |key: &str| run[key].as_str().and_then(|k| answers.by_key.get(k)).cloned();
        let mut line = json!({"id": case["id"], "run": run["run"], "responses": answers.by_key});
        for (name, key) in [("history", "history_key"), ("describe", "describe_key")] {
            if let Some(answer) = of(key) {
                line[name] = answer;
            }
        }
        emit(&line);
    }
    Ok(())
}

async fn executions(case: &Value) -> Result<(), Failed> {
    let (engine, clock) = prepare(case).await?;
    for run in case["runs"].as_array().into_iter().flatten() {
        match one(&engine, &clock, case, run).await {
            Ok(line) => emit(&line),
            Err(e) => emit(&error(&case["id"], &run["run"], &e)),
        }
    }
    Ok(())
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
