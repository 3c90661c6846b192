//! Whatever a definition or an expression is, it is answered with a value or an error, never with a panic.
#![allow(clippy::unwrap_used)] // tests may panic
use super::{Scope, Template};
use crate::asl::Language;
use proptest::prelude::*;
use proptest::sample::select;
use rand::SeedableRng;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

/// Runs a template over something that has a little of everything.
fn evaluate(value: &Value, language: Language) -> Option<Value> {
    let template = Template::compile(value, language).ok()?;
    let input = json!({"a": [1, -2.5, {"b": "x"}], "detail-type": null, "é": {"": [[]]}, "n": 9_007_199_254_740_993_i64});
    let context = || json!({"Execution": {"Name": "e"}, "Map": {"Item": {"Index": 0}}});
    let variables = BTreeMap::from([("v".to_owned(), json!({"w": [true]}))]);
    let entropy = Arc::new(Mutex::new(rand::rngs::StdRng::seed_from_u64(1)));
    let scope = Scope {
        input: &input,
        result: Some(&input),
        error: None,
        context: &context,
        variables: &variables,
        entropy: &entropy,
    };
    template.evaluate(&scope, "Field").ok()
}

fn pieces(words: &'static [&'static str]) -> impl Strategy<Value = String> {
    let word = prop_oneof![4 => select(words).prop_map(str::to_owned), 1 => "\\PC{0,3}"];
    proptest::collection::vec(word, 0..14).prop_map(|words| words.concat())
}

const PATHS: &[&str] = &[
    "$",
    "$$",
    "$v",
    ".",
    "..",
    "a",
    "b",
    "*",
    "[",
    "]",
    "[0]",
    "[-1]",
    "[*]",
    "[1:]",
    "[::2]",
    "[0,1]",
    "['a']",
    "[\"b\"]",
    "[?(@.b",
    " == ",
    "'x'",
    ")]",
    "99999999999999999999",
    ":",
    "-",
    "\\",
    "'",
];
const INTRINSICS: &[&str] = &[
    "States.Format(",
    "States.Array(",
    "States.ArrayRange(",
    "States.ArrayPartition(",
    "States.ArrayGetItem(",
    "States.MathAdd(",
    "States.MathRandom(",
    "States.JsonMerge(",
    "States.StringSplit(",
    "States.Base64Decode(",
    "States.Hash(",
    "States.UUID(",
    "States.StringToJson(",
    "States.JsonToString(",
    "States.ArrayUnique(",
    "'",
    "'{}'",
    "\\",
    ",",
    " ",
    ")",
    "$.a",
    "$.n",
    "0",
    "-1",
    "9223372036854775807",
    "1e308",
    "true",
    "null",
    "'SHA-1'",
    "[",
    "]",
];
const EXPRESSIONS: &[&str] = &[
    "$states.input",
    "$states.context",
    "$v",
    ".a",
    "[0]",
    "[b='x']",
    "(",
    ")",
    "{",
    "}",
    "[",
    "]",
    " + ",
    " - ",
    " & ",
    " ~> ",
    "$sum(",
    "$map(",
    "$reduce(",
    "function($x){",
    "$x",
    "$partition(",
    "$range(",
    "$hash(",
    "$parse(",
    "$random(",
    "$uuid()",
    "$split(",
    "$match(",
    "/a(/",
    "/(a+)+b/",
    "'",
    "\"",
    "\\u12",
    ",",
    ";",
    ":=",
    "$f",
    " ? ",
    " : ",
    "**",
    "%",
    "#$i",
    "@$j",
    "^(",
    "|",
    "1e400",
    "-",
    "0",
    "9223372036854775807",
    "$formatNumber(",
    "$toMillis(",
    "'[Y]'",
    "$eval(",
    "null",
    "..",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn any_path(text in pieces(PATHS)) {
        evaluate(&json!({"x.$": text.as_str()}), Language::JsonPath);
        evaluate(&json!({"x.$": format!("${text}")}), Language::JsonPath);
    }

    #[test]
    fn any_intrinsic_function(text in pieces(INTRINSICS)) {
        evaluate(&json!({"x.$": text.as_str()}), Language::JsonPath);
        evaluate(&json!({"x.$": format!("States.Array({text})")}), Language::JsonPath);
    }

    #[test]
    fn any_expression(text in pieces(EXPRESSIONS)) {
        evaluate(&json!({"x": format!("{{% {text} %}}")}), Language::Jsonata);
        evaluate(&json!({"x": text}), Language::Jsonata);
    }

    #[test]
    fn any_text_at_all(text in "\\PC{0,40}") {
        for whole in [text.clone(), format!("{{%{text}%}}"), format!("${text}"), format!("States.{text}")] {
            evaluate(&json!({"x": whole.as_str()}), Language::Jsonata);
            evaluate(&json!({"x.$": whole}), Language::JsonPath);
        }
    }
}

