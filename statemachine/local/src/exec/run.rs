//! One running execution: who it is, its history in the making, and the places where it stands.
use super::cursor::{Cursor, Phase};
use super::trouble::Trouble;
use crate::api::{Notification, Status};
use crate::asl::Flow;
use crate::clock::Timestamp;
use crate::engine::{Inner, Loaded};
use crate::history::{Draft, MAX_EVENTS};
use crate::map::MapRun;
use crate::store::{Op, StoreError};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;

/// Why an execution is told to stop.
#[derive(Debug, Clone)]
pub(crate) enum Stop {
    /// StopExecution, or the Map Run is over.
    Abort { error: Option<String>, cause: Option<String> },
    /// The engine shuts down: nothing is recorded, the next engine goes on.
    Suspend,
}

/// An execution in memory.
pub(crate) struct Run {
    pub(crate) engine: Arc<Inner>,
    pub(crate) id: i64,
    pub(crate) arn: String,
    pub(crate) name: String,
    pub(crate) machine: Arc<Loaded>,
    /// The whole machine's flow, or the processor of the Map whose child this is.
    pub(crate) flow: Arc<Flow>,
    /// Where that flow is in the definition, see [`crate::map::address`].
    pub(crate) address: String,
    pub(crate) express: bool,
    pub(crate) input: Arc<Value>,
    pub(crate) start: Timestamp,
    pub(crate) redrives: u64,
    pub(crate) redriven: Option<Timestamp>,
    pub(crate) map_run: Option<Arc<MapRun>>,
    pub(crate) stop: watch::Sender<Option<Stop>>,
    /// Whether nobody drives it any more; of top-level executions only.
    pub(crate) over: watch::Sender<bool>,
    /// Executions of other machines that it waits for.
    nested: Mutex<BTreeSet<String>>,
    /// How many of its scopes do what has to be done as a whole.
    undivided: watch::Sender<usize>,
    /// In place of the context object, for a state that is tested by itself.
    pub(crate) context: Option<Value>,
    /// Places where an earlier process, or the failed attempt before a redrive, stood.
    pub(crate) resume: Mutex<BTreeMap<String, Cursor>>,
    log: Mutex<Log>,
    flushing: tokio::sync::Mutex<()>,
}

/// See [`Run::undivided`].
pub(crate) struct Undivided<'a> {
    run: &'a Run,
}

impl Drop for Undivided<'_> {
    fn drop(&mut self) {
        self.run.undivided.send_modify(|n| *n = n.saturating_sub(1));
    }
}

/// What has happened since the last flush.
#[derive(Default)]
struct Log {
    next: u64,
    first: u64,
    body: Vec<u8>,
    dropped: Vec<String>,
    cursors: BTreeMap<String, Cursor>,
    /// Rows that have to be there first: the execution's own.
    before: Vec<Op>,
}

/// What a [`Run`] is made of.
pub(crate) struct Parts {
    pub(crate) engine: Arc<Inner>,
    pub(crate) id: i64,
    pub(crate) arn: String,
    pub(crate) name: String,
    pub(crate) machine: Arc<Loaded>,
    pub(crate) flow: Arc<Flow>,
    pub(crate) address: String,
    pub(crate) express: bool,
    pub(crate) input: Arc<Value>,
    pub(crate) start: Timestamp,
    pub(crate) redrives: u64,
    pub(crate) redriven: Option<Timestamp>,
    pub(crate) map_run: Option<Arc<MapRun>>,
    pub(crate) last_event: u64,
    pub(crate) before: Vec<Op>,
    pub(crate) resume: BTreeMap<String, Cursor>,
}

impl Run {
    /// Makes the execution; nothing runs yet.
    pub(crate) fn new(parts: Parts) -> Arc<Self> {
        let next = parts.last_event + 1;
        let log = Log { next, first: next, before: parts.before, ..Log::default() };
        Arc::new(Self {
            engine: parts.engine,
            id: parts.id,
            arn: parts.arn,
            name: parts.name,
            machine: parts.machine,
            flow: parts.flow,
            address: parts.address,
            express: parts.express,
            input: parts.input,
            start: parts.start,
            redrives: parts.redrives,
            redriven: parts.redriven,
            map_run: parts.map_run,
            stop: watch::channel(None).0,
            over: watch::channel(false).0,
            nested: Mutex::default(),
            undivided: watch::channel(0).0,
            context: None,
            resume: Mutex::new(parts.resume),
            log: Mutex::new(log),
            flushing: tokio::sync::Mutex::new(()),
        })
    }

    fn lock(&self) -> MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The id of the newest event.
    pub(crate) fn last_event(&self) -> u64 {
        self.lock().next - 1
    }

    /// Takes the place where a scope stood before.
    pub(crate) fn take_resume(&self, path: &str) -> Option<Cursor> {
        self.resume.lock().unwrap_or_else(PoisonError::into_inner).remove(path)
    }

    /// Whether a scope stood somewhere before.
    pub(crate) fn stood(&self, path: &str) -> bool {
        self.resume.lock().unwrap_or_else(PoisonError::into_inner).contains_key(path)
    }

    /// The output of a scope that had ended before, whose end was recorded then.
    pub(crate) fn take_done(&self, path: &str) -> Option<Arc<Value>> {
        let mut resume = self.resume.lock().unwrap_or_else(PoisonError::into_inner);
        let Phase::Done { output } = resume.get(path).map(|c| &c.phase)? else { return None };
        let output = output.clone();
        resume.remove(path);
        Some(output)
    }

