//! Workers that speak the Runtime API by hand, to do what a well-behaved runtime never does.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    process::exit,
    thread,
    time::Duration,
};

use lambda_local::{FunctionConfig, InvokeError};
use serde_json::{Value, json};

use crate::support::{call, message, pool, runs, stats, until};

const API: &str = "/2018-06-01/runtime";

struct Client {
    stream: TcpStream,
}

impl Client {
    fn new() -> Self {
        Self { stream: TcpStream::connect(std::env::var("AWS_LAMBDA_RUNTIME_API").unwrap()).unwrap() }
    }

    fn send(&mut self, method: &str, path: &str, headers: &str, body: &str) {
        let length = body.len();
        let request = format!(
            "{method} {API}/{path} HTTP/1.1\r\nhost: x\r\ncontent-length: {length}\r\n{headers}\r\n{body}"
        );
        self.stream.write_all(request.as_bytes()).unwrap();
    }

    /// Status, request id and body of the next answer.
    fn receive(&mut self) -> (u16, String, String) {
        let mut reader = BufReader::new(&self.stream);
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        let status = line.split(' ').nth(1).unwrap().parse().unwrap();
        let (mut id, mut length) = (String::new(), 0);
        loop {
            line.clear();
            reader.read_line(&mut line).unwrap();
            match line.trim().split_once(": ") {
                Some(("lambda-runtime-aws-request-id", value)) => id = value.to_owned(),
                Some(("content-length", value)) => length = value.parse().unwrap(),
                Some(_) => {}
                None => break,
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).unwrap();
        (status, id, String::from_utf8(body).unwrap())
    }

    fn ask(&mut self, method: &str, path: &str, headers: &str, body: &str) -> (u16, String, String) {
        self.send(method, path, headers, body);
        self.receive()
    }

    fn next(&mut self) -> (String, String) {
        let (status, id, body) = self.ask("GET", "invocation/next", "", "");
        assert_eq!(status, 200);
        (id, body)
    }
}

/// A worker of this kind.
fn kind(name: &str) -> FunctionConfig {
    let mut config = runs("f", "raw::serve");
    config.env.push(("KIND".to_owned(), name.into()));
    config
}

#[test]
#[ignore = "the worker that the other tests start"]
fn serve() {
    let mut client = Client::new();
    match std::env::var("KIND").unwrap().as_str() {
        "stray" => stray(&mut client),
        "init error" => {
            let body = r#"{"errorType":"Config.Missing","errorMessage":"no locations"}"#;
            let (status, ..) = client.ask("POST", "init/error", "", body);
            assert_eq!(status, 202);
            exit(1)
        }
        "answer and exit" => {
            let (id, _) = client.next();
            // A connection of its own, which the pool may not even have accepted when the process ends.
            Client::new().send("POST", &format!("invocation/{id}/response"), "", r#""last words""#);
            exit(1)
        }
        "answer and stall" => {
            let (id, _) = client.next();
            let pid = std::process::id().to_string();
            client.ask("POST", &format!("invocation/{id}/response"), "", &pid);
            thread::sleep(Duration::from_secs(600));
        }
        "half an answer" => {
            let (id, _) = client.next();
            let path = format!("{API}/invocation/{id}/response");
            let head = format!("POST {path} HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{{\"cut\":");
            client.stream.write_all(head.as_bytes()).unwrap();
            exit(3)
        }
        "untyped error" => {
            let (id, _) = client.next();
            client.ask("POST", &format!("invocation/{id}/error"), "", "plain text");
            let (id, _) = client.next();
            let header = "lambda-runtime-function-error-type: Runtime.NoSuchHandler\r\n";
            client.ask("POST", &format!("invocation/{id}/error"), header, "{}");
            client.next();
        }
        "broken stream" => {
            let (id, _) = client.next();
            broken_stream(&mut client, &id);
            client.next();
        }
        other => panic!("unknown: {other}"),
    }
}

/// Asks for what it must not have and answers with the statuses it got.
fn stray(client: &mut Client) {
    let (id, payload) = client.next();
    let other = "00000000-0000-0000-0000-000000000000";
    let statuses: Vec<u16> = [
        ("GET", "invocation/next".to_owned()),
        ("POST", format!("invocation/{other}/response")),
        ("POST", format!("invocation/{other}/error")),
        ("POST", "invocation/not-an-id/response".to_owned()),
        ("POST", "init/error".to_owned()),
        ("POST", "nothing/here".to_owned()),
        ("DELETE", "invocation/next".to_owned()),
    ]
    .iter()
    .map(|(method, path)| client.ask(method, path, "", "").0)
    .collect();
    let answer = json!({"statuses": statuses, "payload": payload}).to_string();
    let path = format!("invocation/{id}/response");
    assert_eq!(client.ask("POST", &path, "", &answer).0, 202);
    assert_eq!(client.ask("POST", &path, "", "\"twice\"").0, 400);
    let (id, _) = client.next();
    client.ask("POST", &format!("invocation/{id}/response"), "", "\"still here\"");
    client.next();
}

fn broken_stream(client: &mut Client, id: &str) {
    let path = format!("{API}/invocation/{id}/response");
    let types = "lambda-runtime-function-error-type";
    let request = format!(
        "POST {path} HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\ntrailer: {types}\r\n\r\n\
         4\r\n[1,2\r\n0\r\n{types}: Stream.Broken\r\nlambda-runtime-function-error-body: {{\"errorType\":\"Stream.Broken\"}}\r\n\r\n"
    );
    client.stream.write_all(request.as_bytes()).unwrap();
    assert_eq!(client.receive().0, 202);
}

#[tokio::test]
async fn a_worker_cannot_do_what_it_must_not() {
    let pool = pool(kind("stray")).await;
    let answer = call(&pool, json!({"a": 1})).await.unwrap();
    assert_eq!(answer["statuses"], json!([403, 400, 400, 404, 403, 404, 405]));
    assert_eq!(answer["payload"], "{\"a\":1}");
    assert_eq!(call(&pool, json!({})).await.unwrap(), "still here");
    assert_eq!(stats(&pool).environments_started, 1);
}

#[tokio::test]
async fn a_worker_may_say_that_it_cannot_start() {
    let pool = pool(kind("init error")).await;
    let error = call(&pool, json!({})).await.unwrap_err();
    assert!(
        matches!(&error, InvokeError::Function { error_type, .. } if error_type == "Config.Missing"),
        "{error:?}"
    );
    assert_eq!(message(&error), "no locations");
    until("the worker is gone", || pool.workers().is_empty()).await;
}

#[tokio::test]
async fn an_answer_sent_just_before_the_end_counts() {
    let pool = pool(kind("answer and exit")).await;
    for _ in 0..20 {
        assert_eq!(call(&pool, json!({})).await.unwrap(), "last words");
    }
    assert_eq!(stats(&pool).crashes, 0);
}

/// Nobody has seen an invocation that was assigned and not fetched, so another worker may have it.
#[tokio::test]
async fn an_invocation_that_was_not_fetched_goes_to_another_worker() {
    let pool = pool(kind("answer and stall")).await;
    let first = call(&pool, json!({})).await.unwrap();
    let task = tokio::spawn({
        let pool = pool.clone();
        async move { call(&pool, json!({})).await }
    });
    until("it is assigned", || stats(&pool).running == 1).await;
    assert_eq!(pool.kill_one("f", 0).map(Value::from), Some(first.clone()));
    assert_ne!(task.await.unwrap().unwrap(), first);
    let stats = stats(&pool);
    assert_eq!((stats.invocations, stats.crashes, stats.environments_started), (2, 0, 2));
}

#[tokio::test]
async fn half_an_answer_is_none() {
    let pool = pool(kind("half an answer")).await;
    let error = call(&pool, json!({})).await.unwrap_err();
    assert_eq!(error.error_name(), "Runtime.ExitError");
    assert_eq!(message(&error), "Error: Runtime exited with error: exit status 3");
}

#[tokio::test]
async fn an_error_without_a_name_gets_one() {
    let pool = pool(kind("untyped error")).await;
    let unnamed = call(&pool, json!({})).await.unwrap_err();
    assert_eq!((unnamed.error_name(), unnamed.cause().as_str()), ("Lambda.Unknown", "plain text"));
    let by_header = call(&pool, json!({})).await.unwrap_err();
    assert_eq!(by_header.error_name(), "Runtime.NoSuchHandler");
}

#[tokio::test]
async fn a_stream_that_breaks_off_is_an_error() {
    let pool = pool(kind("broken stream")).await;
    let error = call(&pool, json!({})).await.unwrap_err();
    assert_eq!(
        (error.error_name(), error.cause().as_str()),
        ("Stream.Broken", r#"{"errorType":"Stream.Broken"}"#)
    );
}