/// In a thread with as little stack as the engine's own have.
pub(super) fn on_a_small_stack(expression: String) -> Option<Value> {
    let thread = std::thread::Builder::new().stack_size(2 * 1024 * 1024);
    let work = move || evaluate(&json!(format!("{{% {expression} %}}")), Language::Jsonata);
    thread.spawn(work).unwrap().join().unwrap()
}

#[test]
fn an_expression_that_calls_itself_for_ever_is_an_error() {
    let calls = |body: &str| format!("($f := function($n) {{ {body} }}; $f(1))");
    assert_eq!(on_a_small_stack(calls("$n > 100 ? $n : 0 + $f($n + 1)")), Some(json!(101)));
    assert_eq!(on_a_small_stack(calls("1 + $f($n + 1)")), None);
    assert_eq!(on_a_small_stack(calls("[$f($n + 1), $f($n + 2)]")), None);
    assert_eq!(on_a_small_stack(calls("$map([1, 2], function($x) { $f($x) })")), None);
}

/// Expressions that parse, so that what is tried is their evaluation.
fn programs() -> impl Strategy<Value = String> {
    let leaf = select(&[
        "1",
        "-0.5",
        "1e300",
        "\"é\"",
        "\"\"",
        "null",
        "true",
        "[]",
        "{}",
        "$v",
        "$x",
        "$states.input",
        "a",
        "*",
        "**",
        "/a+/",
        "$states.input.a",
        "[1..5]",
        "$sum",
        "$string",
        "\"[Y]-[M01]\"",
        "\"#,##0.0\"",
    ])
    .prop_map(str::to_owned);
    leaf.prop_recursive(5, 40, 3, |inner| {
        let function = select(&[
            "string",
            "length",
            "substring",
            "pad",
            "split",
            "join",
            "replace",
            "match",
            "contains",
            "number",
            "round",
            "power",
            "formatNumber",
            "formatBase",
            "formatInteger",
            "parseInteger",
            "fromMillis",
            "toMillis",
            "sum",
            "max",
            "append",
            "sort",
            "distinct",
            "reverse",
            "zip",
            "keys",
            "lookup",
            "spread",
            "merge",
            "each",
            "map",
            "filter",
            "reduce",
            "sift",
            "single",
            "partition",
            "range",
            "hash",
            "parse",
            "base64decode",
            "encodeUrl",
            "decodeUrl",
            "type",
            "exists",
            "error",
            "assert",
            "uuid",
            "random",
            "shuffle",
            "uppercase",
            "trim",
        ]);
        let operator =
            select(&["+", "-", "*", "/", "%", "&", "=", "<", "in", "and", "?:", "??", "~>", "..", "."]);
        prop_oneof![
            4 => (function, proptest::collection::vec(inner.clone(), 0..4))
                .prop_map(|(name, args)| format!("${name}({})", args.join(", "))),
            3 => (inner.clone(), operator, inner.clone()).prop_map(|(a, op, b)| match op {
                ".." => format!("[{a}..{b}]"),
                op => format!("({a} {op} {b})"),
            }),
            1 => (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("{a}[{b}]")),
            1 => (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("[{a}, {b}]")),
            1 => (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("{{$string({a}): {b}}}")),
            1 => (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a}){{$string({b}): $}}")),
            1 => (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a})^({b})")),
            1 => (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a} ~> |$|{b}|)")),
            1 => inner.clone().prop_map(|a| format!("function($x, $y) {{ {a} }}")),
            1 => (inner.clone(), inner).prop_map(|(a, b)| format!("($x := {a}; {b})")),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn any_program(text in programs()) {
        evaluate(&json!(format!("{{% {text} %}}")), Language::Jsonata);
    }
}

#[test]
fn an_expression_of_any_depth_is_read_or_refused() {
    const DEEP: usize = 100_000;
    let around = |open: &str, close: &str| format!("{}1{}", open.repeat(DEEP), close.repeat(DEEP));
    for text in [
        around("(", ")"),
        around("[", "]"),
        around("{\"a\":", "}"),
        around("-", ""),
        around("$f(", ")"),
        around("function($x){", "}"),
        around("1 ? ", " : 2"),
        around("", "+1"),
        around("", ".a"),
        around("", "[0]"),
        around("1 & (", ")"),
        around("$not(", ")"),
    ] {
        on_a_small_stack(text);
    }
}

#[test]
fn a_path_or_a_call_of_any_depth_is_read_or_refused() {
    const DEEP: usize = 50_000;
    for text in [
        format!("${}", "..a".repeat(DEEP)),
        format!("${}", "[0]".repeat(DEEP)),
        format!("${}", "[?(@".repeat(DEEP)),
        format!("{}1{}", "States.Array(".repeat(DEEP), ")".repeat(DEEP)),
        format!("States.Format('{}')", "{}".repeat(DEEP)),
    ] {
        let thread = std::thread::Builder::new().stack_size(2 * 1024 * 1024);
        let work = move || drop(evaluate(&json!({"x.$": text}), Language::JsonPath));
        thread.spawn(work).unwrap().join().unwrap();
    }
}
