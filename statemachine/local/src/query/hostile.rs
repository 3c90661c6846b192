//! Expressions meant to do harm: each ends as an error of the evaluation, not of the process.
#![allow(clippy::unwrap_used)] // tests may panic
use super::fuzz::on_a_small_stack;
use super::{Scope, Template};
use crate::asl::Language;
use rand::SeedableRng;
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

/// Refers to itself twice a level: small in memory, endless when it is gone through.
const TWICE: &str =
    r#"($f := function($s, $n) { $n = 0 ? $s : $f({"a": $s, "b": $s}, $n - 1) }; $x := $f(1, 40); "#;

#[test]
fn what_an_expression_multiplies_is_bounded() {
    for text in [
        r#"$pad("a", 1e12)"#,
        r#"$pad("a", -1e300)"#,
        r#"($p := $pad; $p("a", 1e12))"#,
        r#""a" ~> $pad(1e12)"#,
        r#"["a"] ~> $map($pad(?, 1e12))"#,
        r#"$pad("", 1000000, "a") ~> $replace("a", $pad("", 1000000, "b"))"#,
        r#"$replace($pad("", 1000000, "a"), /a/, $pad("", 1000000, "b"))"#,
        r#"$pad("", 1000000, "a").$replace("a", $pad("", 1000000, "b"))"#,
        r#"($s := $pad("", 1000000, "x"); $join($map([1..100000], function($x) { $s })))"#,
        r#"$reduce([1..60], function($a, $b) { $a & $a }, "ab")"#,
        r#"$reduce([1..60], function($a, $b) { [$a, $a] }, ["ab"])"#,
        r#"$reduce([1..60], function($a, $b) { $append($a, $a) }, ["ab"])"#,
        r#"$formatInteger(1e15, "I")"#,
        r#"($i := $formatInteger; $i(1e308, "i"))"#,
        "[1..10000000]",
        "[1..1e18]",
        "[1..200000] ~> $distinct",
        "[1..200000] ~> $distinct()",
        "$map([1..200000], function($x) { [1..200000] })",
        r#"$match("a", /((((a{1,100}){1,100}){1,100}){1,100})/)"#,
    ] {
        assert_eq!(on_a_small_stack(text.to_owned()), None, "{text}");
    }
    for use_of_it in
        ["$x", "$x & ''", "$x = $x", "$string($x)", "$x ~> $string", "$x in [$x]", "$count($x.**)"]
    {
        assert_eq!(on_a_small_stack(format!("{TWICE}{use_of_it})")), None, "{use_of_it}");
    }
}

#[test]
fn arguments_out_of_range_are_errors() {
    for text in [
        "[0..1e300]",
        r#"$substring("abc", 1e300, 1e300)"#,
        r#"$fromMillis(0, "[Y0,9999999999]")"#,
        r#"$fromMillis(0, "[Y,1000000000-1000000000]")"#,
        "$fromMillis(1e20)",
        "$power(10, 400)",
        "$power(10, 308) * 10",
        "$round(1.5, 1e9)",
        "1 / 0",
        "[0 / 0]",
    ] {
        assert_eq!(on_a_small_stack(text.to_owned()), None, "{text}");
    }
}

#[test]
fn a_pattern_of_exponential_cost_is_matched_in_linear_time() {
    let expression = r#"$match($pad("", 100000, "a"), /(a+)+b/)"#;
    assert_eq!(on_a_small_stack(expression.to_owned()), None);
    let expression = r#"$contains($pad("", 100000, "a") & "b", /^(a+)+b$/)"#;
    assert_eq!(on_a_small_stack(expression.to_owned()), Some(json!(true)));
}

#[test]
fn functions_within_a_result_are_refused() {
    for text in ["$sum", "[$sum]", r#"{"f": function($x) { $x }}"#, r#"{"f": [/a/]}"#] {
        assert_eq!(on_a_small_stack(text.to_owned()), None, "{text}");
    }
}

#[test]
fn a_variable_with_the_name_of_a_function_is_the_variable() {
    let variables = BTreeMap::from([("string".to_owned(), json!("mine"))]);
    let template = Template::compile(&json!("{% $string & '1' %}"), Language::Jsonata).unwrap();
    let entropy = Arc::new(Mutex::new(rand::rngs::StdRng::seed_from_u64(1)));
    let (input, context) = (json!({}), || json!({}));
    let scope = Scope {
        input: &input,
        result: None,
        error: None,
        context: &context,
        variables: &variables,
        entropy: &entropy,
    };
    assert_eq!(template.evaluate(&scope, "Output"), Ok(json!("mine1")));
}
