//! How a packing ended, or stands.

use serde::Serialize;
use serde_json::Value;
use transload_pack::Packed;
use transload_wire::{CompleteOutput, LeftOut, Requests, Tree};

use super::Alone;
use super::story::{PackedSoFar, Story};
use crate::deployed::Deployed;
use crate::ended::Ended;
use crate::exit::Outcome;
use crate::machine::Machine;
use crate::summary::{checksum, counts};
use crate::table::pairs;
use crate::units;

/// What is known of a packing.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Packing {
    #[serde(flatten)]
    ended: Ended,
    /// The tree.
    source: String,
    /// The archive; absent before it was begun.
    #[serde(skip_serializing_if = "Option::is_none")]
    destination: Option<String>,
    /// Its format.
    #[serde(skip_serializing_if = "Option::is_none")]
    format: Option<String>,
    /// Parts that were sent.
    parts: u32,
    /// What it holds, and what was found and is not in it.
    packed: Packed,
    /// How it was completed.
    #[serde(skip_serializing_if = "Option::is_none")]
    result: Option<CompleteOutput>,
    /// Requests of its workers.
    requests: Requests,
}

impl Alone for Packing {
    type Story = Story<PackedSoFar>;
    const WHAT: &str = "packing";
    const PREFIX: &str = super::PACK;

    async fn start(on: &Machine, name: &str, input: String) -> Outcome<String> {
        on.start_pack(name, input).await
    }

    async fn start_deployed(on: &Deployed, name: &str, input: String) -> Outcome<String> {
        on.start_pack(name, input).await
    }

    fn of(ended: Ended, input: &Value, story: Self::Story) -> Self {
        let source: Option<Tree> = serde_json::from_value(input["source"].clone()).ok();
        let PackedSoFar { begun, packed, parts, result } = story.so_far;
        Self {
            ended,
            source: source.map(|tree| tree.to_string()).unwrap_or_default(),
            destination: begun.as_ref().map(|begun| begun.destination.to_string()),
            format: begun.as_ref().map(|begun| begun.format.to_string()),
            parts,
            packed,
            result,
            requests: story.requests,
        }
    }

    fn ended(&self) -> &Ended {
        &self.ended
    }

    fn lines(&self) -> String {
        let Packed { objects, bytes, left_out: not_in_it } = &self.packed;
        let mut rows = self.ended.head();
        rows.push(("source", self.source.clone()));
        rows.extend(self.destination.clone().map(|destination| ("destination", destination)));
        rows.push((
            "packed",
            format!("{}  {}", units::count(*objects, "object", "objects"), units::size(*bytes)),
        ));
        rows.extend(left_out(not_in_it));
        if let Some(result) = &self.result {
            let parts = units::count(result.parts.into(), "part", "parts");
            rows.push((
                "size",
                format!("{} in {parts}{}", units::size(result.size), share(result.size, *bytes)),
            ));
        }
        rows.push(("time", self.ended.time(*bytes)));
        rows.push(("requests", counts(&self.requests)));
        if let Some(found) = self.result.as_ref().and_then(|result| result.checksum.as_ref()) {
            rows.push(("checksum", checksum(found)));
        }
        pairs(&rows)
    }
}

fn share(size: u64, of: u64) -> String {
    if of == 0 {
        String::new()
    } else {
        format!("  {} % of what it holds", u128::from(size) * 100 / u128::from(of))
    }
}

/// By reason, with the first names.
pub(super) fn left_out(found: &LeftOut) -> Option<(&'static str, String)> {
    let reasons: Vec<String> =
        found.reasons.iter().map(|(reason, count)| format!("{reason} {count}")).collect();
    let shown: Vec<String> = found.examples.iter().take(3).map(|one| format!("{:?}", one.name)).collect();
    let told = || format!("{} (such as {})", reasons.join(", "), shown.join(", "));
    (!reasons.is_empty()).then(|| ("left out", told()))
}

#[cfg(test)]
mod tests {
    use super::{LeftOut, left_out, share};

    #[test]
    fn what_is_left_out_is_told_with_its_reason() {
        let mut found = LeftOut::default();
        ["a", "b c"].iter().for_each(|name| found.add(name, "symbolicLink"));
        let (_, told) = left_out(&found).unwrap();
        assert_eq!(told, r#"symbolicLink 2 (such as "a", "b c")"#);
        assert_eq!(left_out(&LeftOut::default()), None);
        assert_eq!((share(1, 3).as_str(), share(1, 0).as_str()), ("  33 % of what it holds", ""));
    }
}
