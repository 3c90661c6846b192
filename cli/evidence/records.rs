//! What follows from the histories of an execution and of all that belongs to it, read one event after the other. At any time no
//! more is held than two transfers and their parts.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::transfer::{Invoked, ObjectLine, PartLine, Sender, Transfer};
use crate::story::text;

/// A line of `children.jsonl`: the beginning of an execution, or an event of the one that was begun last.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) enum ChildLine {
    /// Begins one.
    Begin(Begin),
    /// An event.
    Event(Value),
}

/// An execution that another one started.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Begin {
    /// ARN of that other one.
    pub(crate) owner: String,
    /// The Map Run that it is a child of; null: a Task started it, as an execution of a machine of its own.
    pub(crate) map_run_arn: Option<String>,
    /// SHA-256 of the definition of an execution of its own: its file below `definitions/`.
    pub(crate) definition: Option<String>,
    /// DescribeExecution.
    pub(crate) execution: Value,
}

/// Calls of each version of each function that were answered.
pub(crate) type Functions = BTreeMap<String, BTreeMap<String, u64>>;

/// What became known of transfers that are over.
#[derive(Debug, Default)]
pub(crate) struct Told {
    /// Lines of `checksums.jsonl`.
    pub(crate) objects: Vec<ObjectLine>,
    /// Lines of `parts.jsonl`.
    pub(crate) parts: Vec<PartLine>,
}

impl Told {
    fn take(&mut self, transfer: Transfer) {
        self.objects.extend(transfer.object());
        self.parts.extend(transfer.parts());
    }
}

/// Reads histories in the order in which a pack has them.
pub(crate) struct Records {
    main: Transfer,
    nested: Option<Transfer>,
    child: Option<(String, Sender)>,
    scheduled: Option<String>,
    last: Option<Invoked>,
    functions: Functions,
}

impl Records {
    /// Of the execution that the pack is of.
    pub(crate) fn of(execution: &Value) -> Self {
        Self {
            main: Transfer::of(execution),
            nested: None,
            child: None,
            scheduled: None,
            last: None,
            functions: Functions::new(),
        }
    }

    /// The next event of that execution; all of them come before the first child.
    pub(crate) fn main_event(&mut self, event: &Value) {
        self.invoked(event);
        self.main.event(event, self.last.as_ref());
    }

    /// The next line of its children.
    pub(crate) fn line(&mut self, line: &ChildLine) -> Told {
        match line {
            ChildLine::Begin(begin) => self.begin(begin),
            ChildLine::Event(event) => {
                self.invoked(event);
                if let (None, Some(nested)) = (&self.child, &mut self.nested) {
                    nested.event(event, self.last.as_ref());
                }
                Told::default()
            }
        }
    }

    fn begin(&mut self, begin: &Begin) -> Told {
        self.close();
        let mut told = Told::default();
        if begin.map_run_arn.is_some() {
            self.child = Some((begin.owner.clone(), Sender::of(&begin.execution)));
        } else if let Some(before) = self.nested.replace(Transfer::of(&begin.execution)) {
            told.take(before);
        }
        told
    }

    /// Hands the last child to the execution that it is of.
    fn close(&mut self) {
        let function = self.last.take();
        self.scheduled = None;
        let Some((owner, sender)) = self.child.take() else { return };
        let nested = self.nested.as_mut().filter(|nested| nested.arn() == owner);
        let of = match nested {
            Some(nested) => nested,
            None if self.main.arn() == owner => &mut self.main,
            None => return,
        };
        of.child(sender, function.as_ref());
    }

    /// Which version answered a call. Tasks of one execution follow one another here.
    fn invoked(&mut self, event: &Value) {
        let json = |text: &str| serde_json::from_str::<Value>(text).unwrap_or_default();
        match text(event, "type") {
            "TaskScheduled" => {
                let parameters = json(text(&event["taskScheduledEventDetails"], "parameters"));
                self.scheduled = parameters["FunctionName"].as_str().map(str::to_owned);
            }
            "TaskSucceeded" => {
                let output = json(text(&event["taskSucceededEventDetails"], "output"));
                let version = output["ExecutedVersion"].as_str();
                if let (Some(function), Some(version)) = (self.scheduled.take(), version) {
                    let calls = self.functions.entry(function.clone()).or_default();
                    *calls.entry(version.to_owned()).or_default() += 1;
                    self.last = Some(Invoked { function, version: version.to_owned() });
                }
            }
            _ => {}
        }
    }

    /// What is left when all was read.
    pub(crate) fn end(mut self) -> (Told, Functions) {
        self.close();
        let mut told = Told::default();
        if let Some(nested) = self.nested.take() {
            told.take(nested);
        }
        told.take(self.main);
        (told, self.functions)
    }
}
