//! Runs the test suite of the reference implementation (jsonata-js, `test/test-suite`) through the evaluator as it is
//! configured here. `JSONATA_SUITE=DIR cargo test -p stepfunctions-local --lib reference -- --ignored --nocapture`
//! prints the table of `docs/jsonata.md` and every case that is not as the suite wants it.
#![allow(clippy::unwrap_used)] // tests may panic
use super::jsonata::evaluator;
use jsonata_core::evaluator::{Context, error_code_prefix};
use jsonata_core::value::JValue;
use rand::SeedableRng;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

/// What became of an expression: nothing, a value, or an error with its code (the message where there is none).
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Found {
    Nothing,
    Value(Value),
    Error(String),
}

/// Evaluates over `data` as `$`, with variables bound, in a thread with as little stack as the engine's own have.
pub(super) fn run(expression: &str, data: Option<&Value>, variables: &Map<String, Value>) -> Found {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(2 * 1024 * 1024);
        thread.spawn_scoped(scope, || evaluate(expression, data, variables)).unwrap().join().unwrap()
    })
}

fn evaluate(expression: &str, data: Option<&Value>, variables: &Map<String, Value>) -> Found {
    let ast = match jsonata_core::parser::parse(expression) {
        Ok(mut ast) => {
            super::bounds::guard(expression, &mut ast, variables.keys());
            ast
        }
        Err(e) => return Found::Error(code(&e.to_string())),
    };
    let mut context = Context::new();
    for (name, value) in variables {
        context.bind(name.clone(), JValue::from(value.clone()));
    }
    let entropy = Arc::new(Mutex::new(rand::rngs::StdRng::seed_from_u64(1)));
    let data = data.map_or(JValue::Undefined, |d| JValue::from(d.clone()));
    match evaluator(context, &entropy).unwrap().evaluate(&ast, &data) {
        Ok(JValue::Undefined) => Found::Nothing,
        Ok(value) => serde_json::to_value(&value).map_or_else(|e| Found::Error(e.to_string()), Found::Value),
        Err(e) => Found::Error(code(e.message())),
    }
}

/// `T2001` of `T2001: The left side ...`; errors of the parser have words before it.
pub(super) fn code(message: &str) -> String {
    let tails = message.match_indices(": ").map(|(at, colon)| &message[at + colon.len()..]);
    let coded = std::iter::once(message).chain(tails).find_map(error_code_prefix);
    coded.unwrap_or(message).to_owned()
}

/// Numbers as the language has them: there is one kind, so 1 is 1.0.
pub(super) fn plain(value: &Value) -> Value {
    match value {
        Value::Number(n) => n.as_f64().map_or(Value::Null, Value::from),
        Value::Array(items) => items.iter().map(plain).collect(),
        Value::Object(map) => map.iter().map(|(k, v)| (k.clone(), plain(v))).collect(),
        other => other.clone(),
    }
}

/// One case of the suite that did not end as it should.
struct Failure {
    place: String,
    expression: String,
    wanted: String,
    found: Found,
}

impl Failure {
    fn unreadable(file: &Path, error: &serde_json::Error) -> Self {
        let (place, wanted) = (stem(file), "a case that can be read".to_owned());
        Self { place, expression: String::new(), wanted, found: Found::Error(error.to_string()) }
    }
}

struct Suite {
    root: PathBuf,
    datasets: BTreeMap<String, Value>,
}

fn read(path: &Path) -> Value {
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<_> = fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    paths.sort();
    paths
}

fn stem(path: &Path) -> String {
    path.file_stem().unwrap().to_string_lossy().into_owned()
}

impl Suite {
    fn open(root: PathBuf) -> Self {
        let datasets = entries(&root.join("datasets")).iter().map(|p| (stem(p), read(p))).collect();
        Self { root, datasets }
    }

    fn groups(&self) -> Vec<PathBuf> {
        entries(&self.root.join("groups")).into_iter().filter(|p| p.is_dir()).collect()
    }

    /// Passed, and those that failed.
    fn group(&self, folder: &Path) -> (usize, Vec<Failure>) {
        let files = entries(folder).into_iter().filter(|p| p.extension().is_some_and(|e| e == "json"));
        let (mut passed, mut failed) = (0, Vec::new());
        for file in files {
            let cases = match serde_json::from_str(&fs::read_to_string(&file).unwrap()) {
                Ok(Value::Array(cases)) => cases,
                Ok(one) => vec![one],
                // Half of a surrogate pair: no text of this language, nor of JSON as the service takes it.
                Err(e) => {
                    failed.push(Failure::unreadable(&file, &e));
                    continue;
                }
            };
            for (index, case) in cases.iter().enumerate() {
                let place = format!("{}/{}#{index}", stem(folder), stem(&file));
                match self.case(folder, case, place) {
                    None => passed += 1,
                    Some(failure) => failed.push(failure),
                }
            }
        }
        (passed, failed)
    }

    fn case(&self, folder: &Path, case: &Value, place: String) -> Option<Failure> {
        let expression = match case["expr-file"].as_str() {
            Some(name) => fs::read_to_string(folder.join(name)).unwrap(),
            None => case["expr"].as_str().unwrap().to_owned(),
        };
        let dataset = case["dataset"].as_str().and_then(|name| self.datasets.get(name));
        let data = case.get("data").or(dataset);
        let none = Map::new();
        let found = run(&expression, data, case["bindings"].as_object().unwrap_or(&none));
        let wanted = wanted(case);
        let matches = match (&wanted, &found) {
            (Found::Value(a), Found::Value(b)) => plain(a) == plain(b),
            (a, b) => a == b,
        };
        (!matches).then(|| Failure { place, expression, wanted: format!("{wanted:?}"), found })
    }
}

fn wanted(case: &Value) -> Found {
    if case.get("undefinedResult").is_some() {
        return Found::Nothing;
    }
    match case.get("result") {
        Some(value) => Found::Value(value.clone()),
        None => {
            let code = case["code"].as_str().or(case["error"]["code"].as_str());
            Found::Error(code.unwrap().to_owned())
        }
    }
}

#[test]
#[ignore = "needs the reference suite: JSONATA_SUITE names its folder"]
fn the_reference_suite() {
    let suite = Suite::open(std::env::var("JSONATA_SUITE").unwrap().into());
    let (mut all, mut failures) = ([0, 0], Vec::new());
    println!("| group | passed | failed |\n|---|---|---|");
    for folder in suite.groups() {
        let (passed, failed) = suite.group(&folder);
        println!("| {} | {passed} | {} |", stem(&folder), failed.len());
        all = [all[0] + passed, all[1] + failed.len()];
        failures.extend(failed);
    }
    println!("| **all** | {} | {} |\n", all[0], all[1]);
    for Failure { place, expression, wanted, found } in &failures {
        println!("{place}\n  {expression}\n  wanted {wanted}\n  found {found:?}");
    }
    assert!(all[0] > 0, "the folder holds no cases");
}
