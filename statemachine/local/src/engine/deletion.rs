//! DeleteStateMachine: the machine, its versions and aliases, and everything that its executions left.
use super::forget::forget;
use super::versions::split;
use super::{Engine, lock};
use crate::api::ApiError;
use crate::arn;
use crate::exec::{Run, Stop};
use crate::store::StoreError;
use rusqlite::Connection;
use std::sync::Arc;

/// The executions of a machine. Children of its Map Runs are stored under `machine/label`.
const OF_EXECUTIONS: &str =
    "SELECT id FROM executions WHERE machine = ?1 OR substr(machine, 1, length(?1) + 1) = ?1 || '/'";

const OF_MACHINE: [&str; 4] = [
    "DELETE FROM machines WHERE arn = ?1",
    "DELETE FROM versions WHERE machine = ?1",
    "DELETE FROM aliases WHERE machine = ?1",
    "DELETE FROM tags WHERE resource = ?1",
];

fn forget_machine(db: &mut Connection, arn: &str) -> Result<(), StoreError> {
    let transaction = db.transaction()?;
    for sql in OF_MACHINE {
        transaction.execute(sql, [arn])?;
    }
    // Numbers of versions begin anew with a new machine of the same name.
    transaction.execute("DELETE FROM version_numbers WHERE machine = ?1", [arn])?;
    Ok(transaction.commit()?)
}

fn forget_executions(db: &mut Connection, arn: &str) -> Result<(), StoreError> {
    let transaction = db.transaction()?;
    forget(&transaction, OF_EXECUTIONS, arn)?;
    transaction.execute("DELETE FROM revisions WHERE machine = ?1", [arn])?;
    transaction
        .execute("DELETE FROM revision_settings WHERE revision NOT IN (SELECT id FROM revisions)", [])?;
    Ok(transaction.commit()?)
}

impl Engine {
    /// Stops what runs, and returns once nothing is left. A machine that is not there is as good as deleted.
    pub(crate) async fn delete_machine(&self, arn: &str) -> Result<(), ApiError> {
        if !arn::is(arn, "stateMachine") || split(arn).1.is_some() {
            return Err(ApiError::arn(arn));
        }
        let wanted = arn.to_owned();
        self.inner.store.call(move |db| forget_machine(db, &wanted)).await?;
        let running: Vec<Arc<Run>> =
            lock(&self.inner.runs).values().filter(|r| r.machine.arn == arn).cloned().collect();
        for run in running {
            run.stop.send_if_modified(|stop| {
                let first = stop.is_none();
                stop.get_or_insert(Stop::Abort { error: None, cause: None });
                first
            });
            let ended = self.wait(&run.arn).await;
            ended.map(drop)?;
        }
        lock(&self.inner.loaded).retain(|_, loaded| loaded.arn != arn);
        let wanted = arn.to_owned();
        Ok(self.inner.store.call(move |db| forget_executions(db, &wanted)).await?)
    }
}
