//! One child of a Map, as the ResultWriter tells it.

use std::collections::HashMap;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use transload_wire::{Doomed, ErrorName, Failure, Item, Large, ObjectKey, ObjectRecord, Outcome, Requests};

use crate::time;

/// Why an object is left out that is archived: as List says it.
const ARCHIVED: &str = "archived";

/// Which Map it is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// Small objects.
    Batches,
    /// Large ones.
    Large,
    /// Deletions.
    Deletes,
}

impl Kind {
    pub(crate) const ALL: [Self; 3] = [Self::Batches, Self::Large, Self::Deletes];

    /// The folder of its lists and results.
    pub(crate) fn folder(self) -> &'static str {
        match self {
            Self::Batches => "batches",
            Self::Large => "large",
            Self::Deletes => "deletes",
        }
    }
}

/// A line of a result file. Its other fields are not of use here.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Line {
    status: String,
    input: Option<String>,
    output: Option<String>,
    error: Option<String>,
    cause: Option<String>,
    stop_date: Option<String>,
}

/// What a child gives.
#[derive(Deserialize)]
struct Output {
    records: Vec<ObjectRecord>,
    #[serde(default)]
    requests: Vec<Requests>,
}

/// What a child was given, as far as it names objects.
#[derive(Deserialize, Default)]
struct Input {
    #[serde(default)]
    left: Vec<Left>,
    item: Option<Large>,
    #[serde(default)]
    objects: Vec<Doomed>,
}

#[derive(Deserialize)]
struct Left {
    item: Item,
}

/// An object that a child was to see to.
#[derive(Debug, Clone)]
pub(crate) enum Object {
    Small(Item),
    Large(Large),
    Doomed(Doomed),
}

impl Object {
    fn key(&self) -> &ObjectKey {
        match self {
            Self::Small(item) => &item.key,
            Self::Large(large) => &large.key,
            Self::Doomed(doomed) => &doomed.key,
        }
    }

    fn size(&self) -> u64 {
        match self {
            Self::Small(item) => item.size,
            Self::Large(large) => large.size,
            Self::Doomed(doomed) => doomed.size,
        }
    }
}

/// A child: what became of its objects.
pub(crate) struct Child {
    /// One record an object.
    pub(crate) records: Vec<ObjectRecord>,
    /// When it ended, in milliseconds.
    pub(crate) stopped: Option<u64>,
    /// Requests it sent, call by call.
    pub(crate) requests: Vec<Requests>,
    input: Option<String>,
    place: String,
}

impl Child {
    /// Reads a line of a result file. A child that did not succeed failed for each of its objects.
    ///
    /// # Errors
    /// `Internal` for what is no result of ours.
    pub(crate) fn read(line: &[u8], place: &str) -> Result<Self, Failure> {
        let line: Line = json(line, place)?;
        let mut child = Self {
            records: Vec::new(),
            stopped: line.stop_date.as_deref().and_then(time::millis),
            requests: Vec::new(),
            input: line.input,
            place: place.to_owned(),
        };
        match line.output.filter(|_| line.status == "SUCCEEDED") {
            Some(output) => {
                let output: Output = json(output.as_bytes(), place)?;
                child.records = output.records.into_iter().map(unfolded).collect();
                child.requests = output.requests;
            }
            None => {
                let error = line.error.unwrap_or(line.status);
                let failed = |object: &Object| failed(object, &error, line.cause.as_deref());
                child.records = child.objects()?.iter().map(failed).collect();
            }
        }
        Ok(child)
    }

    /// The objects of its input.
    fn objects(&self) -> Result<Vec<Object>, Failure> {
        let input = self.input.as_deref().ok_or_else(|| {
            ErrorName::Internal.because(format!("{}: expected a child's Input, found none", self.place))
        })?;
        let input: Input = json(input.as_bytes(), &self.place)?;
        let small = input.left.into_iter().map(|left| Object::Small(left.item));
        let large = input.item.into_iter().map(Object::Large);
        Ok(small.chain(large).chain(input.objects.into_iter().map(Object::Doomed)).collect())
    }

    /// What a list could not tell of an object is no failure of a run that leaves out what is archived.
    pub(crate) fn skip_archived(&mut self) {
        for record in self.records.iter_mut().filter(|record| is_archived(record)) {
            record.outcome = Outcome::Skipped;
            record.error = Some(ARCHIVED.to_owned());
        }
    }

