//! GetExecutionHistory.
use super::Engine;
use super::executions::{page_size, token};
use crate::api::{ApiError, HistoryOptions, Page};
use crate::history::HistoryEvent;
use crate::store::StoreError;

impl Engine {
    /// The events of an execution, children of Map Runs included.
    pub async fn get_execution_history(
        &self,
        arn: &str,
        options: HistoryOptions,
    ) -> Result<Page<HistoryEvent>, ApiError> {
        let row = self.row(arn).await?;
        let (skip, take) = (token(options.next_token.as_deref())?, i64::from(page_size(options.max_results)));
        let last = row.last_event;
        // Ids have no gaps, so a page is a range of ids.
        let (low, high) = match options.reverse_order {
            false => (skip + 1, (skip + take).min(last)),
            true => ((last - skip - take + 1).max(1), last - skip),
        };
        let mut events = if low <= high { self.events(row.id, low, high).await? } else { Vec::new() };
        if options.reverse_order {
            events.reverse();
        }
        if !options.include_execution_data {
            events = events.into_iter().map(HistoryEvent::without_data).collect();
        }
        let next_token = (skip + take < last).then(|| (skip + take).to_string());
        Ok(Page { items: events, next_token })
    }

    async fn events(&self, id: i64, low: i64, high: i64) -> Result<Vec<HistoryEvent>, StoreError> {
        let blobs = self.inner.store.call(move |db| {
            let sql = "SELECT body FROM history WHERE execution = ?1 AND first <= ?3 \
                       AND first >= coalesce((SELECT max(first) FROM history WHERE execution = ?1 AND first <= ?2), 0) ORDER BY first";
            let mut statement = db.prepare_cached(sql)?;
            let rows = statement.query_map([id, low, high], |r| r.get::<_, Vec<u8>>(0))?;
            Ok(rows.collect::<Result<Vec<_>, _>>()?)
        });
        let mut events = Vec::new();
        for blob in blobs.await? {
            let text = [b"[", blob.as_slice(), b"]"].concat();
            let some: Vec<HistoryEvent> = serde_json::from_slice(&text)
                .map_err(|e| StoreError(format!("history of execution {id}: {e}")))?;
            events.extend(some);
        }
        events.retain(|e| (low..=high).contains(&(e.id as i64)));
        Ok(events)
    }
}
