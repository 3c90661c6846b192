//! Which events match: each operator with what it takes and what it leaves, and each mistake with its reason.
#![allow(clippy::unwrap_used)] // helpers of tests may panic as tests do

use eventbridge_local::Pattern;
use serde_json::{Value, json};

fn created(key: &str, size: u64) -> Value {
    json!({
        "version": "0", "detail-type": "Object Created", "source": "aws.s3", "region": "us-east-1",
        "resources": ["arn:aws:s3:::photos"],
        "detail": {
            "bucket": {"name": "photos"}, "object": {"key": key, "size": size, "etag": "e"},
            "source-ip-address": "10.1.2.3", "reason": "PutObject", "none": null, "flag": true,
            "owners": [{"name": "ann", "of": "a"}, {"name": "bob", "of": "b"}], "empty": [],
        },
    })
}

#[track_caller]
fn check(condition: Value, expected: bool) {
    let pattern = Pattern::parse(&condition.to_string()).unwrap();
    let found = pattern.matches(&created("2026/a.JPG", 300));
    assert_eq!(found, expected, "{condition}");
}

fn key(condition: Value) -> Value {
    json!({"detail": {"object": {"key": [condition]}}})
}

#[test]
fn operators_on_strings() {
    for (condition, expected) in [
        (json!("2026/a.JPG"), true),
        (json!("2026/a.jpg"), false),
        (json!({"prefix": "2026/"}), true),
        (json!({"prefix": "2025/"}), false),
        (json!({"prefix": {"equals-ignore-case": "2026/A"}}), true),
        (json!({"suffix": ".JPG"}), true),
        (json!({"suffix": ".jpg"}), false),
        (json!({"suffix": {"equals-ignore-case": ".jpg"}}), true),
        (json!({"equals-ignore-case": "2026/A.jpg"}), true),
        (json!({"wildcard": "20*/*.JPG"}), true),
        (json!({"wildcard": "20*/*.png"}), false),
        (json!({"anything-but": "other"}), true),
        (json!({"anything-but": ["other", "2026/a.JPG"]}), false),
        (json!({"anything-but": 300}), true),
        (json!({"anything-but": {"prefix": "2026/"}}), false),
        (json!({"anything-but": {"suffix": [".png", ".gif"]}}), true),
        (json!({"anything-but": {"equals-ignore-case": ["2026/A.JPG"]}}), false),
        (json!({"anything-but": {"wildcard": "*/b.*"}}), true),
        (json!({"numeric": ["=", 300]}), false),
        (json!({"exists": true}), true),
        (json!({"exists": false}), false),
    ] {
        check(key(condition), expected);
    }
}

#[test]
fn numbers_by_value_and_by_range() {
    let size = |condition: Value| json!({"detail": {"object": {"size": [condition]}}});
    for (condition, expected) in [
        (json!(300), true),
        (json!(3.0e2), true),
        (json!("300"), false),
        (json!({"numeric": ["=", 300.0]}), true),
        (json!({"numeric": [">", 300]}), false),
        (json!({"numeric": [">=", 300]}), true),
        (json!({"numeric": [">", 0, "<=", 300]}), true),
        (json!({"numeric": [">", 0, "<", 300]}), false),
        (json!({"anything-but": [1, 300]}), false),
        (json!({"anything-but": 301}), true),
    ] {
        check(size(condition), expected);
    }
}

#[test]
fn addresses_booleans_and_null() {
    let address = |block: &str| json!({"detail": {"source-ip-address": [{"cidr": block}]}});
    check(address("10.0.0.0/8"), true);
    check(address("10.1.2.3/32"), true);
    check(address("0.0.0.0/0"), true);
    check(address("11.0.0.0/8"), false);
    check(address("::/0"), false);
    check(json!({"detail": {"flag": [true]}}), true);
    check(json!({"detail": {"flag": ["true"]}}), false);
    check(json!({"detail": {"none": [null]}}), true);
    check(json!({"detail": {"none": [{"anything-but": "x"}]}}), true);
}

#[test]
fn presence_is_told_of_values_and_not_of_objects() {
    check(json!({"detail": {"missing": [{"exists": false}]}}), true);
    check(json!({"detail": {"object": [{"exists": true}]}}), false);
    check(json!({"detail": {"object": [{"exists": false}]}}), true);
    check(json!({"none": {"at": {"all": [{"exists": false}]}}}), true);
    check(json!({"detail": {"missing": [{"anything-but": "x"}]}}), false);
    check(json!({"detail": {"empty": [{"exists": true}]}}), false);
}

