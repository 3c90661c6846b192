//! Redrive of distributed Maps: what is counted, what starts anew, what is left alone.
#![allow(clippy::unwrap_used, clippy::expect_used)] // helpers of tests may panic as tests do
mod common;
use async_trait::async_trait;
use bytes::Bytes;
use common::*;
use serde_json::json;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use stepfunctions_local::*;

/// Functions that fail for what is in a list that the test changes.
async fn failing(database: Database, bad: &Arc<Mutex<Vec<i64>>>) -> World {
    let bad = bad.clone();
    World::on(database, move |_, event| {
        match event.as_i64().is_some_and(|n| bad.lock().unwrap().contains(&n)) {
            true => Err(("Bad".into(), "".into())),
            false => Ok(event),
        }
    })
    .await
}

fn bad(list: &[i64]) -> Arc<Mutex<Vec<i64>>> {
    Arc::new(Mutex::new(list.to_vec()))
}

async fn redriven(world: &World, arn: &str) -> DescribeExecution {
    world.engine.redrive_execution(arn).await.unwrap();
    world.engine.wait(arn).await.unwrap()
}

fn kinds(lines: &[String]) -> Vec<&str> {
    lines.iter().map(|l| l.split(' ').nth(1).unwrap()).collect()
}

#[tokio::test]
async fn the_threshold_counts_failures_of_the_round_and_not_those_that_wait() {
    let list = bad(&[1, 2]);
    let world = failing(Database::Memory, &list).await;
    let definition = each(json!({"MaxConcurrency": 1, "ToleratedFailureCount": 1}));
    let ended = world.run(&definition, &json!({"items": [1, 2, 3, 4, 5]})).await;
    assert_eq!(world.events(), [json!(1), json!(2)]);
    // Two fail again: the round ends at the second, before anything else is started.
    let again = redriven(&world, &ended.execution_arn).await;
    assert_eq!(again.error.as_deref(), Some("States.ExceedToleratedFailureThreshold"));
    assert_eq!(world.events()[2..], [json!(1), json!(2)]);
    let run = world.map_run(&ended.execution_arn).await;
    assert_eq!((run.item_counts.failed, run.item_counts.pending, run.item_counts.pending_redrive), (2, 3, 0));
    // One fails again, which is tolerated: the rest runs.
    *list.lock().unwrap() = vec![2];
    let done = redriven(&world, &ended.execution_arn).await;
    assert_eq!(parse(done.output.as_ref()), json!([1, 3, 4, 5]));
    assert_eq!(world.events()[4..], [json!(1), json!(2), json!(3), json!(4), json!(5)]);
    let run = world.map_run(&ended.execution_arn).await;
    assert_eq!((run.redrive_count, run.item_counts.failed, run.item_counts.succeeded), (2, 1, 4));
}

