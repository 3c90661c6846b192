//! Retention: what has ended long ago is forgotten, with its history and its children.
use super::Inner;
use crate::store::StoreError;
use std::sync::{Arc, Weak};
use std::time::Duration;

/// An execution's history is kept so long after its end (facts: 90 days), in milliseconds.
const RETENTION: i64 = 90 * 24 * 3600 * 1000;
/// How often an engine that stays open looks. By the machine's own time: a made one would jump from look to look.
const LOOK: Duration = Duration::from_secs(3600);

/// Children go with their parent, however deep, whenever they ended themselves: a Map that still runs needs them.
const COLLECT: &str = "INSERT INTO expired
  WITH RECURSIVE gone (id) AS (
    SELECT id FROM executions WHERE map_run IS NULL AND status <> 'RUNNING' AND stop < ?1
    UNION
    SELECT e.id FROM gone g JOIN map_runs m ON m.execution = g.id JOIN executions e ON e.map_run = m.id)
  SELECT id FROM gone";

const FORGET: &str = "
DELETE FROM map_items WHERE map_run IN (SELECT m.id FROM map_runs m JOIN expired x ON x.id = m.execution);
DELETE FROM map_runs WHERE execution IN (SELECT id FROM expired);
DELETE FROM history WHERE execution IN (SELECT id FROM expired);
DELETE FROM cursors WHERE execution IN (SELECT id FROM expired);
DELETE FROM origins WHERE execution IN (SELECT id FROM expired);
DELETE FROM executions WHERE id IN (SELECT id FROM expired);
DROP TABLE expired;";

impl Inner {
    /// Forgets every execution that ended more than 90 days ago.
    pub(super) async fn drop_expired(&self) -> Result<(), StoreError> {
        let before = self.clock.now().millis() - RETENTION;
        let forget = move |db: &mut rusqlite::Connection| {
            let transaction = db.transaction()?;
            transaction.execute_batch("CREATE TEMP TABLE expired (id INTEGER PRIMARY KEY)")?;
            if transaction.execute(COLLECT, [before])? > 0 {
                tracing::info!("forgets executions that ended more than 90 days ago");
            }
            transaction.execute_batch(FORGET)?;
            Ok(transaction.commit()?)
        };
        self.store.call(forget).await
    }
}

/// Looks again and again for as long as the engine is there.
pub(super) fn watch(engine: &Arc<Inner>) {
    let engine: Weak<Inner> = Arc::downgrade(engine);
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(LOOK).await;
            let Some(engine) = engine.upgrade() else { return };
            if let Err(error) = engine.drop_expired().await {
                tracing::error!(%error, "could not forget what has expired");
            }
        }
    });
}
