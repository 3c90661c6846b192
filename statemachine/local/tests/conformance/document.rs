//! Answers in the form in which they are compared: JSON texts parsed, moments replaced, members without a value dropped.
use regex::Regex;
use serde_json::{Number, Value};
use std::collections::BTreeMap;
use std::sync::LazyLock;

/// A value as it is compared.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Doc {
    Null,
    Bool(bool),
    Number(Number),
    Text(String),
    /// A string inside of a document that holds a document itself: spacing does not count, being a string does.
    Quoted(Box<Doc>, String),
    List(Vec<Doc>),
    Map(BTreeMap<String, Doc>),
}

/// Members of answers that are JSON texts in the API and were parsed when they were recorded.
const TEXTS: [&str; 7] = ["cause", "definition", "input", "output", "parameters", "result", "variables"];

fn is_text(name: &str) -> bool {
    TEXTS.contains(&name) || name.starts_with("after")
}

/// An answer of the API, or a part of one. `name` is the member that holds it.
pub(crate) fn answer(value: &Value, name: &str) -> Doc {
    match value {
        Value::Object(map) if name == "assignedVariables" => {
            Doc::Map(map.iter().map(|(k, v)| (k.clone(), text(v))).collect())
        }
        _ if is_text(name) => text(value),
        Value::Object(map) => {
            let kept = map.iter().filter(|(k, v)| !v.is_null() && *k != "ResponseMetadata");
            Doc::Map(kept.map(|(k, v)| (k.clone(), answer(v, k))).collect())
        }
        Value::Array(list) => Doc::List(list.iter().map(|v| answer(v, "")).collect()),
        // Any such string was parsed.
        Value::String(s) if s.starts_with('{') => text(value),
        other => document(other),
    }
}

/// A JSON text, or what it was parsed to: the two are the same.
pub(crate) fn text(value: &Value) -> Doc {
    match value.as_str().map(parsed) {
        Some(Some(inner)) => document(&inner),
        Some(None) => Doc::Text(undated(value.as_str().unwrap_or_default())),
        None => document(value),
    }
}

/// A value inside of a document: nulls count there.
fn document(value: &Value) -> Doc {
    match value {
        Value::Null => Doc::Null,
        Value::Bool(b) => Doc::Bool(*b),
        Value::Number(n) => Doc::Number(n.clone()),
        Value::String(s) => match parsed(s) {
            Some(inner) => Doc::Quoted(Box::new(document(&inner)), undated(s)),
            None => Doc::Text(undated(s)),
        },
        Value::Array(list) => Doc::List(list.iter().map(document).collect()),
        Value::Object(map) => Doc::Map(map.iter().map(|(k, v)| (k.clone(), document(v))).collect()),
    }
}

/// The array or object that a string holds, if it does.
fn parsed(s: &str) -> Option<Value> {
    let trimmed = s.trim();
    let framed = trimmed.starts_with(['{', '[']) && trimmed.ends_with(['}', ']']);
    framed.then(|| serde_json::from_str(trimmed).ok()).flatten()
}

/// A text with its ISO-8601 moments replaced, as the recorder did. What is no moment (a 13th month) stays.
pub(crate) fn undated(s: &str) -> String {
    #[allow(clippy::unwrap_used)] // A constant.
    static MOMENT: LazyLock<Regex> = LazyLock::new(|| {
        let day = r"\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])";
        let time = r"(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,9})?";
        Regex::new(&format!(r"{day}T{time}(?:Z|[+-][01]\d(?::?[0-5]\d)?)")).unwrap()
    });
    MOMENT.replace_all(s, "date").into_owned()
}

impl Doc {
    /// A member, if this is a map that has it.
    pub(crate) fn get(&self, name: &str) -> Option<&Doc> {
        match self {
            Doc::Map(map) => map.get(name),
            _ => None,
        }
    }

    /// A whole number.
    pub(crate) fn whole(&self) -> Option<i64> {
        match self {
            Doc::Number(n) => n.as_i64(),
            _ => None,
        }
    }

    /// A string.
    pub(crate) fn str(&self) -> Option<&str> {
        match self {
            Doc::Text(s) => Some(s),
            _ => None,
        }
    }

    /// For messages.
    pub(crate) fn shown(&self) -> String {
        let mut shown = match self {
            Doc::Text(s) | Doc::Quoted(_, s) => s.clone(),
            Doc::Number(n) => n.to_string(),
            Doc::List(list) => format!("{} items", list.len()),
            Doc::Map(map) => format!("{{{}}}", map.keys().cloned().collect::<Vec<_>>().join(", ")),
            other => format!("{other:?}"),
        };
        if let Some((end, _)) = shown.char_indices().nth(160) {
            shown.truncate(end);
            shown.push_str("...");
        }
        shown
    }
}
