//! One history: its events follow one another, its beginning and its end are those of the execution, its states are those of the
//! definition.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::story::text;

/// The states of a definition, those of its Maps and branches included: by name, their types.
pub(super) type States = BTreeMap<String, BTreeSet<String>>;

/// Collects them.
pub(super) fn states(definition: &Value) -> States {
    fn collect(value: &Value, found: &mut States) {
        match value {
            Value::Object(members) => {
                for (name, state) in members.get("States").and_then(Value::as_object).into_iter().flatten() {
                    let kind = text(state, "Type").to_owned();
                    found.entry(name.clone()).or_default().insert(kind);
                }
                members.values().for_each(|member| collect(member, found));
            }
            Value::Array(items) => items.iter().for_each(|item| collect(item, found)),
            _ => {}
        }
    }
    let mut found = States::new();
    collect(definition, &mut found);
    found
}

/// A history that is being read.
pub(super) struct History {
    execution: Value,
    last: u64,
    time: f64,
    end: Option<Value>,
}

impl History {
    /// Of DescribeExecution.
    pub(super) fn of(execution: Value) -> Self {
        Self { execution, last: 0, time: f64::MIN, end: None }
    }

    /// The execution's ARN.
    pub(super) fn arn(&self) -> &str {
        text(&self.execution, "executionArn")
    }

    fn wrong(&self, id: u64, why: impl std::fmt::Display) -> String {
        format!("{}, event {id}: {why}", self.arn())
    }

    /// The next event.
    pub(super) fn event(&mut self, event: &Value, states: &States) -> Result<(), String> {
        let expected = self.last + 1;
        let id = event["id"].as_u64().unwrap_or_default();
        if id != expected {
            return Err(self.wrong(expected, format!("expected this id, found {}", event["id"])));
        }
        let previous = &event["previousEventId"];
        if previous.as_u64().is_none_or(|previous| previous >= id) {
            return Err(self.wrong(id, format!("expected an earlier event before it, found {previous}")));
        }
        let time = event["timestamp"].as_f64().unwrap_or(f64::MIN);
        if time < self.time {
            return Err(self.wrong(id, "its time is before that of the event before it"));
        }
        let kind = text(event, "type");
        if id == 1 {
            self.began(event, kind)?;
        }
        if let Some(of) = kind.strip_suffix("StateEntered") {
            let name = text(&event["stateEnteredEventDetails"], "name");
            if !states.get(name).is_some_and(|kinds| kinds.contains(of)) {
                return Err(self.wrong(id, format!("the definition has no {of} state {name:?}")));
            }
        }
        self.end = ended(kind).map(|_| event.clone());
        (self.last, self.time) = (id, time);
        Ok(())
    }

    fn began(&self, event: &Value, kind: &str) -> Result<(), String> {
        let input = text(&event["executionStartedEventDetails"], "input");
        if kind != "ExecutionStarted" {
            return Err(self.wrong(1, format!("expected ExecutionStarted, found {kind}")));
        }
        if input != text(&self.execution, "input") {
            return Err(self.wrong(1, "its input is not the execution's"));
        }
        Ok(())
    }

    /// Its last event was read: how many there were.
    pub(super) fn finish(self) -> Result<u64, String> {
        let status = text(&self.execution, "status").to_owned();
        if self.last == 0 {
            return Err(format!("{}: expected events, found none", self.arn()));
        }
        if !crate::evidence::is_over(&status) {
            return Ok(self.last);
        }
        let end = self.end.as_ref().ok_or_else(|| {
            self.wrong(
                self.last,
                format!("expected the end of an execution that is {status}, found another event"),
            )
        })?;
        let (told, details) = ended(text(end, "type")).unwrap_or_default();
        if told != status {
            return Err(self.wrong(
                self.last,
                format!("expected the end of an execution that is {status}, found {}", text(end, "type")),
            ));
        }
        for field in ["output", "error", "cause"] {
            let (told, known) = (&end[details][field], &self.execution[field]);
            // Of a timeout the service may tell the error in one of the two places only.
            let one = field != "output" && (told.is_null() || known.is_null());
            if told != known && !one {
                return Err(self.wrong(self.last, format!("its {field} is not the execution's")));
            }
        }
        Ok(self.last)
    }
}

/// The status that an event ends an execution with, and where its details stand.
fn ended(kind: &str) -> Option<(&'static str, &'static str)> {
    Some(match kind {
        "ExecutionSucceeded" => ("SUCCEEDED", "executionSucceededEventDetails"),
        "ExecutionFailed" => ("FAILED", "executionFailedEventDetails"),
        "ExecutionTimedOut" => ("TIMED_OUT", "executionTimedOutEventDetails"),
        "ExecutionAborted" => ("ABORTED", "executionAbortedEventDetails"),
        _ => return None,
    })
}
