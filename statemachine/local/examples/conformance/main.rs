//! Runs a folder of recorded cases and writes one JSON line a run, in the format that the cases' comparison reads:
//! `cargo run --release -p stepfunctions-local --example conformance -- CASES_DIR > actual.jsonl`.
//!
//! Time is virtual: waits, delays and timeouts cost nothing. Kinds of cases that the engine cannot run yet are listed on
//! the standard error stream and have no line.
mod functions;
mod steps;

use functions::Functions;
use serde_json::{Value, json};
use std::sync::Arc;
use stepfunctions_local::{
    ApiError, Clock, CreateStateMachine, DescribeExecution, Engine, HistoryOptions, MachineType,
    MemoryObjects, Objects, StartExecution, Timestamp, VirtualClock,
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
    let now = Timestamp::from(std::time::SystemTime::now());
    let clock = VirtualClock::new(now);
    let engine = Engine::builder()
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

/// An execution once nothing more happens to it without time.
async fn settled(engine: &Engine, arn: &str) -> Result<DescribeExecution, ApiError> {
    let mut events = 0;
    loop {
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        let now = engine.get_execution_history(arn, HistoryOptions::default()).await?.items.len();
        if now == events {
            return engine.describe_execution(arn).await;
        }
        events = now;
    }
}

async fn one(engine: &Engine, clock: &VirtualClock, case: &Value, run: &Value) -> Result<Value, ApiError> {
    let arn = create(engine, &run["state_machine_name"], definition(case, run), &run["type"]).await?;
    let input = if run["input_absent"] == true { None } else { Some(run["input"].to_string()) };
    let name = run["execution_name"].as_str().map(str::to_owned);
    // This one was looked at while it ran: time stands still until then.
    let held = (run["result"]["status"] == "RUNNING").then(|| clock.hold());
    let started = engine.start_execution(StartExecution { state_machine_arn: arn, name, input }).await?;
    let ended = match held {
        None => engine.wait(&started.execution_arn).await?,
        Some(_) => settled(engine, &started.execution_arn).await?,
    };
    let options = HistoryOptions { max_results: Some(1000), ..HistoryOptions::default() };
    let history = engine.get_execution_history(&started.execution_arn, options).await?.items;
    let mut line = json!({"id": case["id"], "run": run["run"], "history": history, "describe": ended});
    if run.get("sync_key").is_some() {
        let describe = &mut line["describe"];
        describe["billingDetails"] = json!({"billedDurationInMilliseconds": 100, "billedMemoryUsedInMB": 64});
        describe["outputDetails"] = json!({"included": true});
        if let Some(map) = describe.as_object_mut() {
            map.retain(|k, _| !k.starts_with("redrive"));
        }
    }
    Ok(line)
}
