//! Event patterns: parsed once, matched against any number of events.
mod address;
mod matcher;
mod numeric;
mod parse;
mod tree;
mod wildcard;

use crate::EventsError;
use serde_json::Value;
use std::borrow::Cow;

/// Bytes of a pattern (PutRule in the service's model).
const MAX_PATTERN: usize = 4096;

/// Dots in a key that are taken for steps of a path. Beyond that a key is only itself: paths stay shallow whatever an
/// event's keys look like.
const MAX_DOTS: usize = 32;

/// What an event has to look like.
#[derive(Debug, Clone)]
pub struct Pattern(tree::Node);

impl Pattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// `InvalidEventPatternException` with the reason.
    pub fn parse(text: &str) -> Result<Self, EventsError> {
        if text.len() > MAX_PATTERN {
            return Err(EventsError::validation(format!(
                "1 validation error detected: Value at 'eventPattern' failed to satisfy constraint: Member must have length less than or equal to {MAX_PATTERN}"
            )));
        }
        let value = serde_json::from_str(text).map_err(EventsError::pattern)?;
        parse::pattern(&value).map(Self).map_err(EventsError::pattern)
    }

    /// Whether an event matches.
    #[must_use]
    pub fn matches(&self, event: &Value) -> bool {
        let event = spread(event);
        self.0.matches(Some(&event), &event, &mut Vec::new())
    }
}

/// A key as steps of a path: the service does not tell `{"a.b": 1}` from `{"a": {"b": 1}}`, in patterns and in events.
fn steps(key: &str) -> Vec<&str> {
    if key.bytes().filter(|byte| *byte == b'.').count() > MAX_DOTS {
        vec![key]
    } else {
        key.split('.').collect()
    }
}

/// An event with its dotted keys written as objects in objects. Most events have none, and are not copied.
fn spread(event: &Value) -> Cow<'_, Value> {
    if has_dots(event) { Cow::Owned(spread_out(event)) } else { Cow::Borrowed(event) }
}

fn has_dots(value: &Value) -> bool {
    match value {
        Value::Object(map) => map.iter().any(|(key, value)| steps(key).len() > 1 || has_dots(value)),
        Value::Array(items) => items.iter().any(has_dots),
        _ => false,
    }
}

fn spread_out(value: &Value) -> Value {
    match value {
        Value::Array(items) => items.iter().map(spread_out).collect(),
        Value::Object(map) => {
            let nested = map.iter().map(|(key, value)| {
                let inner = spread_out(value);
                steps(key).into_iter().rev().fold(inner, |inner, step| Value::from_iter([(step, inner)]))
            });
            nested.fold(Value::Object(serde_json::Map::new()), merged)
        }
        other => other.clone(),
    }
}

/// Objects become one; anything else that meets at one place stands there side by side, as in an array.
fn merged(one: Value, other: Value) -> Value {
    match (one, other) {
        (Value::Object(mut one), Value::Object(other)) => {
            for (key, value) in other {
                let both = match one.remove(&key) {
                    Some(there) => merged(there, value),
                    None => value,
                };
                one.insert(key, both);
            }
            Value::Object(one)
        }
        (one, other) => Value::Array(vec![one, other]),
    }
}
