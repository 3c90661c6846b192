//! What a definition or an expression gets wrong is told once, truly, and never passed over.
#![allow(clippy::unwrap_used, clippy::expect_used)] // helpers of tests may panic as tests do
mod common;
use common::*;
use serde_json::{Value, json};
use stepfunctions_local::*;

async fn refused(state: Value) -> String {
    let end = json!({"Type": "Pass", "End": true});
    let definition = json!({"StartAt": "S", "States": {"S": state, "Y": end, "N": end}}).to_string();
    let world = World::new(|_, event| Ok(event)).await;
    let request = CreateStateMachine { name: "m".into(), definition, ..Default::default() };
    world.engine.create_state_machine(request).await.unwrap_err().message
}

fn choice(mut rule: Value) -> Value {
    rule["Next"] = json!("Y");
    json!({"Type": "Choice", "Choices": [rule], "Default": "N"})
}

#[tokio::test]
async fn a_refused_rule_still_leads_somewhere_and_its_fields_are_known() {
    let told = |what: &str, at: &str| {
        format!(
            "Invalid State Machine Definition: 'SCHEMA_VALIDATION_FAILED: {what} at /States/S/Choices[0]{at}'"
        )
    };
    let rules = [
        (json!({"Variable": "$.n"}), told("Exactly one comparison is required, found 0", "")),
        (
            json!({"Variable": "$.n", "NumericEquals": 1, "StringEquals": "1"}),
            told("Exactly one comparison is required, found 2", ""),
        ),
        (json!({"NumericEquals": 1}), told("The field 'Variable' is required but was missing", "")),
        (
            json!({"Variable": "$.n", "NumericEquals": "1"}),
            told("Value does not fit the comparison, found \"1\"", "/NumericEquals"),
        ),
        (json!({"Not": {"Variable": "$.n"}}), told("Exactly one comparison is required, found 0", "/Not")),
    ];
    for (rule, expected) in rules {
        assert_eq!(refused(choice(rule)).await, expected);
    }
}

#[tokio::test]
async fn two_fields_for_one_thing_are_one_mistake() {
    let fail = json!({"Type": "Fail", "Error": "E", "ErrorPath": "$.e"});
    assert!(!refused(fail).await.contains("is not supported"));
    let told = refused(json!({"Type": "Wait", "Seconds": 1, "SecondsPath": "$.s", "Next": "Y"})).await;
    assert!(told.contains("found 2") && !told.contains("is not supported"), "{told}");
}

#[tokio::test]
async fn a_result_that_is_no_json_is_an_error() {
    let world = World::new(|_, event| Ok(event)).await;
    let (range, kind) = ("returned a number out of range.", "returned an unsupported result type.");
    let cases = [("1/0", range), ("[1, {'a': -1/0}]", range), ("function($x){$x}", kind), ("/a/", kind)];
    for (i, (expression, told)) in cases.into_iter().enumerate() {
        let definition = json!({"QueryLanguage": "JSONata", "StartAt": "S",
            "States": {"S": {"Type": "Pass", "Output": format!("{{% {expression} %}}"), "End": true}}});
        let request = CreateStateMachine {
            name: format!("m{i}"),
            definition: definition.to_string(),
            ..Default::default()
        };
        let machine = world.engine.create_state_machine(request).await.unwrap().state_machine_arn;
        let arn = world.start(&machine, &json!({})).await;
        let ended = world.engine.wait(&arn).await.unwrap();
        assert_eq!(ended.error.as_deref(), Some("States.QueryEvaluationError"), "{expression}");
        assert!(ended.cause.unwrap().ends_with(told), "{expression}");
    }
}

#[tokio::test]
async fn a_path_of_a_fail_state_must_lead_to_a_text() {
    let world = World::new(|_, event| Ok(event)).await;
    let definition = json!({"StartAt": "S", "States": {"S": {"Type": "Fail", "ErrorPath": "$.n"}}});
    let ended = world.run(&definition, &json!({"n": 5})).await;
    assert_eq!(ended.error.as_deref(), Some("States.Runtime"));
    let cause = ended.cause.unwrap();
    assert!(cause.contains("$.n") && !cause.contains("JSONata"), "{cause}");
}

#[tokio::test]
async fn a_states_name_is_taken_in_the_whole_machine() {
    let pass = json!({"Type": "Pass", "End": true});
    let branch = |name: &str| json!({"StartAt": name, "States": {name: pass}});
    let parallel = |names: [&str; 2]| json!({"Type": "Parallel", "Branches": names.map(branch), "Next": "Y"});
    let told = |name: &str, at: &str| {
        format!(
            "Invalid State Machine Definition: 'DUPLICATE_STATE_NAME: Duplicate State name: {name} at {at}'"
        )
    };
    let nowhere = "MISSING_TRANSITION_TARGET: State \"N\" is not reachable. at /States/N";
    let only =
        |message: String| message.replace(&format!(", {nowhere}"), "").replace(&format!("{nowhere}, "), "");
    let of_branches = only(refused(parallel(["A", "A"])).await);
    assert_eq!(of_branches, told("A", "/States/S/Branches[1]/States/A"));
    let of_the_whole = only(refused(parallel(["A", "Y"])).await);
    assert_eq!(of_the_whole, told("Y", "/States/Y"), "the one that is read later");
    assert!(!refused(parallel(["A", "B"])).await.contains("DUPLICATE"));
}
