//! The definitions are source: what they must say, checked against the functions, and the page that is made from them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // helpers of tests may panic as tests do

mod page;
mod states;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use transload_wire::ErrorName;

use crate::states::{ALWAYS, NESTED, State, function_failures, states};

const OBJECT: &str = include_str!("../../statemachine/object.asl.json");
const BUCKET: &str = include_str!("../../statemachine/bucket.asl.json");
const JANITOR: &str = include_str!("../../statemachine/janitor.asl.json");
const PACK: &str = include_str!("../../statemachine/pack.asl.json");
const PACER: &str = include_str!("../../statemachine/pacer.asl.json");
const UNPACK: &str = include_str!("../../statemachine/unpack.asl.json");
const NOTIFICATIONS: &str = include_str!("../../statemachine/notifications.asl.json");
const ALL: [&str; 7] = [OBJECT, BUCKET, PACK, UNPACK, JANITOR, PACER, NOTIFICATIONS];

/// Left uncaught on purpose: the execution ends at this state with what was done kept, and a redrive enters it again.
/// Someone has to mend something first (rights, a bucket, a key), or the transfer is parked.
const PARKED: &[ErrorName] = &[
    ErrorName::RoundsExhausted,
    ErrorName::SourceAccessDenied,
    ErrorName::DestinationAccessDenied,
    ErrorName::DestinationNotFound,
    ErrorName::KeyUnavailable,
    ErrorName::WorkDenied,
    ErrorName::ObjectsFailed,
    ErrorName::AccountingDiffers,
];

/// For whoever lists, no source is a bucket or a mount that is missing: somebody may make it.
fn parks(state: &State, failure: ErrorName) -> bool {
    let lists = matches!(state.function.as_deref(), Some("list" | "pack" | "unpack"));
    PARKED.contains(&failure) || (lists && failure == ErrorName::SourceNotFound)
}

/// Ends a child of the Map at once: what it means for the whole is found out by Recheck, Complete or the next round. An EXPRESS
/// child, as Batch's, has five minutes and can not wait for a window: Report gives its objects to another round.
fn ends_child(state: &State, failure: ErrorName) -> bool {
    let too_late = state.name == "Batch" && failure == ErrorName::WindowClosed;
    state.in_map && (!failure.is_transient() || failure == ErrorName::UploadGone || too_late)
}

fn parsed(definition: &str) -> Value {
    serde_json::from_str(definition).unwrap()
}

/// The states of all definitions.
fn all_states() -> Vec<State> {
    ALL.iter().flat_map(|definition| states(&parsed(definition))).collect()
}

#[test]
fn every_failure_of_a_function_is_retried_caught_or_parked() {
    for state in all_states().iter().filter(|state| state.function.is_some()) {
        for failure in function_failures(state.function.as_deref().unwrap()) {
            let name = failure.as_str();
            let handled = state.retries(name)
                || state.caught(name).is_some()
                || parks(state, *failure)
                || ends_child(state, *failure);
            assert!(handled, "{}: {name} is neither retried nor caught nor parked on purpose", state.name);
            assert!(
                !failure.is_transient()
                    || state.retries(name)
                    || state.caught(name).is_some()
                    || parks(state, *failure)
                    || ends_child(state, *failure),
                "{}: {name} is transient and not retried",
                state.name
            );
            assert!(
                failure.is_transient() || !state.retries(name) || state.retries_all(),
                "{}: {name} is permanent and retried",
                state.name
            );
        }
    }
}

#[test]
fn no_unknown_error_is_named_and_none_that_can_not_come() {
    let services: BTreeSet<&str> = ALWAYS.iter().chain(NESTED).copied().collect();
    for state in all_states() {
        let possible: BTreeSet<&str> =
            state.function.iter().flat_map(|f| function_failures(f)).map(|name| name.as_str()).collect();
        for name in state.named_errors() {
            let known = services.contains(name.as_str()) || ErrorName::of(&name).is_some();
            assert!(known, "{}: {name} is no error of ours nor of the services", state.name);
            let comes = services.contains(name.as_str()) || possible.contains(name.as_str());
            assert!(comes, "{}: names {name}, which its function never gives", state.name);
        }
    }
}

#[test]
fn every_error_of_lambda_itself_is_retried_by_every_task() {
    for state in all_states().iter().filter(|state| state.function.is_some()) {
        for name in ALWAYS.iter().filter(|name| **name != "States.ALL") {
            assert!(state.retries(name), "{}: {name} is not retried", state.name);
        }
    }
}

