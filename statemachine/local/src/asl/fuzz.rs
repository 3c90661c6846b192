//! Whatever a definition is, it is parsed or refused with reasons, never with a panic.
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Map, Value, json};

const FIELDS: &[&str] = &[
    "StartAt",
    "States",
    "Type",
    "Next",
    "End",
    "Default",
    "Choices",
    "Variable",
    "And",
    "Or",
    "Not",
    "NumericEquals",
    "StringMatches",
    "IsNull",
    "TimestampLessThanPath",
    "Condition",
    "Branches",
    "ItemProcessor",
    "Iterator",
    "ProcessorConfig",
    "Mode",
    "ExecutionType",
    "ItemReader",
    "ReaderConfig",
    "InputType",
    "Resource",
    "Arguments",
    "Parameters",
    "ResultSelector",
    "ResultPath",
    "InputPath",
    "ItemBatcher",
    "MaxItemsPerBatch",
    "ResultWriter",
    "WriterConfig",
    "Transformation",
    "OutputType",
    "Label",
    "MaxConcurrency",
    "ToleratedFailureCount",
    "Retry",
    "Catch",
    "ErrorEquals",
    "IntervalSeconds",
    "MaxAttempts",
    "BackoffRate",
    "JitterStrategy",
    "Seconds",
    "SecondsPath",
    "Timestamp",
    "TimeoutSeconds",
    "HeartbeatSecondsPath",
    "Error",
    "CausePath",
    "Assign",
    "Output",
    "Items",
    "QueryLanguage",
    "Credentials",
    "RoleArn",
    "Version",
    "Comment",
    "x.$",
    "Unknown",
];
const TEXTS: &[&str] = &[
    "A",
    "B",
    "Pass",
    "Task",
    "Choice",
    "Wait",
    "Succeed",
    "Fail",
    "Parallel",
    "Map",
    "JSONata",
    "JSONPath",
    "DISTRIBUTED",
    "INLINE",
    "STANDARD",
    "EXPRESS",
    "$.a",
    "$$.b",
    "$",
    "{% 1 %}",
    "{% $x",
    "States.ALL",
    "States.UUID()",
    "States.Format(",
    "CSV",
    "JSON",
    "NONE",
    "FLATTEN",
    "FULL",
    "arn:aws:states:::lambda:invoke",
    "arn:aws:states:::s3:getObject",
    "arn:",
    "2026-01-01T00:00:00Z",
    "",
    "\u{0}é",
];

fn any_value() -> impl Strategy<Value = Value> {
    let text = prop_oneof![5 => select(TEXTS).prop_map(str::to_owned), 1 => "\\PC{0,6}"];
    let leaf = prop_oneof![
        6 => text.prop_map(Value::String),
        2 => any::<i64>().prop_map(|n| json!(n)),
        1 => any::<f64>().prop_map(|n| json!(n)),
        2 => any::<bool>().prop_map(Value::Bool),
        1 => Just(Value::Null),
    ];
    leaf.prop_recursive(6, 60, 6, |inner| {
        let key = prop_oneof![6 => select(FIELDS).prop_map(str::to_owned), 1 => Just("A".to_owned()), 1 => Just("B".to_owned())];
        prop_oneof![
            3 => proptest::collection::vec((key, inner.clone()), 0..8).prop_map(|f| Value::Object(f.into_iter().collect())),
            1 => proptest::collection::vec(inner, 0..4).prop_map(Value::Array),
        ]
    })
}

/// A definition that is right, so that what is put into it is looked at.
fn sound() -> Value {
    json!({"StartAt": "A", "States": {
        "A": {"Type": "Choice", "Choices": [{"Variable": "$.a", "NumericEquals": 1, "Next": "B"}], "Default": "C"},
        "B": {"Type": "Map", "Next": "C", "ItemReader": {"Resource": "arn:aws:states:::s3:getObject",
            "Parameters": {"Bucket": "b", "Key.$": "$.k"}, "ReaderConfig": {"InputType": "JSONL"}},
            "ItemBatcher": {"MaxItemsPerBatch": 2}, "ItemProcessor": {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "EXPRESS"},
            "StartAt": "P", "States": {"P": {"Type": "Pass", "QueryLanguage": "JSONata", "Output": "{% $states.input %}", "End": true}}}},
        "C": {"Type": "Parallel", "End": true, "Branches": [{"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 1, "End": true}}}],
            "Retry": [{"ErrorEquals": ["States.ALL"], "MaxAttempts": 1}]}}})
}

/// Puts `value` at the `n`th place of a document, counted through.
fn replace(whole: &mut Value, n: &mut usize, value: &Value) -> bool {
    if *n == 0 {
        *whole = value.clone();
        return true;
    }
    *n -= 1;
    match whole {
        Value::Object(map) => map.values_mut().any(|v| replace(v, n, value)),
        Value::Array(list) => list.iter_mut().any(|v| replace(v, n, value)),
        _ => false,
    }
}

/// Either a machine, or at least one reason why not.
fn answered(text: &str) {
    for express in [false, true] {
        if let Err(reasons) = super::parse(text, express) {
            assert!(!reasons.is_empty(), "refused without a reason: {text}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn any_document(value in any_value()) {
        answered(&value.to_string());
        let states = json!({"StartAt": "A", "States": {"A": value}});
        answered(&states.to_string());
    }

    #[test]
    fn a_sound_definition_with_something_else_in_it(n in 0_usize..70, value in any_value()) {
        let mut whole = sound();
        replace(&mut whole, &mut n.clone(), &value);
        answered(&whole.to_string());
    }

    #[test]
    fn a_sound_definition_cut_or_changed_anywhere(at in 0_usize..1_200, byte in any::<u8>(), cut in any::<bool>()) {
        let mut bytes = sound().to_string().into_bytes();
        let at = at % bytes.len();
        if cut { bytes.truncate(at) } else { bytes[at] = byte }
        answered(&String::from_utf8_lossy(&bytes));
    }
}

#[test]
fn the_sound_definition_is_sound() {
    assert!(super::parse(&sound().to_string(), false).is_ok());
    let mut empty = sound();
    assert!(replace(&mut empty, &mut 0, &Value::Object(Map::new())));
    assert!(super::parse(&empty.to_string(), false).is_err());
}

#[test]
fn states_in_states_end_where_json_ends() {
    let mut flow = json!({"StartAt": "P", "States": {"P": {"Type": "Pass", "End": true}}});
    for _ in 0..200 {
        flow =
            json!({"StartAt": "A", "States": {"A": {"Type": "Parallel", "End": true, "Branches": [flow]}}});
    }
    answered(&flow.to_string());
    answered(&format!("{}{}", "[".repeat(500_000), "]".repeat(500_000)));
    answered(&"{\"a\":".repeat(200_000));
}
