//! Redrive: what is entered and not exited goes on, what succeeded does not run again.
#![allow(clippy::unwrap_used, clippy::expect_used)] // helpers of tests may panic as tests do
mod common;
use common::*;
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use stepfunctions_local::*;

#[tokio::test]
async fn a_failed_task_runs_again_with_its_input_and_fresh_retries() {
    let healthy = Arc::new(AtomicBool::new(false));
    let seen = healthy.clone();
    let world = World::new(move |_, event| match seen.load(Ordering::SeqCst) {
        true => Ok(event),
        false => Err(("Down".into(), "".into())),
    })
    .await;
    let payload = json!({"input": "{% $states.input %}", "kept": "{% $kept %}", "again": "{% $states.context.Execution.RedriveCount %}"});
    let work = with(
        task("work"),
        json!({"Arguments": {"FunctionName": "work", "Payload": payload},
        "Retry": [{"ErrorEquals": ["Down"], "MaxAttempts": 1}]}),
    );
    let first = json!({"Type": "Pass", "Next": "Work", "Assign": {"kept": 42}, "Output": {"a": 1}});
    let ended = world.run(&machine("First", json!({"First": first, "Work": work})), &json!({})).await;
    assert_eq!((ended.status, ended.redrive_status), (Status::Failed, "REDRIVABLE"));
    let failed = world.lines(&ended.execution_arn).await;
    world.engine.redrive_execution(&ended.execution_arn).await.unwrap();
    let again = world.engine.wait(&ended.execution_arn).await.unwrap();
    assert_eq!((again.status, again.redrive_count), (Status::Failed, 1));
    assert_eq!(world.events().len(), 4, "one retry before and one after: the counters start anew");
    healthy.store(true, Ordering::SeqCst);
    world.engine.redrive_execution(&ended.execution_arn).await.unwrap();
    let done = world.engine.wait(&ended.execution_arn).await.unwrap();
    assert_eq!(parse(done.output.as_ref()), json!({"input": {"a": 1}, "kept": 42, "again": 2}));
    assert_eq!(
        (done.status, done.redrive_count, done.redrive_status),
        (Status::Succeeded, 2, "NOT_REDRIVABLE")
    );
    let lines = world.lines(&ended.execution_arn).await;
    assert_eq!(lines[..failed.len()], failed, "what had happened stays");
    let at = failed.len() as u64;
    let next = [format!("{}<{at} ExecutionRedriven", at + 1), format!("{}<{} TaskScheduled", at + 2, at + 1)];
    assert_eq!(lines[failed.len()..failed.len() + 2], next);
    assert_eq!(
        world.engine.redrive_execution(&ended.execution_arn).await.unwrap_err().code,
        "ExecutionNotRedrivable"
    );
}

fn counted(world: &World) -> BTreeMap<i64, usize> {
    let mut counts = BTreeMap::new();
    for event in world.events() {
        *counts.entry(event.as_i64().unwrap()).or_default() += 1;
    }
    counts
}

