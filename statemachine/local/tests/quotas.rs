//! Limits and names: what is refused, what ends an execution, at exactly which size.
#![allow(clippy::unwrap_used, clippy::expect_used)] // helpers of tests may panic as tests do
mod common;
use common::*;
use proptest::prelude::*;
use serde_json::{Value, json};
use stepfunctions_local::*;

fn pass() -> Value {
    machine("P", json!({"P": {"Type": "Pass", "End": true}}))
}

async fn world() -> (World, String) {
    let world = World::new(|_, event| Ok(event)).await;
    let machine = world.machine(&pass()).await;
    (world, machine)
}

fn start(machine: &str, name: Option<&str>, input: &str) -> StartExecution {
    StartExecution {
        state_machine_arn: machine.into(),
        name: name.map(Into::into),
        input: Some(input.into()),
    }
}

#[tokio::test]
async fn an_input_of_262_144_bytes_is_taken_and_one_more_is_not() {
    let (world, machine) = world().await;
    // Two quotation marks; two bytes a letter, because the limit is of bytes.
    let text = |bytes: usize| format!("\"{}{}\"", "é".repeat((bytes - 2) / 2), "x".repeat(bytes % 2));
    assert_eq!(text(262_145).len(), 262_145);
    let started = world.engine.start_execution(start(&machine, None, &text(262_144))).await.unwrap();
    assert_eq!(world.engine.wait(&started.execution_arn).await.unwrap().status, Status::Succeeded);
    let refused = world.engine.start_execution(start(&machine, None, &text(262_145))).await.unwrap_err();
    assert_eq!(refused.code, "ValidationException");
}

#[tokio::test]
async fn a_result_of_262_145_bytes_fails_the_task() {
    for (bytes, status) in [(262_144, Status::Succeeded), (262_145, Status::Failed)] {
        let world = World::new(move |_, _| Ok(json!("x".repeat(bytes - 2)))).await;
        let direct = json!({"Type": "Task", "End": true, "Resource": "arn:aws:lambda:us-east-1:000000000000:function:big"});
        let ended = world.run(&machine("Work", json!({"Work": direct})), &json!({})).await;
        assert_eq!(ended.status, status, "{bytes}: {:?}", ended.cause);
        if status == Status::Failed {
            assert_eq!(ended.error.as_deref(), Some("States.DataLimitExceeded"));
            assert_eq!(world.lines(&ended.execution_arn).await[4], "5<4 LambdaFunctionFailed");
        }
    }
}

#[tokio::test]
async fn an_output_of_262_145_bytes_ends_the_execution_uncaught() {
    let world = World::new(|_, event| Ok(event)).await;
    let output = "{% $pad('', $states.input.n, 'x') %}";
    let definition = machine("P", json!({"P": {"Type": "Pass", "End": true, "Output": output}}));
    for (n, status) in [(262_142, Status::Succeeded), (262_143, Status::Failed)] {
        let ended = world.run(&definition, &json!({"n": n})).await;
        assert_eq!(ended.status, status, "{n}: {:?}", ended.cause);
    }
}

#[tokio::test]
async fn a_history_ends_at_25_000_events() {
    let world = World::new(|_, event| Ok(event)).await;
    let definition =
        machine("A", json!({"A": {"Type": "Pass", "Next": "B"}, "B": {"Type": "Pass", "Next": "A"}}));
    let ended = world.run(&definition, &json!({})).await;
    assert_eq!((ended.status, ended.error.as_deref()), (Status::Failed, Some("States.Runtime")));
    let history = world.history(&ended.execution_arn).await;
    assert!((24_990..=25_000).contains(&history.len()), "{}", history.len());
    assert_eq!(history.last().unwrap().kind, "ExecutionFailed");
    assert_eq!(ended.redrive_status, "NOT_REDRIVABLE");
}

#[tokio::test]
async fn names_are_checked_and_idempotent_while_running() {
    let world = World::new(|_, event| Ok(event)).await;
    let machine =
        world.machine(&machine("W", json!({"W": {"Type": "Wait", "Seconds": 60, "End": true}}))).await;
    for bad in ["", "a b", "a/b", "a:b", "a\u{7}", "a*", &"x".repeat(81)] {
        let refused = world.engine.start_execution(start(&machine, Some(bad), "{}")).await.unwrap_err();
        assert_eq!(refused.code, "InvalidName", "{bad:?}");
    }
    let first = world.engine.start_execution(start(&machine, Some("same"), "{}")).await.unwrap();
    let second = world.engine.start_execution(start(&machine, Some("same"), "{}")).await.unwrap();
    assert_eq!((&first.execution_arn, first.start_date), (&second.execution_arn, second.start_date));
    let other = world.engine.start_execution(start(&machine, Some("same"), "{\"a\":1}")).await.unwrap_err();
    assert_eq!(other.code, "ExecutionAlreadyExists");
    world.engine.wait(&first.execution_arn).await.unwrap();
    let late = world.engine.start_execution(start(&machine, Some("same"), "{}")).await.unwrap_err();
    assert_eq!(late.code, "ExecutionAlreadyExists");
    let json = world.engine.start_execution(start(&machine, None, "{")).await.unwrap_err();
    assert_eq!(json.code, "InvalidExecutionInput");
}

