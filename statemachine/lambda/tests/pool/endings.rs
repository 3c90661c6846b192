//! How an invocation ends without an answer.

use std::time::Duration;

use lambda_local::{InvokeError, Pool};
use serde_json::json;

use crate::support::{busy, call, function, listed, message, pid, pool, stats, until};

#[tokio::test]
async fn time_is_up() {
    let mut config = function();
    config.timeout = Duration::from_millis(250);
    let pool = pool(config).await;
    let before = pid(&pool).await;
    let error = call(&pool, json!({"do": "sleep", "n": 600_000})).await.unwrap_err();
    assert!(matches!(error, InvokeError::Timeout { .. }), "{error:?}");
    assert_eq!(error.error_name(), "Sandbox.Timedout");
    assert_eq!(message(&error), "Error: Task timed out after 0.25 seconds");
    assert!(!listed(before), "killed and reaped before the caller learns of it");
    assert_ne!(pid(&pool).await, before);
    let stats = stats(&pool);
    assert_eq!((stats.timeouts, stats.crashes, stats.cold_starts), (1, 0, 2));
}

#[tokio::test]
async fn time_is_up_even_when_nobody_waits() {
    let mut config = function();
    config.timeout = Duration::from_millis(250);
    let pool = pool(config).await;
    let worker = pid(&pool).await;
    let task = busy(&pool, json!({"do": "sleep", "n": 600_000})).await;
    task.abort();
    assert!(task.await.unwrap_err().is_cancelled());
    until("the worker is killed", || !listed(worker)).await;
    until("it is counted", || stats(&pool).timeouts == 1).await;
}

#[tokio::test]
async fn the_worker_exits() {
    let pool = pool(function()).await;
    let rows = [
        (0, "Error: Runtime exited without providing a reason"),
        (1, "Error: Runtime exited with error: exit status 1"),
        (101, "Error: Runtime exited with error: exit status 101"),
    ];
    for (code, expected) in rows {
        // Once as its first invocation, once as its second.
        for warm in [false, true] {
            if warm {
                pid(&pool).await;
            }
            let error = call(&pool, json!({"do": "exit", "n": code})).await.unwrap_err();
            assert!(matches!(error, InvokeError::Crashed { .. }), "{error:?}");
            assert_eq!(error.error_name(), "Runtime.ExitError");
            assert_eq!(message(&error), expected);
        }
    }
    assert_eq!((stats(&pool).crashes, stats(&pool).workers), (6, 0));
}

#[tokio::test]
async fn a_busy_worker_is_killed() {
    let pool = pool(function()).await;
    assert_eq!(pool.kill_one("f", 0), None);
    pid(&pool).await;
    assert_eq!(pool.kill_one("f", 0), None, "an idle one is spared");
    let tasks = [
        busy(&pool, json!({"do": "sleep", "n": 600_000})).await,
        busy(&pool, json!({"do": "sleep", "n": 600_000})).await,
    ];
    let workers = pool.workers();
    let victim = pool.kill_one("f", 7).unwrap();
    assert_eq!(victim, workers[1].pid, "7 modulo 2 is the second");
    let [first, second] = tasks;
    let error = second.await.unwrap().unwrap_err();
    assert_eq!(error.error_name(), "Runtime.ExitError");
    assert_eq!(message(&error), "Error: Runtime exited with error: signal: killed");
    assert!(!first.is_finished());
    pool.shutdown().await;
}

#[tokio::test]
async fn memory_runs_out() {
    let mut config = function();
    config.memory_mb = 64;
    let pool = pool(config).await;
    assert_eq!(call(&pool, json!({"do": "allocate", "n": 30})).await.unwrap(), 30);
    let error = call(&pool, json!({"do": "allocate", "n": 4096})).await.unwrap_err();
    assert!(matches!(error, InvokeError::Crashed { .. }), "{error:?}");
    assert_eq!(error.error_name(), "Runtime.ExitError");
    assert_eq!(message(&error), "Error: Runtime exited with error: signal: killed");
    let found = stats(&pool);
    assert_eq!((found.out_of_memory, found.crashes), (1, 1));
    assert!(found.peak_rss_bytes > 64 << 20, "{}", found.peak_rss_bytes);
    assert_eq!(call(&pool, json!({"do": "allocate", "n": 30})).await.unwrap(), 30);
}

#[tokio::test]
async fn a_worker_that_ends_between_two_invocations_is_replaced() {
    let pool = pool(function()).await;
    let gone = call(&pool, json!({"do": "exit later"})).await.unwrap().as_u64().unwrap();
    until("it is noticed", || pool.workers().is_empty()).await;
    assert!(!listed(gone));
    assert_ne!(pid(&pool).await, gone);
    assert_eq!((stats(&pool).crashes, stats(&pool).invocations), (0, 2));
}

#[tokio::test]
async fn a_pool_that_is_shut_down_says_so() {
    let pool = pool(function()).await;
    let task = busy(&pool, json!({"do": "sleep", "n": 600_000})).await;
    pool.shutdown().await;
    for error in [task.await.unwrap().unwrap_err(), call(&pool, json!({})).await.unwrap_err()] {
        assert_eq!(error.error_name(), "Lambda.ServiceException");
        assert!(error.cause().starts_with("the pool: "), "{error}");
    }
    pool.shutdown().await;
    assert!(Pool::workers(&pool).is_empty());
}
