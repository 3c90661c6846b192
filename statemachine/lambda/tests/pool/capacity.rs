//! How many workers there are: reuse, parallel invocations, limits.

use lambda_local::{InvokeError, Pool};
use serde_json::json;

use crate::support::{busy, call, function, pid, pool, stats, until};

#[tokio::test]
async fn a_warm_worker_is_used_again() {
    let pool = pool(function()).await;
    let first = pid(&pool).await;
    for _ in 0..50 {
        assert_eq!(pid(&pool).await, first);
    }
    let stats = stats(&pool);
    let counted =
        (stats.environments_started, stats.cold_starts, stats.invocations, stats.workers, stats.running);
    assert_eq!(counted, (1, 1, 51, 1, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_after_the_other_never_needs_a_second_worker() {
    let mut config = function();
    config.reserved_concurrency = Some(1);
    let pool = pool(config).await;
    for _ in 0..500 {
        call(&pool, json!({})).await.unwrap();
    }
    assert_eq!((stats(&pool).environments_started, stats(&pool).throttles), (1, 0));
}

#[tokio::test]
async fn parallel_invocations_have_a_worker_each_and_the_last_idle_one_is_reused() {
    let pool = pool(function()).await;
    let mut tasks = Vec::new();
    for n in [300, 200, 100] {
        tasks.push(busy(&pool, json!({"do": "sleep", "n": n})).await);
    }
    let mut pids = Vec::new();
    for task in tasks.into_iter().rev() {
        pids.push(task.await.unwrap().unwrap().as_u64().unwrap());
    }
    until("all are idle", || stats(&pool).running == 0).await;
    let unique: std::collections::BTreeSet<_> = pids.iter().collect();
    assert_eq!(unique.len(), 3);
    assert_eq!(pool.workers().len(), 3);
    let reused = pid(&pool).await;
    assert!(pids.contains(&reused));
    for _ in 0..10 {
        assert_eq!(pid(&pool).await, reused);
    }
}

#[tokio::test]
async fn reserved_concurrency_refuses_at_once() {
    let mut config = function();
    config.reserved_concurrency = Some(1);
    let pool = pool(config).await;
    let task = busy(&pool, json!({"do": "sleep", "n": 600_000})).await;
    let error = call(&pool, json!({})).await.unwrap_err();
    assert_eq!(error.error_name(), "Lambda.TooManyRequestsException");
    let expected =
        "Rate Exceeded. (Reason: ReservedFunctionConcurrentInvocationLimitExceeded; running 1 of 1)";
    assert_eq!(error.cause(), expected);
    assert!(!task.is_finished());
    assert_eq!((stats(&pool).throttles, stats(&pool).invocations), (1, 1));
    pool.shutdown().await;
}

#[tokio::test]
async fn no_reserved_concurrency_left_means_never() {
    let mut config = function();
    config.reserved_concurrency = Some(0);
    let pool = pool(config).await;
    let error = call(&pool, json!({})).await.unwrap_err();
    assert!(matches!(error, InvokeError::TooManyRequests { .. }), "{error:?}");
    assert!(pool.workers().is_empty());
}

#[tokio::test]
async fn functions_share_what_is_not_reserved() {
    let named = |name: &str, reserved| {
        let mut config = function();
        config.name = name.to_owned();
        config.reserved_concurrency = reserved;
        config
    };
    let builder =
        Pool::builder().function(function()).function(named("g", None)).function(named("r", Some(2)));
    let pool = builder.account_concurrency(3).start().await.unwrap();
    let task = busy(&pool, json!({"do": "sleep", "n": 600_000})).await;
    let error = pool.invoke("g", "{}".into()).await.unwrap_err();
    assert!(error.cause().contains("Reason: ConcurrentInvocationLimitExceeded; running 1 of 1"), "{error}");
    assert!(pool.invoke("r", "{}".into()).await.is_ok());
    assert!(!task.is_finished());
    pool.shutdown().await;
}

#[tokio::test]
async fn a_limit_is_free_again_after_every_kind_of_end() {
    let mut config = function();
    config.reserved_concurrency = Some(1);
    config.timeout = std::time::Duration::from_millis(300);
    let pool = pool(config).await;
    for payload in [
        json!({"do": "error"}),
        json!({"do": "panic"}),
        json!({"do": "exit", "n": 1}),
        json!({"do": "sleep", "n": 600_000}),
        json!({"do": "bytes", "n": 7_000_000}),
    ] {
        call(&pool, payload.clone()).await.unwrap_err();
        assert_eq!(stats(&pool).running, 0, "{payload}");
        call(&pool, json!({})).await.unwrap();
    }
    assert_eq!(stats(&pool).throttles, 0);
}