    /// Forgets everything below a scope: it starts anew, or is over.
    pub(crate) fn forget_below(&self, path: &str) {
        let below = format!("{path}/");
        self.resume.lock().unwrap_or_else(PoisonError::into_inner).retain(|p, _| !p.starts_with(&below));
        let mut log = self.lock();
        log.cursors.retain(|p, _| !p.starts_with(&below));
        log.dropped.push(path.to_owned());
    }

    /// It waits for the end of an execution.
    pub(crate) fn awaits(&self, arn: &str) {
        self.nested.lock().unwrap_or_else(PoisonError::into_inner).insert(arn.to_owned());
    }

    /// That execution has ended.
    pub(crate) fn awaits_no_more(&self, arn: &str) {
        self.nested.lock().unwrap_or_else(PoisonError::into_inner).remove(arn);
    }

    /// Those whose end it has not seen.
    pub(crate) fn take_awaited(&self) -> BTreeSet<String> {
        std::mem::take(&mut *self.nested.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Records events, each following the one before, together with where the scope now stands: both are written at once.
    /// Returns the id of the last.
    pub(crate) fn log(&self, path: &str, cursor: &mut Cursor, events: &[Draft]) -> Result<u64, Trouble> {
        let now = self.engine.clock.now();
        let mut log = self.lock();
        // One is kept free for the event that says so.
        if !self.express && log.next + events.len() as u64 > MAX_EVENTS {
            return Err(Trouble::history_full());
        }
        let mut last = cursor.previous;
        for event in events {
            let (id, body) = (log.next, &mut log.body);
            event.write(body, id, cursor.previous, now);
            log.next += 1;
            last = id;
            if !event.aside {
                cursor.previous = id;
            }
        }
        log.cursors.insert(path.to_owned(), cursor.clone());
        Ok(last)
    }

    /// Records one event that no scope follows: of a parent of scopes, or the end.
    pub(crate) fn log_one(&self, previous: u64, event: &Draft) -> u64 {
        let now = self.engine.clock.now();
        let mut log = self.lock();
        let (id, body) = (log.next, &mut log.body);
        event.write(body, id, previous, now);
        log.next += 1;
        id
    }

    /// Leaves a change for the next flush.
    pub(crate) fn defer(&self, op: Op) {
        self.lock().before.push(op);
    }

    /// Records where a scope stands.
    pub(crate) fn save(&self, path: &str, cursor: &Cursor) {
        self.lock().cursors.insert(path.to_owned(), cursor.clone());
    }

    fn take(&self) -> Result<Vec<Op>, StoreError> {
        let mut log = self.lock();
        let mut ops = std::mem::take(&mut log.before);
        if !log.body.is_empty() {
            let (first, last) = (log.first, log.next - 1);
            ops.push(Op::History { id: self.id, first, last, body: std::mem::take(&mut log.body) });
            log.first = log.next;
        }
        ops.extend(
            std::mem::take(&mut log.dropped).into_iter().map(|path| Op::DropBelow { id: self.id, path }),
        );
        for (path, cursor) in std::mem::take(&mut log.cursors) {
            let body = serde_json::to_string(&cursor).map_err(|e| StoreError(format!("cursor: {e}")))?;
            ops.push(Op::Cursor { id: self.id, path, body });
        }
        Ok(ops)
    }

    /// Queues everything that has happened, with `more`, as one change.
    pub(crate) async fn flush(&self, more: Vec<Op>) -> Result<(), StoreError> {
        // Two branches may get here together: what was taken first has to be queued first.
        let _order = self.flushing.lock().await;
        let all = || {
            let mut ops = self.take()?;
            ops.extend(more);
            Ok(ops)
        };
        self.engine.store.write(all).await
    }

    /// Until what this returns is dropped, the execution's stop waits: for what must not stay half done.
    pub(crate) fn undivided(&self) -> Undivided<'_> {
        self.undivided.send_modify(|n| *n += 1);
        Undivided { run: self }
    }

    /// Returns once nothing is half done.
    pub(crate) async fn divisible(&self) {
        // The sender lives in self.
        let _ = self.undivided.subscribe().wait_for(|n| *n == 0).await;
    }

    /// Returns once somebody has stopped this execution.
    pub(crate) async fn stopped(&self) -> Stop {
        let mut stop = self.stop.subscribe();
        let mut all = self.engine.suspended.subscribe();
        tokio::select! {
            biased;
            _ = all.wait_for(|s| *s) => Stop::Suspend,
            found = stop.wait_for(Option::is_some) => {
                found.ok().and_then(|s| s.clone()).unwrap_or(Stop::Suspend)
            }
        }
    }

    /// What is told to subscribers, and stored as the result.
    pub(crate) fn ending(
        &self,
        status: Status,
        output: Option<String>,
        error: Option<String>,
        cause: Option<String>,
    ) -> Vec<Op> {
        let stop = Some(self.engine.clock.now().millis());
        let told = Notification {
            execution_arn: self.arn.clone(),
            map_run_arn: self.map_run.as_ref().map(|m| m.arn.clone()),
            status,
            output: output.clone(),
            error: error.clone(),
        };
        let mut ops = vec![Op::Status { id: self.id, status, stop, output, error, cause }, Op::Tell(told)];
        if status == Status::Succeeded {
            // Nothing can go on from here, so the places are only ballast.
            self.lock().cursors.clear();
            ops.push(Op::Forget { id: self.id });
        }
        ops
    }
}