    /// Those of its objects that failed, as they were given to it, and whether each is in an archive tier.
    ///
    /// # Errors
    /// `Internal` for an object that it was not given.
    pub(crate) fn failed_objects(&self) -> Result<Vec<(Object, bool)>, Failure> {
        let failed: Vec<_> = self.records.iter().filter(|record| record.outcome == Outcome::Failed).collect();
        if failed.is_empty() {
            return Ok(Vec::new());
        }
        let objects = self.objects()?;
        let by_key: HashMap<_, _> = objects.iter().map(|object| (object.key(), object)).collect();
        let find = |record: &ObjectRecord| {
            let found = by_key.get(&record.key).map(|object| ((*object).clone(), is_archived(record)));
            found.ok_or_else(|| {
                let message = format!("{}: expected {} in the child's Input", self.place, record.key);
                ErrorName::Internal.because(format!("{message}, found none"))
            })
        };
        failed.into_iter().map(find).collect()
    }
}

/// Whether an object failed because it has to be restored first. A class that archives by itself does not say so in lists.
pub(crate) fn is_archived(record: &ObjectRecord) -> bool {
    record.outcome == Outcome::Failed && record.error.as_deref() == Some(ErrorName::SourceArchived.as_str())
}

fn json<T: DeserializeOwned>(text: &[u8], place: &str) -> Result<T, Failure> {
    serde_json::from_slice(text)
        .map_err(|error| ErrorName::Internal.because(format!("{place}: no result of a child: {error}")))
}

fn failed(object: &Object, error: &str, cause: Option<&str>) -> ObjectRecord {
    unfolded(ObjectRecord {
        key: object.key().clone(),
        outcome: Outcome::Failed,
        size: object.size(),
        etag: None,
        duration_ms: 0,
        error: Some(error.to_owned()),
        cause: cause.map(str::to_owned),
    })
}

/// The error of a nested execution or of a function stands as JSON in the cause: its own words are what helps.
fn unfolded(mut record: ObjectRecord) -> ObjectRecord {
    let parsed = |text: &str| serde_json::from_str::<Value>(text).ok().filter(Value::is_object);
    let text = |value: &Value, field: &str| value[field].as_str().map(str::to_owned);
    let mut execution = None;
    while let Some(value) = record.cause.as_deref().and_then(parsed) {
        let inner = ["Cause", "errorMessage"].into_iter().find_map(|field| text(&value, field));
        execution = execution.or_else(|| text(&value, "ExecutionArn"));
        let name = ["Error", "errorType"].into_iter().find_map(|field| text(&value, field));
        record.error = name.or_else(|| text(&value, "Status")).or(record.error);
        record.cause = inner;
    }
    if let Some(arn) = execution {
        record.cause = Some(format!("{} ({arn})", record.cause.unwrap_or_default()).trim().to_owned());
    }
    record
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use transload_wire::Outcome;

    use super::Child;

    fn read(line: &serde_json::Value) -> Child {
        Child::read(line.to_string().as_bytes(), "SUCCEEDED_0.jsonl").unwrap()
    }

    #[test]
    fn a_nested_execution_tells_its_own_error_and_where_to_look() {
        let lambda = json!({"errorType": "SourceChanged", "errorMessage": "expected ETag a"}).to_string();
        let nested =
            json!({"Error": "SourceChanged", "Cause": lambda, "ExecutionArn": "arn:x", "Status": "FAILED"});
        let record = json!({"key": "k", "outcome": "failed", "size": 7, "durationMs": 0,
            "error": "States.TaskFailed", "cause": nested.to_string()});
        let child = read(&json!({"Status": "SUCCEEDED", "Output": json!({"records": [record]}).to_string()}));
        let record = &child.records[0];
        assert_eq!(record.error.as_deref(), Some("SourceChanged"));
        assert_eq!(record.cause.as_deref(), Some("expected ETag a (arn:x)"));
    }

    #[test]
    fn a_child_that_failed_fails_each_of_its_objects() {
        let item = |key: &str| json!({"item": {"key": key, "size": 3, "etag": "e"}});
        let input = json!({"left": [item("a"), item("b")], "tries": 0, "records": []}).to_string();
        for (status, error) in [("FAILED", Some("Lambda.Unknown")), ("TIMED_OUT", None), ("PENDING", None)] {
            let child = read(&json!({"Status": status, "Input": input, "Error": error}));
            assert_eq!(child.records.len(), 2, "{status}");
            assert!(child.records.iter().all(|r| (r.outcome, r.size) == (Outcome::Failed, 3)));
            assert_eq!(child.records[1].error.as_deref(), Some(error.unwrap_or(status)));
            assert_eq!(child.failed_objects().unwrap().len(), 2);
        }
    }
}
