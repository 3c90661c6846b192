//! Map Runs: listed, described, changed while they run, ended with their parent.
use super::{Engine, Inner, lock};
use crate::api::{ApiError, DescribeMapRun, MapRunSummary, Status, UpdateMapRun};
use crate::exec::Run;
use crate::map::{Body, MapRun};
use crate::store::StoreError;
use rusqlite::OptionalExtension;
use std::sync::Arc;

fn parsed(arn: &str, text: &str) -> Result<Body, StoreError> {
    serde_json::from_str(text).map_err(|e| StoreError(format!("map run {arn}: {e}")))
}

impl Inner {
    /// A Map Run begins.
    pub(crate) fn register(&self, map_run: &Arc<MapRun>) {
        lock(&self.map_runs).insert(map_run.id, map_run.clone());
    }

    /// A Map Run has ended.
    pub(crate) fn unregister(&self, id: i64) {
        lock(&self.map_runs).remove(&id);
    }

    /// A stored Map Run: its ARN and what is known of it.
    pub(crate) async fn load_map_run(&self, id: i64) -> Result<(String, Body), StoreError> {
        let sql = "SELECT arn, body FROM map_runs WHERE id = ?1";
        let row = self.store.call(move |db| {
            Ok(db.query_row(sql, [id], |r| Ok((r.get::<_, String>(0)?, r.get::<_, String>(1)?)))?)
        });
        let (arn, text) = row.await?;
        let body = parsed(&arn, &text)?;
        Ok((arn, body))
    }

    /// Stops every child of an execution's Map Runs, because the execution itself is over.
    pub(crate) async fn abort_map_runs(&self, run: &Run) -> Result<(), StoreError> {
        let own: Vec<Arc<MapRun>> =
            lock(&self.map_runs).values().filter(|m| m.execution == run.id).cloned().collect();
        for map_run in own {
            map_run.abort().await;
            {
                let mut body = map_run.body();
                body.status = Status::Aborted;
                body.stop = Some(self.clock.now());
            }
            self.unregister(map_run.id);
            run.flush(vec![map_run.op()?]).await?;
        }
        Ok(())
    }

    fn live(&self, arn: &str) -> Option<Arc<MapRun>> {
        lock(&self.map_runs).values().find(|m| m.arn == arn).cloned()
    }
}

impl Engine {
    async fn stored(&self, arn: &str) -> Result<(i64, Body), ApiError> {
        if !crate::arn::is(arn, "mapRun") {
            return Err(ApiError::arn(arn));
        }
        let wanted = arn.to_owned();
        let row = self.inner.store.call(move |db| {
            let sql = "SELECT id, body FROM map_runs WHERE arn = ?1";
            Ok(db
                .query_row(sql, [wanted], |r| Ok((r.get::<_, i64>(0)?, r.get::<_, String>(1)?)))
                .optional()?)
        });
        let (id, text) = row.await?.ok_or_else(|| ApiError::no_map_run(arn))?;
        Ok((id, parsed(arn, &text)?))
    }

    pub(super) async fn map_run_id(&self, arn: &str) -> Result<i64, ApiError> {
        self.stored(arn).await.map(|(id, _)| id)
    }

    /// ListMapRuns of an execution, in the order they began.
    pub async fn list_map_runs(&self, execution_arn: &str) -> Result<Vec<MapRunSummary>, ApiError> {
        let id = self.row(execution_arn).await?.id;
        let rows = self.inner.store.call(move |db| {
            let mut statement =
                db.prepare_cached("SELECT arn, body FROM map_runs WHERE execution = ?1 ORDER BY id")?;
            let rows = statement.query_map([id], |r| Ok((r.get::<_, String>(0)?, r.get::<_, String>(1)?)))?;
            Ok(rows.collect::<Result<Vec<_>, _>>()?)
        });
        let summaries = rows.await?.into_iter().map(|(arn, text)| {
            let body = parsed(&arn, &text)?;
            Ok(MapRunSummary {
                map_run_arn: arn,
                execution_arn: body.parent,
                state_machine_arn: body.machine,
                start_date: body.start,
                stop_date: body.stop,
            })
        });
        Ok(summaries.collect::<Result<_, StoreError>>()?)
    }

    /// DescribeMapRun, with its counts as they are now.
    pub async fn describe_map_run(&self, arn: &str) -> Result<DescribeMapRun, ApiError> {
        if let Some(map_run) = self.inner.live(arn) {
            return Ok(map_run.body().describe(arn));
        }
        self.stored(arn).await.map(|(_, body)| body.describe(arn))
    }

    /// UpdateMapRun: takes effect at once, and only while the Map Run runs.
    pub async fn update_map_run(&self, arn: &str, change: UpdateMapRun) -> Result<(), ApiError> {
        if change.tolerated_failure_percentage.is_some_and(|p| !(0.0..=100.0).contains(&p)) {
            return Err(ApiError::new(
                "ValidationException",
                "toleratedFailurePercentage: expected 0 to 100",
            ));
        }
        let Some(map_run) = self.inner.live(arn) else {
            self.stored(arn).await?;
            return Err(ApiError::new("ValidationException", format!("Map Run has ended: '{arn}'")));
        };
        map_run.body().update(&change);
        map_run.changed.notify_one();
        Ok(self.inner.store.write(|| Ok(vec![map_run.op()?])).await?)
    }
}
