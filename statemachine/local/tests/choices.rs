//! Every comparison of a JSONPath Choice in one table, and the four forms of Wait.
#![allow(clippy::unwrap_used, clippy::expect_used)] // helpers of tests may panic as tests do
mod common;
use common::*;
use serde_json::{Value, json};
use std::sync::atomic::{AtomicUsize, Ordering};
use stepfunctions_local::*;

fn choice(rule: &Value) -> Value {
    let rule = with(rule.clone(), json!({"Next": "Yes"}));
    json!({"StartAt": "C", "States": {"C": {"Type": "Choice", "Choices": [rule], "Default": "No"},
        "Yes": {"Type": "Pass", "Result": true, "End": true}, "No": {"Type": "Pass", "Result": false, "End": true}}})
}

/// Runs a definition under a name of its own.
async fn run(world: &World, definition: &Value, input: &Value) -> DescribeExecution {
    static NAMES: AtomicUsize = AtomicUsize::new(0);
    let name = format!("machine-{}", NAMES.fetch_add(1, Ordering::Relaxed));
    let request = CreateStateMachine { name, definition: definition.to_string(), ..Default::default() };
    let machine = world.engine.create_state_machine(request).await.unwrap().state_machine_arn;
    let arn = world.start(&machine, input).await;
    world.engine.wait(&arn).await.unwrap()
}

async fn holds(world: &World, rule: &Value, input: &Value) -> Value {
    let ended = run(world, &choice(rule), input).await;
    parse(ended.output.as_ref())
}

/// Left, right, and what is expected of `left OP right`.
type Row = (Value, Value, bool);

/// Rows by operator.
fn table() -> Vec<(&'static str, Vec<Row>)> {
    let (early, late) = ("2026-01-01T00:00:00Z", "2026-01-01T01:00:00+00:30");
    let row = |l: Value, r: Value, e: bool| (l, r, e);
    let order = |less: &Value, more: &Value, [below, same, above]: [bool; 3]| {
        vec![
            row(less.clone(), more.clone(), below),
            row(less.clone(), less.clone(), same),
            row(more.clone(), less.clone(), above),
            row(json!(null), less.clone(), false),
            row(json!([less]), less.clone(), false),
        ]
    };
    let mut table = Vec::new();
    let orders = [
        ("Equals", [false, true, false]),
        ("LessThan", [true, false, false]),
        ("LessThanEquals", [true, true, false]),
        ("GreaterThan", [false, false, true]),
        ("GreaterThanEquals", [false, true, true]),
    ];
    for (name, expected) in orders {
        for (kind, less, more) in [
            ("Numeric", json!(-1.5), json!(2)),
            ("String", json!("Bread"), json!("bread")),
            ("Timestamp", json!(early), json!(late)),
        ] {
            let operator: &'static str = format!("{kind}{name}").leak();
            table.push((operator, order(&less, &more, expected)));
        }
    }
    table.push((
        "BooleanEquals",
        vec![
            row(json!(true), json!(true), true),
            row(json!(false), json!(true), false),
            row(json!("true"), json!(true), false),
        ],
    ));
    table
}

#[tokio::test]
async fn every_comparison_with_a_literal_and_with_a_path() {
    let world = World::new(|_, event| Ok(event)).await;
    let (mut operators, mut count) = (0, 0);
    for (operator, rows) in table() {
        operators += 2;
        for (left, right, expected) in rows {
            let input = json!({"l": left, "r": right});
            let literal = json!({"Variable": "$.l", operator: right});
            assert_eq!(holds(&world, &literal, &input).await, expected, "{left} {operator} {right}");
            let path = json!({"Variable": "$.l", format!("{operator}Path"): "$.r"});
            assert_eq!(holds(&world, &path, &input).await, expected, "{left} {operator}Path {right}");
            let not = json!({"Not": literal});
            assert_eq!(holds(&world, &not, &input).await, !expected, "not {left} {operator} {right}");
            count += 3;
        }
    }
    assert_eq!((operators, count), (32, 234));
}

#[tokio::test]
async fn every_test_of_a_type_of_every_type() {
    let values = [
        ("IsNull", json!(null)),
        ("IsBoolean", json!(false)),
        ("IsNumeric", json!(0)),
        ("IsString", json!("x")),
        ("IsTimestamp", json!("2026-01-01T00:00:00Z")),
        ("", json!([1])),
        ("", json!({"a": 1})),
    ];
    let world = World::new(|_, event| Ok(event)).await;
    for test in ["IsNull", "IsBoolean", "IsNumeric", "IsString", "IsTimestamp", "IsPresent"] {
        for (is, value) in &values {
            let expected = test == "IsPresent" || *is == test || (test == "IsString" && *is == "IsTimestamp");
            for wanted in [true, false] {
                let rule = json!({"Variable": "$.v", test: wanted});
                let found = holds(&world, &rule, &json!({"v": value})).await;
                assert_eq!(found, expected == wanted, "{test} {wanted}: {value}");
            }
        }
    }
    let absent = json!({"Variable": "$.no", "IsPresent": false});
    assert_eq!(holds(&world, &absent, &json!({})).await, true);
    for (text, pattern, expected) in [
        ("log-1.txt", "log-*.txt", true),
        ("log-1.txt", "*.log", false),
        ("a*", r"a\*", true),
        ("ab", r"a\*", false),
    ] {
        let rule = json!({"Variable": "$.v", "StringMatches": pattern});
        assert_eq!(holds(&world, &rule, &json!({"v": text})).await, expected, "{text} {pattern}");
    }
}

