//! How long an execution is kept after its end, and that it goes as a whole.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // helpers of tests may panic as tests do
mod common;
use common::*;
use serde_json::json;
use std::sync::Arc;
use stepfunctions_local::*;

#[tokio::test]
async fn what_ended_ninety_days_ago_is_forgotten_with_its_children() {
    const DAY: i64 = 24 * 3600 * 1000;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("db");
    let open = |day: i64| {
        let clock = Arc::new(VirtualClock::new(Timestamp::from_millis(START + day * DAY)));
        Engine::builder().database(Database::File(path.clone())).clock(clock).open()
    };
    let mut definition = each(json!({}));
    definition["States"]["Each"]["ItemProcessor"]["States"]["Work"] = json!({"Type": "Pass", "End": true});
    let engine = open(0).await.unwrap();
    let request =
        CreateStateMachine { name: "m".into(), definition: definition.to_string(), ..Default::default() };
    let machine = engine.create_state_machine(request).await.unwrap().state_machine_arn;
    let start = |engine: &Engine, name: &str| {
        let request = StartExecution {
            state_machine_arn: machine.clone(),
            name: Some(name.into()),
            input: Some(json!({"items": [1, 2]}).to_string()),
        };
        let engine = engine.clone();
        async move {
            let arn = engine.start_execution(request).await.unwrap().execution_arn;
            engine.wait(&arn).await.unwrap();
            arn
        }
    };
    let old = start(&engine, "old").await;
    engine.shutdown().await.unwrap();
    drop(engine);
    let count = |sql: &str| -> i64 {
        let db = rusqlite::Connection::open(&path).unwrap();
        db.query_row(sql, [], |r| r.get(0)).unwrap()
    };
    let engine = reopened(|| open(89)).await;
    let young = start(&engine, "young").await;
    assert_eq!(engine.describe_execution(&old).await.unwrap().status, Status::Succeeded);
    engine.shutdown().await.unwrap();
    drop(engine);
    let engine = reopened(|| open(91)).await;
    assert_eq!(engine.describe_execution(&old).await.unwrap_err().code, "ExecutionDoesNotExist");
    assert_eq!(engine.describe_execution(&young).await.unwrap().status, Status::Succeeded);
    assert_eq!(engine.list_map_runs(&young).await.unwrap().len(), 1);
    engine.shutdown().await.unwrap();
    drop(engine);
    // The name is free again, and nothing of the old one is left behind.
    let engine = reopened(|| open(91)).await;
    start(&engine, "old").await;
    engine.shutdown().await.unwrap();
    drop(engine);
    tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    assert_eq!(count("SELECT count(*) FROM executions"), 6, "two parents with two children each");
    for table in ["history", "cursors"] {
        let orphans =
            format!("SELECT count(*) FROM {table} WHERE execution NOT IN (SELECT id FROM executions)");
        assert_eq!(count(&orphans), 0, "{table}");
    }
    assert_eq!(count("SELECT count(*) FROM map_runs"), 2);
    assert_eq!(count("SELECT count(*) FROM map_items"), 2);
}

/// The thread of an engine that is gone lets go of the database a moment later.
async fn reopened<F: Future<Output = Result<Engine, EngineError>>>(open: impl Fn() -> F) -> Engine {
    for _ in 0..100 {
        if let Ok(engine) = open().await {
            return engine;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    panic!("the database stays locked");
}
