//! Tasks: their events, what they hand on, how they are retried, caught, timed out.
#![allow(clippy::unwrap_used, clippy::expect_used)] // helpers of tests may panic as tests do
mod common;
use common::*;
use serde_json::{Value, json};
use stepfunctions_local::*;

fn echo(_: &str, event: Value) -> Result<Value, (String, String)> {
    Ok(event)
}

#[tokio::test]
async fn a_task_and_its_history() {
    let world = World::new(echo).await;
    let ended = world.run(&machine("Work", json!({"Work": task("echo")})), &json!({"a": [1, 2.5]})).await;
    assert_eq!((ended.status, parse(ended.output.as_ref())), (Status::Succeeded, json!({"a": [1, 2.5]})));
    let lines = world.lines(&ended.execution_arn).await;
    assert_eq!(
        lines,
        [
            "1<0 ExecutionStarted",
            "2<0 TaskStateEntered",
            "3<2 TaskScheduled",
            "4<3 TaskStarted",
            "5<4 TaskSucceeded",
            "6<5 TaskStateExited",
            "7<6 ExecutionSucceeded"
        ]
    );
    let events = serde_json::to_value(world.history(&ended.execution_arn).await).unwrap();
    let scheduled = &events[2]["taskScheduledEventDetails"];
    assert_eq!(scheduled["resource"], "invoke");
    assert_eq!(scheduled["resourceType"], "lambda");
    assert_eq!(scheduled["region"], "us-east-1");
    let parameters: Value = serde_json::from_str(scheduled["parameters"].as_str().unwrap()).unwrap();
    assert_eq!(parameters, json!({"FunctionName": "echo", "Payload": {"a": [1, 2.5]}}));
    let output: Value =
        serde_json::from_str(events[4]["taskSucceededEventDetails"]["output"].as_str().unwrap()).unwrap();
    assert_eq!(output["StatusCode"], 200);
    assert_eq!(output["ExecutedVersion"], "$LATEST");
    assert_eq!(output["Payload"], json!({"a": [1, 2.5]}));
    assert_eq!(events[5]["stateExitedEventDetails"]["outputDetails"], json!({"truncated": false}));
    assert_eq!(events[0]["timestamp"].as_f64(), Some(START as f64 / 1000.0));
}

fn flaky() -> Value {
    let retry = json!([
        {"ErrorEquals": ["Slow"], "IntervalSeconds": 2, "MaxAttempts": 3, "BackoffRate": 2, "MaxDelaySeconds": 5},
        {"ErrorEquals": ["States.ALL"], "IntervalSeconds": 10, "MaxAttempts": 1}]);
    let catch = json!([{"ErrorEquals": ["States.ALL"], "Next": "Caught",
        "Output": "{% $states.errorOutput.Error %}", "Assign": {"seen": "{% $states.errorOutput.Cause %}"}}]);
    let caught = json!({"Type": "Succeed", "Output": {"error": "{% $states.input %}", "cause": "{% $parse($seen) %}"}});
    machine(
        "Work",
        json!({"Work": with(task("work"), json!({"Retry": retry, "Catch": catch})), "Caught": caught}),
    )
}

#[tokio::test]
async fn the_first_matching_retrier_counts_and_backs_off() {
    let world = World::new(|_, _| Err(("Slow".into(), "down".into()))).await;
    let ended = world.run(&flaky(), &json!({})).await;
    let times: Vec<i64> =
        world.functions.calls.lock().unwrap().iter().map(|c| (c.2.millis() - START) / 1000).collect();
    assert_eq!(times, [0, 2, 6, 11], "2 s, 4 s, then 8 s cut to 5 s");
    let expected = json!({"error": "Slow", "cause": {"errorMessage": "down", "errorType": "Slow"}});
    assert_eq!(parse(ended.output.as_ref()), expected);
    let lines = world.lines(&ended.execution_arn).await;
    assert_eq!(lines[4..8], ["5<4 TaskFailed", "6<5 TaskScheduled", "7<6 TaskStarted", "8<7 TaskFailed"]);
    let end = [
        "14<13 TaskFailed",
        "15<14 TaskStateExited",
        "16<15 SucceedStateEntered",
        "17<16 SucceedStateExited",
        "18<17 ExecutionSucceeded",
    ];
    assert_eq!(lines[13..], end);
}

