//! What the history of a packing or an unpacking tells while it is written.

use serde::de::DeserializeOwned;
use serde_json::Value;
use transload_browse::story::add;
use transload_pack::{Begun, PackOutput, Packed};
use transload_unpack::{Archive, UnpackOutput, Unpacked};
use transload_wire::{CompleteOutput, Requests};

use crate::progress::Step;
use crate::units;
use crate::view::text;
use crate::watch::Told;

/// What the tasks of an execution told, in order.
#[derive(Debug, Default)]
pub(crate) struct Story<F> {
    /// The state it is in, or was in last.
    pub(crate) state: String,
    /// Requests that the workers reported.
    pub(crate) requests: Requests,
    /// What is known so far.
    pub(crate) so_far: F,
    last_event: u64,
}

/// Takes what a task of some state told.
pub(crate) trait SoFar: Default {
    /// An output of another form is passed over.
    fn take(&mut self, state: &str, payload: Value);

    /// Bytes that were seen to.
    fn bytes(&self) -> u64;

    /// How far it is; empty at the beginning.
    fn note(&self) -> String;
}

impl<F: SoFar> Told for Story<F> {
    const MAPS: &[&str] = &[];

    fn state(&self) -> &str {
        &self.state
    }

    fn last_event(&self) -> u64 {
        self.last_event
    }

    fn read(&mut self, events: &[Value]) {
        for event in events {
            let id = event["id"].as_u64().unwrap_or_default();
            if id <= self.last_event {
                continue;
            }
            self.last_event = id;
            let kind = text(event, "type");
            if kind.ends_with("StateEntered") {
                text(&event["stateEnteredEventDetails"], "name").clone_into(&mut self.state);
            } else if kind == "TaskSucceeded" {
                let output = text(&event["taskSucceededEventDetails"], "output");
                let Ok(mut output) = serde_json::from_str::<Value>(output) else { continue };
                let payload = output["Payload"].take();
                add(&mut self.requests, &payload["requests"]);
                self.so_far.take(&self.state, payload);
            }
        }
    }

    /// How much there is, nobody knows before all is done.
    fn step(&self, _map_run: &Value) -> Step {
        Step {
            state: self.state.clone(),
            bytes: self.so_far.bytes(),
            note: self.so_far.note(),
            ..Step::default()
        }
    }
}

/// What was packed so far.
#[derive(Debug, Default)]
pub(crate) struct PackedSoFar {
    /// The archive that is being written.
    pub(crate) begun: Option<Begun>,
    /// What it holds.
    pub(crate) packed: Packed,
    /// Parts that were sent.
    pub(crate) parts: u32,
    /// How it was completed.
    pub(crate) result: Option<CompleteOutput>,
}

impl SoFar for PackedSoFar {
    fn take(&mut self, state: &str, payload: Value) {
        match state {
            "Begin" | "Pack" => {
                let Some(told) = of::<PackOutput>(payload) else { return };
                if let Some(left) = told.left {
                    (self.parts, self.packed) = (left.parts, left.packed);
                }
                if let Some(whole) = told.whole {
                    (self.parts, self.packed) = (whole.layout.count(), whole.packed);
                }
                self.begun = Some(told.begun);
            }
            "Complete" => self.result = of(payload),
            _ => {}
        }
    }

    fn bytes(&self) -> u64 {
        self.packed.bytes
    }

    fn note(&self) -> String {
        let Packed { objects, bytes, .. } = &self.packed;
        match self.parts {
            0 => String::new(),
            parts => {
                let parts = units::count(parts.into(), "part", "parts");
                format!("{objects} packed  {} in {parts}", units::size(*bytes))
            }
        }
    }
}

/// What was unpacked so far.
#[derive(Debug, Default)]
pub(crate) struct UnpackedSoFar {
    /// The archive.
    pub(crate) archive: Option<Archive>,
    /// Offset in it.
    pub(crate) at: u64,
    /// What became of what it holds.
    pub(crate) unpacked: Unpacked,
}

impl SoFar for UnpackedSoFar {
    fn take(&mut self, _state: &str, payload: Value) {
        let Some(told) = of::<UnpackOutput>(payload) else { return };
        if let Some(left) = told.left {
            (self.at, self.unpacked) = (left.at, left.unpacked);
        }
        if let Some(unpacked) = told.unpacked {
            (self.at, self.unpacked) = (told.pinned.source.size, unpacked);
        }
        self.archive = Some(told.pinned);
    }

    fn bytes(&self) -> u64 {
        self.unpacked.bytes
    }

    fn note(&self) -> String {
        let size = self.archive.as_ref().map_or(0, |archive| archive.source.size);
        let Unpacked { objects, bytes, .. } = &self.unpacked;
        match self.at {
            0 => String::new(),
            at => format!(
                "{objects} unpacked  {}, {} of {} read",
                units::size(*bytes),
                units::size(at),
                units::size(size)
            ),
        }
    }
}

fn of<T: DeserializeOwned>(payload: Value) -> Option<T> {
    serde_json::from_value(payload).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{PackedSoFar, Story};
    use crate::watch::Told;

    fn call(id: u64, parts: u32, objects: u64) -> [Value; 2] {
        let packed = json!({"objects": objects, "bytes": objects * 10, "leftOut": {}});
        let begun = json!({"destination": {"location": "china", "bucket": "backups", "key": "a.tar"}, "options": {},
            "upload": {"uploadId": "u"}, "token": "0123456789abcdef", "format": "tar", "level": 0, "partSize": 5});
        let output = json!({"Payload": {"begun": begun, "left": {"parts": parts, "after": "k", "packed": packed},
            "whole": null, "requests": {"UploadPart": 1}}});
        [
            json!({"id": id, "type": "TaskStateEntered", "stateEnteredEventDetails": {"name": "Pack"}}),
            json!({"id": id + 1, "type": "TaskSucceeded", "taskSucceededEventDetails": {"output": output.to_string()}}),
        ]
    }

    #[test]
    fn the_newest_call_counts_and_events_count_once() {
        let mut story = Story::<PackedSoFar>::default();
        story.read(&call(1, 1, 3));
        story.read(&call(3, 2, 7));
        story.read(&call(1, 1, 3));
        assert_eq!((story.so_far.parts, story.so_far.packed.objects, story.last_event()), (2, 7, 4));
        assert_eq!(story.requests, [("UploadPart".to_owned(), 2)].into());
        assert_eq!(story.step(&Value::Null).note, "7 packed  70 B in 2 parts");
    }
}
