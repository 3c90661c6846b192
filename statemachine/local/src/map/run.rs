//! A Map Run: its settings, its counts, its children that run.
use crate::api::{DescribeMapRun, MapRunCounts, Status, UpdateMapRun};
use crate::asl::DEFAULT_PARALLEL;
use crate::clock::Timestamp;
use crate::exec::{Run, Stop};
use crate::store::Op;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{Notify, watch};

/// What is stored of a Map Run.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Body {
    pub(crate) status: Status,
    pub(crate) start: Timestamp,
    pub(crate) stop: Option<Timestamp>,
    /// 0 means the default.
    pub(crate) max_concurrency: u64,
    pub(crate) tolerated_count: Option<u64>,
    pub(crate) tolerated_percentage: Option<f64>,
    pub(crate) items: MapRunCounts,
    pub(crate) children: MapRunCounts,
    pub(crate) redrives: u64,
    pub(crate) redriven: Option<Timestamp>,
    /// How often the parent had been redriven when this run was last taken up; older databases did not say.
    #[serde(default)]
    pub(crate) parent_redrives: Option<u64>,
    pub(crate) express: bool,
    pub(crate) label: String,
    /// The Map's address in the definition.
    pub(crate) address: String,
    /// The parent's ARN.
    pub(crate) parent: String,
    /// The pseudo machine of the children.
    pub(crate) machine: String,
}

impl Body {
    /// Whether so many failed items end the run. What was not set does not count once the other is.
    pub(crate) fn exceeded(&self) -> bool {
        let failed = self.items.failed + self.items.timed_out + self.items.aborted;
        let percent = |p: f64| self.items.total > 0 && failed as f64 * 100.0 > p * self.items.total as f64;
        match (self.tolerated_count, self.tolerated_percentage) {
            (None, None) => failed > 0,
            (count, percentage) => count.is_some_and(|c| failed > c) || percentage.is_some_and(percent),
        }
    }

    /// Children that may run at once.
    pub(crate) fn parallel(&self) -> usize {
        let most = if self.max_concurrency == 0 { DEFAULT_PARALLEL } else { self.max_concurrency };
        usize::try_from(most.min(DEFAULT_PARALLEL)).unwrap_or(usize::MAX)
    }

    /// The answer of DescribeMapRun.
    pub(crate) fn describe(&self, arn: &str) -> DescribeMapRun {
        DescribeMapRun {
            map_run_arn: arn.to_owned(),
            execution_arn: self.parent.clone(),
            status: self.status,
            start_date: self.start,
            stop_date: self.stop,
            max_concurrency: self.max_concurrency,
            tolerated_failure_percentage: self.tolerated_percentage.unwrap_or(0.0),
            tolerated_failure_count: self.tolerated_count.unwrap_or(0),
            item_counts: self.items,
            execution_counts: self.children,
            redrive_count: self.redrives,
            redrive_date: self.redriven,
        }
    }

    /// Applies what UpdateMapRun was given.
    pub(crate) fn update(&mut self, change: &UpdateMapRun) {
        self.max_concurrency = change.max_concurrency.unwrap_or(self.max_concurrency);
        self.tolerated_count = change.tolerated_failure_count.or(self.tolerated_count);
        self.tolerated_percentage = change.tolerated_failure_percentage.or(self.tolerated_percentage);
    }

    /// Whether the parent was redriven since this run was last taken up.
    pub(crate) fn behind(&self, parent_redrives: u64) -> bool {
        parent_redrives > self.parent_redrives.unwrap_or(self.redrives)
    }

    /// Counts a child of an earlier attempt and its items among those that wait for their redrive, or no longer.
    pub(crate) fn waiting(&mut self, items: u64, waits: bool) {
        for (counts, n) in [(&mut self.items, items), (&mut self.children, 1)] {
            counts.pending = counts.pending.saturating_sub(if waits { n } else { 0 });
            counts.pending_redrive = match waits {
                true => counts.pending_redrive + n,
                false => counts.pending_redrive.saturating_sub(n),
            };
        }
    }

    /// Counts a child that is in no other count.
    pub(crate) fn put_back(&mut self, items: u64, status: Status) {
        *slot(&mut self.items, Some(status)) += items;
        *slot(&mut self.children, Some(status)) += 1;
    }