#[tokio::test]
async fn unknown_things_have_the_services_codes() {
    let (world, machine) = world().await;
    let execution = format!("{}:x", machine.replace("stateMachine", "execution"));
    assert_eq!(world.engine.describe_execution(&execution).await.unwrap_err().code, "ExecutionDoesNotExist");
    assert_eq!(world.engine.describe_execution("nonsense").await.unwrap_err().code, "InvalidArn");
    assert_eq!(
        world.engine.describe_state_machine(&format!("{machine}x")).await.unwrap_err().code,
        "StateMachineDoesNotExist"
    );
    assert_eq!(
        world.engine.start_execution(start(&format!("{machine}x"), None, "{}")).await.unwrap_err().code,
        "StateMachineDoesNotExist"
    );
    let run = format!("{}/L:x", machine.replace("stateMachine", "mapRun"));
    assert_eq!(world.engine.describe_map_run(&run).await.unwrap_err().code, "ResourceNotFound");
}

#[tokio::test]
async fn history_pages_in_both_directions() {
    let (world, machine) = world().await;
    let arn = world.start(&machine, &json!({"secret": 1})).await;
    world.engine.wait(&arn).await.unwrap();
    for reverse_order in [false, true] {
        let (mut ids, mut next_token) = (Vec::new(), None);
        loop {
            let options = HistoryOptions {
                max_results: Some(3),
                next_token,
                reverse_order,
                include_execution_data: false,
            };
            let page = world.engine.get_execution_history(&arn, options).await.unwrap();
            assert!(!serde_json::to_string(&page.items).unwrap().contains("secret"));
            ids.extend(page.items.iter().map(|e| e.id));
            next_token = page.next_token;
            if next_token.is_none() {
                break;
            }
        }
        let expected: Vec<u64> = if reverse_order { (1..=4).rev().collect() } else { (1..=4).collect() };
        assert_eq!(ids, expected);
    }
}

#[test]
fn definitions_are_refused_with_the_place() {
    let state = |s: Value| machine("S", json!({"S": s}));
    let cases = [
        (
            state(json!({"Type": "Pass", "End": true, "Typo": 1})),
            "Field 'Typo' is not supported at /States/S",
        ),
        (
            state(json!({"Type": "Pass", "Next": "Nowhere"})),
            "Missing 'Next' target: Nowhere at /States/S/Next",
        ),
        (state(json!({"Type": "Pass"})), "needs either 'Next' or 'End: true' at /States/S"),
        (state(json!({"Type": "Pass", "End": true, "InputPath": "$"})), "Field 'InputPath' is not supported"),
        (state(json!({"Type": "Pass", "End": true, "Output": "{% 1 + %}"})), "/States/S/Output"),
        (
            state(json!({"Type": "Pass", "End": true, "Assign": {"states": 1}})),
            "reserved name at /States/S/Assign",
        ),
        (
            state(json!({"Type": "Task", "End": true, "Resource": "arn:aws:states:::sqs:sendMessage"})),
            "not supported by this engine at /States/S/Resource",
        ),
        (
            with(state(json!({"Type": "Succeed"})), json!({"StartAt": "T"})),
            "Missing 'StartAt' target: T at /StartAt",
        ),
        (
            with(machine("S", json!({"S": {"Type": "Succeed"}, "T": {"Type": "Succeed"}})), json!({})),
            "not reachable. at /States/T",
        ),
        (
            each(json!({"Label": "x".repeat(41)})),
            "Label has 1 to 40 characters, found 41 at /States/Each/Label",
        ),
        (each(json!({"ItemBatcher": {}})), "/States/Each/ItemBatcher"),
        (each(json!({"Retry": [{"ErrorEquals": ["States.ALL", "X"]}]})), "/States/Each/Retry[0]/ErrorEquals"),
    ];
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let world = World::new(|_, event| Ok(event)).await;
        for (definition, expected) in cases {
            let request = CreateStateMachine {
                name: "m".into(),
                definition: definition.to_string(),
                ..Default::default()
            };
            let refused = world.engine.create_state_machine(request).await.unwrap_err();
            assert_eq!(refused.code, "InvalidDefinition");
            assert!(refused.message.contains(expected), "{expected}: {}", refused.message);
        }
    });
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    /// Whatever branches do, ids have no gaps and everything follows something earlier.
    #[test]
    fn event_ids_have_no_gaps(items in proptest::collection::vec(0..9_i64, 0..12), most in 0..5, retries in 0..3) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let world = World::new(|_, event| if event == 7 { Err(("Seven".into(), "".into())) } else { Ok(event) }).await;
            let retry = json!({"Retry": [{"ErrorEquals": ["Seven"], "MaxAttempts": retries}]});
            let map = json!({"Type": "Map", "End": true, "MaxConcurrency": most, "Items": "{% $states.input.items %}",
                "ItemProcessor": {"StartAt": "Work", "States": {"Work": with(task("work"), retry)}}});
            let both = json!({"Type": "Parallel", "End": true, "Branches": [
                {"StartAt": "Map", "States": {"Map": map}},
                {"StartAt": "Wait", "States": {"Wait": {"Type": "Wait", "Seconds": 1, "End": true}}}]});
            let ended = world.run(&machine("Both", json!({"Both": both})), &json!({"items": items})).await;
            let expected = if items.contains(&7) { Status::Failed } else { Status::Succeeded };
            prop_assert_eq!(ended.status, expected);
            for (index, event) in world.history(&ended.execution_arn).await.iter().enumerate() {
                prop_assert_eq!(event.id, index as u64 + 1);
                prop_assert!(event.previous_event_id < event.id);
            }
            Ok(())
        })?;
    }
}

#[tokio::test]
async fn a_value_too_deep_to_be_stored_is_an_error() {
    let world = World::new(|_, event| Ok(event)).await;
    let output = "{% $reduce([1..200], function($a, $b) { [[$a]] }) %}";
    let ended = world
        .run(&machine("P", json!({"P": {"Type": "Pass", "End": true, "Output": output}})), &json!({}))
        .await;
    assert_eq!(ended.error.as_deref(), Some("States.QueryEvaluationError"), "{:?}", ended.cause);
}
