//! Runs a Distributed Map over N items with an empty task in each child and prints what it took:
//! `cargo run --release -p stepfunctions-local --example children -- 10000 [DATABASE_FILE]`.
use async_trait::async_trait;
use bytes::Bytes;
use serde_json::json;
use std::sync::Arc;
use std::time::Instant;
use stepfunctions_local::{
    CreateStateMachine, Database, Engine, Invocation, Lambda, LambdaError, LambdaOutput, MemoryObjects,
    Objects, StartExecution, Status,
};

struct Nothing;

#[async_trait]
impl Lambda for Nothing {
    async fn invoke(&self, _: Invocation) -> Result<LambdaOutput, LambdaError> {
        Ok(LambdaOutput { payload: Bytes::from_static(b"{}"), executed_version: "$LATEST".to_owned() })
    }
}

fn memory() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|l| l.starts_with("VmHWM"));
    line.and_then(|l| l.split(':').nth(1)).unwrap_or("?").trim().to_owned()
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let items: u64 = arguments.next().as_deref().unwrap_or("10000").parse()?;
    let database = arguments.next().map_or(Database::Memory, |file| Database::File(file.into()));
    let objects = MemoryObjects::new();
    let lines: String = (0..items).map(|n| format!("{{\"n\":{n}}}\n")).collect();
    objects.put("work", "items.jsonl", Bytes::from(lines)).await?;
    let engine = Engine::builder()
        .database(database)
        .lambda(Arc::new(Nothing))
        .objects(Arc::new(objects))
        .open()
        .await?;
    let definition = json!({
        "QueryLanguage": "JSONata", "StartAt": "Each",
        "States": {"Each": {"Type": "Map", "End": true, "Label": "Each", "MaxConcurrency": 100,
            "ItemReader": {"Resource": "arn:aws:states:::s3:getObject", "ReaderConfig": {"InputType": "JSONL"},
                "Arguments": {"Bucket": "work", "Key": "items.jsonl"}},
            "ItemProcessor": {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}, "StartAt": "Work",
                "States": {"Work": {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "End": true,
                    "Arguments": {"FunctionName": "nothing", "Payload": "{% $states.input %}"},
                    "Output": "{% $states.result.Payload %}"}}},
            "ResultWriter": {"Resource": "arn:aws:states:::s3:putObject", "Arguments": {"Bucket": "work", "Prefix": "results"}}}}
    });
    let request = CreateStateMachine {
        name: "children".to_owned(),
        definition: definition.to_string(),
        ..Default::default()
    };
    let machine = engine.create_state_machine(request).await?;
    let begun = Instant::now();
    let start = StartExecution { state_machine_arn: machine.state_machine_arn, ..Default::default() };
    let execution = engine.start_execution(start).await?;
    let ended = engine.wait(&execution.execution_arn).await?;
    let seconds = begun.elapsed().as_secs_f64();
    engine.shutdown().await?;
    if ended.status != Status::Succeeded {
        return Err(format!("{:?}: {:?}", ended.error, ended.cause).into());
    }
    println!("{items} children in {seconds:.2} s: {:.0}/s, peak memory {}", items as f64 / seconds, memory());
    Ok(())
}
