//! What the history of a run over many objects tells while it is written.

use serde_json::Value;
use transload_wire::{Counts, Found, ListOutput, ReportOutput, WorkPlace};

use crate::view::text;

/// A run as far as its own history tells. What children do is not in it.
#[derive(Debug, Default)]
pub(crate) struct SyncStory {
    /// The state it is in, or was in last.
    pub(crate) state: String,
    /// What was listed so far.
    pub(crate) found: Found,
    /// Where lists and report stand, once something was listed.
    pub(crate) work: Option<WorkPlace>,
    /// What became of everything, once Report has told.
    pub(crate) counts: Option<Counts>,
    /// Times that a Map began anew over what had failed.
    pub(crate) rounds: u32,
    /// Id of the newest event that was read.
    pub(crate) last_event: u64,
}

impl SyncStory {
    /// Reads on. Events may come again; those that are known are passed over.
    pub(crate) fn read(&mut self, events: &[Value]) {
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
        }
    }

    fn succeeded(&mut self, output: &str) {
        let Ok(mut output) = serde_json::from_str::<Value>(output) else { return };
        let payload = output["Payload"].take();
        match self.state.as_str() {
            "List" => {
                if let Ok(listed) = serde_json::from_value::<ListOutput>(payload) {
                    (self.found, self.work) = (listed.found, Some(listed.work));
                }
            }
            "Report" => {
                if let Ok(report) = serde_json::from_value::<ReportOutput>(payload) {
                    self.rounds += u32::from(report.again);
                    self.counts = Some(report.counts);
                }
            }
            _ => {}
        }
    }

    /// Objects and bytes that are to be sent.
    pub(crate) fn to_send(&self) -> (u64, u64) {
        let Found { small, large, .. } = &self.found;
        (small.objects + large.objects, small.bytes + large.bytes)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::SyncStory;

    fn list(id: u64, objects: u64) -> [Value; 2] {
        let found = json!({"listed": {"objects": objects, "bytes": 10}, "small": {"objects": 2, "bytes": 4},
            "large": {"objects": 1, "bytes": 5}});
        let output = json!({"Payload": {"left": null, "found": found, "work": {"bucket": "b", "prefix": "p/"},
            "sync": {}, "options": {}, "requests": {}}});
        [
            json!({"id": id, "type": "TaskStateEntered", "stateEnteredEventDetails": {"name": "List"}}),
            json!({"id": id + 1, "type": "TaskSucceeded", "taskSucceededEventDetails": {"output": output.to_string()}}),
        ]
    }

    #[test]
    fn the_newest_listing_counts_and_events_count_once() {
        let mut story = SyncStory::default();
        story.read(&list(1, 3));
        story.read(&list(3, 7));
        story.read(&list(1, 3));
        assert_eq!((story.found.listed.objects, story.last_event), (7, 4));
        assert_eq!(story.to_send(), (3, 9));
        assert_eq!(story.work.unwrap().prefix, "p/");
    }
}
