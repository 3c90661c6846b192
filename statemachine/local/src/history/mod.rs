//! History events: the shape that GetExecutionHistory gives them, and how they are made.
use crate::clock::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// Most events of a Standard execution (facts: 25,000, hard).
pub(crate) const MAX_EVENTS: u64 = 25_000;

/// One event of an execution's history.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HistoryEvent {
    /// When.
    pub timestamp: Timestamp,
    /// `TaskStateEntered` and so on.
    #[serde(rename = "type")]
    pub kind: String,
    /// From 1, without gaps.
    pub id: u64,
    /// The event that led to this one; 0 at the start.
    pub previous_event_id: u64,
    /// `stateEnteredEventDetails` and so on.
    #[serde(flatten)]
    pub details: Map<String, Value>,
}

impl HistoryEvent {
    /// Takes inputs and outputs away, as `includeExecutionData: false` asks for.
    pub(crate) fn without_data(mut self) -> Self {
        for details in self.details.values_mut().filter_map(Value::as_object_mut) {
            for key in ["input", "output", "parameters", "cause", "assignedVariables"] {
                details.remove(key);
            }
        }
        self
    }
}

/// An event that has no id yet.
#[derive(Debug, Clone)]
pub(crate) struct Draft {
    pub(crate) kind: String,
    pub(crate) details: Option<(&'static str, Value)>,
    /// What follows does not follow from this one, but from the one before it.
    pub(crate) aside: bool,
}

impl Draft {
    /// An event with details; null members are left out, as in the API.
    pub(crate) fn new(kind: impl Into<String>, key: &'static str, mut details: Value) -> Self {
        if let Some(map) = details.as_object_mut() {
            map.retain(|_, v| !v.is_null());
        }
        Self { kind: kind.into(), details: Some((key, details)), aside: false }
    }

    /// An event without details.
    pub(crate) fn bare(kind: impl Into<String>) -> Self {
        Self { kind: kind.into(), details: None, aside: false }
    }

    /// The same, as a side remark: see [`Draft::aside`].
    pub(crate) fn beside(mut self) -> Self {
        self.aside = true;
        self
    }

    /// `...StateEntered`.
    pub(crate) fn entered(kind: &str, name: &str, input: &Value) -> Self {
        let details = json!({"name": name, "input": input.to_string(), "inputDetails": {"truncated": false}});
        Self::new(format!("{kind}StateEntered"), "stateEnteredEventDetails", details)
    }

    /// `...StateExited`, with the variables it assigned.
    pub(crate) fn exited(
        kind: &str,
        name: &str,
        output: &Value,
        assigned: Option<&Map<String, Value>>,
    ) -> Self {
        let mut details =
            json!({"name": name, "output": output.to_string(), "outputDetails": {"truncated": false}});
        if let Some(assigned) = assigned.filter(|a| !a.is_empty()) {
            let texts: Map<String, Value> =
                assigned.iter().map(|(k, v)| (k.clone(), Value::String(v.to_string()))).collect();
            details["assignedVariables"] = Value::Object(texts);
            details["assignedVariablesDetails"] = json!({"truncated": false});
        }
        Self::new(format!("{kind}StateExited"), "stateExitedEventDetails", details)
    }

    /// An event about an error.
    pub(crate) fn failed(kind: &str, key: &'static str, error: Option<&str>, cause: Option<&str>) -> Self {
        Self::new(kind, key, json!({"error": error, "cause": cause}))
    }

    /// Writes the event with its place in the history.
    pub(crate) fn write(&self, out: &mut Vec<u8>, id: u64, previous: u64, now: Timestamp) {
        let mut event = json!({"timestamp": now, "type": self.kind, "id": id, "previousEventId": previous});
        if let Some((key, details)) = &self.details {
            event[*key] = details.clone();
        }
        if !out.is_empty() {
            out.push(b',');
        }
        out.extend_from_slice(event.to_string().as_bytes());
    }
}
