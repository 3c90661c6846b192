//! One object's transfer as its histories tell: what was read, what was written, which parts. The same code writes these records
//! into a pack and compares them with the histories in it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use transload_plan::Layout;
use transload_wire::{CompleteOutput, Destination, HeadOutput, PartRecord, Pinned, Token, UploadId};

use crate::story::{Story, text};

/// A line of `checksums.jsonl`: both ends of one object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct ObjectLine {
    /// The execution that saw to it.
    pub(crate) execution_arn: String,
    /// How that ended.
    pub(crate) status: String,
    /// Why it was sent or not, in Head's words.
    pub(crate) reason: String,
    /// The version that was read, as HEAD told.
    pub(crate) source: Pinned,
    /// Where to.
    pub(crate) destination: Destination,
    /// Written into the destination's metadata by this transfer and no other.
    pub(crate) token: Token,
    /// The destination as HEAD told behind the write, and how it was proven; null if nothing was written.
    pub(crate) written: Option<CompleteOutput>,
}

/// A line of `parts.jsonl`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct PartLine {
    /// The execution that saw to the object.
    pub(crate) execution_arn: String,
    /// The upload.
    pub(crate) upload_id: UploadId,
    /// From 1.
    pub(crate) part_number: u32,
    /// Its first byte in the object.
    pub(crate) offset: u64,
    /// Its bytes.
    pub(crate) size: u64,
    /// What its worker told. Null: no worker told of it. Of an object that was completed it stood at the destination when
    /// Init listed what was missing.
    pub(crate) record: Option<PartRecord>,
    /// The execution that told: a child, or the one that saw to the object where one worker sent all parts.
    pub(crate) child: Option<String>,
    /// The function, and its version.
    pub(crate) function: Option<Invoked>,
}

/// A function that was called.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Invoked {
    /// Its name or ARN, as the definition has it.
    pub(crate) function: String,
    /// The version that ran.
    pub(crate) version: String,
}

/// A child that sent parts.
#[derive(Debug)]
pub(crate) struct Sender {
    arn: String,
    upload: Option<UploadId>,
    stopped: f64,
    parts: Vec<PartRecord>,
}

impl Sender {
    /// Of DescribeExecution; without parts if it is another Map's child, or did not succeed.
    pub(crate) fn of(execution: &Value) -> Self {
        let read = |field: &str| serde_json::from_str::<Value>(text(execution, field)).unwrap_or_default();
        let (mut input, mut output) = (read("input"), read("output"));
        Self {
            arn: text(execution, "executionArn").to_owned(),
            upload: serde_json::from_value(input["upload"]["uploadId"].take()).ok(),
            stopped: execution["stopDate"].as_f64().unwrap_or_default(),
            parts: serde_json::from_value(output["parts"].take()).unwrap_or_default(),
        }
    }
}

struct Sent {
    stopped: f64,
    record: PartRecord,
    child: String,
    function: Option<Invoked>,
}

/// What was proven last, with what it was proven of.
struct Proven {
    head: HeadOutput,
    upload: Option<UploadId>,
    result: CompleteOutput,
}

/// An execution of `object.asl.json`; of another machine it stays empty.
pub(crate) struct Transfer {
    arn: String,
    status: String,
    story: Story,
    proven: Option<Proven>,
    /// Its own tasks that sent parts. Which upload is the one that counts is known at the end.
    alone: Vec<(Sender, Option<Invoked>)>,
    sent: BTreeMap<u32, Sent>,
}

impl Transfer {
    /// Of DescribeExecution.
    pub(crate) fn of(execution: &Value) -> Self {
        Self {
            arn: text(execution, "executionArn").to_owned(),
            status: text(execution, "status").to_owned(),
            story: Story::default(),
            proven: None,
            alone: Vec::new(),
            sent: BTreeMap::new(),
        }
    }

    /// Its ARN.
    pub(crate) fn arn(&self) -> &str {
        &self.arn
    }

    /// The next event, and the function that answered last.
    pub(crate) fn event(&mut self, event: &Value, last: Option<&Invoked>) {
        let sent = self.story.sent.len();
        self.story.read(std::slice::from_ref(event));
        if let Some(parts) = self.story.sent.get(sent..).filter(|parts| !parts.is_empty()) {
            let upload = self.story.init.as_ref().map(|init| init.upload.upload_id.clone());
            let stopped = event["timestamp"].as_f64().unwrap_or_default();
            let sender = Sender { arn: self.arn.clone(), upload, stopped, parts: parts.to_vec() };
            self.alone.push((sender, last.cloned()));
        }
        let state = self.story.state.as_str();
        if text(event, "type") != "TaskSucceeded" || !matches!(state, "Copy" | "CopyFollowed" | "Complete") {
            return;
        }
        if let (Some(head), Some(result)) = (&self.story.head, &self.story.result) {
            let upload = self.story.init.as_ref().filter(|_| state == "Complete");
            self.proven = Some(Proven {
                head: head.clone(),
                upload: upload.map(|init| init.upload.upload_id.clone()),
                result: result.clone(),
            });
        }
    }

    /// A child that ended. Parts of an upload that was given up count for nothing; of two tellings the later one does.
    pub(crate) fn child(&mut self, sender: Sender, function: Option<&Invoked>) {
        let Some((_, upload)) = self.upload() else { return };
        if sender.upload.as_ref() != Some(&upload) {
            return;
        }
        for record in sender.parts {
            let number = record.part_number;
            if self.sent.get(&number).is_none_or(|known| known.stopped <= sender.stopped) {
                let (child, function) = (sender.arn.clone(), function.cloned());
                self.sent.insert(number, Sent { stopped: sender.stopped, record, child, function });
            }
        }
    }

    /// The cut and the upload that the parts are of: of what was proven, else of the newest round.
    fn upload(&self) -> Option<(Layout, UploadId)> {
        let (head, upload) = match &self.proven {
            Some(proven) => (&proven.head, proven.upload.clone()?),
            None => (self.story.head.as_ref()?, self.story.init.as_ref()?.upload.upload_id.clone()),
        };
        Some((head.layout.clone()?, upload))
    }

    /// Both ends of the object; `None` before Head told of it.
    pub(crate) fn object(&self) -> Option<ObjectLine> {
        let head = self.proven.as_ref().map(|proven| &proven.head).or(self.story.head.as_ref())?;
        Some(ObjectLine {
            execution_arn: self.arn.clone(),
            status: self.status.clone(),
            reason: head.reason.clone(),
            source: head.source.clone(),
            destination: head.destination.clone(),
            token: head.token.clone(),
            written: self.proven.as_ref().map(|proven| proven.result.clone()),
        })
    }

    /// All parts of the cut, ascending.
    pub(crate) fn parts(mut self) -> Vec<PartLine> {
        for (sender, function) in std::mem::take(&mut self.alone) {
            self.child(sender, function.as_ref());
        }
        let Some((layout, upload_id)) = self.upload() else { return Vec::new() };
        let (mut lines, mut offset) = (Vec::new(), 0);
        for number in 1..=layout.count() {
            let size = layout.range(number).map(|range| range.len).unwrap_or_default();
            let sent = self.sent.remove(&number);
            let (record, child, function) = match sent {
                Some(sent) => (Some(sent.record), Some(sent.child), sent.function),
                None => (None, None, None),
            };
            let (execution_arn, upload_id) = (self.arn.clone(), upload_id.clone());
            lines.push(PartLine {
                execution_arn,
                upload_id,
                part_number: number,
                offset,
                size,
                record,
                child,
                function,
            });
            offset += size;
        }
        lines
    }
}
