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
    /// `SCHEMA_VALIDATION_FAILED`, `MISSING_TRANSITION_TARGET`, `DUPLICATE_STATE_NAME` or `INVALID_JSON_DESCRIPTION`.
    pub code: &'static str,
    /// What is wrong.
    pub message: String,
    /// JSON pointer into the definition; empty where there is nothing to point into.
    pub location: String,
}

impl std::fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (self.code, self.location.as_str()) {
            // This one's message ends with its place already.
            ("INVALID_JSON_DESCRIPTION", _) | (_, "") => write!(f, "{}: {}", self.code, self.message),
            (code, location) => write!(f, "{code}: {} at {location}", self.message),
        }
    }
}

/// What parsing depends on.
#[derive(Clone, Copy)]
pub(crate) struct Context {
    pub(crate) language: Language,
    /// The whole machine's language: what states inside states begin with again.
    pub(crate) whole: Language,
    /// The machine is EXPRESS: waiting integrations and distributed Maps are refused.
    pub(crate) express: bool,
    /// A state is tested with a mock: any resource will do.
    pub(crate) mocked: bool,
}

/// Parses a whole definition; `express` machines allow less.
pub(crate) fn parse(text: &str, express: bool) -> Result<Machine, Vec<Diagnostic>> {
    parse_with(text, express, false)
}

/// The same; in a machine with a mocked state, a Task may name what nothing here runs.
pub(crate) fn parse_with(text: &str, express: bool, mocked: bool) -> Result<Machine, Vec<Diagnostic>> {
    let value = read(text)?;
    let problems = Problems::default();
    let machine = machine(&value, express, mocked, &problems);
    found(machine, problems)
}

/// Parses one state by itself: where it leads to is not looked at.
pub(crate) fn parse_state(text: &str, name: &str, mocked: bool) -> Result<State, Vec<Diagnostic>> {
    let value = read(text)?;
    let problems = Problems::default();
    let (language, at) = (Language::JsonPath, format!("/States/{name}"));
    let context = Context { language, whole: language, express: false, mocked };
    let state = state::parse(name, &value, at, &problems, context);
    found(state, problems)
}

fn found<T>(parsed: Option<T>, problems: Problems) -> Result<T, Vec<Diagnostic>> {
    let problems = problems.into_inner();
    match parsed {
        Some(parsed) if problems.is_empty() => Ok(parsed),
        _ => Err(problems),
    }
}

fn read(text: &str) -> Result<Value, Vec<Diagnostic>> {
    let whole =
        |code: &'static str, message: String| vec![Diagnostic { code, message, location: "/".to_owned() }];
    if text.len() > MAX_DEFINITION_BYTES {
        let message = format!("A definition has at most {MAX_DEFINITION_BYTES} bytes, found {}", text.len());
        return Err(whole("SCHEMA_VALIDATION_FAILED", message));
    }
    let value: Value = serde_json::from_str(text).map_err(|_| vec![no_json(text)])?;
    if !value.is_object() {
        return Err(vec![no_object()]);
    }
    if let Some(twice) = unique::duplicate(text) {
        return Err(vec![twice]);
    }
    Ok(value)
}

/// A text that is no JSON, in the words of the service's parser.
fn no_json(text: &str) -> Diagnostic {
    if text.trim().is_empty() {
        return no_object();
    }
    let found = crate::json::complaint(text);
    let message = format!("{}\n at {}", found.message, found.place);
    Diagnostic { code: "INVALID_JSON_DESCRIPTION", message, location: found.place }
}

fn no_object() -> Diagnostic {
    let message = "Definition must be a valid JSON object".to_owned();
    Diagnostic { code: "SCHEMA_VALIDATION_FAILED", message, location: String::new() }
}

fn machine(value: &Value, express: bool, mocked: bool, problems: &Problems) -> Option<Machine> {
    let fields = Fields::new(value, String::new(), problems)?;
    fields.text("Comment");
    fields.one_of("Version", &["1.0"]);
    let timeout = fields.number("TimeoutSeconds", 1.0, 99_999_999.0, true);
    let whole = language(&fields, Language::JsonPath);
    let context = Context { language: whole, whole, express, mocked };
    let flow = flow::parse(&fields, context);
    fields.finish();
    Some(Machine { flow: std::sync::Arc::new(flow?), timeout_seconds: timeout.map(|t| t as u64) })
}

/// `QueryLanguage`, or what surrounds.
fn language(fields: &Fields<'_>, outer: Language) -> Language {
    match fields.one_of("QueryLanguage", &["JSONPath", "JSONata"]) {
        Some("JSONata") => Language::Jsonata,
        Some(_) if outer == Language::Jsonata => {
            fields.bad_here(
                "'QueryLanguage' can not be 'JSONPath' if set to 'JSONata' for whole state machine",
            );
            outer
        }
        Some(_) => Language::JsonPath,
        None => outer,
    }
}
