//! The function under test: does what the payload's `do` says. Not a test, though the harness runs it.

use std::{
    error::Error,
    io::Write,
    process::{Command, exit},
    thread,
    time::{Duration, Instant},
};

use lambda_runtime::{Context, Diagnostic, LambdaEvent, service_fn};
use serde_json::{Value, json};

/// An error with a name of its own.
#[derive(Debug)]
struct Refused(String);

impl From<Refused> for Diagnostic {
    fn from(refused: Refused) -> Self {
        Self { error_type: "SourceChanged".to_owned(), error_message: refused.0 }
    }
}

#[test]
#[ignore = "the worker that the other tests start"]
fn serve() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let ended: Result<(), Box<dyn Error + Send + Sync>> =
        runtime.block_on(lambda_runtime::run(service_fn(handle)));
    ended.unwrap();
}

async fn handle(event: LambdaEvent<Value>) -> Result<Value, Refused> {
    let (payload, context) = event.into_parts();
    let number = payload["n"].as_u64().unwrap_or_default();
    match payload["do"].as_str().unwrap_or("echo") {
        "echo" => Ok(payload),
        "pid" => Ok(json!(std::process::id())),
        "sleep" => {
            tokio::time::sleep(Duration::from_millis(number)).await;
            Ok(json!(std::process::id()))
        }
        "context" => Ok(described(&context)),
        "env" => Ok(std::env::vars().map(|(name, value)| (name, Value::String(value))).collect()),
        "error" => Err(Refused("expected ETag a, found b".to_owned())),
        "panic" => panic!("as asked"),
        "exit" => exit(i32::try_from(number).unwrap()),
        "exit later" => {
            thread::spawn(|| {
                thread::sleep(Duration::from_millis(30));
                exit(0)
            });
            Ok(json!(std::process::id()))
        }
        "allocate" => Ok(json!(allocate(number))),
        "spin" => Ok(json!(spin(Duration::from_millis(number)))),
        "bytes" => Ok(json!("x".repeat(usize::try_from(number).unwrap() - 2))),
        "print" => {
            println!("to stdout: {}", payload["text"]);
            std::io::stderr().write_all(b"to stderr\n").unwrap();
            Ok(Value::Null)
        }
        "child" => Ok(json!(Command::new("/bin/sleep").arg("600").spawn().unwrap().id())),
        other => panic!("unknown: {other}"),
    }
}

fn described(context: &Context) -> Value {
    let left = context.deadline().duration_since(std::time::SystemTime::now()).unwrap_or_default();
    json!({
        "id": context.request_id,
        "left_ms": u64::try_from(left.as_millis()).unwrap(),
        "arn": context.invoked_function_arn,
        "trace": context.xray_trace_id,
        "memory": context.env_config.memory,
        "name": context.env_config.function_name,
        "version": context.env_config.version,
    })
}

/// Touches so many MiB, one by one, and gives back how many.
fn allocate(mib: u64) -> usize {
    let mut kept = Vec::new();
    for _ in 0..mib {
        kept.push(vec![1u8; 1 << 20]);
        thread::sleep(Duration::from_micros(500));
    }
    std::hint::black_box(&kept).len()
}

fn spin(time: Duration) -> u64 {
    let start = Instant::now();
    let mut count = 0u64;
    while start.elapsed() < time {
        count = std::hint::black_box(count + 1);
    }
    count
}
