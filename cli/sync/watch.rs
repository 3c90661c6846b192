//! What is shown of a run over many objects of the deployed machine.

use serde_json::Value;
use transload_wire::Tally;

use super::SyncStory;
use crate::progress::Step;
use crate::watch::Told;

impl Told for SyncStory {
    const MAPS: &[&str] = &["Batches", "Large", "Deletes"];

    fn state(&self) -> &str {
        &self.state
    }

    fn last_event(&self) -> u64 {
        self.last_event
    }

    fn read(&mut self, events: &[Value]) {
        Self::read(self, events);
    }

    fn step(&self, map_run: &Value) -> Step {
        step(self, map_run)
    }
}

/// Children that are done stand for their share of what their Map was given: asking each of them costs a request. Of another
/// round only the state is told, for how much it was given stands in its lists alone.
fn step(story: &SyncStory, map_run: &Value) -> Step {
    let found = &story.found;
    let count = |name: &str| map_run["itemCounts"][name].as_u64().unwrap_or_default();
    let ended = count("succeeded") + count("failed");
    let share = |all: Tally| Tally {
        objects: part(all.objects, ended, count("total")),
        bytes: part(all.bytes, ended, count("total")),
    };
    let none = Tally::default();
    let (small, large) = match story.state.as_str() {
        "" | "Begin" | "List" | "Listed" | "Planned" | "HasBatches" => (none, none),
        "Batches" => (share(found.small), none),
        "HasLarge" => (found.small, none),
        "Large" => (found.small, share(found.large)),
        _ => (found.small, found.large),
    };
    let (of_objects, size) = story.to_send();
    let known = story.rounds == 0 && of_objects > 0 && !matches!(story.state.as_str(), "" | "Begin" | "List");
    Step {
        state: story.state.clone(),
        bytes: if known { small.bytes + large.bytes } else { 0 },
        size: known.then_some(size),
        parts: if known { small.objects + large.objects } else { 0 },
        of_parts: if known { of_objects } else { 0 },
        round: story.rounds + 1,
        many: true,
        failed: 0,
        note: note(story),
    }
}

fn note(story: &SyncStory) -> String {
    let listed = story.found.listed.objects;
    if story.state == "List" && listed > 0 { format!("{listed} listed") } else { String::new() }
}

fn part(all: u64, done: u64, of: u64) -> u64 {
    (u128::from(all) * u128::from(done) / u128::from(of.max(1))) as u64
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use transload_wire::{Found, Tally};

    use super::{SyncStory, step};

    #[test]
    fn children_stand_for_their_share() {
        let tally = |objects| Tally { objects, bytes: objects * 10 };
        let found = Found { listed: tally(50), small: tally(40), large: tally(4), ..Found::default() };
        let at =
            |state: &str| SyncStory { state: state.to_owned(), found: found.clone(), ..SyncStory::default() };
        let run = json!({"itemCounts": {"succeeded": 1, "failed": 1, "total": 4}});
        let told = |story: &SyncStory| {
            let step = step(story, &run);
            (step.parts, step.of_parts, step.bytes, step.size)
        };
        assert_eq!(told(&at("List")), (0, 0, 0, None));
        assert_eq!(told(&at("Batches")), (20, 44, 200, Some(440)));
        assert_eq!(told(&at("Large")), (42, 44, 420, Some(440)));
        assert_eq!(told(&at("Report")), (44, 44, 440, Some(440)));
        let again = SyncStory { rounds: 1, ..at("Batches") };
        assert_eq!(told(&again), (0, 0, 0, None));
        assert_eq!(step(&at("List"), &run).note, "50 listed");
    }
}