async fn a_map_redriven(kind: &str) {
    let healthy = Arc::new(AtomicBool::new(false));
    let seen = healthy.clone();
    let world =
        World::new(move |_, event| match seen.load(Ordering::SeqCst) || event.as_i64().unwrap() % 3 != 0 {
            true => Ok(event),
            false => Err(("Down".into(), "".into())),
        })
        .await;
    let mut definition = each(json!({"MaxConcurrency": 1, "ToleratedFailureCount": 1}));
    definition["States"]["Each"]["ItemProcessor"]["ProcessorConfig"]["ExecutionType"] = json!(kind);
    let ended = world.run(&definition, &json!({"items": [1, 3, 2, 6, 4, 5]})).await;
    assert_eq!(ended.error.as_deref(), Some("States.ExceedToleratedFailureThreshold"));
    assert_eq!(world.events(), [json!(1), json!(3), json!(2), json!(6)]);
    healthy.store(true, Ordering::SeqCst);
    world.engine.redrive_execution(&ended.execution_arn).await.unwrap();
    let done = world.engine.wait(&ended.execution_arn).await.unwrap();
    assert_eq!(parse(done.output.as_ref()), json!([1, 3, 2, 6, 4, 5]));
    assert_eq!(counted(&world), BTreeMap::from([(1, 1), (2, 1), (3, 2), (4, 1), (5, 1), (6, 2)]));
    let run = world.map_run(&ended.execution_arn).await;
    assert_eq!(
        (run.status, run.redrive_count, run.item_counts.succeeded, run.item_counts.failed),
        (Status::Succeeded, 1, 6, 0)
    );
    let lines = world.lines(&ended.execution_arn).await;
    let kinds: Vec<&str> = lines.iter().map(|l| l.split(' ').nth(1).unwrap()).collect();
    assert_eq!(
        kinds[4..],
        [
            "MapRunFailed",
            "MapStateFailed",
            "ExecutionFailed",
            "ExecutionRedriven",
            "MapRunRedriven",
            "MapRunSucceeded",
            "MapStateSucceeded",
            "MapStateExited",
            "ExecutionSucceeded"
        ]
    );
    let request = ListExecutions { map_run_arn: Some(run.map_run_arn), ..Default::default() };
    let children = world.engine.list_executions(request).await.unwrap().items;
    let redrives: Vec<u64> = children.iter().map(|c| c.redrive_count).collect();
    assert_eq!(redrives, [0, 1, 0, 1, 0, 0]);
    let child = world.lines(&children[1].execution_arn).await;
    let kinds: Vec<&str> = child.iter().map(|l| l.split(' ').nth(1).unwrap()).collect();
    let standard = [
        "TaskFailed",
        "ExecutionFailed",
        "ExecutionRedriven",
        "TaskScheduled",
        "TaskStarted",
        "TaskSucceeded",
        "TaskStateExited",
        "ExecutionSucceeded",
    ];
    match kind {
        "STANDARD" => assert_eq!(kinds[4..], standard, "a Standard child continues from its failed state"),
        _ => assert_eq!(kinds.len(), 7, "an Express child starts anew: {kinds:?}"),
    }
}

#[tokio::test]
async fn only_unsuccessful_standard_children_run_again() {
    a_map_redriven("STANDARD").await;
}

#[tokio::test]
async fn only_unsuccessful_express_children_run_again() {
    a_map_redriven("EXPRESS").await;
}

#[tokio::test]
async fn a_stopped_inline_map_goes_on_with_what_was_not_finished() {
    let healthy = Arc::new(AtomicBool::new(false));
    let seen = healthy.clone();
    let world = World::new(move |_, event| match seen.load(Ordering::SeqCst) || event != 2 {
        true => Ok(event),
        false => Err(("Down".into(), "".into())),
    })
    .await;
    let map = json!({"Type": "Map", "End": true, "MaxConcurrency": 1, "Items": [1, 2, 3],
        "ItemProcessor": {"StartAt": "Work", "States": {"Work": task("work")}}});
    let ended = world.run(&machine("Map", json!({"Map": map})), &json!({})).await;
    assert_eq!(ended.error.as_deref(), Some("Down"));
    healthy.store(true, Ordering::SeqCst);
    world.engine.redrive_execution(&ended.execution_arn).await.unwrap();
    let done = world.engine.wait(&ended.execution_arn).await.unwrap();
    assert_eq!(parse(done.output.as_ref()), json!([1, 2, 3]));
    assert_eq!(world.events(), [json!(1), json!(2), json!(2), json!(3)]);
}

#[tokio::test]
async fn a_fail_state_fails_again_and_fourteen_days_are_the_end() {
    let world = World::new(|_, event| Ok(event)).await;
    let ended = world
        .run(
            &machine("No", json!({"No": {"Type": "Fail", "Error": "E", "Cause": "{% 'be' & 'cause' %}"}})),
            &json!({}),
        )
        .await;
    assert_eq!((ended.error.as_deref(), ended.cause.as_deref()), (Some("E"), Some("because")));
    world.engine.redrive_execution(&ended.execution_arn).await.unwrap();
    assert_eq!(world.engine.wait(&ended.execution_arn).await.unwrap().status, Status::Failed);
    let days = |n: i64| Timestamp::from_millis(world.clock.now().millis() + n * 24 * 3600 * 1000);
    world.clock.sleep_until(days(13)).await;
    assert_eq!(
        world.engine.describe_execution(&ended.execution_arn).await.unwrap().redrive_status,
        "REDRIVABLE"
    );
    world.clock.sleep_until(days(2)).await;
    let refused = world.engine.redrive_execution(&ended.execution_arn).await.unwrap_err();
    assert_eq!(refused.code, "ExecutionNotRedrivable");
    assert!(refused.message.contains("14 days"), "{}", refused.message);
}
