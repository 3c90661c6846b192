//! Tables of the embedded database, and how it is opened.
use super::StoreError;
use rusqlite::Connection;
use std::path::PathBuf;

/// Where executions live.
#[derive(Debug, Clone)]
pub enum Database {
    /// One file (and its write-ahead log beside it). Only one engine may have it open.
    File(PathBuf),
    /// Nowhere: gone with the engine.
    Memory,
    /// In memory, worked on where it is used instead of by a thread of its own.
    Inline(super::InlineDatabase),
}

/// Raised whenever the tables change; a database of another version is refused, not guessed at.
const VERSION: i64 = 2;

const TABLES: &str = "
CREATE TABLE IF NOT EXISTS machines (
  arn TEXT PRIMARY KEY, name TEXT NOT NULL, express INTEGER NOT NULL, role TEXT NOT NULL,
  revision INTEGER NOT NULL, created INTEGER NOT NULL, updated INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS revisions (
  id INTEGER PRIMARY KEY AUTOINCREMENT, machine TEXT NOT NULL, role TEXT NOT NULL, express INTEGER NOT NULL, definition TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS executions (
  id INTEGER PRIMARY KEY, arn TEXT NOT NULL UNIQUE, machine TEXT NOT NULL, revision INTEGER NOT NULL,
  name TEXT NOT NULL, express INTEGER NOT NULL, status TEXT NOT NULL, start INTEGER NOT NULL, stop INTEGER,
  input TEXT NOT NULL, output TEXT, error TEXT, cause TEXT, map_run INTEGER, child INTEGER, items INTEGER NOT NULL,
  redrives INTEGER NOT NULL DEFAULT 0, redriven INTEGER, last_event INTEGER NOT NULL DEFAULT 0);
CREATE INDEX IF NOT EXISTS executions_by_map_run ON executions (map_run, child) WHERE map_run IS NOT NULL;
CREATE INDEX IF NOT EXISTS executions_top ON executions (machine, id) WHERE map_run IS NULL;
CREATE TABLE IF NOT EXISTS cursors (
  execution INTEGER NOT NULL, path TEXT NOT NULL, body TEXT NOT NULL, PRIMARY KEY (execution, path)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS history (
  execution INTEGER NOT NULL, first INTEGER NOT NULL, body BLOB NOT NULL, PRIMARY KEY (execution, first)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS map_runs (
  id INTEGER PRIMARY KEY, arn TEXT NOT NULL UNIQUE, execution INTEGER NOT NULL, body TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS map_runs_by_execution ON map_runs (execution);
CREATE TABLE IF NOT EXISTS map_items (map_run INTEGER PRIMARY KEY, items TEXT NOT NULL);
";

/// Opens the database and makes its tables; with a limit in bytes, it grows no further.
pub(super) fn open(database: &Database, limit: Option<u64>) -> Result<Connection, StoreError> {
    let connection = match database {
        Database::File(path) => Connection::open(path)?,
        Database::Memory | Database::Inline(_) => Connection::open_in_memory()?,
    };
    connection.busy_timeout(std::time::Duration::from_secs(2))?;
    // NORMAL: what was committed survives the death of the process; only the loss of power may take the last moments.
    // EXCLUSIVE: two engines on one database would run every execution twice.
    connection.execute_batch(
        "PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA cache_size = -32000; PRAGMA wal_autocheckpoint = 8000; PRAGMA temp_store = MEMORY;",
    )?;
    if let Some(bytes) = limit {
        let page: u64 = connection.query_row("PRAGMA page_size", [], |r| r.get(0))?;
        // The pragma answers with the limit that is now in force.
        let sql = format!("PRAGMA max_page_count = {}", (bytes / page.max(1)).max(1));
        connection.query_row(&sql, [], |r| r.get::<_, i64>(0))?;
    }
    let version: i64 = connection.query_row("PRAGMA user_version", [], |r| r.get(0))?;
    if version != 0 && version != VERSION {
        return Err(StoreError(format!("database: expected version {VERSION}, found {version}")));
    }
    connection.execute_batch(&format!(
        "BEGIN IMMEDIATE; {TABLES} {} PRAGMA user_version = {VERSION}; COMMIT;",
        super::catalog::TABLES
    ))?;
    Ok(connection)
}
