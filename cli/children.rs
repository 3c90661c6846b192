//! What an execution and the children of its Maps tell while it runs on this machine.

use std::collections::HashSet;

use serde_json::Value;
use stepfunctions_local::{HistoryOptions, ListExecutions, Notification, Status};
use tokio::sync::broadcast::{Receiver, error::RecvError};

use crate::api::{self, Request};
use crate::exit::Outcome;
use crate::machine::Machine;

/// The events of an execution behind this one, at most 1,000.
///
/// # Errors
/// If the database fails.
pub(crate) async fn events_after(machine: &Machine, arn: &str, last: u64) -> Outcome<Vec<Value>> {
    let options = HistoryOptions {
        max_results: Some(1_000),
        // The engine's token is the number of events to pass over.
        next_token: (last > 0).then(|| last.to_string()),
        ..HistoryOptions::default()
    };
    let mut page = api::call(&machine.engine, Request::GetExecutionHistory(arn.to_owned(), options)).await?;
    Ok(page["events"].as_array_mut().map(std::mem::take).unwrap_or_default())
}

/// The children that ended well, each told once.
#[derive(Default)]
pub(crate) struct Children {
    told: HashSet<String>,
    /// Ended, and not told yet.
    heard: Vec<Notification>,
    /// The execution's Map Runs: their ARNs do not name it.
    map_runs: HashSet<String>,
}

impl Children {
    /// Keeps children that ended well for later; tells whether the execution itself is over.
    pub(crate) fn hear(
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

    /// Outputs of the children of this execution among those that were heard: others run at the same time.
    ///
    /// # Errors
    /// If the database fails.
    pub(crate) async fn outputs(&mut self, machine: &Machine, arn: &str) -> Outcome<Vec<String>> {
        let heard = std::mem::take(&mut self.heard);
        let unknown =
            |told: &Notification| told.map_run_arn.as_ref().is_some_and(|run| !self.map_runs.contains(run));
        if heard.iter().any(unknown) {
            let runs = machine.engine.list_map_runs(arn).await?;
            self.map_runs = runs.into_iter().map(|run| run.map_run_arn).collect();
        }
        let mut outputs = Vec::new();
        for child in heard {
            if child.map_run_arn.is_some_and(|run| self.map_runs.contains(&run)) {
                outputs.extend(self.once(child.execution_arn, child.output));
            }
        }
        Ok(outputs)
    }

    /// Outputs of the children of a Map Run that ended before anybody listened: after a restart or a redrive.
    ///
    /// # Errors
    /// If the database fails.
    pub(crate) async fn before(&mut self, machine: &Machine, map_run_arn: String) -> Outcome<Vec<String>> {
        let list = ListExecutions {
            map_run_arn: Some(map_run_arn),
            status_filter: Some(Status::Succeeded),
            max_results: Some(1_000),
            ..ListExecutions::default()
        };
        let mut outputs = Vec::new();
        for child in machine.engine.list_executions(list).await?.items {
            let child = machine.engine.describe_execution(&child.execution_arn).await?;
            outputs.extend(self.once(child.execution_arn, child.output));
        }
        Ok(outputs)
    }

    fn once(&mut self, child: String, output: Option<String>) -> Option<String> {
        output.filter(|_| self.told.insert(child))
    }
}
