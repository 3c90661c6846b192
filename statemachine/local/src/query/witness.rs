//! Compares expressions as workflows have them with what the reference implementation answers to them. The answers
//! were recorded by `tests/jsonata/answer.mjs`; where the evaluator is known to differ, `differences.jsonl` has its answer.
#![allow(clippy::unwrap_used)] // tests may panic
use super::reference::{code, plain};
use super::{Scope, Template};
use crate::asl::Language;
use rand::SeedableRng;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

const INPUT: &str = include_str!("../../tests/jsonata/input.json");
const ANSWERS: &str = include_str!("../../tests/jsonata/answers.jsonl");
const DIFFERENCES: &str = include_str!("../../tests/jsonata/differences.jsonl");

/// Answers in the form of the recorded ones.
fn answer(expression: &str, input: &Value) -> Value {
    let template = match Template::compile(&json!(format!("{{% {expression} %}}")), Language::Jsonata) {
        Ok(template) => template,
        Err((message, _)) => return json!({"error": code(&message)}),
    };
    let variables = BTreeMap::from([
        ("order".to_owned(), input["order"].clone()),
        ("items".to_owned(), input["items"].clone()),
        ("n".to_owned(), json!(5)),
    ]);
    let context =
        || json!({"Execution": {"Name": "e", "Id": "arn:e"}, "State": {"Name": "S", "RetryCount": 2}});
    let entropy = Arc::new(Mutex::new(rand::rngs::StdRng::seed_from_u64(1)));
    let scope = Scope {
        input,
        result: None,
        error: None,
        context: &context,
        variables: &variables,
        entropy: &entropy,
    };
    match template.evaluate(&scope, "Output") {
        Ok(value) => json!({"value": value}),
        Err(e) if e.cause.ends_with("returned nothing (undefined).") => json!({"nothing": true}),
        Err(e) if e.cause.ends_with("returned a number out of range.") => json!({"range": true}),
        Err(e) if e.cause.ends_with("returned an unsupported result type.") => json!({"function": true}),
        Err(e) => {
            let (_, message) = e.cause.split_once("during evaluation. ").unwrap_or(("", &e.cause));
            json!({"error": code(message)})
        }
    }
}

/// The answer; of an expression that reads the clock twice, the first that is right. The reference holds the time still while it
/// evaluates, the evaluator here does not, so two readings may fall on either side of a millisecond.
fn settled(expression: &str, input: &Value, wanted: &Value) -> Value {
    let readings = expression.matches("$now(").count() + expression.matches("$millis(").count();
    let again = if readings > 1 { 20 } else { 0 };
    let mut found = answer(expression, input);
    for _ in 0..again {
        if plain(&found) == plain(wanted) {
            break;
        }
        found = answer(expression, input);
    }
    found
}

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn compare(answers: &str, differences: &str) -> Vec<String> {
    let input: Value = serde_json::from_str(INPUT).unwrap();
    let known: BTreeMap<String, Value> = lines(differences)
        .into_iter()
        .map(|mut d| (d["expression"].as_str().unwrap().to_owned(), d["here"].take()))
        .collect();
    let mut wrong = Vec::new();
    for mut recorded in lines(answers) {
        let expression = recorded["expression"].as_str().unwrap().to_owned();
        recorded.as_object_mut().unwrap().remove("expression");
        let wanted = known.get(&expression).unwrap_or(&recorded);
        let found = settled(&expression, &input, wanted);
        if plain(&found) != plain(wanted) {
            wrong.push(json!({"expression": expression, "here": found, "there": recorded}).to_string());
        }
    }
    wrong
}

#[test]
fn expressions_are_answered_as_by_the_reference_implementation() {
    let wrong = compare(ANSWERS, DIFFERENCES);
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn every_known_difference_is_one() {
    let recorded: BTreeMap<_, _> =
        lines(ANSWERS).into_iter().map(|a| (a["expression"].as_str().unwrap().to_owned(), a)).collect();
    for known in lines(DIFFERENCES) {
        let mut there = recorded[known["expression"].as_str().unwrap()].clone();
        there.as_object_mut().unwrap().remove("expression");
        assert_ne!(plain(&known["here"]), plain(&there), "{} is no difference any more", known["expression"]);
    }
}

#[test]
#[ignore = "compares answers to other expressions: JSONATA_ANSWERS names the file that answer.mjs wrote"]
fn other_expressions() {
    let answers = std::fs::read_to_string(std::env::var("JSONATA_ANSWERS").unwrap()).unwrap();
    let wrong = compare(&answers, DIFFERENCES);
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
}
