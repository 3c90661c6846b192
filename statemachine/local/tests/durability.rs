//! Processes that die and processes that end: the next one goes on where they were.
#![allow(clippy::unwrap_used, clippy::expect_used)] // helpers of tests may panic as tests do
mod common;
use async_trait::async_trait;
use common::*;
use rusqlite::Connection;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;
use stepfunctions_local::*;

const ITEMS: usize = 800;

/// Takes a moment and notes the item in a file that outlives the process.
struct Noting(PathBuf);

#[async_trait]
impl Lambda for Noting {
    async fn invoke(&self, invocation: Invocation) -> Result<LambdaOutput, LambdaError> {
        tokio::time::sleep(Duration::from_millis(8)).await;
        let mut file = std::fs::OpenOptions::new().create(true).append(true).open(&self.0).unwrap();
        writeln!(file, "{}", String::from_utf8_lossy(&invocation.payload)).unwrap();
        Ok(LambdaOutput { payload: invocation.payload, executed_version: "$LATEST".into() })
    }
}

async fn open(folder: &Path) -> Engine {
    let lambda = Arc::new(Noting(folder.join("calls")));
    Engine::builder().database(Database::File(folder.join("db"))).lambda(lambda).open().await.unwrap()
}

fn definition() -> Value {
    let mut definition =
        each(json!({"MaxConcurrency": 8, "Next": "After", "ItemBatcher": {"MaxItemsPerBatch": 2}}));
    definition["States"]["Each"].as_object_mut().unwrap().remove("End");
    definition["States"]["After"] = task("after");
    definition["States"]["After"]["Arguments"]["Payload"] = json!("after");
    definition
}

/// Runs until it is killed, or all is done.
#[tokio::test]
#[ignore = "the process that another test starts and kills"]
async fn worker() {
    let folder = PathBuf::from(std::env::var("DURABILITY_FOLDER").unwrap());
    let engine = open(&folder).await;
    let request =
        CreateStateMachine { name: "m".into(), definition: definition().to_string(), ..Default::default() };
    let machine = engine.create_state_machine(request).await.unwrap();
    let items: Vec<usize> = (0..ITEMS).collect();
    let request = StartExecution {
        state_machine_arn: machine.state_machine_arn,
        name: Some("one".into()),
        input: Some(json!({"items": items}).to_string()),
    };
    // The same name and input while it runs: the same execution, however often this process is started.
    if let Ok(started) = engine.start_execution(request).await {
        engine.wait(&started.execution_arn).await.unwrap();
    }
    engine.shutdown().await.unwrap();
}

fn spawn(folder: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["worker", "--exact", "--ignored"])
        .env("DURABILITY_FOLDER", folder)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

fn lines(folder: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(folder.join("calls")).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}

/// Inputs of the children that the database knows to have succeeded.
fn succeeded(folder: &Path) -> BTreeSet<String> {
    let Ok(db) = Connection::open(folder.join("db")) else { return BTreeSet::new() };
    let sql = "SELECT input FROM executions WHERE status = 'SUCCEEDED' AND map_run IS NOT NULL";
    let Ok(mut statement) = db.prepare(sql) else { return BTreeSet::new() };
    let rows = statement.query_map([], |r| r.get(0)).unwrap();
    rows.collect::<Result<_, _>>().unwrap()
}

