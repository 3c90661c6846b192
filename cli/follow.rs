//! Follows an execution to its end, or until the user interrupts.

use std::collections::HashSet;
use std::time::Duration;

use serde_json::Value;
use stepfunctions_local::{Notification, Status};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::broadcast::{Receiver, error::RecvError};
use transload_wire::PartOutput;

use crate::api::{self, Request};
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
    counted: HashSet<String>,
    /// Children that ended, and are not counted yet.
    heard: Vec<Notification>,
    /// This execution's Map Runs: their ARNs do not name it.
    map_runs: HashSet<String>,
    rounds: u32,
    present: (u64, u64),
}

/// Waits for the end of an execution and shows how far it is.
///
/// # Errors
/// If the database fails.
pub(crate) async fn follow(machine: &Machine, arn: &str, progress: &mut Progress) -> Outcome<Ended> {
    let mut news = machine.engine.subscribe();
    let (mut story, mut sent) = (Story::default(), Sent::default());
    look(machine, arn, &mut story).await?;
    sent.catch_up(machine, arn, &story).await?;
    let mut tick = tokio::time::interval(LOOK);
    // One listener for the whole time: a new one each round would miss what came in between.
    let mut interrupt = signal(SignalKind::interrupt()).map_err(|e| CliError::trouble("signals", e))?;
    let ended = loop {
        let over = tokio::select! {
            _ = tick.tick() => machine.engine.describe_execution(arn).await?.status.is_terminal(),
            told = news.recv() => sent.hear(told, arn, &mut news),
            _ = interrupt.recv() => break Ended::Interrupted,
        };
        look(machine, arn, &mut story).await?;
        sent.settle(&story);
        sent.take_in(machine, arn).await?;
        progress.show(&sent.step(&story));
        if over {
            break Ended::Over;
        }
    };
    progress.finish();
    Ok(ended)
}

/// Reads what is new in the history.
async fn look(machine: &Machine, arn: &str, story: &mut Story) -> Outcome {
    let options = stepfunctions_local::HistoryOptions {
        max_results: Some(1_000),
        // The engine's token is the number of events to pass over.
        next_token: (story.last_event > 0).then(|| story.last_event.to_string()),
        ..stepfunctions_local::HistoryOptions::default()
    };
    let page = api::call(&machine.engine, Request::GetExecutionHistory(arn.to_owned(), options)).await?;
    if let Value::Array(events) = &page["events"] {
        story.read(events);
    }
    Ok(())
}

impl Sent {
    /// Counts what children finished before we began to listen: after a restart or a redrive.
    async fn catch_up(&mut self, machine: &Machine, arn: &str, story: &Story) -> Outcome {
        self.settle(story);
        let Some(map_run) = machine.engine.list_map_runs(arn).await?.pop() else { return Ok(()) };
        let list = stepfunctions_local::ListExecutions {
            map_run_arn: Some(map_run.map_run_arn),
            status_filter: Some(Status::Succeeded),
            max_results: Some(1_000),
            ..stepfunctions_local::ListExecutions::default()
        };
        for child in machine.engine.list_executions(list).await?.items {
            let child = machine.engine.describe_execution(&child.execution_arn).await?;
            self.count(&child.execution_arn, child.output.as_deref().unwrap_or_default());
        }
        Ok(())
    }

    /// Counts the children of this execution among those that ended.
    async fn take_in(&mut self, machine: &Machine, arn: &str) -> Outcome {
        let heard = std::mem::take(&mut self.heard);
        let unknown =
            |told: &Notification| told.map_run_arn.as_ref().is_some_and(|run| !self.map_runs.contains(run));
        if heard.iter().any(unknown) {
            let runs = machine.engine.list_map_runs(arn).await?;
            self.map_runs = runs.into_iter().map(|run| run.map_run_arn).collect();
        }
        for told in heard {
            if told.map_run_arn.is_some_and(|run| self.map_runs.contains(&run)) {
                self.count(&told.execution_arn, told.output.as_deref().unwrap_or_default());
            }
        }
        Ok(())
    }

    /// Keeps children that ended well for later; tells whether the execution itself is over.
    fn hear(
        &mut self,
        told: Result<Notification, RecvError>,
        arn: &str,
        news: &mut Receiver<Notification>,
    ) -> bool {
        let mut next = told.ok();
        let mut over = false;
        while let Some(notification) = next {
            over |= notification.execution_arn == arn && notification.status.is_terminal();
            if notification.map_run_arn.is_some() && notification.status == Status::Succeeded {
                self.heard.push(notification);
            }
            next = news.try_recv().ok();
        }
        over
    }

    fn count(&mut self, child: &str, output: &str) {
        if let Ok(output) = serde_json::from_str::<PartOutput>(output)
            && self.counted.insert(child.to_owned())
        {
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
        let bytes = if all { size.unwrap_or_default() } else { self.present.1 + self.bytes };
        let parts = if all { of_parts } else { self.present.0 + self.parts };
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
