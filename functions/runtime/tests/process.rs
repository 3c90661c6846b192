//! A worker as a process, against a Runtime API of a few lines: what a workflow would see of it.
//!
//! This test starts itself again as the worker.

// Helpers of tests are tests too.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Sender, channel};
use std::thread;

use serde::{Deserialize, Serialize};
use transload_wire::ErrorName;

const WORKER: &str = "TRANSLOAD_TEST_WORKER";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Input {
    act: String,
}

#[derive(Serialize)]
struct Output {
    seconds_left: u64,
}

impl transload_runtime::Input for Input {}
impl transload_runtime::Output for Output {}

/// The worker, if this process was started as one.
#[test]
fn worker() {
    if std::env::var_os(WORKER).is_none() {
        return;
    }
    transload_runtime::serve(async |_, deadline, input: Input| match input.act.as_str() {
        "panic" => panic!("on demand"),
        "fail" => Err(ErrorName::SourceChanged.because("expected ETag \"a\", found \"b\"")),
        _ => Ok(Output { seconds_left: deadline.left().map_or(0, |left| left.as_secs()) }),
    });
}

#[test]
fn each_invocation_ends_as_the_workflow_needs_it_and_the_worker_goes_on() {
    let answers = run(&[
        r#"{"act": "go"}"#,
        r#"{"act": "panic"}"#,
        r#"{"act": 7}"#,
        r#"{"act": "fail"}"#,
        r#"{"act": "go"}"#,
    ]);
    let paths: Vec<_> = answers.iter().map(|(path, _)| path.rsplit('/').next().unwrap_or_default()).collect();
    assert_eq!(paths, ["response", "error", "error", "error", "response"]);
    let of = |answer: usize, field: &str| -> String {
        let json: serde_json::Value = serde_json::from_str(&answers[answer].1).unwrap();
        json[field].as_str().map_or_else(|| json[field].to_string(), ToOwned::to_owned)
    };
    // A minute was given, ten seconds of it are kept for ending in good order.
    assert!(["49", "50"].contains(&of(0, "seconds_left").as_str()), "{answers:?}");
    assert_eq!(
        (of(1, "errorType").as_str(), of(1, "errorMessage").as_str()),
        ("Internal", "the handler panicked: on demand")
    );
    assert_eq!(of(2, "errorType"), "InputInvalid");
    assert!(of(2, "errorMessage").starts_with("act: invalid type: integer `7`"), "{answers:?}");
    assert_eq!(of(3, "errorType"), "SourceChanged");
}

#[test]
fn logs_are_json_with_the_requests_id() {
    let (api, _answers) = api(vec![r#"{"act": "fail"}"#.to_owned()]);
    let mut child = start(&api);
    let stderr = child.stderr.take().unwrap();
    let line = BufReader::new(stderr)
        .lines()
        .map(Result::unwrap)
        .find(|line| line.contains("SourceChanged"))
        .unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    let json: serde_json::Value = serde_json::from_str(&line).unwrap();
    assert_eq!(json["level"], "ERROR");
    assert_eq!(json["span"]["requestId"], "request-0", "{line}");
}

#[test]
fn each_invocation_has_its_line_of_metrics_where_they_are_asked_for() {
    let events = [r#"{"act": "go"}"#, r#"{"act": "panic"}"#];
    for (asked, expected) in [("1", vec!["Failures 0 ", "Failures 1 Internal"]), ("", vec![])] {
        let (api, answers) = api(events.map(ToString::to_string).into());
        let mut child = command(&api).env("TRANSLOAD_METRICS", asked).stdout(Stdio::piped()).spawn().unwrap();
        events.iter().for_each(|_| drop(answers.recv().unwrap()));
        child.kill().unwrap();
        let output = String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap();
        // The harness of this test, which the worker is, writes into the same stream.
        let lines = output.lines().filter_map(|line| serde_json::from_str(&line[line.find('{')?..]).ok());
        let lines: Vec<String> = lines
            .map(|line: serde_json::Value| {
                assert_eq!(line["_aws"]["CloudWatchMetrics"][0]["Namespace"], "transload", "{line}");
                format!("Failures {} {}", line["Failures"], line["Error"].as_str().unwrap_or_default())
            })
            .collect();
        assert_eq!(lines, expected, "{output}");
    }
}

/// Sends these events to a worker, one after the other. Path and body of each answer.
fn run(events: &[&str]) -> Vec<(String, String)> {
    let (address, answers) = api(events.iter().map(ToString::to_string).collect());
    let mut child = start(&address);
    let answers = events.iter().map(|_| answers.recv().unwrap()).collect();
    child.kill().unwrap();
    child.wait().unwrap();
    answers
}

fn start(address: &str) -> Child {
    command(address).spawn().unwrap()
}

fn command(address: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["worker", "--exact", "--nocapture"])
        .env_clear()
        .envs([(WORKER, "1"), ("AWS_LAMBDA_RUNTIME_API", address), ("AWS_LAMBDA_FUNCTION_NAME", "test")])
        .envs([("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128"), ("AWS_LAMBDA_FUNCTION_VERSION", "1")])
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    command
}

/// A Runtime API on loopback, and where its answers come out.
fn api(events: Vec<String>) -> (String, std::sync::mpsc::Receiver<(String, String)>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let (sender, answers) = channel();
    let events = std::sync::Arc::new(std::sync::Mutex::new(events.into_iter().enumerate()));
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let (sender, events) = (sender.clone(), events.clone());
            thread::spawn(move || talk(stream, &sender, || events.lock().unwrap().next()));
        }
    });
    (address, answers)
}

fn talk(
    stream: TcpStream,
    answers: &Sender<(String, String)>,
    mut next: impl FnMut() -> Option<(usize, String)>,
) {
    let mut writer = stream.try_clone().unwrap();
    let mut reader = BufReader::new(stream);
    while let Some((path, body)) = request(&mut reader) {
        let answer = if path.ends_with("/next") {
            // With no event left the worker waits for one, as it does at the service.
            let Some((number, event)) = next() else { return thread::park() };
            let end = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_millis()
                + 60_000;
            format!(
                "HTTP/1.1 200 OK\r\nlambda-runtime-aws-request-id: request-{number}\r\nlambda-runtime-deadline-ms: {end}\r\n\
                 lambda-runtime-invoked-function-arn: arn\r\ncontent-length: {}\r\n\r\n{event}",
                event.len()
            )
        } else {
            let _ = answers.send((path, body));
            "HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n".to_owned()
        };
        writer.write_all(answer.as_bytes()).unwrap();
    }
}

/// Path and body of the next request; `None` at the end of the connection.
fn request(reader: &mut BufReader<TcpStream>) -> Option<(String, String)> {
    let mut line = String::new();
    if reader.read_line(&mut line).ok()? == 0 {
        return None;
    }
    let path = line.split(' ').nth(1)?.to_owned();
    let (mut length, mut chunked) = (0, false);
    loop {
        line.clear();
        reader.read_line(&mut line).ok()?;
        let header = line.trim_end().to_ascii_lowercase();
        match header.split_once(": ") {
            Some(("content-length", value)) => length = value.parse().ok()?,
            Some(("transfer-encoding", _)) => chunked = true,
            _ if header.is_empty() => break,
            _ => {}
        }
    }
    assert!(!chunked, "answers of these sizes have a length");
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some((path, String::from_utf8(body).ok()?))
}
