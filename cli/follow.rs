//! Follows an execution to its end, or until the user interrupts.

use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use transload_wire::PartOutput;

use crate::children::{Children, events_after};
use crate::exit::{CliError, Outcome};
use crate::machine::Machine;
use crate::progress::{Progress, Step};
use crate::story::Story;

/// How an execution was left.
pub(crate) enum Ended {
    /// It is over.
    Over,
    /// The user pressed Ctrl-C; it can be resumed.
    Interrupted,
}

/// Between two looks at the history.
const LOOK: Duration = Duration::from_millis(150);

/// What has been sent, as children report it.
#[derive(Default)]
struct Sent {
    parts: u64,
    bytes: u64,
    rounds: u32,
    present: (u64, u64),
}

/// Waits for the end of an execution and shows how far it is.
///
/// # Errors
/// If the database fails.
pub(crate) async fn follow(machine: &Machine, arn: &str, progress: &mut Progress) -> Outcome<Ended> {
    let mut news = machine.engine.subscribe();
    let (mut story, mut sent, mut children) = (Story::default(), Sent::default(), Children::default());
    story.read(&events_after(machine, arn, story.last_event).await?);
    sent.settle(&story);
    if let Some(map_run) = machine.engine.list_map_runs(arn).await?.pop() {
        let outputs = children.before(machine, map_run.map_run_arn).await?;
        outputs.iter().for_each(|output| sent.count(output));
    }
    let mut tick = tokio::time::interval(LOOK);
    // One listener for the whole time: a new one each round would miss what came in between.
    let mut interrupt = signal(SignalKind::interrupt()).map_err(|e| CliError::trouble("signals", e))?;
    let ended = loop {
        let over = tokio::select! {
            _ = tick.tick() => machine.engine.describe_execution(arn).await?.status.is_terminal(),
            told = news.recv() => children.hear(told, arn, &mut news),
            _ = interrupt.recv() => break Ended::Interrupted,
        };
        story.read(&events_after(machine, arn, story.last_event).await?);
        sent.settle(&story);
        children.outputs(machine, arn).await?.iter().for_each(|output| sent.count(output));
        progress.show(&sent.step(&story));
        if over {
            break Ended::Over;
        }
    };
    progress.finish();
    Ok(ended)
}

impl Sent {
    fn count(&mut self, output: &str) {
        if let Ok(output) = serde_json::from_str::<PartOutput>(output) {
            self.parts += output.parts.len() as u64;
            self.bytes += output.parts.iter().map(|part| part.size).sum::<u64>();
        }
    }

    /// A new round has listed what is there: its count replaces what children said before.
    fn settle(&mut self, story: &Story) {
        if story.rounds > self.rounds {
            self.rounds = story.rounds;
            self.present = story.present();
            (self.parts, self.bytes) = (0, 0);
        }
    }

    fn step(&self, story: &Story) -> Step {
        let size = story.size();
        let all = story.result.is_some();
        let of_parts = u64::from(story.parts());
        let alone = story.sent_alone();
        let bytes = if all { size.unwrap_or_default() } else { self.present.1 + self.bytes + alone.1 };
        let parts = if all { of_parts } else { self.present.0 + self.parts + alone.0 };
        Step {
            state: story.state.clone(),
            bytes,
            size,
            parts,
            of_parts,
            round: story.rounds,
            ..Step::default()
        }
    }
}