#[tokio::test]
async fn full_jitter_stays_below_the_delay() {
    let world = World::new(|_, _| Err(("Slow".into(), "down".into()))).await;
    let retry = json!([{"ErrorEquals": ["Slow"], "IntervalSeconds": 100, "MaxAttempts": 5, "BackoffRate": 1, "JitterStrategy": "FULL"}]);
    world
        .run(&machine("Work", json!({"Work": with(task("work"), json!({"Retry": retry}))})), &json!({}))
        .await;
    let times: Vec<i64> = world.functions.calls.lock().unwrap().iter().map(|c| c.2.millis()).collect();
    let delays: Vec<i64> = times.windows(2).map(|w| w[1] - w[0]).collect();
    assert_eq!(delays.len(), 5);
    assert!(delays.iter().all(|d| (0..=100_000).contains(d)), "{delays:?}");
    assert!(delays.iter().any(|d| *d < 95_000) && delays.windows(2).any(|w| w[0] != w[1]), "{delays:?}");
}

#[tokio::test]
async fn a_task_that_takes_too_long_is_given_up() {
    let world = World::new(echo).await;
    let slow = with(task("work"), json!({"TimeoutSeconds": 30}));
    let ended = world.run(&machine("Work", json!({"Work": slow})), &json!({"hang": true})).await;
    assert_eq!((ended.status, ended.error.as_deref()), (Status::Failed, Some("States.Timeout")));
    assert_eq!(world.lines(&ended.execution_arn).await[4..], ["5<4 TaskTimedOut", "6<5 ExecutionFailed"]);
    assert_eq!(ended.stop_date.unwrap().millis() - START, 30_000);
}

#[tokio::test]
async fn an_execution_that_takes_too_long_is_given_up() {
    let world = World::new(echo).await;
    let mut definition = machine("Work", json!({"Work": task("work")}));
    definition["TimeoutSeconds"] = json!(60);
    let ended = world.run(&definition, &json!({"hang": true})).await;
    assert_eq!(ended.status, Status::TimedOut);
    assert_eq!(world.lines(&ended.execution_arn).await[4..], ["5<4 ExecutionTimedOut"]);
}

#[tokio::test]
async fn task_failed_does_not_match_a_timeout() {
    let world = World::new(echo).await;
    let catch = json!([{"ErrorEquals": ["States.TaskFailed"], "Next": "No"}, {"ErrorEquals": ["States.Timeout"], "Next": "Yes"}]);
    let slow = with(task("work"), json!({"TimeoutSeconds": 5, "Catch": catch}));
    let states = json!({"Work": slow, "No": {"Type": "Fail"}, "Yes": {"Type": "Succeed"}});
    assert_eq!(world.run(&machine("Work", states), &json!({"hang": true})).await.status, Status::Succeeded);
}

#[tokio::test]
async fn context_and_step_functions_own_functions() {
    let world = World::new(echo).await;
    let output = json!({
        "name": "{% $states.context.Execution.Name %}", "again": "{% $states.context.Execution.RedriveCount %}",
        "state": "{% $states.context.State.Name %}", "machine": "{% $states.context.StateMachine.Name %}",
        "parts": "{% $partition([1,2,3], 2) %}", "range": "{% $range(1, 5, 2) %}",
        "hash": "{% $hash('a', 'SHA-256') %}", "parse": "{% $parse('{\"x\":1}').x %}", "uuid": "{% $length($uuid()) %}"});
    let ended = world
        .run(&machine("P", json!({"P": {"Type": "Pass", "End": true, "Output": output}})), &json!({}))
        .await;
    let found = parse(ended.output.as_ref());
    assert_eq!(found["name"], ended.name);
    assert_eq!(
        (&found["again"], &found["state"], &found["machine"]),
        (&json!(0), &json!("P"), &json!("machine"))
    );
    assert_eq!((&found["parts"], &found["range"]), (&json!([[1, 2], [3]]), &json!([1, 3, 5])));
    assert_eq!(found["hash"], "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb");
    assert_eq!((&found["parse"], &found["uuid"]), (&json!(1), &json!(36)));
}

#[tokio::test]
async fn an_undefined_expression_fails_the_state() {
    let world = World::new(echo).await;
    let ended = world
        .run(
            &machine(
                "P",
                json!({"P": {"Type": "Pass", "End": true, "Output": {"x": "{% $states.input.no %}"}}}),
            ),
            &json!({}),
        )
        .await;
    assert_eq!(ended.error.as_deref(), Some("States.QueryEvaluationError"));
    let events = world.history(&ended.execution_arn).await;
    assert_eq!(events[2].kind, "EvaluationFailed");
    assert_eq!(events[2].details["evaluationFailedEventDetails"]["location"], "Output/x");
}
