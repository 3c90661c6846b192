//! The Rust SDK: every answer has to have the members that it expects, and every refusal its type.
use crate::support::{ROLE, client, definition, server};
use aws_sdk_sfn::Client;
use aws_sdk_sfn::error::ProvideErrorMetadata;
use aws_sdk_sfn::operation::RequestId;
use aws_sdk_sfn::types::{ExecutionStatus, HistoryEventType, MapRunStatus};
use serde_json::{Value, json};

async fn machine(client: &Client, name: &str, state: Value) -> String {
    let created = client.create_state_machine().name(name).definition(definition(state)).role_arn(ROLE);
    created.send().await.unwrap().state_machine_arn
}

async fn ended(client: &Client, arn: &str) -> ExecutionStatus {
    loop {
        let found = client.describe_execution().execution_arn(arn).send().await.unwrap();
        if found.status != ExecutionStatus::Running {
            return found.status;
        }
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn a_machine_from_its_making_to_its_history() {
    let server = crate::support::server().await;
    let client = client(&server, crate::support::SECRET);
    let arn = machine(&client, "passes", json!({"Type": "Pass", "Result": {"a": 1}, "End": true})).await;
    let described = client.describe_state_machine().state_machine_arn(&arn).send().await.unwrap();
    assert_eq!((described.name.as_str(), described.role_arn.as_str()), ("passes", ROLE));
    assert!(described.request_id().is_some());
    let listed = client.list_state_machines().send().await.unwrap();
    assert_eq!(listed.state_machines[0].state_machine_arn, arn);

    let started =
        client.start_execution().state_machine_arn(&arn).name("one").input("{}").send().await.unwrap();
    assert_eq!(ended(&client, &started.execution_arn).await, ExecutionStatus::Succeeded);
    let found = client.describe_execution().execution_arn(&started.execution_arn).send().await.unwrap();
    assert_eq!((found.output.as_deref(), found.input.as_deref()), (Some(r#"{"a":1}"#), Some("{}")));
    assert!(found.stop_date.is_some());
    let executions = client.list_executions().state_machine_arn(&arn).send().await.unwrap().executions;
    assert_eq!(executions.len(), 1);

    let history = client.get_execution_history().execution_arn(&started.execution_arn).max_results(2);
    let pages = history.into_paginator().send().try_collect().await.unwrap();
    let kinds: Vec<HistoryEventType> =
        pages.iter().flat_map(|page| &page.events).map(|event| event.r#type.clone()).collect();
    let expected = [
        HistoryEventType::ExecutionStarted,
        HistoryEventType::PassStateEntered,
        HistoryEventType::PassStateExited,
        HistoryEventType::ExecutionSucceeded,
    ];
    assert_eq!((kinds.as_slice(), pages.len()), (expected.as_slice(), 2));
}

#[tokio::test]
async fn executions_are_stopped_and_redriven() {
    let server = server().await;
    let client = client(&server, crate::support::SECRET);
    let arn = machine(&client, "waits", json!({"Type": "Wait", "Seconds": 3600, "End": true})).await;
    let started = client.start_execution().state_machine_arn(&arn).send().await.unwrap().execution_arn;
    client.stop_execution().execution_arn(&started).error("E").cause("C").send().await.unwrap();
    let found = client.describe_execution().execution_arn(&started).send().await.unwrap();
    assert_eq!((found.status, found.error.as_deref()), (ExecutionStatus::Aborted, Some("E")));
    client.redrive_execution().execution_arn(&started).send().await.unwrap();
    let found = client.describe_execution().execution_arn(&started).send().await.unwrap();
    assert_eq!((found.status, found.redrive_count), (ExecutionStatus::Running, Some(1)));
    let refused = client.redrive_execution().execution_arn(&started).send().await.unwrap_err();
    assert!(refused.into_service_error().is_execution_not_redrivable());
    client.stop_execution().execution_arn(&started).send().await.unwrap();
}

#[tokio::test]
async fn map_runs_are_described_and_changed() {
    let server = server().await;
    let client = client(&server, crate::support::SECRET);
    let wait = json!({"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 3600, "End": true}},
        "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}});
    let map = json!({"Type": "Map", "ItemProcessor": wait, "MaxConcurrency": 1, "End": true});
    let arn = machine(&client, "maps", map).await;
    let started =
        client.start_execution().state_machine_arn(&arn).input("[1, 2]").send().await.unwrap().execution_arn;
    let run = loop {
        let runs = client.list_map_runs().execution_arn(&started).send().await.unwrap().map_runs;
        if let Some(run) = runs.into_iter().next() {
            break run.map_run_arn;
        }
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    };
    client.update_map_run().map_run_arn(&run).max_concurrency(2).send().await.unwrap();
    let found = client.describe_map_run().map_run_arn(&run).send().await.unwrap();
    assert_eq!((found.status, found.max_concurrency), (MapRunStatus::Running, 2));
    client.stop_execution().execution_arn(&started).send().await.unwrap();
}

#[tokio::test]
async fn refusals_have_their_types() {
    let server = server().await;
    let client = client(&server, crate::support::SECRET);
    let arn = machine(&client, "m", json!({"Type": "Wait", "Seconds": 3600, "End": true})).await;
    let nowhere = arn.replace(":m", ":nowhere");
    let start = |name: &str, input: &str| {
        client.start_execution().state_machine_arn(&arn).name(name).input(input).send()
    };
    start("taken", "{}").await.unwrap();
    let errors = [
        client.start_execution().state_machine_arn(&nowhere).send().await.unwrap_err().into_service_error(),
        start("taken", "[]").await.unwrap_err().into_service_error(),
        start("a b", "{}").await.unwrap_err().into_service_error(),
        start("new", "{").await.unwrap_err().into_service_error(),
    ];
    assert!(errors[0].is_state_machine_does_not_exist(), "{:?}", errors[0]);
    assert!(errors[1].is_execution_already_exists(), "{:?}", errors[1]);
    assert!(errors[2].is_invalid_name(), "{:?}", errors[2]);
    assert!(errors[3].is_invalid_execution_input(), "{:?}", errors[3]);
    let wrong = client.create_state_machine().name("w").definition("{}").role_arn(ROLE).send().await;
    assert!(wrong.unwrap_err().into_service_error().is_invalid_definition());
    let unsigned = crate::support::client(&server, "wrong").list_state_machines().send().await.unwrap_err();
    assert_eq!(unsigned.code(), Some("InvalidSignatureException"));
}
