//! How an unpacking ended, or stands.

use serde::Serialize;
use serde_json::Value;
use transload_unpack::Unpacked;
use transload_wire::{Requests, Tree};

use super::Alone;
use super::packing::left_out;
use super::story::{Story, UnpackedSoFar};
use crate::deployed::Deployed;
use crate::ended::Ended;
use crate::exit::Outcome;
use crate::machine::Machine;
use crate::summary::counts;
use crate::table::pairs;
use crate::units;

/// What is known of an unpacking.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Unpacking {
    #[serde(flatten)]
    ended: Ended,
    /// The archive, at the version that is read; absent before it was pinned.
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<String>,
    /// Where its files go.
    destination: String,
    /// What became of what it holds.
    unpacked: Unpacked,
    /// Requests of its workers.
    requests: Requests,
}

impl Alone for Unpacking {
    type Story = Story<UnpackedSoFar>;
    const WHAT: &str = "unpacking";
    const PREFIX: &str = super::UNPACK;

    async fn start(on: &Machine, name: &str, input: String) -> Outcome<String> {
        on.start_unpack(name, input).await
    }

    async fn start_deployed(on: &Deployed, name: &str, input: String) -> Outcome<String> {
        on.start_unpack(name, input).await
    }

    fn of(ended: Ended, input: &Value, story: Self::Story) -> Self {
        let destination: Option<Tree> = serde_json::from_value(input["destination"].clone()).ok();
        let UnpackedSoFar { archive, unpacked, .. } = story.so_far;
        Self {
            ended,
            source: archive.map(|archive| archive.source.object.to_string()),
            destination: destination.map(|tree| tree.to_string()).unwrap_or_default(),
            unpacked,
            requests: story.requests,
        }
    }

    fn ended(&self) -> &Ended {
        &self.ended
    }

    fn lines(&self) -> String {
        let Unpacked { objects, bytes, present, left_out: not_written } = &self.unpacked;
        let mut rows = self.ended.head();
        rows.extend(self.source.clone().map(|source| ("source", source)));
        rows.push(("destination", self.destination.clone()));
        rows.push((
            "unpacked",
            format!("{}  {}", units::count(*objects, "file", "files"), units::size(*bytes)),
        ));
        if *present > 0 {
            rows.push(("there", units::count(*present, "file", "files")));
        }
        rows.extend(left_out(not_written));
        rows.push(("time", self.ended.time(*bytes)));
        rows.push(("requests", counts(&self.requests)));
        pairs(&rows)
    }
}
