//! Whatever a pattern, a template or an event looks like: an answer or a refusal, never a panic.
use eventbridge_local::{InputTransformer, Pattern, Received, Transformer};
use proptest::prelude::*;
use serde_json::{Value, json};

fn scalar() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        word().prop_map(Value::from),
    ]
}

fn word() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-c.*\\\\/<>\"$]{0,6}",
        "\\PC{0,8}",
        Just("prefix".to_owned()),
        Just("suffix".to_owned()),
        Just("wildcard".to_owned()),
        Just("numeric".to_owned()),
        Just("anything-but".to_owned()),
        Just("equals-ignore-case".to_owned()),
        Just("exists".to_owned()),
        Just("cidr".to_owned()),
        Just("$or".to_owned()),
        Just("10.0.0.0/33".to_owned()),
        Just("::/129".to_owned()),
        Just("<=".to_owned()),
        Just("=".to_owned()),
    ]
}

fn tree() -> impl Strategy<Value = Value> {
    scalar().prop_recursive(5, 48, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::vec((word(), inner), 0..5).prop_map(Value::from_iter),
        ]
    })
}

fn received() -> Received<'static> {
    Received { rule_arn: "arn", rule_name: "rule", time: "2026-01-31T12:00:00Z" }
}

proptest! {
    #[test]
    fn patterns(pattern in tree(), event in tree()) {
        if let Ok(pattern) = Pattern::parse(&pattern.to_string()) {
            let _ = pattern.matches(&event);
        }
    }

    #[test]
    fn text_that_is_no_pattern(text in "\\PC{0,64}") {
        let _ = Pattern::parse(&text);
    }

    #[test]
    fn an_event_matches_the_pattern_of_its_own_values(event in scalar()) {
        // Both are read from one text: numbers may lose their last digit on the way.
        let text = event.to_string();
        let event: Value = serde_json::from_str(&text).unwrap();
        let pattern = Pattern::parse(&format!(r#"{{"a": {{"b": [{text}]}}}}"#));
        let found = pattern.unwrap().matches(&json!({"a": [{"b": 1.5}, {"b": [event]}]}));
        prop_assert!(found);
    }

    #[test]
    fn wildcards_agree_with_a_slow_and_simple_matcher(form in "[ab*]{0,8}", text in "[ab]{0,10}") {
        prop_assume!(!form.contains("**"));
        let pattern = Pattern::parse(&json!({"a": [{"wildcard": form}]}).to_string()).unwrap();
        prop_assert_eq!(pattern.matches(&json!({"a": text})), slowly(form.as_bytes(), text.as_bytes()));
    }

    #[test]
    fn templates(template in "[{}\\[\\]\"<>a\\\\:, .*]{0,24}", event in tree()) {
        let paths = [("a".to_owned(), "$.a".to_owned())].into();
        if let Ok(made) = Transformer::new(&InputTransformer { input_paths_map: paths, input_template: template }, "t") {
            let _ = made.apply(&event, &received());
        }
    }

    #[test]
    fn paths(path in "[$.a*\\[\\]0-9-]{0,12}", event in tree()) {
        let transformer = InputTransformer { input_paths_map: [("a".to_owned(), path)].into(), input_template: "<a>".into() };
        if let Ok(made) = Transformer::new(&transformer, "t") {
            prop_assert!(serde_json::from_str::<Value>(&made.apply(&event, &received())).is_ok());
        }
    }
}

fn slowly(form: &[u8], text: &[u8]) -> bool {
    match (form, text) {
        ([], []) => true,
        ([b'*', rest @ ..], _) => (0..=text.len()).any(|taken| slowly(rest, &text[taken..])),
        ([one, form @ ..], [other, text @ ..]) => one == other && slowly(form, text),
        _ => false,
    }
}

#[test]
fn keys_of_dots_alone_do_not_exhaust_the_stack() {
    let key = ".".repeat(200_000);
    let event = json!({ key.as_str(): 1, "a": {"b": 1} });
    assert!(Pattern::parse(r#"{"a": {"b": [1]}}"#).unwrap().matches(&event));
    let pattern = Value::from_iter([(".".repeat(4000), vec![1])]).to_string();
    assert!(!Pattern::parse(&pattern).unwrap().matches(&event));
}
