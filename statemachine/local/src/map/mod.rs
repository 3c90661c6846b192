//! Maps: their items, and DISTRIBUTED runs with children that are executions.
mod attempt;
mod batch;
mod child;
mod csv;
mod dispatch;
mod inventory;
mod pace;
mod reader;
mod run;
mod source;
mod writer;

pub(crate) use attempt::distributed;
pub(crate) use child::started;
pub(crate) use run::{Body, MapRun};
pub(crate) use source::STATE_DATA;

use crate::asl::{Items, MapState};
use crate::exec::{Failure, Item, View, unexpected};
use crate::query::Fault;
use serde_json::Value;

/// Between the parts of an address. No name of a state can hold it: they are refused control characters nowhere, but a
/// clash would need the very sequence of parts of another place.
const SEPARATOR: char = '\u{1f}';

/// The address of a flow inside a state: `segment` is a branch's number, or `*` for a Map's processor.
pub(crate) fn address(base: &str, state: &str, segment: &str) -> String {
    format!("{base}{state}{SEPARATOR}{segment}{SEPARATOR}")
}

/// The items of a Map without a reader.
pub(crate) fn items(view: &View<'_>, map: &MapState) -> Result<Vec<Value>, Failure> {
    let wrong = |found: &Value| {
        let mut failure = view.runtime(format!("Map state input must be an array but was: {found}"));
        if view.state.language == crate::asl::Language::Jsonata {
            failure = Failure {
                error: Some("States.QueryEvaluationError".to_owned()),
                terminal: false,
                evaluation: Some(None),
                ..failure
            };
        }
        failure
    };
    match &map.items {
        Items::Input => view.input.as_array().cloned().ok_or_else(|| wrong(view.input)),
        Items::Path(path) => match view.path(path)? {
            Value::Array(items) => Ok(items),
            _ => Err(view.runtime(format!("Reference path \"{}\" must point to array.", path.text()))),
        },
        Items::Template(template) => match view.evaluate(template, "Items")? {
            Value::Array(items) => Ok(items),
            other => {
                let cause = unexpected(&template.source(), "Items", "array", &other);
                Err(view.fail(crate::query::QueryError {
                    fault: Fault::Evaluation,
                    cause,
                    location: Some("Items".to_owned()),
                }))
            }
        },
    }
}

/// What a child gets for an item.
pub(crate) fn select(view: &View<'_>, map: &MapState, item: &Item) -> Result<Value, Failure> {
    match &map.selector {
        None => Ok((*item.value).clone()),
        Some(template) => View { item: Some(item), ..*view }.evaluate(template, map.selector_field),
    }
}
