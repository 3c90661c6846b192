//! Follows a run over many objects to its end, or until the user interrupts.

use std::collections::HashSet;
use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;
use stepfunctions_local::{HistoryOptions, ListExecutions, Notification, Status};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::broadcast::{Receiver, error::RecvError};
use transload_wire::{ObjectRecord, Outcome as Became};

use super::SyncStory;
use crate::api::{self, Request};
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
    counted: HashSet<String>,
    heard: Vec<Notification>,
    /// This execution's Map Runs: their ARNs do not name it.
    map_runs: HashSet<String>,
}

/// Waits for the end of an execution and shows how far it is.
///
/// # Errors
/// If the database fails.
pub(crate) async fn follow(machine: &Machine, arn: &str, progress: &mut Progress) -> Outcome<Ended> {
    let mut news = machine.engine.subscribe();
    let (mut story, mut done) = (SyncStory::default(), Done::default());
    done.catch_up(machine, arn).await?;
    let mut tick = tokio::time::interval(LOOK);
    let mut interrupt = signal(SignalKind::interrupt()).map_err(|e| CliError::trouble("signals", e))?;
    let ended = loop {
        let over = tokio::select! {
            _ = tick.tick() => machine.engine.describe_execution(arn).await?.status.is_terminal(),
            told = news.recv() => done.hear(told, arn, &mut news),
            _ = interrupt.recv() => break Ended::Interrupted,
        };
        look(machine, arn, &mut story).await?;
        done.take_in(machine, arn).await?;
        progress.show(&done.step(&story));
        if over {
            break Ended::Over;
        }
    };
    progress.finish();
    Ok(ended)
}

/// Reads what is new in the history.
async fn look(machine: &Machine, arn: &str, story: &mut SyncStory) -> Outcome {
    let options = HistoryOptions {
        max_results: Some(1_000),
        // The engine's token is the number of events to pass over.
        next_token: (story.last_event > 0).then(|| story.last_event.to_string()),
        ..HistoryOptions::default()
    };
    let page = api::call(&machine.engine, Request::GetExecutionHistory(arn.to_owned(), options)).await?;
    if let Value::Array(events) = &page["events"] {
        story.read(events);
    }
    Ok(())
}

impl Done {
    /// Counts what children finished before we began to listen: after a restart.
    async fn catch_up(&mut self, machine: &Machine, arn: &str) -> Outcome {
        for map_run in machine.engine.list_map_runs(arn).await? {
            let list = ListExecutions {
                map_run_arn: Some(map_run.map_run_arn.clone()),
                status_filter: Some(Status::Succeeded),
                max_results: Some(1_000),
                ..ListExecutions::default()
            };
            for child in machine.engine.list_executions(list).await?.items {
                let child = machine.engine.describe_execution(&child.execution_arn).await?;
                self.count(&child.execution_arn, child.output.as_deref().unwrap_or_default());
            }
            self.map_runs.insert(map_run.map_run_arn);
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
        let (mut next, mut over) = (told.ok(), false);
        while let Some(notification) = next {
            over |= notification.execution_arn == arn && notification.status.is_terminal();
            if notification.map_run_arn.is_some() && notification.status == Status::Succeeded {
                self.heard.push(notification);
            }
            next = news.try_recv().ok();
        }
        over
    }

    /// Counts the children of this execution among those that ended: parts of large objects are others'.
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

    fn count(&mut self, child: &str, output: &str) {
        let Ok(told) = serde_json::from_str::<Told>(output) else { return };
        if !self.counted.insert(child.to_owned()) {
            return;
        }
        for record in told.records {
            match record.outcome {
                Became::Copied | Became::Present => {
                    self.objects += 1;
                    self.bytes += record.size;
                }
                Became::Failed => self.failed += 1,
                Became::Deleted | Became::Skipped => {}
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
