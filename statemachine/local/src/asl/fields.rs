//! Reads one JSON object of a definition field by field, so that what nobody asked for is reported as unknown.
use super::Diagnostic;
use serde_json::{Map, Value};
use std::cell::RefCell;
use std::collections::BTreeSet;

/// All problems found so far.
#[derive(Default)]
pub(crate) struct Problems {
    found: RefCell<Vec<Diagnostic>>,
    /// Names of states, wherever in the machine they are.
    states: RefCell<BTreeSet<String>>,
}

impl Problems {
    /// Adds one problem at a JSON pointer.
    pub(crate) fn add(&self, at: &str, message: impl Into<String>) {
        let location = if at.is_empty() { "/" } else { at };
        self.push("SCHEMA_VALIDATION_FAILED", location, message.into());
    }

    /// Adds a transition that leads nowhere, or a state that nothing leads to.
    pub(crate) fn transition(&self, at: &str, message: impl Into<String>) {
        self.push("MISSING_TRANSITION_TARGET", at, message.into());
    }

    /// Takes note of a state. A name is one state's in the whole machine, and not in its own branch alone.
    pub(crate) fn state(&self, name: &str, at: &str) {
        if !self.states.borrow_mut().insert(name.to_owned()) {
            self.push("DUPLICATE_STATE_NAME", at, format!("Duplicate State name: {name}"));
        }
    }

    fn push(&self, code: &'static str, at: &str, message: String) {
        self.found.borrow_mut().push(Diagnostic { code, message, location: at.to_owned() });
    }

    /// The problems in the order they were found.
    pub(crate) fn into_inner(self) -> Vec<Diagnostic> {
        self.found.into_inner()
    }
}

/// One object being read.
pub(crate) struct Fields<'a> {
    map: &'a Map<String, Value>,
    at: String,
    problems: &'a Problems,
    read: RefCell<BTreeSet<&'a str>>,
}

impl<'a> Fields<'a> {
    /// Reads `value` at the pointer `at`; `None` (and a problem) if it is no object.
    pub(crate) fn new(value: &'a Value, at: String, problems: &'a Problems) -> Option<Self> {
        match value {
            Value::Object(map) => Some(Self { map, at, problems, read: RefCell::default() }),
            other => {
                problems.add(&at, format!("Expected value of type Object, found {}", type_name(other)));
                None
            }
        }
    }

    /// The pointer of a field.
    pub(crate) fn at(&self, field: &str) -> String {
        format!("{}/{field}", self.at)
    }

    /// Where all problems go.
    pub(crate) fn problems(&self) -> &'a Problems {
        self.problems
    }

    /// Reports a problem with a field.
    pub(crate) fn bad(&self, field: &str, message: impl Into<String>) {
        self.problems.add(&self.at(field), message);
    }

    /// Reports a problem with the object itself.
    pub(crate) fn bad_here(&self, message: impl Into<String>) {
        self.problems.add(&self.at, message);
    }

    /// A field's value, which counts as read.
    pub(crate) fn get(&self, field: &str) -> Option<&'a Value> {
        let (key, value) = self.map.get_key_value(field)?;
        self.read.borrow_mut().insert(key.as_str());
        Some(value)
    }

    /// Whether a field is there, without reading it.
    pub(crate) fn has(&self, field: &str) -> bool {
        self.map.contains_key(field)
    }

    /// A field that has to be there.
    pub(crate) fn required(&self, field: &str) -> Option<&'a Value> {
        let value = self.get(field);
        if value.is_none() {
            self.bad_here(format!("The field '{field}' is required but was missing"));
        }
        value
    }

    /// A text.
    pub(crate) fn text(&self, field: &str) -> Option<&'a str> {
        let value = self.get(field)?;
        let text = value.as_str();
        if text.is_none() {
            self.bad(field, format!("Expected value of type String, found {}", type_name(value)));
        }
        text
    }

    /// A text out of a fixed set.
    pub(crate) fn one_of(&self, field: &str, allowed: &[&'static str]) -> Option<&'static str> {
        let text = self.text(field)?;
        let found = allowed.iter().find(|a| **a == text).copied();
        if found.is_none() {
            let allowed = allowed.join(", ");
            self.bad(field, format!("The field '{field}' should have one of these values: [{allowed}]"));
        }
        found
    }

    /// `true` or `false`.
    pub(crate) fn flag(&self, field: &str) -> Option<bool> {
        let value = self.get(field)?;
        if !value.is_boolean() {
            self.bad(field, format!("Expected value of type Boolean, found {}", type_name(value)));
        }
        value.as_bool()
    }

    /// A number within bounds; `whole` refuses fractions.
    pub(crate) fn number(&self, field: &str, least: f64, most: f64, whole: bool) -> Option<f64> {
        let value = self.get(field)?;
        match value.as_f64() {
            Some(n) if value.is_number() && n >= least && n <= most && (!whole || n.fract() == 0.0) => {
                Some(n)
            }
            _ => {
                let kind = if whole { "an integer" } else { "a number" };
                self.bad(field, format!("Expected {kind} from {least} to {most}, found {value}"));
                None
            }
        }
    }

    /// A list of objects or anything else.
    pub(crate) fn list(&self, field: &str) -> Option<&'a Vec<Value>> {
        let value = self.get(field)?;
        let list = value.as_array();
        if list.is_none() {
            self.bad(field, format!("Expected value of type Array, found {}", type_name(value)));
        }
        list
    }

    /// Reports every field that was not read.
    pub(crate) fn finish(self) {
        let read = self.read.borrow();
        for key in self.map.keys().filter(|k| !read.contains(k.as_str())) {
            self.problems.add(&self.at, format!("Field '{key}' is not supported"));
        }
    }
}

/// The JSON type's name as definitions' authors know it.
pub(crate) fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "Null",
        Value::Bool(_) => "Boolean",
        Value::Number(_) => "Number",
        Value::String(_) => "String",
        Value::Array(_) => "Array",
        Value::Object(_) => "Object",
    }
}
