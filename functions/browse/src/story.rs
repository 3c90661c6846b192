//! What an execution's history tells while it is written: where it is, what is to be moved, what is there already.

use serde_json::Value;
use transload_wire::{CompleteOutput, Decision, HeadOutput, InitOutput, PartOutput, PartRecord, Requests};

/// An execution as far as its own history tells. Children are not in it.
#[derive(Debug, Default)]
pub struct Story {
    /// The state it is in, or was in last.
    pub state: String,
    /// What Head found.
    pub head: Option<HeadOutput>,
    /// What Init gave out in the newest round.
    pub init: Option<InitOutput>,
    /// How the transfer was completed.
    pub result: Option<CompleteOutput>,
    /// Rounds begun.
    pub rounds: u32,
    /// What became of the parts that one worker sent, in all rounds; those of children are in their outputs.
    pub sent: Vec<PartRecord>,
    /// How many of these before the newest round.
    sent_before: usize,
    /// Requests that the states' workers reported.
    pub requests: Requests,
    /// Failed attempts of its tasks, by error.
    pub failures: Requests,
    /// Id of the newest event that was read.
    pub last_event: u64,
}

impl Story {
    /// Reads on. Events may come again; those that are known are passed over.
    pub fn read(&mut self, events: &[Value]) {
        for event in events {
            let id = event["id"].as_u64().unwrap_or_default();
            if id > self.last_event {
                self.last_event = id;
                self.event(event);
            }
        }
    }

    fn event(&mut self, event: &Value) {
        let kind = text(event, "type");
        if kind.ends_with("StateEntered") {
            text(&event["stateEnteredEventDetails"], "name").clone_into(&mut self.state);
        } else if kind == "TaskSucceeded" {
            self.succeeded(text(&event["taskSucceededEventDetails"], "output"));
        } else if let Some(error) = failure(event) {
            *self.failures.entry(error.to_owned()).or_default() += 1;
        }
    }

    /// Takes what it knows out of a task's output; a state of a later release is passed over.
    fn succeeded(&mut self, output: &str) {
        let Ok(mut output) = serde_json::from_str::<Value>(output) else { return };
        let payload = output["Payload"].take();
        add(&mut self.requests, &payload["requests"]);
        match self.state.as_str() {
            "Head" | "Recheck" => self.head = serde_json::from_value(payload).ok().or(self.head.take()),
            "Init" => {
                self.init = serde_json::from_value(payload).ok();
                self.rounds += 1;
                self.sent_before = self.sent.len();
            }
            "OneWorker" => {
                if let Ok(output) = serde_json::from_value::<PartOutput>(payload) {
                    self.sent.extend(output.parts);
                }
            }
            "Copy" | "CopyFollowed" | "Complete" => self.result = serde_json::from_value(payload).ok(),
            _ => {}
        }
    }

    /// Bytes to be moved, once they are known; none for what is skipped.
    #[must_use]
    pub fn size(&self) -> Option<u64> {
        let head = self.head.as_ref()?;
        Some(if head.decision == Decision::Skip { 0 } else { head.source.size })
    }

    /// Parts of the object; 0 if it goes whole.
    #[must_use]
    pub fn parts(&self) -> u32 {
        let layout = self.head.as_ref().and_then(|head| head.layout.as_ref());
        layout.map_or(0, transload_plan::Layout::count)
    }

    /// Parts and bytes that were there when the newest round began.
    #[must_use]
    pub fn present(&self) -> (u64, u64) {
        let missing = self.init.as_ref().map(|init| init.bytes_missing);
        let bytes = self.size().unwrap_or_default().saturating_sub(missing.unwrap_or(u64::MAX));
        (self.init.as_ref().map_or(0, |init| u64::from(init.parts_present)), bytes)
    }
}

impl Story {
    /// Whether one worker sends all that is missing in the newest round.
    #[must_use]
    pub fn is_alone(&self) -> bool {
        self.init.as_ref().is_some_and(|init| init.one_worker)
    }

    /// Parts and bytes that one worker sent in the newest round.
    #[must_use]
    pub fn sent_alone(&self) -> (u64, u64) {
        let sent = self.sent.get(self.sent_before..).unwrap_or_default();
        (sent.len() as u64, sent.iter().map(|part| part.size).sum())
    }
}

/// A text field of an answer; empty if it is not there.
#[must_use]
pub fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value[field].as_str().unwrap_or_default()
}

/// The error of an attempt that failed, whatever form its event has.
#[must_use]
pub fn failure(event: &Value) -> Option<&str> {
    let kind = text(event, "type");
    let details = match kind {
        "TaskFailed" => "taskFailedEventDetails",
        "TaskTimedOut" => "taskTimedOutEventDetails",
        "TaskStartFailed" => "taskStartFailedEventDetails",
        "TaskSubmitFailed" => "taskSubmitFailedEventDetails",
        _ => return None,
    };
    event[details]["error"].as_str().or(Some(kind))
}

/// Adds counts by name.
pub fn add(sum: &mut Requests, counts: &Value) {
    for (name, count) in counts.as_object().into_iter().flatten() {
        *sum.entry(name.clone()).or_default() += count.as_u64().unwrap_or_default();
    }
}

#[cfg(test)]
mod tests {
    use super::Story;
    use serde_json::{Value, json};

    fn events() -> Vec<Value> {
        let output = json!({"Payload": {"upload": {"uploadId": "u"}, "batches": [], "partsMissing": 3,
            "bytesMissing": 24, "partsPresent": 2, "maxConcurrency": 4, "oneWorker": true,
            "partsInFlight": 8, "backoffSeconds": 5,
            "requests": {"ListParts": 1}}});
        vec![
            json!({"id": 1, "type": "ExecutionStarted"}),
            json!({"id": 2, "type": "TaskStateEntered", "stateEnteredEventDetails": {"name": "Init"}}),
            json!({"id": 3, "type": "TaskFailed", "taskFailedEventDetails": {"error": "Throttled"}}),
            json!({"id": 4, "type": "TaskSucceeded", "taskSucceededEventDetails": {"output": output.to_string()}}),
        ]
    }

    #[test]
    fn a_history_is_read_once_however_often_it_comes() {
        let mut story = Story::default();
        story.read(&events()[..3]);
        story.read(&events());
        story.read(&events());
        assert_eq!((story.state.as_str(), story.rounds, story.last_event), ("Init", 1, 4));
        assert_eq!(story.requests, [("ListParts".to_owned(), 1)].into());
        assert_eq!(story.failures, [("Throttled".to_owned(), 1)].into());
        assert_eq!(story.init.unwrap().parts_missing, 3);
    }

    #[test]
    fn what_one_worker_sent_counts_for_its_round() {
        let part =
            json!({"partNumber": 3, "size": 8, "etag": "e", "attempts": 1, "reads": 1, "durationMs": 5});
        let output = json!({"Payload": {"parts": [part], "requests": {"UploadPart": 1}}}).to_string();
        let mut story = Story::default();
        story.read(&events());
        story.read(&[
            json!({"id": 5, "type": "TaskStateEntered", "stateEnteredEventDetails": {"name": "OneWorker"}}),
            json!({"id": 6, "type": "TaskSucceeded", "taskSucceededEventDetails": {"output": output}}),
        ]);
        assert!(story.is_alone());
        assert_eq!((story.sent_alone(), story.requests["UploadPart"]), ((1, 8), 1));
        let mut next = events();
        next.iter_mut().for_each(|event| event["id"] = json!(event["id"].as_u64().unwrap() + 6));
        story.read(&next);
        assert_eq!((story.sent_alone(), story.sent.len()), ((0, 0), 1));
    }
}