#[test]
fn an_array_matches_by_any_element_and_objects_in_it_by_one_of_them() {
    check(json!({"resources": ["other", "arn:aws:s3:::photos"]}), true);
    check(json!({"detail": {"owners": {"name": ["ann"], "of": ["a"]}}}), true);
    check(json!({"detail": {"owners": {"name": ["ann"], "of": ["b"]}}}), false);
    check(json!({"detail": {"owners": {"age": [{"exists": false}]}}}), true);
}

#[test]
fn all_fields_have_to_match_and_of_an_or_one_group() {
    let both = |detail_type: &str| json!({"source": ["aws.s3"], "detail-type": [detail_type]});
    check(both("Object Created"), true);
    check(both("Object Deleted"), false);
    let or = |size: u64| {
        json!({"source": ["aws.s3"], "detail": {"$or": [
            {"object": {"size": [{"numeric": [">", size]}]}},
            {"bucket": {"name": ["other"]}, "reason": ["PutObject"]},
        ]}})
    };
    check(or(299), true);
    check(or(300), false);
}

#[test]
fn dots_in_keys_are_steps() {
    check(json!({"detail.bucket": {"name": ["photos"]}}), true);
    let pattern = Pattern::parse(r#"{"a": {"b": [1], "c": [2]}}"#).unwrap();
    assert!(pattern.matches(&json!({"a.b": 1, "a": {"c": 2}})));
    assert!(!pattern.matches(&json!({"a.b": {"b": 1}, "a": {"c": 2}})));
}

#[test]
fn mistakes_are_refused_with_their_reason() {
    for (pattern, reason) in [
        ("[]", "Filter is not an object"),
        ("{}", "Empty objects are not allowed"),
        (r#"{"a": []}"#, "Empty arrays are not allowed"),
        (r#"{"a": "b"}"#, "\"a\" must be an object or an array"),
        (r#"{"a": [["b"]]}"#, "Match value must be String, number, true, false, or null"),
        (r#"{"a": [{}]}"#, "Match expression name not found"),
        (r#"{"a": [{"prefix": "b", "suffix": "c"}]}"#, "Only one key allowed in match expression"),
        (r#"{"a": [{"PREFIX": "b"}]}"#, "Unrecognized match type PREFIX"),
        (r#"{"a": [{"prefix": 1}]}"#, "prefix match pattern must be a string"),
        (r#"{"a": [{"wildcard": "b**"}]}"#, "Consecutive wildcard characters at pos 2"),
        (r#"{"a": [{"numeric": 1}]}"#, "Value of numeric must be an array."),
        (r#"{"a": [{"numeric": [">", 0, ">", 1]}]}"#, "Bad numeric range operator: >"),
        (r#"{"a": [{"numeric": [">", 0, "<"]}]}"#, "Value of < must be numeric"),
        (r#"{"a": [{"numeric": ["=", 6e9]}]}"#, "Value must be between -5.0E9 and 5.0E9, inclusive"),
        (r#"{"a": [{"exists": "yes"}]}"#, "exists match pattern must be either true or false."),
        (r#"{"a": [{"cidr": "10.0.0.0/x"}]}"#, "Malformed CIDR, mask bits must be an integer"),
        (r#"{"a": [{"cidr": "x.0.0.0/8"}]}"#, "Nonstandard IP address: x.0.0.0"),
        (
            r#"{"a": [{"anything-but": null}]}"#,
            "Value of anything-but must be an array or single string/number value.",
        ),
        (r#"{"a": [{"anything-but": {"prefix": ""}}]}"#, "Null prefix/suffix not allowed"),
        (r#"{"$or": [{"a": [1]}]}"#, "There must have at least 2 Objects in $or relationship."),
    ] {
        let error = Pattern::parse(pattern).unwrap_err();
        assert_eq!(error.code, "InvalidEventPatternException", "{pattern}");
        assert_eq!(error.message, format!("Event pattern is not valid. Reason: {reason}"), "{pattern}");
    }
    assert!(Pattern::parse("{").is_err());
    assert_eq!(Pattern::parse(&"x".repeat(4097)).unwrap_err().code, "ValidationException");
}
