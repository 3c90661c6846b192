//! Follows a run over many objects to its end, or until the user interrupts.

use std::time::Duration;

use serde::Deserialize;
use tokio::signal::unix::{SignalKind, signal};
use transload_wire::{ObjectRecord, Outcome as Became};

use super::SyncStory;
use crate::children::{Children, events_after};
use crate::exit::{CliError, Outcome};
use crate::follow::Ended;
use crate::machine::Machine;
use crate::progress::{Progress, Step};

/// Between two looks at the history.
const LOOK: Duration = Duration::from_millis(150);

/// States in which nothing is sent.
const LISTING: [&str; 5] = ["", "Begin", "List", "Listed", "Planned"];

/// What a child of a Map tells at its end.
#[derive(Deserialize)]
struct Told {
    records: Vec<ObjectRecord>,
}

/// What children have told.
#[derive(Default)]
struct Done {
    objects: u64,
    bytes: u64,
    failed: u64,
}

/// Waits for the end of an execution and shows how far it is.
///
/// # Errors
/// If the database fails.
pub(crate) async fn follow(machine: &Machine, arn: &str, progress: &mut Progress) -> Outcome<Ended> {
    let mut news = machine.engine.subscribe();
    let (mut story, mut done, mut children) = (SyncStory::default(), Done::default(), Children::default());
    for map_run in machine.engine.list_map_runs(arn).await? {
        let outputs = children.before(machine, map_run.map_run_arn).await?;
        outputs.iter().for_each(|output| done.count(output));
    }
    let mut tick = tokio::time::interval(LOOK);
    let mut interrupt = signal(SignalKind::interrupt()).map_err(|e| CliError::trouble("signals", e))?;
    let ended = loop {
        let over = tokio::select! {
            _ = tick.tick() => machine.engine.describe_execution(arn).await?.status.is_terminal(),
            told = news.recv() => children.hear(told, arn, &mut news),
            _ = interrupt.recv() => break Ended::Interrupted,
        };
        story.read(&events_after(machine, arn, story.last_event).await?);
        children.outputs(machine, arn).await?.iter().for_each(|output| done.count(output));
        progress.show(&done.step(&story));
        if over {
            break Ended::Over;
        }
    };
    progress.finish();
    Ok(ended)
}

impl Done {
    fn count(&mut self, output: &str) {
        let Ok(told) = serde_json::from_str::<Told>(output) else { return };
        for record in told.records {
            match record.outcome {
                Became::Copied | Became::Present => {
                    self.objects += 1;
                    self.bytes += record.size;
                }
                Became::Failed => self.failed += 1,
                Became::Deleted | Became::Skipped | Became::Parked => {}
            }
        }
    }

    fn step(&self, story: &SyncStory) -> Step {
        let (of_objects, size) = story.to_send();
        let (listing, listed) = (LISTING.contains(&story.state.as_str()), story.found.listed.objects);
        let note = if listing && listed > 0 { format!("{listed} listed") } else { String::new() };
        Step {
            state: story.state.clone(),
            bytes: self.bytes,
            size: (of_objects > 0 && !listing).then_some(size),
            parts: self.objects,
            of_parts: if listing { 0 } else { of_objects },
            round: story.rounds + 1,
            many: true,
            failed: self.failed,
            note,
        }
    }
}
