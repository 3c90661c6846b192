//! What the tests share: configurations, calls, and waiting for a condition.

use std::time::{Duration, Instant};

use bytes::Bytes;
use lambda_local::{FunctionConfig, FunctionStats, InvokeError, Pool};
use serde_json::{Value, json};

/// A function whose workers run that ignored test of this binary.
pub(crate) fn runs(name: &str, test: &str) -> FunctionConfig {
    let mut config = FunctionConfig::new(name, std::env::current_exe().unwrap());
    config.args = ["--ignored", "--exact", test, "--nocapture"].map(Into::into).to_vec();
    config.timeout = Duration::from_secs(60);
    config
}

/// The usual function under test.
pub(crate) fn function() -> FunctionConfig {
    runs("f", "worker::serve")
}

pub(crate) async fn pool(config: FunctionConfig) -> Pool {
    Pool::builder().function(config).start().await.unwrap()
}

pub(crate) async fn call(pool: &Pool, payload: Value) -> Result<Value, InvokeError> {
    let answer = pool.invoke("f", Bytes::from(payload.to_string())).await?;
    Ok(serde_json::from_slice(&answer).unwrap())
}

/// The id of the process that serves the next invocation.
pub(crate) async fn pid(pool: &Pool) -> u64 {
    call(pool, json!({"do": "pid"})).await.unwrap().as_u64().unwrap()
}

/// Invokes in a task of its own and waits until a worker has it.
pub(crate) async fn busy(pool: &Pool, payload: Value) -> tokio::task::JoinHandle<Result<Value, InvokeError>> {
    let before = pool.workers().iter().filter(|worker| worker.busy).count();
    let task = tokio::spawn({
        let pool = pool.clone();
        async move { call(&pool, payload).await }
    });
    until("one more worker is busy and has polled", || {
        let stats = stats(pool);
        let polled = stats.start_to_first_poll.count == stats.environments_started;
        polled && pool.workers().iter().filter(|worker| worker.busy).count() > before
    })
    .await;
    task
}

pub(crate) fn stats(pool: &Pool) -> FunctionStats {
    pool.stats().remove(0)
}

/// Waits for something that has to come; the limit only keeps a broken build from hanging.
pub(crate) async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < Duration::from_secs(60), "never came: {what}");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

/// Whether a process runs; one that only waits to be reaped does not.
pub(crate) fn alive(pid: u64) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let state = stat.rsplit_once(") ").and_then(|(_, rest)| rest.chars().next());
    state.is_some_and(|state| state != 'Z' && state != 'X')
}

/// Whether the number is in the process table at all.
pub(crate) fn listed(pid: u64) -> bool {
    std::path::Path::new(&format!("/proc/{pid}")).exists()
}

/// `errorMessage` of an error's payload, without the request's id.
pub(crate) fn message(error: &InvokeError) -> String {
    let payload: Value = serde_json::from_str(&error.cause()).unwrap();
    assert_eq!(payload["errorType"], error.error_name());
    let message = payload["errorMessage"].as_str().unwrap();
    match message.strip_prefix("RequestId: ") {
        Some(rest) => rest.split_once(' ').unwrap().1.to_owned(),
        None => message.to_owned(),
    }
}
