//! Every intrinsic function with its documented example, its limits, and what it does with wrong arguments.
#![allow(clippy::unwrap_used, clippy::expect_used)] // helpers of tests may panic as tests do
mod common;
use common::*;
use serde_json::{Value, json};

/// The value of a call over an input, or the error's name.
async fn call(world: &World, call: &str, input: &Value) -> Result<Value, String> {
    let state = json!({"Type": "Pass", "Parameters": {"v.$": call}, "End": true});
    let request = json!({"definition": state.to_string(), "input": input.to_string()});
    let answer = world.engine.call("TestState", request).await.unwrap();
    match answer["output"].as_str() {
        Some(output) => Ok(serde_json::from_str::<Value>(output).unwrap()["v"].take()),
        None => Err(answer["error"].as_str().unwrap().to_owned()),
    }
}

async fn world() -> World {
    World::new(|_, event| Ok(event)).await
}

fn digits() -> Value {
    json!({"list": [1, 2, 3, 4, 5, 6, 7, 8, 9], "at": 5, "word": "w"})
}

#[tokio::test]
async fn documented_examples() {
    let world = world().await;
    let (a, b) = (json!({"a": {"a1": 1, "a2": 2}, "b": 2}), json!({"a": {"a3": 1, "a4": 2}, "c": 3}));
    let examples = [
        ("States.Array($.Id)", json!({"Id": 123456}), json!([123456])),
        ("States.Array($.word, 'text', 1.5, true, null)", digits(), json!(["w", "text", 1.5, true, null])),
        ("States.ArrayPartition($.list,4)", digits(), json!([[1, 2, 3, 4], [5, 6, 7, 8], [9]])),
        ("States.ArrayContains($.list, $.at)", digits(), json!(true)),
        ("States.ArrayContains($.list, 'w')", digits(), json!(false)),
        ("States.ArrayRange(1, 9, 2)", json!({}), json!([1, 3, 5, 7, 9])),
        ("States.ArrayGetItem($.list, $.at)", digits(), json!(6)),
        ("States.ArrayLength($.list)", digits(), json!(9)),
        (
            "States.ArrayUnique($.l)",
            json!({"l": [1, 2, 3, 3, 3, null, 4, null, "4"]}),
            json!([1, 2, 3, null, 4, "4"]),
        ),
        ("States.Base64Encode($.t)", json!({"t": "Data to encode"}), json!("RGF0YSB0byBlbmNvZGU=")),
        ("States.Base64Decode($.t)", json!({"t": "RGVjb2RlZCBkYXRh"}), json!("Decoded data")),
        (
            "States.Hash($.t, $.a)",
            json!({"t": "input data", "a": "SHA-1"}),
            json!("aaff4a450a104cd177d28d18d74485e8cae074b7"),
        ),
        (
            "States.JsonMerge($.a, $.b, false)",
            json!({"a": a, "b": b}),
            json!({"a": {"a3": 1, "a4": 2}, "b": 2, "c": 3}),
        ),
        ("States.StringToJson($.t)", json!({"t": "{\"foo\": \"bar\"}"}), json!({"foo": "bar"})),
        ("States.JsonToString($.v)", json!({"v": {"foo": "bar"}}), json!("{\"foo\":\"bar\"}")),
        ("States.MathAdd($.v, -1)", json!({"v": 111}), json!(110)),
        ("States.StringSplit($.t, ',')", json!({"t": "1,2,3"}), json!(["1", "2", "3"])),
        (
            "States.StringSplit($.t, $.by)",
            json!({"t": "This.is+a,test=string", "by": ".+,="}),
            json!(["This", "is", "a", "test", "string"]),
        ),
        ("States.Format($.t, $.n)", json!({"t": "Hello, {}.", "n": "Arnav"}), json!("Hello, Arnav.")),
    ];
    for (text, input, expected) in examples {
        assert_eq!(call(&world, text, &input).await, Ok(expected), "{text}");
    }
}

