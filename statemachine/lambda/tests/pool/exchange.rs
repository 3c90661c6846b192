//! What goes in and what comes out: payloads, headers, environment, limits.

use std::time::Duration;

use bytes::Bytes;
use lambda_local::{InvokeError, Pool, REQUEST_LIMIT, RESPONSE_LIMIT};
use serde_json::json;

use crate::support::{call, function, message, pid, pool, stats};

#[tokio::test]
async fn an_answer_is_what_the_worker_posted() {
    let pool = pool(function()).await;
    let sent = json!({"do": "echo", "text": "é\u{0}😀", "nested": [1, {"a": null}]});
    assert_eq!(call(&pool, sent.clone()).await.unwrap(), sent);
}

#[tokio::test]
async fn a_name_and_its_arns_mean_the_same_function() {
    let pool = pool(function()).await;
    let arn = "arn:aws:lambda:us-east-1:123456789012:function:f";
    for name in ["f", "f:$LATEST", "123456789012:function:f", arn, &format!("{arn}:$LATEST")] {
        assert!(pool.invoke(name, Bytes::from_static(b"{}")).await.is_ok(), "{name}");
    }
    for name in ["", "g", "ff", "arn:aws:lambda:us-east-1:123456789012:function:g"] {
        let error = pool.invoke(name, Bytes::from_static(b"{}")).await.unwrap_err();
        assert_eq!(error, InvokeError::NotFound { name: name.to_owned() });
    }
}

#[tokio::test]
async fn headers_tell_id_deadline_arn_and_trace() {
    let mut config = function();
    config.memory_mb = 256;
    let builder = Pool::builder().function(config).region("cn-north-1").account("210987654321");
    let pool = builder.start().await.unwrap();
    let first = call(&pool, json!({"do": "context"})).await.unwrap();
    let second = call(&pool, json!({"do": "context"})).await.unwrap();
    assert_ne!(first["id"], second["id"]);
    assert_eq!(first["arn"], "arn:aws:lambda:cn-north-1:210987654321:function:f");
    assert_eq!(
        (&first["memory"], &first["name"], &first["version"]),
        (&json!(256), &json!("f"), &json!("$LATEST"))
    );
    assert!(first["trace"].as_str().unwrap().starts_with("Root=1-"), "{first}");
    let left = first["left_ms"].as_u64().unwrap();
    assert!(left > 0 && left <= 60_000, "deadline is now + timeout: {left} ms left of 60 s");
}

#[tokio::test]
async fn a_worker_sees_only_what_it_is_given() {
    // Whatever this process happens to hold stands for a secret.
    let ours = ["AWS_DEFAULT_REGION", "AWS_REGION", "LANG", "PATH", "TZ"];
    let (held, value) = std::env::vars().find(|(name, _)| !ours.contains(&name.as_str())).unwrap();
    let strict = pool(function()).await;
    let seen = call(&strict, json!({"do": "env"})).await.unwrap();
    let mut names: Vec<&str> = seen.as_object().unwrap().keys().map(String::as_str).collect();
    names.retain(|name| !name.starts_with("AWS_LAMBDA_"));
    names.sort_unstable();
    // The runtime sets the last one itself, from the header.
    let expected = ["AWS_DEFAULT_REGION", "AWS_REGION", "LANG", "PATH", "TZ", "_HANDLER", "_X_AMZN_TRACE_ID"];
    assert_eq!(names, expected);

    let mut config = function();
    config.inherit_env = vec![held.clone(), "NOT_SET_ANYWHERE".to_owned()];
    config.env = vec![("AWS_REGION".to_owned(), "cn-north-1".into())];
    let lenient = pool(config).await;
    let seen = call(&lenient, json!({"do": "env"})).await.unwrap();
    assert_eq!(seen[&held], value);
    assert_eq!(seen["AWS_REGION"], "cn-north-1");
    assert!(seen.get("NOT_SET_ANYWHERE").is_none());
}

#[tokio::test]
async fn a_reported_error_keeps_its_name_and_its_worker() {
    let pool = pool(function()).await;
    let worker = pid(&pool).await;
    let error = call(&pool, json!({"do": "error"})).await.unwrap_err();
    assert!(
        matches!(&error, InvokeError::Function { error_type, .. } if error_type == "SourceChanged"),
        "{error:?}"
    );
    assert_eq!(message(&error), "expected ETag a, found b");
    let error = call(&pool, json!({"do": "panic"})).await.unwrap_err();
    assert!(matches!(error, InvokeError::Function { .. }), "{error:?}");
    assert!(error.cause().contains("as asked"), "{}", error.cause());
    assert_eq!(pid(&pool).await, worker);
    assert_eq!(stats(&pool).function_errors, 2);
}

#[tokio::test]
async fn a_request_may_be_as_large_as_the_limit() {
    let mut config = function();
    config.memory_mb = 512;
    let pool = pool(config).await;
    let text = |length: usize| Bytes::from(format!("\"{}\"", "x".repeat(length - 2)));
    let sent = text(REQUEST_LIMIT);
    assert!(pool.invoke("f", sent.clone()).await.unwrap() == sent);
    let error = pool.invoke("f", text(REQUEST_LIMIT + 1)).await.unwrap_err();
    assert_eq!(error, InvokeError::PayloadTooLarge { found: 6_291_457, limit: 6_291_456 });
    assert_eq!(error.error_name(), "Lambda.RequestTooLargeException");
    assert_eq!(stats(&pool).invocations, 1);
}

#[tokio::test]
async fn an_answer_may_be_as_large_as_the_limit() {
    let mut config = function();
    config.memory_mb = 512;
    let pool = pool(config).await;
    let worker = pid(&pool).await;
    let answer = call(&pool, json!({"do": "bytes", "n": RESPONSE_LIMIT})).await.unwrap();
    assert_eq!(answer.as_str().unwrap().len(), RESPONSE_LIMIT - 2);
    for n in [RESPONSE_LIMIT + 1, 20_000_000] {
        let error = call(&pool, json!({"do": "bytes", "n": n})).await.unwrap_err();
        assert_eq!(error.error_name(), "Function.ResponseSizeTooLarge");
        let expected = "Response payload size exceeded maximum allowed payload size (6291556 bytes).";
        assert_eq!(message(&error), expected);
    }
    assert_eq!(pid(&pool).await, worker, "the worker reads the refusal and goes on");
}

#[tokio::test]
async fn a_configuration_that_cannot_work_is_refused() {
    let mut unnamed = function();
    unnamed.name = "no spaces".to_owned();
    let mut hidden = function();
    hidden.logs = lambda_local::Logs::File("/nowhere/at/all".into());
    let mut greedy = function();
    greedy.name = "greedy".to_owned();
    greedy.reserved_concurrency = Some(10);
    let rows = [
        (Pool::builder().function(unnamed), r#"function "no spaces", name: expected 1 to 64 of"#),
        (Pool::builder().function(hidden), r#"function "f", log file "/nowhere/at/all": "#),
        (Pool::builder().function(function()).function(function()), "expected one, found two"),
        (
            Pool::builder().function(greedy.clone()).function(function()).account_concurrency(10),
            "account concurrency: expected more than the 10 that functions reserve, found 10",
        ),
        (Pool::builder().function(greedy).account_concurrency(9), "expected more than the 10"),
        (
            Pool::builder().function({
                let mut config = function();
                config.timeout = Duration::ZERO;
                config
            }),
            "timeout: expected more than zero",
        ),
    ];
    for (builder, expected) in rows {
        let error = builder.start().await.unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
}
