//! The Amazon States Language: definitions are parsed strictly into [`model`], every mistake with its place.
mod choice;
mod fields;
mod flow;
#[cfg(test)]
mod fuzz;
mod map;
mod model;
mod state;
mod task;
mod unique;

pub(crate) use fields::type_name;
pub(crate) use map::DEFAULT_PARALLEL;
pub(crate) use model::*;

use fields::{Fields, Problems};
use serde_json::Value;

/// A definition may have this many bytes (facts: 1 MB).
pub(crate) const MAX_DEFINITION_BYTES: usize = 1_048_576;

/// One mistake in a definition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// `SCHEMA_VALIDATION_FAILED`, `MISSING_TRANSITION_TARGET` or `INVALID_JSON_DESCRIPTION`.
    pub code: &'static str,
    /// What is wrong.
    pub message: String,
    /// JSON pointer into the definition.
    pub location: String,
}

impl std::fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {} at {}", self.code, self.message, self.location)
    }
}

/// What parsing depends on.
#[derive(Clone, Copy)]
pub(crate) struct Context {
    pub(crate) language: Language,
    /// The machine is EXPRESS: waiting integrations and distributed Maps are refused.
    pub(crate) express: bool,
}

/// Parses a whole definition; `express` machines allow less.
pub(crate) fn parse(text: &str, express: bool) -> Result<Machine, Vec<Diagnostic>> {
    let whole =
        |code: &'static str, message: String| vec![Diagnostic { code, message, location: "/".to_owned() }];
    if text.len() > MAX_DEFINITION_BYTES {
        let message = format!("A definition has at most {MAX_DEFINITION_BYTES} bytes, found {}", text.len());
        return Err(whole("SCHEMA_VALIDATION_FAILED", message));
    }
    let value: Value =
        serde_json::from_str(text).map_err(|e| whole("INVALID_JSON_DESCRIPTION", e.to_string()))?;
    if let Some(twice) = unique::duplicate(text) {
        return Err(vec![twice]);
    }
    let problems = Problems::default();
    let machine = machine(&value, express, &problems);
    let found = problems.into_inner();
    match machine {
        Some(machine) if found.is_empty() => Ok(machine),
        _ => Err(found),
    }
}

fn machine(value: &Value, express: bool, problems: &Problems) -> Option<Machine> {
    let fields = Fields::new(value, String::new(), problems)?;
    fields.text("Comment");
    fields.one_of("Version", &["1.0"]);
    let timeout = fields.number("TimeoutSeconds", 1.0, 99_999_999.0, true);
    let context = Context { language: language(&fields, Language::JsonPath), express };
    let flow = flow::parse(&fields, context);
    fields.finish();
    Some(Machine { flow: std::sync::Arc::new(flow?), timeout_seconds: timeout.map(|t| t as u64) })
}

/// `QueryLanguage`, or what surrounds.
fn language(fields: &Fields<'_>, outer: Language) -> Language {
    match fields.one_of("QueryLanguage", &["JSONPath", "JSONata"]) {
        Some("JSONata") => Language::Jsonata,
        Some(_) if outer == Language::Jsonata => {
            fields.bad("QueryLanguage", "A state of a JSONata machine cannot use JSONPath");
            outer
        }
        Some(_) => Language::JsonPath,
        None => outer,
    }
}
