//! Retention: what has ended long ago is forgotten, with its history and its children.
use super::Inner;
use super::forget::forget;
use crate::store::StoreError;
use std::sync::{Arc, Weak};
use std::time::Duration;

/// An execution's history is kept so long after its end (facts: 90 days), in milliseconds.
const RETENTION: i64 = 90 * 24 * 3600 * 1000;
/// How often an engine that stays open looks. By the machine's own time: a made one would jump from look to look.
const LOOK: Duration = Duration::from_secs(3600);

/// Children go with their parent, however deep, whenever they ended themselves: a Map that still runs needs them.
const EXPIRED: &str = "WITH RECURSIVE gone (id) AS (
    SELECT id FROM executions WHERE map_run IS NULL AND status <> 'RUNNING' AND stop < ?1
    UNION
    SELECT e.id FROM gone g JOIN map_runs m ON m.execution = g.id JOIN executions e ON e.map_run = m.id)
  SELECT id FROM gone";

impl Inner {
    /// Forgets every execution that ended more than 90 days ago.
    pub(super) async fn drop_expired(&self) -> Result<(), StoreError> {
        let before = self.clock.now().millis() - RETENTION;
        let drop_expired = move |db: &mut rusqlite::Connection| {
            let transaction = db.transaction()?;
            if forget(&transaction, EXPIRED, before)? > 0 {
                tracing::info!("forgets executions that ended more than 90 days ago");
            }
            Ok(transaction.commit()?)
        };
        self.store.call(drop_expired).await
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
