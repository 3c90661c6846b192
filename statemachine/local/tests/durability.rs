//! Processes that die and processes that end: the next one goes on where they were.
#![allow(clippy::unwrap_used, clippy::expect_used)] // helpers of tests may panic as tests do
mod common;
use async_trait::async_trait;
use common::*;
use rand::Rng;
use rusqlite::Connection;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;
use stepfunctions_local::*;

/// Items that are about as much work as the processes get done between two kills.
const ITEMS_A_KILL: usize = 70;

/// Takes a moment and notes the item in a file that outlives the process.
struct Noting(PathBuf);

#[async_trait]
impl Lambda for Noting {
    async fn invoke(&self, invocation: Invocation) -> Result<LambdaOutput, LambdaError> {
        tokio::time::sleep(Duration::from_millis(8)).await;
        let mut file = std::fs::OpenOptions::new().create(true).append(true).open(&self.0).unwrap();
        // One write: a kill between two would glue this line to the next one.
        file.write_all(&[&invocation.payload[..], b"\n"].concat()).unwrap();
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
    let items: usize = std::env::var("DURABILITY_ITEMS").unwrap().parse().unwrap();
    let items: Vec<usize> = (0..items).collect();
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

fn spawn(folder: &Path, items: usize) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["worker", "--exact", "--ignored"])
        .env("DURABILITY_FOLDER", folder)
        .env("DURABILITY_ITEMS", items.to_string())
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

/// Every history that the database holds: ids from 1 without a gap, each event after something earlier.
fn histories_are_whole(folder: &Path) -> usize {
    let Ok(db) = Connection::open(folder.join("db")) else { return 0 };
    let sql = "SELECT e.arn, e.last_event, h.body FROM executions e JOIN history h ON h.execution = e.id ORDER BY e.id, h.first";
    // A process killed at once has not made the tables.
    let Ok(mut statement) = db.prepare(sql) else { return 0 };
    let rows = statement
        .query_map([], |r| Ok((r.get::<_, String>(0)?, r.get::<_, u64>(1)?, r.get::<_, Vec<u8>>(2)?)))
        .unwrap();
    let mut all: BTreeMap<String, (u64, Vec<Value>)> = BTreeMap::new();
    for row in rows {
        let (arn, last, body) = row.unwrap();
        let events: Vec<Value> = serde_json::from_slice(&[b"[", body.as_slice(), b"]"].concat()).unwrap();
        let found = all.entry(arn).or_insert((last, Vec::new()));
        found.1.extend(events);
    }
    for (arn, (last, events)) in &all {
        assert_eq!(events.len() as u64, *last, "{arn}");
        for (index, event) in events.iter().enumerate() {
            assert_eq!(event["id"], json!(index + 1), "{arn}");
            assert!(event["previousEventId"].as_u64().unwrap() <= index as u64, "{arn}: {event}");
        }
        let ends = events.iter().filter(|e| e["type"] == "ExecutionSucceeded").count();
        assert!(ends <= 1, "{arn} ended {ends} times");
    }
    all.len()
}

/// Kills a process `kills` times at random moments of its work, then lets one come to the end.
async fn killed(kills: usize) {
    let (folder, items) = (tempfile::tempdir().unwrap(), kills * ITEMS_A_KILL);
    let (mut partial, mut moments) = (0, Vec::new());
    for round in 0..kills {
        let (done, before) = (succeeded(folder.path()), lines(folder.path()).len());
        moments.push(rand::rng().random_range(0..120_u64));
        let mut child = spawn(folder.path(), items);
        // Every other time from its first call on, so that kills come in the midst of work however slow the machine is.
        while round % 2 == 1 && lines(folder.path()).len() == before && child.try_wait().unwrap().is_none() {
            std::thread::sleep(Duration::from_millis(1));
        }
        std::thread::sleep(Duration::from_millis(moments[round]));
        // One that has come to its end cannot be killed any more.
        let _ = child.kill();
        child.wait().unwrap();
        let after = lines(folder.path());
        let again: Vec<&String> = after[before..].iter().filter(|line| done.contains(*line)).collect();
        assert!(
            again.is_empty(),
            "ran again although recorded as succeeded: {again:?}, killed after {moments:?} ms"
        );
        if round % 8 == 0 {
            histories_are_whole(folder.path());
        }
        partial += usize::from(!done.is_empty() && done.len() < items / 2);
    }
    assert!(partial > kills / 8, "only {partial} kills came in the middle of the work");
    assert!(spawn(folder.path(), items).wait().unwrap().success());
    all_is_there(folder.path(), items).await;
    // Two to a child, and the parent.
    assert_eq!(histories_are_whole(folder.path()), items / 2 + 1);
}

async fn all_is_there(folder: &Path, items: usize) {
    let calls: BTreeSet<String> = lines(folder).into_iter().collect();
    assert_eq!(calls.len(), items / 2 + 1, "every batch was worked on, and what comes after the Map");
    let engine = open(folder).await;
    let machines = engine.list_state_machines().await.unwrap();
    let request = ListExecutions {
        state_machine_arn: Some(machines[0].state_machine_arn.clone()),
        ..Default::default()
    };
    let executions = engine.list_executions(request).await.unwrap().items;
    assert_eq!((executions.len(), executions[0].status), (1, Status::Succeeded));
    let arn = &executions[0].execution_arn;
    let options = HistoryOptions { max_results: Some(1000), ..Default::default() };
    let events = engine.get_execution_history(arn, options).await.unwrap().items;
    let kinds: Vec<&str> = events.iter().map(|e| e.kind.as_str()).collect();
    let map = ["MapStateStarted", "MapRunStarted", "MapRunSucceeded", "MapStateSucceeded", "MapStateExited"];
    assert_eq!(kinds[2..7], map, "begun once and ended once");
    let run = engine.list_map_runs(arn).await.unwrap().remove(0).map_run_arn;
    let counts = engine.describe_map_run(&run).await.unwrap().item_counts;
    assert_eq!((counts.succeeded, counts.total, counts.running), (items as u64, items as u64, 0));
    engine.shutdown().await.unwrap();
}

#[tokio::test]
async fn killed_two_hundred_times_it_still_ends_and_repeats_nothing_that_succeeded() {
    killed(200).await;
}

#[tokio::test]
async fn a_full_database_is_reported_and_with_room_again_all_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let engine = |limit: Option<u64>| {
        let lambda = Arc::new(Noting(folder.path().join("calls")));
        let builder = Engine::builder().database(Database::File(folder.path().join("db"))).lambda(lambda);
        match limit {
            Some(bytes) => builder.database_limit(bytes).open(),
            None => builder.open(),
        }
    };
    let small = engine(Some(600_000)).await.unwrap();
    let request =
        CreateStateMachine { name: "m".into(), definition: definition().to_string(), ..Default::default() };
    let machine = small.create_state_machine(request).await.unwrap().state_machine_arn;
    let items: Vec<usize> = (0..400).collect();
    let request = StartExecution {
        state_machine_arn: machine.clone(),
        name: None,
        input: Some(json!({"items": items}).to_string()),
    };
    let arn = small.start_execution(request.clone()).await.unwrap().execution_arn;
    let refused = small.wait(&arn).await.unwrap_err();
    assert_eq!(refused.code, "StorageFailure");
    assert!(refused.message.contains("full"), "{refused}");
    assert_eq!(small.start_execution(request).await.unwrap_err().code, "StorageFailure");
    assert!(small.shutdown().await.is_err(), "what is not stored is not called stored");
    drop(small);
    let mut found = None;
    for _ in 0..200 {
        // The calls that were under way hold the engine a little longer.
        tokio::time::sleep(Duration::from_millis(20)).await;
        found = engine(None).await.ok();
        if found.is_some() {
            break;
        }
    }
    let roomy = found.expect("the database is free again");
    let (done, before) = (succeeded_in(&roomy, &arn).await, lines(folder.path()).len());
    assert!(!done.is_empty(), "some had succeeded before it was full");
    let ended = roomy.wait(&arn).await.unwrap();
    assert_eq!(ended.status, Status::Succeeded, "{:?}", ended.cause);
    let again: Vec<String> =
        lines(folder.path()).split_off(before).into_iter().filter(|l| done.contains(l)).collect();
    assert!(again.is_empty(), "{again:?}");
    roomy.shutdown().await.unwrap();
    drop(roomy);
    assert_eq!(histories_are_whole(folder.path()), 201);
}

/// Inputs of the children that an engine knows to have succeeded.
async fn succeeded_in(engine: &Engine, arn: &str) -> BTreeSet<String> {
    let run = engine.list_map_runs(arn).await.unwrap().remove(0).map_run_arn;
    let request = ListExecutions {
        map_run_arn: Some(run),
        status_filter: Some(Status::Succeeded),
        max_results: Some(1000),
        ..Default::default()
    };
    let mut inputs = BTreeSet::new();
    for child in engine.list_executions(request).await.unwrap().items {
        inputs.insert(engine.describe_execution(&child.execution_arn).await.unwrap().input);
    }
    inputs
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
    assert!(refused.to_string().contains("expected version 2, found 99"), "{refused}");
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