#[tokio::test]
async fn killed_again_and_again_it_still_ends_and_repeats_nothing_that_succeeded() {
    let folder = tempfile::tempdir().unwrap();
    let mut partial = 0;
    for round in 0..12_u64 {
        let (done, before) = (succeeded(folder.path()), lines(folder.path()).len());
        let mut child = spawn(folder.path());
        std::thread::sleep(Duration::from_millis(30 + round * 37 % 100));
        child.kill().unwrap();
        child.wait().unwrap();
        let after = lines(folder.path());
        let again: Vec<&String> = after[before..].iter().filter(|line| done.contains(*line)).collect();
        assert!(again.is_empty(), "round {round}: ran again although recorded as succeeded: {again:?}");
        partial += usize::from(!done.is_empty() && done.len() < ITEMS / 2);
    }
    assert!(partial > 0, "no kill came in the middle of the run");
    assert!(spawn(folder.path()).wait().unwrap().success());
    let engine = open(folder.path()).await;
    let machines = engine.list_state_machines().await.unwrap();
    let request = ListExecutions {
        state_machine_arn: Some(machines[0].state_machine_arn.clone()),
        ..Default::default()
    };
    let executions = engine.list_executions(request).await.unwrap().items;
    assert_eq!((executions.len(), executions[0].status), (1, Status::Succeeded));
    let arn = &executions[0].execution_arn;
    let run = engine.list_map_runs(arn).await.unwrap().remove(0).map_run_arn;
    let counts = engine.describe_map_run(&run).await.unwrap().item_counts;
    assert_eq!((counts.succeeded, counts.total, counts.running), (ITEMS as u64, ITEMS as u64, 0));
    let request = ListExecutions { map_run_arn: Some(run), max_results: Some(1000), ..Default::default() };
    let children = engine.list_executions(request).await.unwrap().items;
    assert_eq!(children.len(), ITEMS / 2);
    for arn in children.iter().map(|c| &c.execution_arn).chain([arn]) {
        let options = HistoryOptions { max_results: Some(1000), ..Default::default() };
        let events = engine.get_execution_history(arn, options).await.unwrap().items;
        assert!(events.iter().enumerate().all(|(i, e)| e.id == i as u64 + 1), "{arn}");
        assert_eq!(events.last().unwrap().kind, "ExecutionSucceeded");
    }
}

#[tokio::test]
async fn shut_down_and_opened_again_a_wait_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let database = || Database::File(folder.path().join("db"));
    let states = json!({"W": {"Type": "Wait", "Seconds": 3600, "Next": "Work"}, "Work": task("work")});
    let arn = {
        let world = World::on(database(), |_, event| Ok(event)).await;
        let machine = world.machine(&machine("W", states)).await;
        let arn = world.start(&machine, &json!({"a": 1})).await;
        world.engine.shutdown().await.unwrap();
        assert_eq!(world.events().len(), 0);
        let lines = world.lines(&arn).await;
        assert!(lines.len() <= 2, "{lines:?}");
        arn
    };
    let world = World::on(database(), |_, event| Ok(event)).await;
    let ended = world.engine.wait(&arn).await.unwrap();
    assert_eq!(parse(ended.output.as_ref()), json!({"a": 1}));
    assert_eq!(world.lines(&arn).await.len(), 9);
}

#[tokio::test]
async fn a_database_has_one_engine_and_a_known_version() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("db");
    let engine = Engine::builder().database(Database::File(path.clone())).open().await.unwrap();
    assert!(Engine::builder().database(Database::File(path.clone())).open().await.is_err());
    drop(engine);
    let other = folder.path().join("other");
    Connection::open(&other).unwrap().execute_batch("PRAGMA user_version = 99").unwrap();
    let refused = Engine::builder().database(Database::File(other)).open().await.err().unwrap();
    assert!(refused.to_string().contains("expected version 1, found 99"), "{refused}");
}

#[tokio::test]
async fn a_database_that_fails_is_reported() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("db");
    let mut connection = Connection::open(&path).unwrap();
    drop(Engine::builder().database(Database::File(path.clone())).open().await);
    // A trigger stands in for a disk that is full: the first event of a Wait cannot be written.
    for _ in 0..100 {
        let sql = "CREATE TRIGGER full BEFORE INSERT ON history WHEN NEW.first > 1 BEGIN SELECT RAISE(ABORT, 'disk full'); END";
        match connection.execute_batch(sql) {
            Ok(()) => break,
            Err(_) => {
                std::thread::sleep(Duration::from_millis(20));
                connection = Connection::open(&path).unwrap();
            }
        }
    }
    drop(connection);
    let world = World::on(Database::File(path), |_, event| Ok(event)).await;
    let machine = world.machine(&machine("Work", json!({"Work": task("work")}))).await;
    let arn = world.start(&machine, &json!({})).await;
    let refused = world.engine.wait(&arn).await.unwrap_err();
    assert_eq!(refused.code, "StorageFailure");
    assert!(refused.message.contains("disk full"), "{refused}");
}
