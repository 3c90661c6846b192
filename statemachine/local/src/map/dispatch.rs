//! Keeps as many children of a Map Run running as it may, and counts how they end.
use super::MapRun;
use super::batch::{Portion, Portions};
use super::child::{self, Fate, Known};
use super::pace::{self, Pace};
use crate::api::Status;
use crate::asl::{MapState, State};
use crate::exec::{Failure, Scope, Trouble, drive};
use crate::store::StoreError;
use serde_json::Value;
use std::collections::HashMap;
use std::sync::Arc;
use tokio::sync::mpsc;

type Finished = Result<(), StoreError>;

/// Sets the totals, and counts what earlier children did.
pub(super) fn count(map_run: &MapRun, portions: &Portions, map: &MapState, known: &HashMap<i64, Known>) {
    let mut body = map_run.body();
    (body.items, body.children) = Default::default();
    body.items.total = portions.total_items();
    body.items.pending = body.items.total;
    body.children.total = portions.total(map).unwrap_or(known.len() as u64);
    body.children.pending = body.children.total;
    let redriven = body.redriven;
    for child in known.values() {
        match child.fate(redriven) {
            Fate::Redrive => body.waiting(child.items, true),
            fate => {
                body.moved(child.items, None, Some(child.status));
                if fate == Fate::Lost {
                    body.lost(child.items);
                }
            }
        }
    }
}

/// A Map Run being worked off.
pub(super) struct Dispatch<'a> {
    scope: &'a mut Scope,
    state: &'a State,
    map: &'a MapState,
    input: &'a Arc<Value>,
    map_run: &'a Arc<MapRun>,
    /// Children of earlier attempts that were not met again yet.
    known: HashMap<i64, Known>,
    portions: Portions,
    pace: Pace,
    next: i64,
    done: mpsc::UnboundedSender<Finished>,
    ended: mpsc::UnboundedReceiver<Finished>,
    exhausted: bool,
}

impl<'a> Dispatch<'a> {
    /// At its first portion.
    pub(super) fn new(
        scope: &'a mut Scope,
        (state, map): (&'a State, &'a MapState),
        input: &'a Arc<Value>,
        map_run: &'a Arc<MapRun>,
        known: HashMap<i64, Known>,
        portions: Portions,
    ) -> Self {
        let pace = Pace::new(scope.run.engine.as_deployed, map_run.body().express);
        let (done, ended) = mpsc::unbounded_channel();
        let exhausted = false;
        Self { scope, state, map, input, map_run, known, portions, pace, next: 0, done, ended, exhausted }
    }

    /// Starts children as others end; `true` if too many failed.
    pub(super) async fn all(&mut self) -> Result<bool, Trouble> {
        loop {
            if self.exceeded() {
                self.map_run.abort().await;
                self.all_have_ended().await?;
                return Ok(true);
            }
            let mut later = None;
            while !self.exhausted && self.map_run.running() < self.map_run.body().parallel() {
                if let Err(until) = self.pace.room(&*self.scope.run.engine.clock) {
                    later = Some(until);
                    break;
                }
                self.start().await?;
                // Children that fail at once must be heard of before the next thousand are started.
                if self.exceeded() {
                    break;
                }
            }
            if self.exhausted && self.map_run.running() == 0 {
                self.all_have_ended().await?;
                return Ok(self.exceeded());
            }
            tokio::select! {
                biased;
                Some(finished) = self.ended.recv() => finished?,
                () = self.map_run.changed.notified() => {}
                () = pace::moment(&*self.scope.run.engine.clock, later) => {}
            }
        }
    }

    /// A Map of which a child was let go has not ended: who drives it will be told to let go, too. Until then nothing that
    /// follows from an end may be written.
    async fn all_have_ended(&mut self) -> Result<(), Trouble> {
        while let Ok(finished) = self.ended.try_recv() {
            finished?;
        }
        if self.map_run.was_let_go() {
            std::future::pending::<()>().await;
        }
        Ok(())
    }

    /// Failures that a redrive will try again are not counted as such before it has.
    fn exceeded(&self) -> bool {
        self.map_run.body().exceeded()
    }

    /// Whoever still waits for a redrive when the run ends has failed as before.
    pub(super) fn leave_waiting(&mut self) {
        let mut body = self.map_run.body();
        let redriven = body.redriven;
        for child in self.known.values().filter(|c| c.fate(redriven) == Fate::Redrive) {
            body.waiting(child.items, false);
            body.put_back(child.items, child.status);
        }
    }

    async fn start(&mut self) -> Result<(), Trouble> {
        let Some(portion) = self.portion()? else {
            self.exhausted = true;
            return Ok(());
        };
        let index = self.next;
        self.next += 1;
        // A child that is brought back is RUNNING before anybody drives it.
        let parent = self.scope.run.clone();
        let _undivided = parent.undivided();
        let (run, cursor) = match self.known.remove(&index) {
            Some(child) => {
                let fate = child.fate(self.map_run.body().redriven);
                if matches!(fate, Fate::Over | Fate::Lost) {
                    return Ok(());
                }
                let redrive = fate == Fate::Redrive;
                let found =
                    child::known_child(&self.scope.run, self.map_run, self.map, index, redrive).await?;
                if redrive {
                    let mut body = self.map_run.body();
                    body.waiting(child.items, false);
                    body.put_back(child.items, Status::Running);
                }
                found
            }
            None => {
                let mut body = self.map_run.body();
                if body.children.pending == 0 {
                    // The number of batches was not known before.
                    body.children.total += 1;
                    body.children.pending += 1;
                }
                body.moved(portion.items, None, Some(Status::Running));
                drop(body);
                child::fresh(&self.scope.run, self.map_run, self.map, index, portion.input, portion.items)?
            }
        };
        self.pace.started();
        self.spawn(run, cursor, portion.items);
        Ok(())
    }

    fn portion(&mut self) -> Result<Option<Portion>, Failure> {
        let view = self.scope.view(self.state, self.input);
        self.portions.next(&view, self.map)
    }

    fn spawn(&self, run: Arc<crate::exec::Run>, cursor: crate::exec::Cursor, items: u64) {
        self.map_run.began(&run);
        let (map_run, done) = (self.map_run.clone(), self.done.clone());
        tokio::spawn(async move {
            let id = run.id;
            let ended = drive(run, cursor).await;
            let status = ended.as_ref().ok().and_then(|e| e.as_ref()).map(|e| e.status);
            let let_go = matches!(ended, Ok(None));
            // The parent may be gone: then it was stopped, and counts no more. It is told before the count falls.
            let _ = done.send(ended.map(|_| ()));
            map_run.ended(id, items, status, let_go);
        });
    }

    /// Inputs of the children that were never started, for the PENDING file of a failed run.
    pub(super) fn rest(&mut self, failed: bool) -> Result<Vec<Value>, Trouble> {
        let mut rest = Vec::new();
        while failed && !self.exhausted && self.map.writer.as_ref().is_some_and(|w| w.arguments.is_some()) {
            let Some(portion) = self.portion()? else { break };
            // One that failed before and still waits is in the FAILED file.
            if !self.known.contains_key(&self.next) {
                rest.push(portion.input);
            }
            self.next += 1;
        }
        Ok(rest)
    }
}