    /// Counts a child that failed and that no redrive takes up.
    pub(crate) fn lost(&mut self, items: u64) {
        self.items.failures_not_redrivable += items;
        self.children.failures_not_redrivable += 1;
    }

    /// Moves a child and its items from one count to another.
    pub(crate) fn moved(&mut self, items: u64, from: Option<Status>, to: Option<Status>) {
        for (counts, n) in [(&mut self.items, items), (&mut self.children, 1)] {
            let from = slot(counts, from);
            *from = from.saturating_sub(n);
            *slot(counts, to) += n;
        }
    }
}

fn slot(counts: &mut MapRunCounts, status: Option<Status>) -> &mut u64 {
    match status {
        None => &mut counts.pending,
        Some(Status::Running) => &mut counts.running,
        Some(Status::Succeeded) => &mut counts.succeeded,
        Some(Status::Failed) => &mut counts.failed,
        Some(Status::TimedOut) => &mut counts.timed_out,
        Some(Status::Aborted) => &mut counts.aborted,
    }
}

/// A Map Run that runs.
pub(crate) struct MapRun {
    pub(crate) id: i64,
    pub(crate) arn: String,
    /// The parent.
    pub(crate) execution: i64,
    body: Mutex<Body>,
    children: Mutex<HashMap<i64, Arc<Run>>>,
    /// How many children run.
    running: watch::Sender<usize>,
    /// Whether a child was let go because the engine shuts down.
    let_go: AtomicBool,
    /// Told when settings changed, and when a child has ended.
    pub(crate) changed: Notify,
}

impl MapRun {
    /// A run with no children yet.
    pub(crate) fn new(id: i64, arn: String, execution: i64, body: Body) -> Arc<Self> {
        Arc::new(Self {
            id,
            arn,
            execution,
            body: Mutex::new(body),
            children: Mutex::default(),
            running: watch::channel(0).0,
            let_go: AtomicBool::new(false),
            changed: Notify::new(),
        })
    }

    /// What is known of it.
    pub(crate) fn body(&self) -> MutexGuard<'_, Body> {
        self.body.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn children(&self) -> MutexGuard<'_, HashMap<i64, Arc<Run>>> {
        self.children.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The row that holds it.
    pub(crate) fn op(&self) -> Result<Op, crate::store::StoreError> {
        let body = serde_json::to_string(&*self.body())
            .map_err(|e| crate::store::StoreError(format!("map run: {e}")))?;
        Ok(Op::MapRun { id: self.id, arn: self.arn.clone(), execution: self.execution, body })
    }

    /// A child begins.
    pub(crate) fn began(&self, run: &Arc<Run>) {
        self.children().insert(run.id, run.clone());
        self.running.send_modify(|n| *n += 1);
    }

    /// A child has ended, or was let go; without a status the store failed.
    pub(crate) fn ended(&self, id: i64, items: u64, status: Option<Status>, let_go: bool) {
        self.children().remove(&id);
        // Before the count: whoever finds that none runs has to find this, too.
        self.let_go.fetch_or(let_go, Ordering::SeqCst);
        if let Some(status) = status {
            self.body().moved(items, Some(Status::Running), Some(status));
        }
        self.running.send_modify(|n| *n = n.saturating_sub(1));
        self.changed.notify_one();
    }

    /// Whether not all children that began have ended, though none runs.
    pub(crate) fn was_let_go(&self) -> bool {
        self.let_go.load(Ordering::SeqCst)
    }

    /// How many children run.
    pub(crate) fn running(&self) -> usize {
        *self.running.borrow()
    }

    /// Tells every child to stop and waits until all have.
    pub(crate) async fn abort(&self) {
        for run in self.children().values() {
            run.stop.send_if_modified(|stop| {
                let first = stop.is_none();
                if first {
                    *stop = Some(Stop::Abort { error: None, cause: None });
                }
                first
            });
        }
        let mut running = self.running.subscribe();
        // The sender lives in self, so this ends only with the last child.
        let _ = running.wait_for(|n| *n == 0).await;
    }
}
