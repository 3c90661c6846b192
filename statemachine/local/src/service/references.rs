//! Which variables each state of a definition reads: `variableReferences` of a description.
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};

/// Names of variables by the state that reads them; states that read none are left out.
pub(super) type References = BTreeMap<String, BTreeSet<String>>;

/// Of a whole definition, states inside states included.
pub(super) fn of_definition(definition: &str) -> References {
    let mut found = References::new();
    if let Ok(Value::Object(machine)) = serde_json::from_str(definition) {
        let jsonata = is_jsonata(&machine, false);
        flow(&machine, jsonata, &mut found);
    }
    found
}

fn is_jsonata(object: &Map<String, Value>, outer: bool) -> bool {
    object.get("QueryLanguage").and_then(Value::as_str).map_or(outer, |l| l == "JSONata")
}

fn flow(object: &Map<String, Value>, outer: bool, found: &mut References) {
    for (name, state) in object.get("States").and_then(Value::as_object).into_iter().flatten() {
        let Some(state) = state.as_object() else { continue };
        let jsonata = is_jsonata(state, outer);
        let mut names = BTreeSet::new();
        for (field, value) in state {
            match (field.as_str(), value) {
                ("ItemProcessor" | "Iterator", Value::Object(inner)) => flow(inner, outer, found),
                ("Branches", Value::Array(branches)) => {
                    branches.iter().filter_map(Value::as_object).for_each(|b| flow(b, outer, found));
                }
                ("Comment" | "Result" | "ResultPath", _) => {}
                _ if jsonata => in_expressions(value, &mut names),
                _ => in_paths(field, value, &mut names),
            }
        }
        if !names.is_empty() {
            found.entry(name.clone()).or_default().extend(names);
        }
    }
}

/// JSONPath: fields that hold a path, and members of templates that end with `.$`.
fn in_paths(field: &str, value: &Value, names: &mut BTreeSet<String>) {
    match value {
        Value::Object(map) => map.iter().for_each(|(k, v)| in_paths(k, v, names)),
        Value::Array(list) => list.iter().for_each(|v| in_paths("", v, names)),
        Value::String(text) => {
            let holds_path = field == "Variable" || field.ends_with(".$") || field.ends_with("Path");
            if holds_path && field != "ResultPath" {
                scan(text, '\'', names);
            }
        }
        _ => {}
    }
}

/// JSONata: every text between `{%` and `%}`.
fn in_expressions(value: &Value, names: &mut BTreeSet<String>) {
    match value {
        Value::Object(map) => map.values().for_each(|v| in_expressions(v, names)),
        Value::Array(list) => list.iter().for_each(|v| in_expressions(v, names)),
        Value::String(text) => {
            let inner = text.trim().strip_prefix("{%").and_then(|t| t.strip_suffix("%}"));
            let Some(inner) = inner else { return };
            let mut all = BTreeSet::new();
            scan(inner, '"', &mut all);
            let own = bound(inner);
            names.extend(all.into_iter().filter(|n| n != "states" && !own.contains(n)));
        }
        _ => {}
    }
}

fn named(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Names behind a single `$` outside of texts; `$$`, `$.`, `$[` and functions are something else.
fn scan(text: &str, quote: char, names: &mut BTreeSet<String>) {
    let chars: Vec<char> = text.chars().collect();
    let mut at = 0;
    while at < chars.len() {
        match chars[at] {
            c if c == quote || (quote == '"' && c == '\'') => at = behind_text(&chars, at),
            '$' if chars.get(at + 1) == Some(&'$') => at += 2,
            '$' => {
                let name: String = chars[at + 1..].iter().take_while(|c| named(**c)).collect();
                at += 1 + name.chars().count();
                let called = chars[at..].iter().find(|c| !c.is_whitespace()) == Some(&'(');
                if !name.is_empty() && !called {
                    names.insert(name);
                }
            }
            _ => at += 1,
        }
    }
}

fn behind_text(chars: &[char], start: usize) -> usize {
    let mut at = start + 1;
    while at < chars.len() && chars[at] != chars[start] {
        at += if chars[at] == '\\' { 2 } else { 1 };
    }
    at + 1
}

/// Names that a JSONata expression binds itself: `$x := ...`, and parameters of its functions.
fn bound(text: &str) -> BTreeSet<String> {
    let mut own = BTreeSet::new();
    for (at, _) in text.match_indices('$') {
        let rest = &text[at + 1..];
        let length = rest.find(|c| !named(c)).unwrap_or(rest.len());
        if rest[length..].trim_start().starts_with(":=") {
            own.insert(rest[..length].to_owned());
        }
    }
    for function in ["function", "λ"] {
        for (at, word) in text.match_indices(function) {
            let rest = text[at + word.len()..].trim_start();
            let parameters = rest.strip_prefix('(').and_then(|r| r.split(')').next()).unwrap_or_default();
            own.extend(parameters.split(',').filter_map(|p| p.trim().strip_prefix('$')).map(str::to_owned));
        }
    }
    own
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn of(states: Value, language: &str) -> Value {
        json!(of_definition(&json!({"QueryLanguage": language, "States": states}).to_string()))
    }

    #[test]
    fn paths_and_intrinsic_functions_are_read() {
        let states = json!({
            "A": {"Type": "Pass", "InputPath": "$a.b", "ResultPath": "$.r", "Result": {"x.$": "$no"}},
            "B": {"Type": "Pass", "Parameters": {"x.$": "States.Format('$no {}', $b, $$.State.Name, $.c)", "y": "$no"}},
            "C": {"Type": "Choice", "Choices": [{"Not": {"Variable": "$c", "NumericEqualsPath": "$d[0]"}, "Next": "A"}]},
            "D": {"Type": "Parallel", "Branches": [{"States": {"E": {"Type": "Pass", "Assign": {"v.$": "$e"}}}}]},
        });
        assert_eq!(of(states, "JSONPath"), json!({"A": ["a"], "B": ["b"], "C": ["c", "d"], "E": ["e"]}));
    }

    #[test]
    fn expressions_are_read_without_what_they_bind() {
        let states = json!({
            "A": {"Type": "Pass", "Output": "{% ($x := $a; $map($list, function($i) { $i + $x + $$.n }) & \"$no\" & $states.input.b) %}"},
            "B": {"Type": "Pass", "Output": "$no", "Assign": {"v": "{% $uuid() %}"}},
        });
        assert_eq!(of(states, "JSONata"), json!({"A": ["a", "list"]}));
    }
}