/// Waits until so many calls were made.
async fn calls(world: &World, count: usize) {
    while world.events().len() < count {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn children_wait_for_their_redrive_until_it_is_their_turn() {
    let list = bad(&[1, 2, 3]);
    let world = failing(Database::Memory, &list).await;
    let definition = each(json!({"MaxConcurrency": 1, "ToleratedFailureCount": 2}));
    let ended = world.run(&definition, &json!({"items": [1, 2, 3, 4]})).await;
    list.lock().unwrap().clear();
    world.functions.hanging.lock().unwrap().push(json!(2));
    world.engine.redrive_execution(&ended.execution_arn).await.unwrap();
    calls(&world, 5).await;
    let run = world.map_run(&ended.execution_arn).await;
    let counts = run.item_counts;
    assert_eq!((counts.succeeded, counts.running, counts.pending_redrive), (1, 1, 1));
    assert_eq!((run.status, counts.pending, counts.failed, run.redrive_count), (Status::Running, 1, 0, 1));
    world.engine.stop_execution(&ended.execution_arn, None, None).await.unwrap();
    let run = world.map_run(&ended.execution_arn).await;
    assert_eq!((run.status, run.item_counts.aborted), (Status::Aborted, 1));
}

#[tokio::test]
async fn a_stopped_and_a_late_map_go_on_where_they_were() {
    for (limit, status) in [(None, Status::Aborted), (Some(60), Status::TimedOut)] {
        let world = failing(Database::Memory, &bad(&[])).await;
        let mut definition = each(json!({"MaxConcurrency": 2}));
        let doubled =
            with(task("work"), json!({"Next": "Then", "Output": "{% $states.result.Payload * 10 %}"}));
        definition["States"]["Each"]["ItemProcessor"]["States"] =
            json!({"Work": doubled, "Then": task("then")});
        definition["States"]["Each"]["ItemProcessor"]["States"]["Work"]
            .as_object_mut()
            .unwrap()
            .remove("End");
        if let Some(limit) = limit {
            definition["TimeoutSeconds"] = json!(limit);
        }
        world.functions.hanging.lock().unwrap().push(json!(20));
        let machine = world.machine(&definition).await;
        let arn = world.start(&machine, &json!({"items": [1, 2, 3]})).await;
        calls(&world, 6).await;
        if status == Status::Aborted {
            world.engine.stop_execution(&arn, None, None).await.unwrap();
        }
        let ended = world.engine.wait(&arn).await.unwrap();
        assert_eq!((ended.status, ended.redrive_status), (status, "REDRIVABLE"));
        world.functions.hanging.lock().unwrap().clear();
        let done = redriven(&world, &arn).await;
        assert_eq!(parse(done.output.as_ref()), json!([10, 20, 30]));
        assert_eq!(
            world.events()[6..],
            [json!(20)],
            "the child goes on at the state it was in, the others are done"
        );
        let request =
            ListExecutions { map_run_arn: Some(world.map_run(&arn).await.map_run_arn), ..Default::default() };
        let children = world.engine.list_executions(request).await.unwrap().items;
        let redrives: Vec<u64> = children.iter().map(|c| c.redrive_count).collect();
        assert_eq!(redrives, [0, 1, 0]);
    }
}

#[tokio::test]
async fn a_map_run_that_failed_for_its_data_is_replaced_by_a_new_one_over_all_items() {
    // Results that are too large, and an item that the selector cannot read.
    let big = World::new(|_, _| Ok(json!("x".repeat(200_000)))).await;
    let large = each(json!({}));
    let plain = World::new(|_, event| Ok(event)).await;
    let selector = json!({"StartAt": "Each", "States": {"Each": {"Type": "Map", "End": true, "ItemsPath": "$.items",
        "ItemSelector": {"n.$": "$$.Map.Item.Value.n"},
        "ItemProcessor": {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}, "StartAt": "Pass",
            "States": {"Pass": {"Type": "Pass", "End": true}}}}}});
    for (world, definition, items, error) in [
        (big, large, json!([1, 2]), "States.DataLimitExceeded"),
        (plain, selector, json!([{"n": 1}, {}]), "States.Runtime"),
    ] {
        let ended = world.run(&definition, &json!({"items": items})).await;
        assert_eq!(ended.error.as_deref(), Some(error));
        let calls = world.events().len();
        let again = redriven(&world, &ended.execution_arn).await;
        assert_eq!(again.error.as_deref(), Some(error));
        let runs = world.engine.list_map_runs(&ended.execution_arn).await.unwrap();
        assert_eq!(runs.len(), 2, "{error}");
        assert_eq!(world.events().len(), 2 * calls, "all items again");
        for run in runs {
            let run = world.engine.describe_map_run(&run.map_run_arn).await.unwrap();
            assert_eq!((run.status, run.redrive_count), (Status::Failed, 0));
        }
        let lines = world.lines(&ended.execution_arn).await;
        let after: Vec<&str> = kinds(&lines).into_iter().skip_while(|k| *k != "ExecutionRedriven").collect();
        assert_eq!(
            after,
            ["ExecutionRedriven", "MapStateStarted", "MapRunStarted", "MapRunFailed", "ExecutionFailed"]
        );
    }
}

/// Keeps objects, but takes none while `shut`.
#[derive(Default)]
struct Shut {
    inner: MemoryObjects,
    shut: AtomicBool,
}

#[async_trait]
impl Objects for Shut {
    async fn get(&self, bucket: &str, key: &str) -> Result<Bytes, ObjectsError> {
        self.inner.get(bucket, key).await
    }

    async fn put(&self, bucket: &str, key: &str, body: Bytes) -> Result<(), ObjectsError> {
        match self.shut.load(Ordering::SeqCst) {
            true => Err(ObjectsError::new("AccessDenied", "Access Denied")),
            false => self.inner.put(bucket, key, body).await,
        }
    }

    async fn list(&self, bucket: &str, prefix: &str, token: Option<&str>) -> Result<Listing, ObjectsError> {
        self.inner.list(bucket, prefix, token).await
    }

    async fn head(&self, bucket: &str, key: &str) -> Result<ObjectSummary, ObjectsError> {
        self.inner.head(bucket, key).await
    }
}

#[tokio::test]
async fn a_map_that_could_not_write_its_results_writes_them_and_runs_no_child_again() {
    let objects = Arc::new(Shut { shut: AtomicBool::new(true), ..Shut::default() });
    let clock = VirtualClock::new(Timestamp::from_millis(START));
    let engine = Engine::builder().objects(objects.clone()).clock(Arc::new(clock)).open().await.unwrap();
    let mut definition = each(json!({"ResultWriter": {"Resource": "arn:aws:states:::s3:putObject",
        "Arguments": {"Bucket": "results"}}}));
    definition["States"]["Each"]["ItemProcessor"]["States"]["Work"] = json!({"Type": "Pass", "End": true});
    let request =
        CreateStateMachine { name: "m".into(), definition: definition.to_string(), ..Default::default() };
    let machine = engine.create_state_machine(request).await.unwrap().state_machine_arn;
    let input = Some(json!({"items": [1, 2]}).to_string());
    let request = StartExecution { state_machine_arn: machine, name: None, input };
    let arn = engine.start_execution(request).await.unwrap().execution_arn;
    let ended = engine.wait(&arn).await.unwrap();
    assert_eq!(ended.error.as_deref(), Some("States.ResultWriterFailed"), "{:?}", ended.cause);
    objects.shut.store(false, Ordering::SeqCst);
    engine.redrive_execution(&arn).await.unwrap();
    let done = engine.wait(&arn).await.unwrap();
    assert_eq!(done.status, Status::Succeeded);
    assert!(objects.inner.keys("results").iter().any(|k| k.ends_with("/SUCCEEDED_0.json")));
    let run = engine.list_map_runs(&arn).await.unwrap().remove(0).map_run_arn;
    let request = ListExecutions { map_run_arn: Some(run), ..Default::default() };
    let children = engine.list_executions(request).await.unwrap().items;
    assert!(children.len() == 2 && children.iter().all(|c| c.redrive_count == 0));
}

#[tokio::test]
async fn a_caught_map_has_exited_and_a_redrive_does_not_enter_it_again() {
    let world = failing(Database::Memory, &bad(&[1])).await;
    let mut definition =
        each(json!({"Next": "End", "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Abort"}]}));
    definition["States"]["Each"].as_object_mut().unwrap().remove("End");
    definition["States"]["End"] = json!({"Type": "Succeed"});
    definition["States"]["Abort"] = json!({"Type": "Fail", "Error": "Given up"});
    let ended = world.run(&definition, &json!({"items": [1]})).await;
    let lines = world.lines(&ended.execution_arn).await;
    assert_eq!(kinds(&lines)[4..8], ["MapRunFailed", "MapStateFailed", "MapStateExited", "FailStateEntered"]);
    let again = redriven(&world, &ended.execution_arn).await;
    assert_eq!(again.error.as_deref(), Some("Given up"));
    assert_eq!(world.events(), [json!(1)], "the Map is not entered again");
}

