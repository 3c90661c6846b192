//! What executions leave in the database, and how all of it goes at once.
use crate::store::StoreError;
use rusqlite::{Connection, ToSql};

/// Every table that holds something of an execution.
const FORGET: &str = "
DELETE FROM map_items WHERE map_run IN (SELECT m.id FROM map_runs m JOIN forgotten f ON f.id = m.execution);
DELETE FROM map_runs WHERE execution IN (SELECT id FROM forgotten);
DELETE FROM history WHERE execution IN (SELECT id FROM forgotten);
DELETE FROM cursors WHERE execution IN (SELECT id FROM forgotten);
DELETE FROM origins WHERE execution IN (SELECT id FROM forgotten);
DELETE FROM executions WHERE id IN (SELECT id FROM forgotten);
DROP TABLE forgotten;";

/// Removes the executions whose ids `which` selects by its one parameter, and tells how many there were. Called within a
/// transaction.
pub(super) fn forget(db: &Connection, which: &str, parameter: impl ToSql) -> Result<usize, StoreError> {
    db.execute_batch("CREATE TEMP TABLE forgotten (id INTEGER PRIMARY KEY)")?;
    let count = db.execute(&format!("INSERT INTO forgotten {which}"), [parameter])?;
    db.execute_batch(FORGET)?;
    Ok(count)
}
