//! The changes that executions make, as rows.
use super::StoreError;
use crate::api::{Notification, Status};
use rusqlite::{Connection, OptionalExtension, Row, params};

/// One execution as it is stored. Times in milliseconds since 1970.
#[derive(Debug, Clone)]
pub(crate) struct ExecutionRow {
    pub(crate) id: i64,
    pub(crate) arn: String,
    pub(crate) machine: String,
    pub(crate) revision: i64,
    pub(crate) name: String,
    pub(crate) express: bool,
    pub(crate) status: Status,
    pub(crate) start: i64,
    pub(crate) stop: Option<i64>,
    pub(crate) input: String,
    pub(crate) output: Option<String>,
    pub(crate) error: Option<String>,
    pub(crate) cause: Option<String>,
    pub(crate) map_run: Option<i64>,
    /// Which child of its Map Run, from 0.
    pub(crate) child: Option<i64>,
    /// How many items of the Map it has.
    pub(crate) items: i64,
    pub(crate) redrives: i64,
    pub(crate) redriven: Option<i64>,
    pub(crate) last_event: i64,
}

/// The columns that [`ExecutionRow::read`] reads, in its order.
pub(crate) const COLUMNS: &str = "id, arn, machine, revision, name, express, status, start, stop, input, output, error, \
     cause, map_run, child, items, redrives, redriven, last_event";

impl ExecutionRow {
    /// Out of a row of [`COLUMNS`].
    pub(crate) fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            id: row.get(0)?,
            arn: row.get(1)?,
            machine: row.get(2)?,
            revision: row.get(3)?,
            name: row.get(4)?,
            express: row.get(5)?,
            status: Status::parse(&row.get::<_, String>(6)?),
            start: row.get(7)?,
            stop: row.get(8)?,
            input: row.get(9)?,
            output: row.get(10)?,
            error: row.get(11)?,
            cause: row.get(12)?,
            map_run: row.get(13)?,
            child: row.get(14)?,
            items: row.get(15)?,
            redrives: row.get(16)?,
            redriven: row.get(17)?,
            last_event: row.get(18)?,
        })
    }
}

/// One change.
#[derive(Debug)]
pub(crate) enum Op {
    Insert(Box<ExecutionRow>),
    /// Status, end and result of an execution.
    Status {
        id: i64,
        status: Status,
        stop: Option<i64>,
        output: Option<String>,
        error: Option<String>,
        cause: Option<String>,
    },
    Redriven {
        id: i64,
        redrives: i64,
        at: i64,
    },
    /// `last - first + 1` events, joined by commas.
    History {
        id: i64,
        first: u64,
        last: u64,
        body: Vec<u8>,
    },
    Cursor {
        id: i64,
        path: String,
        body: String,
    },
    /// Removes the cursors below a path, or all.
    DropBelow {
        id: i64,
        path: String,
    },
    /// Removes all cursors.
    Forget {
        id: i64,
    },
    /// Removes the history too: an EXPRESS child that starts anew.
    Restart {
        id: i64,
    },
    MapRun {
        id: i64,
        arn: String,
        execution: i64,
        body: String,
    },
    MapItems {
        id: i64,
        items: String,
    },
    Tell(Notification),
}

impl Op {
    pub(super) fn apply(&self, db: &Connection) -> Result<(), StoreError> {
        match self {
            Self::Insert(row) => insert(db, row)?,
            Self::Status { id, status, stop, output, error, cause } => {
                let sql = "UPDATE executions SET status = ?2, stop = ?3, output = ?4, error = ?5, cause = ?6 WHERE id = ?1";
                db.prepare_cached(sql)?.execute(params![id, status.as_str(), stop, output, error, cause])?;
            }
            Self::Redriven { id, redrives, at } => {
                let sql = "UPDATE executions SET redrives = ?2, redriven = ?3 WHERE id = ?1";
                db.prepare_cached(sql)?.execute(params![id, redrives, at])?;
            }
            Self::History { id, first, last, body } => {
                let sql = "INSERT INTO history (execution, first, body) VALUES (?1, ?2, ?3)";
                db.prepare_cached(sql)?.execute(params![id, *first as i64, body])?;
                let sql = "UPDATE executions SET last_event = ?2 WHERE id = ?1";
                db.prepare_cached(sql)?.execute(params![id, *last as i64])?;
            }
            Self::Cursor { id, path, body } => {
                let sql = "INSERT OR REPLACE INTO cursors (execution, path, body) VALUES (?1, ?2, ?3)";
                db.prepare_cached(sql)?.execute(params![id, path, body])?;
            }
            Self::DropBelow { id, path } => {
                // '0' follows '/', so this is every path that begins with `path/`.
                let sql =
                    "DELETE FROM cursors WHERE execution = ?1 AND path >= ?2 || '/' AND path < ?2 || '0'";
                db.prepare_cached(sql)?.execute(params![id, path])?;
            }
            Self::Forget { id } => {
                db.prepare_cached("DELETE FROM cursors WHERE execution = ?1")?.execute([id])?;
            }
            Self::Restart { id } => {
                db.prepare_cached("DELETE FROM cursors WHERE execution = ?1")?.execute([id])?;
                db.prepare_cached("DELETE FROM history WHERE execution = ?1")?.execute([id])?;
                db.prepare_cached("UPDATE executions SET last_event = 0 WHERE id = ?1")?.execute([id])?;
            }
            Self::MapRun { id, arn, execution, body } => {
                let sql =
                    "INSERT OR REPLACE INTO map_runs (id, arn, execution, body) VALUES (?1, ?2, ?3, ?4)";
                db.prepare_cached(sql)?.execute(params![id, arn, execution, body])?;
            }
            Self::MapItems { id, items } => {
                let sql = "INSERT OR REPLACE INTO map_items (map_run, items) VALUES (?1, ?2)";
                db.prepare_cached(sql)?.execute(params![id, items])?;
            }
            Self::Tell(_) => {}
        }
        Ok(())
    }
}

/// Adds an execution.
pub(crate) fn insert(db: &Connection, row: &ExecutionRow) -> rusqlite::Result<()> {
    let sql = "INSERT INTO executions (id, arn, machine, revision, name, express, status, start, input, map_run, child, items) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)";
    db.prepare_cached(sql)?.execute(params![
        row.id,
        row.arn,
        row.machine,
        row.revision,
        row.name,
        row.express,
        row.status.as_str(),
        row.start,
        row.input,
        row.map_run,
        row.child,
        row.items
    ])?;
    Ok(())
}

/// One execution by its ARN.
pub(crate) fn load_execution(db: &Connection, arn: &str) -> Result<Option<ExecutionRow>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM executions WHERE arn = ?1");
    Ok(db.prepare_cached(&sql)?.query_row([arn], ExecutionRow::read).optional()?)
}
