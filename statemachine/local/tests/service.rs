//! The API by the names of its actions: what recordings of the service do not show.
#![allow(clippy::unwrap_used, clippy::panic)]
mod common;

use common::*;
use serde_json::{Value, json};
use stepfunctions_local::*;

const ROLE: &str = "arn:aws:iam::000000000000:role/r";

async fn world() -> World {
    World::new(|_, event| Ok(event)).await
}

async fn ok(engine: &Engine, action: &str, body: Value) -> Value {
    engine.call(action, body.clone()).await.unwrap_or_else(|e| panic!("{action} {body}: {e}"))
}

async fn code(engine: &Engine, action: &str, body: Value) -> &'static str {
    engine.call(action, body).await.unwrap_err().code
}

fn pass(result: &str) -> String {
    json!({"StartAt": "P", "States": {"P": {"Type": "Pass", "Result": result, "End": true}}}).to_string()
}

async fn made(engine: &Engine, name: &str, definition: &Value) -> String {
    let body = json!({"name": name, "definition": definition.to_string(), "roleArn": ROLE});
    ok(engine, "CreateStateMachine", body).await["stateMachineArn"].as_str().unwrap().to_owned()
}

async fn begun(engine: &Engine, machine: &str, input: &Value) -> String {
    let body = json!({"stateMachineArn": machine, "input": input.to_string()});
    ok(engine, "StartExecution", body).await["executionArn"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn no_request_is_too_strange_for_an_error_of_the_service() {
    let world = world().await;
    let actions = [
        "CreateActivity",
        "CreateStateMachine",
        "CreateStateMachineAlias",
        "DeleteActivity",
        "DeleteStateMachine",
        "DeleteStateMachineAlias",
        "DeleteStateMachineVersion",
        "DescribeActivity",
        "DescribeExecution",
        "DescribeMapRun",
        "DescribeStateMachine",
        "DescribeStateMachineAlias",
        "DescribeStateMachineForExecution",
        "GetActivityTask",
        "GetExecutionHistory",
        "ListMapRuns",
        "ListStateMachineAliases",
        "ListStateMachineVersions",
        "ListTagsForResource",
        "PublishStateMachineVersion",
        "RedriveExecution",
        "SendTaskFailure",
        "SendTaskHeartbeat",
        "SendTaskSuccess",
        "StartExecution",
        "StartSyncExecution",
        "StopExecution",
        "TagResource",
        "TestState",
        "UntagResource",
        "UpdateMapRun",
        "UpdateStateMachine",
        "UpdateStateMachineAlias",
        "ValidateStateMachineDefinition",
    ];
    let names = [
        "name",
        "definition",
        "roleArn",
        "stateMachineArn",
        "executionArn",
        "mapRunArn",
        "activityArn",
        "taskToken",
        "resourceArn",
        "stateMachineAliasArn",
        "stateMachineVersionArn",
    ];
    for action in actions {
        assert_eq!(code(&world.engine, action, json!({})).await, "ValidationException", "{action}");
        assert_eq!(code(&world.engine, action, json!([1])).await, "SerializationException", "{action}");
        for junk in [json!(7), json!({"a": []}), json!([[]]), json!(true)] {
            let body: serde_json::Map<_, _> = names.iter().map(|n| ((*n).to_owned(), junk.clone())).collect();
            assert_eq!(
                code(&world.engine, action, body.into()).await,
                "SerializationException",
                "{action} {junk}"
            );
        }
        for text in [
            "",
            "\u{0}",
            "arn:",
            "arn:aws:states:x:1:stateMachine:",
            "arn:aws:states:x:1:execution:a:b",
            "é😀",
        ] {
            let mut body: serde_json::Map<_, _> =
                names.iter().map(|n| ((*n).to_owned(), json!(text))).collect();
            body.insert("maxResults".to_owned(), json!(-1));
            body.insert("tags".to_owned(), json!([{"key": text}]));
            // Most are refused, and none is answered by a panic or an error of ours.
            if let Err(error) = world.engine.call(action, body.into()).await {
                assert!(!matches!(error.code, "InternalServerError" | "StorageFailure"), "{action}: {error}");
            }
        }
    }
    assert_eq!(code(&world.engine, "Nothing", json!({})).await, "UnknownOperationException");
}

#[tokio::test]
async fn an_activity_is_worked_on_and_a_late_word_is_refused() {
    let world = world().await;
    let activity = ok(&world.engine, "CreateActivity", json!({"name": "a"})).await["activityArn"].clone();
    let task = json!({"Type": "Task", "Resource": activity, "HeartbeatSeconds": 10, "TimeoutSeconds": 60, "End": true});
    let machine = made(&world.engine, "m", &json!({"StartAt": "T", "States": {"T": task}})).await;
    let arn = begun(&world.engine, &machine, &json!({"x": 1})).await;
    let taken =
        ok(&world.engine, "GetActivityTask", json!({"activityArn": activity, "workerName": "w"})).await;
    assert_eq!(taken["input"], "{\"x\":1}");
    let token = &taken["taskToken"];
    ok(&world.engine, "SendTaskHeartbeat", json!({"taskToken": token})).await;
    assert_eq!(
        code(&world.engine, "SendTaskSuccess", json!({"taskToken": token, "output": "{"})).await,
        "InvalidOutput"
    );
    ok(&world.engine, "SendTaskSuccess", json!({"taskToken": token, "output": "[2]"})).await;
    assert_eq!(world.engine.wait(&arn).await.unwrap().output.unwrap(), "[2]");
    assert_eq!(
        world.lines(&arn).await[2..5],
        ["3<2 ActivityScheduled", "4<3 ActivityStarted", "5<4 ActivitySucceeded"]
    );
    assert_eq!(code(&world.engine, "SendTaskHeartbeat", json!({"taskToken": token})).await, "TaskTimedOut");
    assert_eq!(code(&world.engine, "SendTaskHeartbeat", json!({"taskToken": "x"})).await, "InvalidToken");
}

#[tokio::test]
async fn a_worker_that_goes_silent_is_noticed_by_its_heartbeat() {
    let world = world().await;
    let activity = ok(&world.engine, "CreateActivity", json!({"name": "a"})).await["activityArn"].clone();
    let catch = json!([{"ErrorEquals": ["States.HeartbeatTimeout"], "Next": "Late"}]);
    let task =
        json!({"Type": "Task", "Resource": activity, "HeartbeatSeconds": 10, "Catch": catch, "End": true});
    let states = json!({"T": task, "Late": {"Type": "Succeed"}});
    let machine = made(&world.engine, "m", &json!({"StartAt": "T", "States": states})).await;
    let arn = begun(&world.engine, &machine, &json!({})).await;
    ok(&world.engine, "GetActivityTask", json!({"activityArn": activity})).await;
    assert_eq!(world.engine.wait(&arn).await.unwrap().status, Status::Succeeded);
    assert!(world.lines(&arn).await.contains(&"5<4 ActivityTimedOut".to_owned()));
}

#[tokio::test]
async fn without_work_the_long_poll_comes_back_empty() {
    let world = world().await;
    let activity = ok(&world.engine, "CreateActivity", json!({"name": "a"})).await["activityArn"].clone();
    assert_eq!(ok(&world.engine, "GetActivityTask", json!({"activityArn": activity})).await, json!({}));
    ok(&world.engine, "DeleteActivity", json!({"activityArn": activity})).await;
    assert_eq!(
        code(&world.engine, "GetActivityTask", json!({"activityArn": activity})).await,
        "ActivityDoesNotExist"
    );
}

fn waiting() -> Value {
    json!({"QueryLanguage": "JSONata", "StartAt": "T", "States": {"T": {
        "Type": "Task", "Resource": "arn:aws:states:::lambda:invoke.waitForTaskToken", "End": true,
        "Arguments": {"FunctionName": "f", "Payload": {"token": "{% $states.context.Task.Token %}"}}}}})
}

/// The token that the function was last given.
async fn token(world: &World) -> Value {
    loop {
        if let Some(event) = world.events().pop() {
            return event["token"].clone();
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_token_lets_somebody_else_end_the_task() {
    let world = world().await;
    let machine = made(&world.engine, "m", &waiting()).await;
    for (action, more, status) in [
        ("SendTaskSuccess", json!({"output": "{\"done\": true}"}), Status::Succeeded),
        ("SendTaskFailure", json!({"error": "Oops", "cause": "why"}), Status::Failed),
    ] {
        world.functions.calls.lock().unwrap().clear();
        let arn = begun(&world.engine, &machine, &json!({})).await;
        let token = token(&world).await;
        ok(&world.engine, action, with(json!({"taskToken": token}), more)).await;
        let ended = world.engine.wait(&arn).await.unwrap();
        assert_eq!(ended.status, status);
        let lines = world.lines(&arn).await;
        assert_eq!(lines[2..5], ["3<2 TaskScheduled", "4<3 TaskStarted", "5<4 TaskSubmitted"], "{lines:?}");
        if status == Status::Failed {
            assert_eq!((ended.error.as_deref(), ended.cause.as_deref()), (Some("Oops"), Some("why")));
        }
    }
}

#[tokio::test]
async fn a_token_outlives_the_process() {
    let folder = tempfile::tempdir().unwrap();
    let file = || Database::File(folder.path().join("db"));
    let first = World::on(file(), |_, event| Ok(event)).await;
    let machine = made(&first.engine, "m", &waiting()).await;
    let arn = begun(&first.engine, &machine, &json!({})).await;
    let token = token(&first).await;
    while first.lines(&arn).await.len() < 5 {
        tokio::task::yield_now().await;
    }
    first.engine.shutdown().await.unwrap();
    drop(first);
    let second = World::on(file(), |_, event| Ok(event)).await;
    while second.engine.call("SendTaskSuccess", json!({"taskToken": token, "output": "1"})).await.is_err() {
        tokio::task::yield_now().await;
    }
    assert_eq!(second.engine.wait(&arn).await.unwrap().output.unwrap(), "1");
    assert!(second.events().is_empty(), "the function was called again");
}

#[tokio::test]
async fn an_alias_leads_to_its_versions() {
    let world = world().await;
    let engine = &world.engine;
    let body = json!({"name": "m", "definition": pass("one"), "roleArn": ROLE, "publish": true});
    let machine =
        ok(engine, "CreateStateMachine", body).await["stateMachineArn"].as_str().unwrap().to_owned();
    let change = json!({"stateMachineArn": machine, "definition": pass("two"), "publish": true});
    ok(engine, "UpdateStateMachine", change).await;
    let route = |version: u32, weight: u32| json!({"stateMachineVersionArn": format!("{machine}:{version}"), "weight": weight});
    let body = json!({"name": "live", "routingConfiguration": [route(1, 100)]});
    let alias = ok(engine, "CreateStateMachineAlias", body).await["stateMachineAliasArn"]
        .as_str()
        .unwrap()
        .to_owned();
    let arn = begun(engine, &alias, &json!({})).await;
    assert_eq!(engine.wait(&arn).await.unwrap().output.unwrap(), "\"one\"");
    let shown = ok(engine, "DescribeExecution", json!({"executionArn": arn})).await;
    assert_eq!(shown["stateMachineVersionArn"], format!("{machine}:1"));
    assert_eq!(shown["stateMachineAliasArn"], alias);
    let body = json!({"stateMachineAliasArn": alias, "routingConfiguration": [route(1, 50), route(2, 50)]});
    ok(engine, "UpdateStateMachineAlias", body).await;
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..40 {
        let arn = begun(engine, &alias, &json!({})).await;
        seen.insert(engine.wait(&arn).await.unwrap().output.unwrap());
    }
    assert_eq!(seen.len(), 2, "both versions are taken");
    let listed = ok(engine, "ListExecutions", json!({"stateMachineArn": alias, "maxResults": 1000})).await;
    assert_eq!(listed["executions"].as_array().unwrap().len(), 41);
    let unknown = json!({"name": "x", "routingConfiguration": [route(9, 100)]});
    assert_eq!(code(engine, "CreateStateMachineAlias", unknown).await, "ResourceNotFound");
    assert_eq!(
        code(engine, "StartExecution", json!({"stateMachineArn": format!("{machine}:9")})).await,
        "StateMachineDoesNotExist"
    );
}

#[tokio::test]
async fn a_deleted_machine_leaves_nothing() {
    let world = world().await;
    let engine = &world.engine;
    let activity = ok(engine, "CreateActivity", json!({"name": "a"})).await["activityArn"].clone();
    let definition =
        json!({"StartAt": "T", "States": {"T": {"Type": "Task", "Resource": activity, "End": true}}});
    let machine = made(engine, "m", &definition).await;
    ok(engine, "TagResource", json!({"resourceArn": machine, "tags": [{"key": "k", "value": "v"}]})).await;
    let arn = begun(engine, &machine, &json!({})).await;
    ok(engine, "DeleteStateMachine", json!({"stateMachineArn": machine})).await;
    assert_eq!(
        code(engine, "DescribeExecution", json!({"executionArn": arn})).await,
        "ExecutionDoesNotExist"
    );
    assert_eq!(
        code(engine, "DescribeStateMachine", json!({"stateMachineArn": machine})).await,
        "StateMachineDoesNotExist"
    );
    assert_eq!(made(engine, "m", &definition).await, machine);
    assert_eq!(ok(engine, "ListTagsForResource", json!({"resourceArn": machine})).await, json!({"tags": []}));
}

#[tokio::test]
async fn a_machine_made_after_a_deletion_runs_its_own_definition() {
    let world = world().await;
    let engine = &world.engine;
    for result in ["first", "second"] {
        let definition = serde_json::from_str(&pass(result)).unwrap();
        let machine = made(engine, result, &definition).await;
        let execution = begun(engine, &machine, &json!({})).await;
        let ended = engine.wait(&execution).await.unwrap();
        assert_eq!(ended.state_machine_arn, machine);
        assert_eq!(parse(ended.output.as_ref()), json!(result));
        ok(engine, "DeleteStateMachine", json!({"stateMachineArn": machine})).await;
    }
}

#[tokio::test]
async fn a_history_read_by_a_task_keeps_the_names_of_variables() {
    let world = world().await;
    let engine = &world.engine;
    let assigns = json!({"QueryLanguage": "JSONata", "StartAt": "A", "States": {
        "A": {"Type": "Pass", "Assign": {"small": 1, "Large": 2}, "End": true}}});
    let assigning = made(engine, "assigns", &assigns).await;
    let first = begun(engine, &assigning, &json!({})).await;
    engine.wait(&first).await.unwrap();
    let reads = json!({"QueryLanguage": "JSONata", "StartAt": "R", "States": {"R": {"Type": "Task",
        "Resource": "arn:aws:states:::aws-sdk:sfn:getExecutionHistory", "Arguments": {"ExecutionArn": first},
        "Output": "{% $states.result.Events.StateExitedEventDetails.AssignedVariables %}", "End": true}}});
    let reading = made(engine, "reads", &reads).await;
    let second = begun(engine, &reading, &json!({})).await;
    let ended = engine.wait(&second).await.unwrap();
    assert_eq!(parse(ended.output.as_ref()), json!({"small": "1", "Large": "2"}), "{ended:?}");
}

#[tokio::test]
async fn what_is_of_the_other_type_is_refused() {
    let world = world().await;
    let engine = &world.engine;
    let body = json!({"name": "e", "definition": pass("x"), "roleArn": ROLE, "type": "EXPRESS"});
    let express = ok(engine, "CreateStateMachine", body).await["stateMachineArn"].clone();
    let standard = made(engine, "s", &json!({"StartAt": "P", "States": {"P": {"Type": "Succeed"}}})).await;
    assert_eq!(
        code(engine, "ListExecutions", json!({"stateMachineArn": express})).await,
        "StateMachineTypeNotSupported"
    );
    assert_eq!(
        code(engine, "StartSyncExecution", json!({"stateMachineArn": standard})).await,
        "StateMachineTypeNotSupported"
    );
    let ended = ok(engine, "StartSyncExecution", json!({"stateMachineArn": express})).await;
    assert_eq!((&ended["status"], &ended["output"]), (&json!("SUCCEEDED"), &json!("\"x\"")));
    assert_eq!(ended["billingDetails"]["billedMemoryUsedInMB"], 64);
}

#[tokio::test]
async fn a_history_is_paged_both_ways() {
    let world = world().await;
    let machine = made(&world.engine, "m", &machine("P", json!({"P": {"Type": "Pass", "End": true}}))).await;
    let arn = begun(&world.engine, &machine, &json!({"x": 1})).await;
    world.engine.wait(&arn).await.unwrap();
    for (reverse, wanted) in [(false, [1, 2, 3, 4]), (true, [4, 3, 2, 1])] {
        let (mut ids, mut token) = (Vec::new(), Value::Null);
        loop {
            let body = json!({"executionArn": arn, "maxResults": 3, "reverseOrder": reverse, "nextToken": token,
                "includeExecutionData": false});
            let page = ok(&world.engine, "GetExecutionHistory", body).await;
            assert!(!page.to_string().contains("\\\"x\\\""), "{page}");
            ids.extend(page["events"].as_array().unwrap().iter().map(|e| e["id"].as_u64().unwrap()));
            token = page["nextToken"].clone();
            if token.is_null() {
                break;
            }
        }
        assert_eq!(ids, wanted);
    }
}

#[tokio::test]
async fn a_state_is_tested_by_itself() {
    let world = world().await;
    let test = |state: Value, more: Value| {
        let body =
            with(json!({"definition": state.to_string(), "roleArn": ROLE, "inspectionLevel": "DEBUG"}), more);
        async { world.engine.call("TestState", body).await }
    };
    let state = json!({"Type": "Pass", "QueryLanguage": "JSONata", "Assign": {"y": "{% $x + 1 %}"}, "Output": "{% $x %}", "Next": "N"});
    let report = test(state, json!({"variables": "{\"x\": 1}", "input": "[]"})).await.unwrap();
    assert_eq!((&report["status"], &report["output"]), (&json!("SUCCEEDED"), &json!("1")));
    assert_eq!(report["nextState"], "N");
    assert_eq!(report["inspectionData"]["variables"], "{\"x\":1,\"y\":2}");
    let called =
        test(with(task("f"), json!({"QueryLanguage": "JSONata"})), json!({"input": "[5]"})).await.unwrap();
    assert_eq!(called["output"], "[5]");
    assert_eq!(world.events(), [json!([5])], "the function was really called");
    for (state, more, message) in [
        (
            json!({"Type": "Parallel", "Branches": [{"StartAt": "P", "States": {"P": {"Type": "Succeed"}}}], "End": true}),
            json!({}),
            "TestState API does not support Map or Parallel states.",
        ),
        (
            with(
                task("f"),
                json!({"QueryLanguage": "JSONata", "Resource": "arn:aws:states:::sqs:sendMessage"}),
            ),
            json!({}),
            "not supported by this engine",
        ),
        (
            json!({"StartAt": "P", "States": {"P": {"Type": "Succeed"}}}),
            json!({"stateName": "Q"}),
            "State not found",
        ),
    ] {
        let refused = test(state, more).await.unwrap_err();
        assert!(refused.message.contains(message), "{refused}");
    }
    assert!(world.engine.list_state_machines().await.unwrap().is_empty());
}