#[test]
fn every_state_and_retrier_says_why_and_every_task_has_a_timeout() {
    for state in all_states() {
        assert!(state.json["Comment"].as_str().is_some_and(|c| c.len() > 20), "{}: no Comment", state.name);
        assert!(state.kind != "Task" || state.json["TimeoutSeconds"].is_u64(), "{}: no timeout", state.name);
        for rule in state.rules("Retry").iter().chain(state.rules("Catch").iter()) {
            assert!(
                rule["Comment"].as_str().is_some_and(|c| c.len() > 10),
                "{}: a rule has no Comment",
                state.name
            );
        }
        for retrier in state.rules("Retry") {
            let constant = retrier["BackoffRate"] == 1;
            let spread = retrier["JitterStrategy"] == "FULL" && retrier["MaxDelaySeconds"].is_u64();
            assert!(
                constant || spread,
                "{}: a growing retrier without full jitter or MaxDelaySeconds",
                state.name
            );
        }
    }
    for top in ALL.map(parsed) {
        assert!(top["TimeoutSeconds"].is_u64() && top["Comment"].is_string());
    }
}

#[test]
fn broad_retriers_come_last() {
    for state in all_states() {
        let retriers = state.rules("Retry");
        for (i, retrier) in retriers.iter().enumerate() {
            let all = retrier["ErrorEquals"].as_array().unwrap().iter().any(|e| e == "States.ALL");
            assert!(!all || i + 1 == retriers.len(), "{}: States.ALL is not last", state.name);
        }
        let mut seen = BTreeSet::new();
        for name in retriers.iter().flat_map(|r| r["ErrorEquals"].as_array().unwrap().clone()) {
            assert!(seen.insert(name.to_string()), "{}: {name} is in two retriers", state.name);
        }
    }
}

#[test]
fn substitutions_are_whole_strings_and_named_after_their_function() {
    fn walk(value: &Value, found: &mut BTreeMap<String, usize>) {
        match value {
            Value::String(text) if text.contains("${") => {
                let whole = text.starts_with("${") && text.ends_with('}') && text.matches("${").count() == 1;
                assert!(whole, "a substitution inside of a longer string: {text}");
                *found.entry(text[2..text.len() - 1].to_owned()).or_default() += 1;
            }
            Value::Array(items) => items.iter().for_each(|v| walk(v, found)),
            Value::Object(fields) => fields.values().for_each(|v| walk(v, found)),
            _ => {}
        }
    }
    let of = |definition: &str| {
        let mut found = BTreeMap::new();
        walk(&parsed(definition), &mut found);
        found.into_keys().collect::<Vec<_>>()
    };
    let functions = ["Abort", "Complete", "Copy", "Head", "Init", "Part", "Remove", "Thaw"];
    let expected: Vec<String> =
        functions.iter().map(|f| format!("{f}FunctionArn")).chain(["ResultsBucket".to_owned()]).collect();
    let expected = sorted(expected);
    assert_eq!(of(OBJECT), expected);
    let of_many = ["BatchFunctionArn", "DeleteFunctionArn", "ListFunctionArn", "ObjectStateMachineArn"];
    assert_eq!(of(BUCKET), [&of_many[..], &["ReportFunctionArn"]].concat());
    assert_eq!(of(PACK), ["AbortFunctionArn", "CompleteFunctionArn", "PackFunctionArn"]);
    assert_eq!(of(UNPACK), ["AbortFunctionArn", "UnpackFunctionArn"]);
    assert_eq!(of(JANITOR), ["AbortFunctionArn"]);
    let of_pacer = ["BucketStateMachineArn", "FileLocation", "LowConcurrency", "ObjectStateMachineArn"];
    assert_eq!(of(PACER), of_pacer);
    let of_one_route =
        ["DestinationBucket", "DestinationLocation", "ObjectStateMachineArn", "Options", "RouteName"];
    let of_its_source = ["SourceBucket", "SourceLocation", "SourcePrefix"];
    assert_eq!(of(NOTIFICATIONS), [&of_one_route[..], &of_its_source].concat());
}

#[test]
fn both_ways_to_copy_differ_in_what_follows_alone() {
    let states = &parsed(OBJECT)["States"];
    let but_what_follows = |name: &str| {
        let mut state = states[name].clone();
        for field in ["Comment", "Next"] {
            assert!(state.as_object_mut().unwrap().remove(field).is_some());
        }
        state
    };
    assert_eq!(but_what_follows("Copy"), but_what_follows("CopyFollowed"));
}

fn sorted(mut names: Vec<String>) -> Vec<String> {
    names.sort();
    names
}

#[test]
fn the_page_is_made_from_the_definition() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/statemachine/README.md");
    let machines = [
        ("object.asl.json", "one object", parsed(OBJECT)),
        ("bucket.asl.json", "many objects", parsed(BUCKET)),
        ("pack.asl.json", "a tree in one archive", parsed(PACK)),
        ("unpack.asl.json", "an archive in files", parsed(UNPACK)),
        ("janitor.asl.json", "what is left behind", parsed(JANITOR)),
        ("pacer.asl.json", "few burst credits", parsed(PACER)),
        ("notifications.asl.json", "classic notifications", parsed(NOTIFICATIONS)),
    ];
    let expected = page::render(&machines, PARKED);
    if std::env::var_os("UPDATE_PAGES").is_some() {
        std::fs::write(path, &expected).unwrap();
    }
    let found = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        found == expected,
        "statemachine/README.md is stale: UPDATE_PAGES=1 cargo test --workspace --test definitions"
    );
}
