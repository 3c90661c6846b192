//! Executions that are in the database and go on: after a restart, or by a redrive.
use super::{Engine, Inner, Loaded, lock};
use crate::api::{EngineError, Notification, Status};
use crate::asl::Flow;
use crate::exec::{Cursor, Parts, Run};
use crate::history::Draft;
use crate::map::{self, MapRun};
use crate::store::{COLUMNS, ExecutionRow, Op, StoreError};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

/// An execution to bring back.
pub(crate) struct Revival {
    pub(crate) row: ExecutionRow,
    pub(crate) machine: Arc<Loaded>,
    pub(crate) flow: Arc<Flow>,
    pub(crate) address: String,
    pub(crate) map_run: Option<Arc<MapRun>>,
}

fn parsed<T: serde::de::DeserializeOwned>(text: &str, what: &str) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(|e| StoreError(format!("{what}: {e}")))
}

impl Revival {
    /// Makes the run and the place where it goes on. A redrive is recorded; an EXPRESS execution starts anew.
    pub(crate) async fn begin(
        self,
        engine: &Arc<Inner>,
        redrive: bool,
    ) -> Result<(Arc<Run>, Cursor), StoreError> {
        let input: Arc<Value> = Arc::new(parsed(&self.row.input, &self.row.arn)?);
        let anew = redrive && self.row.express;
        let mut cursors = if anew { BTreeMap::new() } else { engine.cursors(self.row.id).await? };
        let now = engine.clock.now();
        let (redrives, redriven) = match redrive {
            true => (self.row.redrives + 1, Some(now.millis())),
            false => (self.row.redrives, self.row.redriven),
        };
        let again = if redrive { Cursor::rewind } else { Cursor::interrupted };
        cursors.values_mut().for_each(again);
        let cursor = cursors.remove("");
        let last_event = if anew { 0 } else { self.row.last_event as u64 };
        let (id, arn) = (self.row.id, self.row.arn.clone());
        let run = Run::new(Parts {
            engine: engine.clone(),
            id,
            arn: arn.clone(),
            name: self.row.name,
            machine: self.machine.clone(),
            flow: self.flow.clone(),
            address: self.address,
            express: self.row.express,
            input: input.clone(),
            start: crate::clock::Timestamp::from_millis(self.row.start),
            redrives: redrives as u64,
            redriven: redriven.map(crate::clock::Timestamp::from_millis),
            map_run: self.map_run,
            last_event,
            before: if anew { vec![Op::Restart { id }] } else { Vec::new() },
            resume: cursors,
        });
        let mut cursor =
            cursor.unwrap_or_else(|| Cursor::start(&self.flow.start_at, input, Arc::default(), 0));
        if anew {
            run.log_one(0, &map::started(&self.row.input, &self.machine.role));
        } else if redrive {
            let details = json!({"redriveCount": redrives});
            cursor.previous = run.log_one(
                last_event,
                &Draft::new("ExecutionRedriven", "executionRedrivenEventDetails", details),
            );
        }
        run.save("", &cursor);
        if redrive {
            let told = Notification {
                execution_arn: arn,
                map_run_arn: run.map_run.as_ref().map(|m| m.arn.clone()),
                status: Status::Running,
                output: None,
                error: None,
            };
            let back = Op::Status {
                id,
                status: Status::Running,
                stop: None,
                output: None,
                error: None,
                cause: None,
            };
            run.flush(vec![Op::Redriven { id, redrives, at: now.millis() }, back, Op::Tell(told)]).await?;
        }
        Ok((run, cursor))
    }
}

impl Inner {
    async fn cursors(&self, id: i64) -> Result<BTreeMap<String, Cursor>, StoreError> {
        let rows = self.store.call(move |db| {
            let mut statement = db.prepare_cached("SELECT path, body FROM cursors WHERE execution = ?1")?;
            let rows = statement.query_map([id], |r| Ok((r.get::<_, String>(0)?, r.get::<_, String>(1)?)))?;
            Ok(rows.collect::<Result<Vec<_>, _>>()?)
        });
        let cursors = rows.await?.into_iter().map(|(path, body)| Ok((path, parsed(&body, "cursor")?)));
        cursors.collect()
    }
}

impl Engine {
    /// Goes on with everything that was running. Children come back through their parent's Map.
    pub(super) async fn resume(&self) -> Result<(), EngineError> {
        let rows = self.inner.store.call(|db| {
            let sql = format!(
                "SELECT {COLUMNS} FROM executions WHERE map_run IS NULL AND status = 'RUNNING' ORDER BY id"
            );
            let mut statement = db.prepare(&sql)?;
            let rows = statement.query_map([], ExecutionRow::read)?;
            Ok(rows.collect::<Result<Vec<_>, _>>()?)
        });
        for row in rows.await? {
            let machine = self.inner.load_revision(row.revision).await;
            let machine =
                machine.map_err(|source| EngineError::Definition { machine: row.machine.clone(), source })?;
            let (run, cursor) = self.revival(row, machine).begin(&self.inner, false).await?;
            self.go(run, cursor);
        }
        Ok(())
    }

    /// A top-level execution to bring back.
    pub(super) fn revival(&self, row: ExecutionRow, machine: Arc<Loaded>) -> Revival {
        let flow = machine.machine.flow.clone();
        Revival { row, machine, flow, address: String::new(), map_run: None }
    }

    /// Drives a top-level execution.
    pub(super) fn go(&self, run: Arc<Run>, cursor: Cursor) {
        let engine = self.inner.clone();
        lock(&engine.runs).insert(run.arn.clone(), run.clone());
        engine.driving.send_modify(|n| *n += 1);
        tokio::spawn(async move {
            let arn = run.arn.clone();
            if let Err(error) = crate::exec::drive(run.clone(), cursor).await {
                tracing::error!(%arn, %error, "execution stopped");
            }
            run.over.send_replace(true);
            // It may have been redriven already.
            if let Entry::Occupied(found) = lock(&engine.runs).entry(arn)
                && Arc::ptr_eq(found.get(), &run)
            {
                found.remove();
            }
            engine.driving.send_modify(|n| *n = n.saturating_sub(1));
        });
    }
}
