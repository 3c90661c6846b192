//! Stops and callers that go away, at any moment: nothing is left RUNNING that nobody drives.
#![allow(clippy::unwrap_used)]
mod common;

use common::{World, each, machine, task, with};
use serde_json::{Value, json};
use std::time::Duration;
use stepfunctions_local::*;

/// Lets everything else run so many times.
async fn turns(count: usize) {
    for _ in 0..count {
        tokio::task::yield_now().await;
    }
}

/// The statuses of a machine's executions, or of a Map Run's children.
async fn statuses(world: &World, request: ListExecutions) -> Vec<Status> {
    let request = ListExecutions { max_results: Some(1_000), ..request };
    world.engine.list_executions(request).await.unwrap().items.into_iter().map(|e| e.status).collect()
}

async fn create(world: &World, name: &str, definition: &Value) -> String {
    let request = CreateStateMachine {
        name: name.into(),
        definition: definition.to_string(),
        role_arn: "arn:aws:iam::000000000000:role/r".into(),
        ..Default::default()
    };
    world.engine.create_state_machine(request).await.unwrap().state_machine_arn
}

/// After the stop of `arn`: its Map Runs, their children, and what those waited for.
async fn nothing_runs(world: &World, arn: &str, inner: &str, when: &str) {
    let of = ListExecutions { state_machine_arn: Some(inner.to_owned()), ..Default::default() };
    let nested = statuses(world, of).await;
    assert!(!nested.contains(&Status::Running), "{when}: executions that were waited for: {nested:?}");
    for run in world.engine.list_map_runs(arn).await.unwrap() {
        let run = run.map_run_arn;
        let described = world.engine.describe_map_run(&run).await.unwrap();
        assert_eq!(described.status, Status::Aborted, "{when}");
        let of = ListExecutions { map_run_arn: Some(run), ..Default::default() };
        let children = statuses(world, of).await;
        assert!(!children.contains(&Status::Running), "{when}: children: {children:?}");
    }
}

#[tokio::test]
async fn stopped_at_any_moment_nothing_that_it_started_runs_on() {
    let world = World::new(|_, event| Ok(event)).await;
    let inner = create(&world, "inner", &machine("Work", json!({"Work": task("work")}))).await;
    let nested = json!({"Type": "Task", "End": true, "Resource": "arn:aws:states:::states:startExecution.sync:2",
        "Arguments": {"StateMachineArn": inner, "Input": {"hang": true}}});
    let processor = json!({"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}, "StartAt": "Start",
        "States": {"Start": nested}});
    let mut definition = each(json!({}));
    definition["States"]["Each"] =
        with(definition["States"]["Each"].take(), json!({"ItemProcessor": processor}));
    let outer = create(&world, "outer", &definition).await;
    for moment in 0..150 {
        let arn = world.start(&outer, &json!({"items": [1, 2, 3]})).await;
        turns(moment).await;
        world.engine.stop_execution(&arn, None, None).await.unwrap();
        nothing_runs(&world, &arn, &inner, &format!("stopped after {moment} turns")).await;
        world.engine.redrive_execution(&arn).await.unwrap();
        turns(moment).await;
        world.engine.stop_execution(&arn, None, None).await.unwrap();
        nothing_runs(&world, &arn, &inner, &format!("redriven and stopped after {moment} turns")).await;
    }
}

#[tokio::test]
async fn a_caller_that_goes_away_leaves_no_execution_that_nobody_drives() {
    let world = World::new(|_, event| Ok(event)).await;
    let definition = machine("Work", json!({"Work": task("work")}));
    let arn = create(&world, "machine", &definition).await;
    let mut started = 0;
    for moment in 0..100 {
        let name = format!("run-{moment}");
        let request = StartExecution {
            state_machine_arn: arn.clone(),
            name: Some(name.clone()),
            input: Some("1".to_owned()),
        };
        tokio::select! {
            biased;
            () = turns(moment) => {}
            _ = world.engine.start_execution(request) => started += 1,
        }
    }
    assert!(started < 100, "no caller went away in time");
    let of = ListExecutions {
        state_machine_arn: Some(arn.clone()),
        max_results: Some(1_000),
        ..Default::default()
    };
    let all = world.engine.list_executions(of).await.unwrap().items;
    assert!(all.len() >= started, "{} of {started}", all.len());
    for execution in all {
        let ended = world.engine.wait(&execution.execution_arn);
        let ended = tokio::time::timeout(Duration::from_secs(60), ended).await;
        let ended = ended.unwrap_or_else(|_| panic!("{} does not end", execution.name)).unwrap();
        assert_eq!(ended.status, Status::Succeeded, "{}", execution.name);
    }
}

#[tokio::test]
async fn whoever_has_just_been_redriven_can_be_stopped() {
    let world = World::new(|_, event| Ok(event)).await;
    let arn = create(&world, "machine", &machine("Work", json!({"Work": task("work")}))).await;
    for moment in 0..100 {
        let arn = world.start(&arn, &json!("hang")).await;
        for _ in 0..2 {
            world.engine.stop_execution(&arn, None, None).await.unwrap();
            let engine = world.engine.clone();
            let redriven = arn.clone();
            let redriven = tokio::spawn(async move { engine.redrive_execution(&redriven).await });
            turns(moment).await;
            // Whether it comes too early or not: it is no error, and it ends what runs.
            let stopped = world.engine.stop_execution(&arn, None, None).await;
            stopped.unwrap_or_else(|e| panic!("after {moment} turns: {e:?}"));
            redriven.await.unwrap().unwrap();
        }
        world.engine.stop_execution(&arn, None, None).await.unwrap();
    }
}
