//! What targets are given: variables in and out of strings, reserved names, refusals.
#![allow(clippy::unwrap_used)] // helpers of tests may panic as tests do

use eventbridge_local::{Delivery, EventsError, Rule, Rules};
use serde_json::{Value, json};

const TIME: &str = "2026-01-31T12:00:00Z";

fn event() -> Value {
    json!({
        "version": "0", "id": "1", "detail-type": "Object Created", "source": "aws.s3", "account": "123456789012",
        "time": "2026-01-31T11:59:59Z", "region": "us-east-1", "resources": ["arn:aws:s3:::photos"],
        "detail": {"key": "a \"quoted\" name\\", "size": 5, "ok": true, "list": ["x", "y"], "object": {"k": "v"}},
    })
}

fn rule(target: &Value) -> Rule {
    let mut target = target.clone();
    target["Id"] = "t".into();
    target["Arn"] = "arn:aws:states:us-east-1:000000000000:stateMachine:m".into();
    serde_json::from_value(json!({"Name": "r", "EventPattern": {"source": ["aws.s3"]}, "Targets": [target]}))
        .unwrap()
}

fn given(target: &Value) -> Result<Vec<Delivery>, EventsError> {
    Ok(Rules::new(vec![rule(target)], "us-east-1", "000000000000")?.route(&event(), TIME))
}

fn input(target: Value) -> Option<String> {
    let mut deliveries = given(&target).unwrap();
    assert_eq!(deliveries.len(), 1);
    deliveries.remove(0).input
}

fn made(template: &str) -> String {
    let paths = json!({"key": "$.detail.key", "size": "$.detail.size", "ok": "$.detail.ok", "list": "$.detail.list",
        "object": "$.detail.object", "type": "$.detail-type", "missing": "$.detail.missing"});
    input(json!({"InputTransformer": {"InputPathsMap": paths, "InputTemplate": template}})).unwrap()
}

#[test]
fn all_of_the_event_a_part_of_it_or_a_constant() {
    let whole: Value = serde_json::from_str(&input(json!({})).unwrap()).unwrap();
    assert_eq!(whole, event());
    assert_eq!(input(json!({"InputPath": "$.detail.object"})).unwrap(), r#"{"k":"v"}"#);
    assert_eq!(input(json!({"InputPath": "$.detail-type"})).unwrap(), r#""Object Created""#);
    assert_eq!(input(json!({"InputPath": "$.nowhere"})), None);
    assert_eq!(input(json!({"Input": "{\"a\": 1}"})).unwrap(), r#"{"a": 1}"#);
}

#[test]
fn variables_out_of_strings_are_json() {
    let text = made(r#"{"k": <key>, "n": <size>, "b": <ok>, "l": <list>, "o": <object>, "m": <missing>}"#);
    let value: Value = serde_json::from_str(&text).unwrap();
    let detail = &event()["detail"];
    let expected = json!({"k": detail["key"], "n": 5, "b": true, "l": ["x", "y"], "o": {"k": "v"}, "m": ""});
    assert_eq!(value, expected);
}

#[test]
fn variables_in_strings_are_text() {
    let value: Value =
        serde_json::from_str(&made(r#"{"t": "<type> of <size>: \"<key>\" <missing>."}"#)).unwrap();
    assert_eq!(value["t"], "Object Created of 5: \"a \"quoted\" name\\\" .");
    assert_eq!(made("\"<list> and <object>\"\n\"<type>!\""), "\"[x,y] and {k:v}\"\n\"Object Created!\"");
    assert_eq!(made(r#"{"less": "1 < 2 <type>"}"#), r#"{"less": "1 < 2 Object Created"}"#);
}

#[test]
fn reserved_names_tell_of_rule_and_event() {
    let text = made(
        r#"{"a": "<aws.events.rule-arn>", "n": <aws.events.rule-name>, "t": <aws.events.event.ingestion-time>, "e": <aws.events.event>, "j": <aws.events.event.json>}"#,
    );
    let value: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(value["a"], "arn:aws:events:us-east-1:000000000000:rule/r");
    assert_eq!((&value["n"], &value["t"]), (&json!("r"), &json!(TIME)));
    assert_eq!(value["j"], event());
    assert_eq!((&value["e"]["detailType"], &value["e"]["detail"]), (&json!("Object Created"), &Value::Null));
}

#[test]
fn mistakes_are_refused() {
    let template =
        |text: &str| json!({"InputTransformer": {"InputPathsMap": {"a": "$.a"}, "InputTemplate": text}});
    for (target, expected) in [
        (template(r#"{"x": <b>}"#), "InputTemplate for target t contains invalid placeholder b."),
        (template("<a> is no JSON"), "Invalid InputTemplate for target t"),
        (template(r#"{<a>: 1}"#), "Invalid InputTemplate for target t"),
        (
            json!({"Input": "{}", "InputPath": "$.a"}),
            "Only one of Input, InputPath, or InputTransformer must be provided for target t.",
        ),
        (json!({"InputPath": "$['a']"}), "InputPath for target t is invalid"),
        (json!({"Input": "{"}), "Input for target t is not valid JSON"),
        (
            json!({"InputTransformer": {"InputPathsMap": {"a b": "$.a"}, "InputTemplate": "{}"}}),
            "InputPathsMap for target t contains invalid entry a b",
        ),
    ] {
        let error = given(&target).unwrap_err();
        assert_eq!(error.code, "ValidationException");
        assert!(error.message.contains(expected), "{target}: {}", error.message);
    }
}

#[test]
fn disabled_rules_match_nothing_and_two_rules_deliver_twice() {
    let (one, mut other, mut third) = (rule(&json!({})), rule(&json!({})), rule(&json!({})));
    (other.name, third.name, third.state) = ("s".into(), "d".into(), Some("DISABLED".into()));
    let rules = Rules::new(vec![one.clone(), other, third], "us-east-1", "000000000000").unwrap();
    let names: Vec<String> = rules.route(&event(), TIME).into_iter().map(|delivery| delivery.rule).collect();
    assert_eq!(names, ["r", "s"]);
    assert!(rules.route(&json!({"source": "aws.ec2"}), TIME).is_empty());
    assert!(Rules::new(vec![one.clone(), one], "us-east-1", "0").is_err(), "a name twice");
}
