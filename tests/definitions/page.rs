//! statemachine/README.md: diagram and tables, made from the definition so that they can not disagree with it.

use std::fmt::Write;

use serde_json::Value;
use transload_wire::ErrorName;

use crate::states::{ALWAYS, State, errors, function_failures, states};

/// The whole page: file, subject and definition of each machine.
pub(crate) fn render(machines: &[(&str, &str, Value)], parked: &[ErrorName]) -> String {
    let mut page = String::from(
        "# The state machines\n\n\
         Made from the definitions by `UPDATE_PAGES=1 cargo test --workspace --test definitions`; a test fails when it is stale.\n\n",
    );
    let mut all = Vec::new();
    for (file, subject, definition) in machines {
        let states = states(definition);
        let _ = writeln!(page, "## {file}: {subject}\n");
        let _ = writeln!(page, "{}\n", definition["Comment"].as_str().unwrap_or_default());
        diagram(&mut page, definition, &states);
        table(&mut page, &states);
        comments(&mut page, &states);
        all.extend(states);
    }
    names(&mut page, &all, parked);
    page
}

/// A Mermaid state diagram. Solid names are what happens, the label of an arrow says when.
fn diagram(page: &mut String, definition: &Value, states: &[State]) {
    page.push_str("```mermaid\nstateDiagram-v2\n    direction TB\n");
    let _ = writeln!(page, "    [*] --> {}", definition["StartAt"].as_str().unwrap_or_default());
    for state in states.iter().filter(|state| !state.in_map) {
        let name = &state.name;
        if state.kind == "Map" {
            let start = state.json["ItemProcessor"]["StartAt"].as_str().unwrap_or_default();
            let _ = writeln!(
                page,
                "    state {name} {{\n        [*] --> {start}\n        {start} --> [*]\n    }}"
            );
        }
        if let Some(next) = state.json["Next"].as_str() {
            let _ = writeln!(page, "    {name} --> {next}");
        }
        for choice in state.rules("Choices") {
            let condition = choice["Condition"].as_str().unwrap_or_default();
            let condition = condition.trim_matches(|c| "{%} ".contains(c)).replace('$', "");
            let _ =
                writeln!(page, "    {name} --> {}: {condition}", choice["Next"].as_str().unwrap_or_default());
        }
        if let Some(default) = state.json["Default"].as_str() {
            let _ = writeln!(page, "    {name} --> {default}: otherwise");
        }
        for catcher in state.rules("Catch") {
            let _ = writeln!(
                page,
                "    {name} --> {}: {}",
                catcher["Next"].as_str().unwrap_or_default(),
                label(&catcher)
            );
        }
        if matches!(state.kind.as_str(), "Succeed" | "Fail") {
            let _ = writeln!(page, "    {name} --> [*]");
        }
    }
    page.push_str("```\n\n");
}

/// A short label of a catcher: its errors, or how many.
fn label(catcher: &Value) -> String {
    let errors = errors(catcher);
    match errors.as_slice() {
        [one] if one == "States.ALL" => "any error".to_owned(),
        few if few.len() <= 2 => few.join(", "),
        _ => "permanent error".to_owned(),
    }
}

/// State, function, errors, what happens.
fn table(page: &mut String, states: &[State]) {
    page.push_str(
        "### What a failure does\n\n| state | function | error | what happens |\n| --- | --- | --- | --- |\n",
    );
    for state in states {
        let function =
            state.function.as_deref().map_or_else(|| "-".to_owned(), |f| format!("`functions/{f}`"));
        for retrier in state.rules("Retry") {
            let (attempts, first) = (&retrier["MaxAttempts"], &retrier["IntervalSeconds"]);
            let most = retrier["MaxDelaySeconds"]
                .as_u64()
                .map_or_else(String::new, |s| format!(", at most {s} s, full jitter"));
            row(
                page,
                state,
                &function,
                &errors(&retrier),
                &format!("again, up to {attempts} times, from {first} s{most}"),
            );
        }
        for catcher in state.rules("Catch") {
            row(
                page,
                state,
                &function,
                &errors(&catcher),
                &format!("to {}", catcher["Next"].as_str().unwrap_or_default()),
            );
        }
        let failures = state.function.as_deref().map(function_failures).unwrap_or_default();
        let open = |name: &&ErrorName| !state.retries(name.as_str()) && state.caught(name.as_str()).is_none();
        let left: Vec<&ErrorName> = failures.iter().filter(open).collect();
        let left: Vec<String> = left.into_iter().map(ToString::to_string).collect();
        if state.in_map {
            row(page, state, &function, &left, "ends the child; past the tolerated share, the Map");
        } else {
            row(page, state, &function, &left, "ends the execution here, redrivable; what was sent is kept");
        }
    }
    page.push_str("\nAn error that is retried and still there afterwards, and not caught, ends the execution at that state: redrive enters it again.\n\n");
}

fn row(page: &mut String, state: &State, function: &str, errors: &[String], what: &str) {
    if errors.is_empty() {
        return;
    }
    let lambda = errors.len() > 2 && errors.iter().all(|e| ALWAYS.contains(&e.as_str()));
    let list = if lambda {
        "Lambda's own faults (`Lambda.*`, `Runtime.*`, `Sandbox.Timedout`, `States.Timeout`)".to_owned()
    } else {
        errors.iter().map(|e| format!("`{e}`")).collect::<Vec<_>>().join(", ")
    };
    let _ = writeln!(page, "| {} | {function} | {list} | {what} |", state.name);
}

/// Why each state is there.
fn comments(page: &mut String, states: &[State]) {
    page.push_str("### Why each state is there\n\n| state | type | reason |\n| --- | --- | --- |\n");
    for state in states {
        let _ = writeln!(
            page,
            "| {} | {} | {} |",
            state.name,
            state.kind,
            state.json["Comment"].as_str().unwrap_or_default()
        );
    }
    page.push('\n');
}

/// Every error name, what it means and who gives it.
fn names(page: &mut String, states: &[State], parked: &[ErrorName]) {
    page.push_str("## Names of failures\n\nThey stand in the history, in `ErrorEquals` and in the exit message of the command line.\n\n| name | kind | meaning | given by |\n| --- | --- | --- | --- |\n");
    let functions: std::collections::BTreeSet<&str> =
        states.iter().filter_map(|s| s.function.as_deref()).collect();
    for name in ErrorName::ALL {
        let by: Vec<&str> =
            functions.iter().copied().filter(|f| function_failures(f).contains(name)).collect();
        let kind = match (name.is_transient(), parked.contains(name)) {
            (_, true) => "parks",
            (true, false) => "transient",
            (false, false) => "permanent",
        };
        let _ = writeln!(page, "| `{name}` | {kind} | {} | {} |", name.meaning(), by.join(", "));
    }
}