#[tokio::test]
async fn a_map_run_that_began_after_a_redrive_has_none_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let database = || Database::File(folder.path().join("db"));
    let list = bad(&[7]);
    let mut definition = each(json!({}));
    definition["StartAt"] = json!("First");
    definition["States"]["First"] = json!({"Type": "Task", "Next": "Each", "Resource": "arn:aws:states:::lambda:invoke",
        "Arguments": {"FunctionName": "f", "Payload": 7}, "Output": "{% $states.input %}"});
    let arn = {
        let world = failing(database(), &list).await;
        let ended = world.run(&definition, &json!({"items": [{"hang": true}]})).await;
        assert_eq!(ended.error.as_deref(), Some("Bad"));
        list.lock().unwrap().clear();
        world.engine.redrive_execution(&ended.execution_arn).await.unwrap();
        calls(&world, 3).await;
        world.engine.shutdown().await.unwrap();
        ended.execution_arn
    };
    let world = failing(database(), &list).await;
    calls(&world, 1).await;
    assert_eq!(world.map_run(&arn).await.redrive_count, 0);
    let lines = world.lines(&arn).await;
    assert!(!kinds(&lines).contains(&"MapRunRedriven"), "{lines:?}");
    world.engine.stop_execution(&arn, None, None).await.unwrap();
}

#[tokio::test]
async fn children_that_cannot_be_redriven_count_as_failures() {
    let list = bad(&[1]);
    let world = failing(Database::Memory, &list).await;
    // The first child fails at once, the second one 15 days later, and with it the whole.
    let mut definition = each(json!({"ToleratedFailureCount": 1}));
    let wait = json!({"Type": "Wait", "Seconds": "{% $states.input = 1 ? 0 : 1296000 %}", "Next": "Work"});
    definition["States"]["Each"]["ItemProcessor"]["StartAt"] = json!("Wait");
    definition["States"]["Each"]["ItemProcessor"]["States"]["Wait"] = wait;
    list.lock().unwrap().push(2);
    let ended = world.run(&definition, &json!({"items": [1, 2]})).await;
    assert_eq!(ended.error.as_deref(), Some("States.ExceedToleratedFailureThreshold"));
    list.lock().unwrap().clear();
    let calls = world.events().len();
    let done = redriven(&world, &ended.execution_arn).await;
    assert_eq!(done.status, Status::Succeeded, "one failure is tolerated");
    assert_eq!(
        world.events()[calls..],
        [json!(2)],
        "the one that ended more than 14 days ago stays as it is"
    );
    let run = world.map_run(&ended.execution_arn).await;
    assert_eq!((run.item_counts.failures_not_redrivable, run.item_counts.failed), (1, 1));
}