#[tokio::test]
async fn and_or_and_the_first_rule_that_holds() {
    let world = World::new(|_, event| Ok(event)).await;
    let is = |name: &str| json!({"Variable": format!("$.{name}"), "BooleanEquals": true});
    for (a, b) in [(true, true), (true, false), (false, true), (false, false)] {
        let input = json!({"a": a, "b": b});
        assert_eq!(holds(&world, &json!({"And": [is("a"), is("b")]}), &input).await, a && b);
        assert_eq!(holds(&world, &json!({"Or": [is("a"), is("b")]}), &input).await, a || b);
        let nested =
            json!({"Or": [{"And": [is("a"), {"Not": is("b")}]}, {"And": [{"Not": is("a")}, is("b")]}]});
        assert_eq!(holds(&world, &nested, &input).await, a != b);
    }
    let states = json!({"C": {"Type": "Choice", "Choices": [
        {"Variable": "$.n", "NumericGreaterThan": 1, "Next": "First"}, {"Variable": "$.n", "NumericGreaterThan": 0, "Next": "Second"}]},
        "First": {"Type": "Succeed"}, "Second": {"Type": "Fail", "Error": "second"}});
    let definition = json!({"StartAt": "C", "States": states});
    assert_eq!(run(&world, &definition, &json!({"n": 2})).await.status, Status::Succeeded);
    assert_eq!(run(&world, &definition, &json!({"n": 1})).await.error.as_deref(), Some("second"));
    assert_eq!(
        run(&world, &definition, &json!({"n": 0})).await.error.as_deref(),
        Some("States.NoChoiceMatched")
    );
}

#[tokio::test]
async fn a_wait_has_four_forms_in_json_path_and_two_in_jsonata() {
    let at = "2023-11-14T22:14:20Z"; // a minute after the start
    let json_path = [
        json!({"Seconds": 60}),
        json!({"SecondsPath": "$.seconds"}),
        json!({"Timestamp": at}),
        json!({"TimestampPath": "$.at"}),
    ];
    let jsonata = [
        json!({"Seconds": 60}),
        json!({"Seconds": "{% $states.input.seconds %}"}),
        json!({"Timestamp": at}),
        json!({"Timestamp": "{% $states.input.at %}"}),
    ];
    let input = json!({"seconds": 60, "at": at});
    for (language, forms) in [("JSONPath", json_path), ("JSONata", jsonata)] {
        for form in forms {
            let world = World::new(|_, event| Ok(event)).await;
            let wait = with(form.clone(), json!({"Type": "Wait", "End": true}));
            let ended = world
                .run(&json!({"QueryLanguage": language, "StartAt": "W", "States": {"W": wait}}), &input)
                .await;
            assert_eq!(ended.stop_date.unwrap().millis() - START, 60_000, "{language} {form}");
            assert_eq!(parse(ended.output.as_ref()), input);
        }
    }
    for both in [json!({}), json!({"Seconds": 1, "Timestamp": at})] {
        let world = World::new(|_, event| Ok(event)).await;
        let wait = with(both, json!({"Type": "Wait", "End": true}));
        let definition = json!({"StartAt": "W", "States": {"W": wait}}).to_string();
        let request = CreateStateMachine { name: "m".into(), definition, ..Default::default() };
        assert_eq!(world.engine.create_state_machine(request).await.unwrap_err().code, "InvalidDefinition");
    }
}

#[tokio::test]
async fn a_key_that_occurs_twice_is_refused_with_its_place() {
    let world = World::new(|_, event| Ok(event)).await;
    let state = r#"{"Type": "Pass", "End": true}"#;
    let definition = format!(r#"{{"StartAt": "A", "States": {{"A": {state}, "A": {state}}}}}"#);
    let request = CreateStateMachine { name: "m".into(), definition, ..Default::default() };
    let refused = world.engine.create_state_machine(request).await.unwrap_err();
    assert_eq!(refused.code, "InvalidDefinition");
    assert!(
        refused.message.contains("INVALID_JSON_DESCRIPTION: Duplicate field 'A' at /States"),
        "{}",
        refused.message
    );
}