#[tokio::test]
async fn escapes_are_the_definitions_and_data_stays_as_it_is() {
    let world = world().await;
    let data = r#"C:\{x}\\"#;
    let input = json!({"d": data});
    let kept = [
        ("States.Format('{}', $.d)", json!(data)),
        ("States.StringSplit($.d, ':')", json!(["C", r"\{x}\\"])),
        ("States.Base64Encode($.d)", json!("Qzpce3h9XFw=")),
        (r"States.Array('it\'s', '\{\}', '\\')", json!(["it's", "{}", "\\"])),
        (r"States.Format('\{{}\} \\ \'{}\'', 1, '\{')", json!("{1} \\ '{'")),
        (r"States.JsonToString('\{')", json!("\"{\"")),
    ];
    for (text, expected) in kept {
        assert_eq!(call(&world, text, &input).await, Ok(expected), "{text}");
    }
    for open in [r"States.Array('a\b')", r"States.Format('\n')"] {
        assert_eq!(call(&world, open, &input).await, Err("States.IntrinsicFailure".to_owned()), "{open}");
    }
}

#[tokio::test]
async fn random_numbers_and_ids() {
    let world = world().await;
    for _ in 0..50 {
        let drawn = call(&world, "States.MathRandom(1, 4)", &json!({})).await.unwrap();
        assert!((1..4).contains(&drawn.as_i64().unwrap()), "{drawn}");
    }
    let (seeded, input) = ("States.MathRandom(1, 999999, 7)", json!({}));
    let (one, other) = (call(&world, seeded, &input).await, call(&world, seeded, &input).await);
    assert_eq!(one, other, "a seed gives the same number");
    let id = call(&world, "States.UUID()", &json!({})).await.unwrap();
    assert_eq!((id.as_str().unwrap().len(), id.as_str().unwrap().as_bytes()[14]), (36, b'4'), "{id}");
}

#[tokio::test]
async fn wrong_arguments_fail_and_say_so() {
    let world = world().await;
    let long = json!({"t": "x".repeat(10_001), "list": [1, 2], "text": "t", "object": {}});
    let wrong = [
        "States.Format('{} {}', 1)",
        "States.Format('{}', 1, 2)",
        "States.Format($.object)",
        "States.StringToJson('no json')",
        "States.StringToJson($.object)",
        "States.ArrayPartition($.list, 0)",
        "States.ArrayPartition($.text, 1)",
        "States.ArrayContains($.text, 1)",
        "States.ArrayRange(1, 9, 0)",
        "States.ArrayRange(1, 2000, 1)",
        "States.ArrayRange(1, 9)",
        "States.ArrayGetItem($.list, 2)",
        "States.ArrayGetItem($.list, -1)",
        "States.ArrayLength($.object)",
        "States.ArrayUnique($.text)",
        "States.Base64Encode($.t)",
        "States.Base64Decode($.t)",
        "States.Base64Decode('not base64!')",
        "States.Hash($.t, 'SHA-1')",
        "States.Hash('x', 'SHA-0')",
        "States.JsonMerge($.object, $.object, true)",
        "States.JsonMerge($.object, $.list, false)",
        "States.MathRandom(4, 1)",
        "States.MathAdd('1', 2)",
        "States.StringSplit($.list, ',')",
        "States.UUID(1)",
    ];
    for text in wrong {
        assert_eq!(call(&world, text, &long).await, Err("States.IntrinsicFailure".to_owned()), "{text}");
    }
}

#[tokio::test]
async fn ten_deep_and_no_deeper() {
    let world = world().await;
    let nested = |depth: usize| format!("{}1{}", "States.MathAdd(".repeat(depth), ", 1)".repeat(depth));
    assert_eq!(call(&world, &nested(10), &json!({})).await, Ok(json!(11)));
    let state = json!({"Type": "Pass", "Parameters": {"v.$": nested(11)}, "End": true});
    let refused = world.engine.call("TestState", json!({"definition": state.to_string()})).await;
    assert_eq!(refused.unwrap_err().code, "InvalidDefinition");
    for unknown in ["States.Nope()", "States.UUID(", "States.Array(1 2)", "States.Array('a)"] {
        let state = json!({"Type": "Pass", "Parameters": {"v.$": unknown}, "End": true});
        let refused = world.engine.call("TestState", json!({"definition": state.to_string()})).await;
        assert_eq!(refused.unwrap_err().code, "InvalidDefinition", "{unknown}");
    }
}
