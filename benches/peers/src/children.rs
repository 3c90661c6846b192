//! The process that the engine's figures are taken of: engine, pool of workers, and one Map Run.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use async_trait::async_trait;
use bytes::Bytes;
use lambda_local::{FunctionConfig, Pool};
use lambda_runtime::{LambdaEvent, service_fn};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use stepfunctions_local::{
    CreateStateMachine, Database, DirectoryObjects, Engine, Invocation, Lambda, LambdaError, LambdaOutput,
    Objects, StartExecution, Status,
};

/// The database's name in its folder.
pub(crate) const FILE: &str = "executions.db";

/// Worker processes, and children at a time.
const WORKERS: usize = 4;

/// Arguments of the hidden subcommand.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Job {
    /// How many.
    children: u64,
    /// The database's file, to be made.
    database: PathBuf,
    /// Take the items from the input and hand the results on, instead of reading and writing files.
    #[arg(long)]
    inline: bool,
}

/// What the process says of itself.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Answer {
    /// From StartExecution to the execution's end.
    pub(crate) seconds: f64,
    /// Median seconds from a worker's start to its first request for work.
    pub(crate) start: f64,
}

/// The answer in a log.
pub(crate) fn answer_of(log: &str) -> Result<Answer> {
    let line = log.lines().rfind(|line| line.starts_with('{')).context("no answer")?;
    Ok(serde_json::from_str(line)?)
}

/// The worker: it answers nothing to everything.
pub(crate) fn empty() -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let service = service_fn(|_: LambdaEvent<Value>| async { Ok::<_, std::convert::Infallible>(json!({})) });
    runtime.block_on(lambda_runtime::run(service)).map_err(anyhow::Error::from_boxed)
}

/// Runs the Map and prints the answer.
pub(crate) fn run(job: &Job) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let answer = runtime.block_on(map_run(job))?;
    println!("{}", serde_json::to_string(&answer)?);
    Ok(())
}

struct Workers(Pool);

#[async_trait]
impl Lambda for Workers {
    async fn invoke(&self, invocation: Invocation) -> Result<LambdaOutput, LambdaError> {
        let answer = self.0.invoke(&invocation.function, invocation.payload).await;
        let payload = answer.map_err(|error| LambdaError::Service {
            name: error.error_name().to_owned(),
            message: error.cause(),
        })?;
        Ok(LambdaOutput { payload, executed_version: "$LATEST".to_owned() })
    }
}

async fn map_run(job: &Job) -> Result<Answer> {
    let mut function = FunctionConfig::new("empty", std::env::current_exe()?);
    function.args = vec!["empty".into()];
    function.timeout = Duration::from_secs(60);
    function.reserved_concurrency = Some(WORKERS);
    let pool = Pool::builder().function(function).start().await?;
    // In files, as the command line has them: in memory, a long run's results would count as the engine's.
    let objects = DirectoryObjects::new(job.database.with_file_name("objects"));
    let lines: String = (0..job.children).map(|n| format!("{{\"n\":{n}}}\n")).collect();
    objects.put("work", "items.jsonl", Bytes::from(lines)).await?;
    let opened = Engine::builder()
        .database(Database::File(job.database.clone()))
        .lambda(Arc::new(Workers(pool.clone())))
        .objects(Arc::new(objects));
    let engine = opened.open().await?;
    let seconds = execute(&engine, job).await?;
    let start = pool.stats().first().map_or(Duration::ZERO, |stats| stats.start_to_first_poll.median);
    engine.shutdown().await?;
    pool.shutdown().await;
    Ok(Answer { seconds, start: start.as_secs_f64() })
}

async fn execute(engine: &Engine, job: &Job) -> Result<f64> {
    let machine = CreateStateMachine {
        name: "children".to_owned(),
        definition: definition(job.inline).to_string(),
        ..CreateStateMachine::default()
    };
    let machine = engine.create_state_machine(machine).await?;
    let begun = Instant::now();
    let input = job.inline.then(|| json!({"items": (0..job.children).collect::<Vec<_>>()}).to_string());
    let start =
        StartExecution { state_machine_arn: machine.state_machine_arn, input, ..StartExecution::default() };
    let execution = engine.start_execution(start).await?;
    let ended = engine.wait(&execution.execution_arn).await?;
    ensure!(ended.status == Status::Succeeded, "{:?}: {:?}", ended.error, ended.cause);
    Ok(begun.elapsed().as_secs_f64())
}

/// The integration of the task.
const LAMBDA: &str = "arn:aws:states:::lambda:invoke";

/// One STANDARD child for each line of a file, results written to files, in JSONata; or for each item of the input, results
/// in the output, in JSONPath, which is all that MiniStack takes items of the input in.
pub(crate) fn definition(inline: bool) -> Value {
    let (language, map) = if inline {
        let task = json!({
            "Type": "Task",
            "Resource": LAMBDA,
            "Parameters": {"FunctionName": "empty", "Payload.$": "$"},
            "OutputPath": "$.Payload",
            "End": true,
        });
        ("JSONPath", inline_map(&processor(&task)))
    } else {
        let task = json!({
            "Type": "Task",
            "Resource": LAMBDA,
            "Arguments": {"FunctionName": "empty", "Payload": "{% $states.input %}"},
            "Output": "{% $states.result.Payload %}",
            "End": true,
        });
        ("JSONata", file_map(&processor(&task)))
    };
    json!({"QueryLanguage": language, "StartAt": "Each", "States": {"Each": map}})
}

fn processor(task: &Value) -> Value {
    json!({
        "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
        "StartAt": "Work",
        "States": {"Work": task},
    })
}

fn inline_map(processor: &Value) -> Value {
    json!({
        "Type": "Map",
        "Label": "Each",
        "MaxConcurrency": WORKERS,
        "ItemsPath": "$.items",
        "ItemSelector": {"n.$": "$$.Map.Item.Value"},
        "ItemProcessor": processor,
        "End": true,
    })
}

fn file_map(processor: &Value) -> Value {
    json!({
        "Type": "Map",
        "Label": "Each",
        "MaxConcurrency": WORKERS,
        "ItemReader": {
            "Resource": "arn:aws:states:::s3:getObject",
            "ReaderConfig": {"InputType": "JSONL"},
            "Arguments": {"Bucket": "work", "Key": "items.jsonl"},
        },
        "ItemProcessor": processor,
        "ResultWriter": {
            "Resource": "arn:aws:states:::s3:putObject",
            "Arguments": {"Bucket": "work", "Prefix": "results"},
        },
        "End": true,
    })
}
