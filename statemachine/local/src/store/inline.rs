//! A database in memory without a thread of its own: for an engine whose every step is to come in one order, and which is
//! to be ended and opened again within one process.
use super::{Heard, Op, StoreError, commit, schema};
use rusqlite::Connection;
use rusqlite::types::ValueRef;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A database in memory that outlives its engines. Clones are the same database. An engine that opens it takes it away
/// from the one before, which from then on can neither read nor write: as if its process had been killed.
#[derive(Clone, Default)]
pub struct InlineDatabase(Arc<Mutex<Shared>>);

#[derive(Default)]
struct Shared {
    connection: Option<Connection>,
    /// Counts the engines that have opened it.
    owner: u64,
    commits: u64,
    /// After which commit it is taken away.
    last: Option<u64>,
    broken: Option<StoreError>,
}

impl fmt::Debug for InlineDatabase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("InlineDatabase")
    }
}

impl InlineDatabase {
    /// Empty.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the database away from the engine that has it open.
    pub fn sever(&self) {
        self.shared().owner += 1;
    }

    /// Takes the database away after so many more commits: as if the process died right then.
    pub fn sever_after(&self, commits: u64) {
        let mut shared = self.shared();
        shared.last = Some(shared.commits + commits);
    }

    /// How many commits there were.
    #[must_use]
    pub fn commits(&self) -> u64 {
        self.shared().commits
    }

    /// Every text and every blob that stands in it, for a search through what is stored.
    ///
    /// # Errors
    /// The database's own.
    pub fn contents(&self) -> Result<Vec<u8>, StoreError> {
        let shared = self.shared();
        let Some(connection) = &shared.connection else { return Ok(Vec::new()) };
        let mut tables = connection.prepare("SELECT name FROM sqlite_master WHERE type = 'table'")?;
        let tables = tables.query_map([], |row| row.get(0))?.collect::<Result<Vec<String>, _>>()?;
        let mut found = Vec::new();
        for table in tables {
            let mut statement = connection.prepare(&format!("SELECT * FROM \"{table}\""))?;
            let columns = statement.column_count();
            let mut rows = statement.query([])?;
            while let Some(row) = rows.next()? {
                for column in 0..columns {
                    if let ValueRef::Text(bytes) | ValueRef::Blob(bytes) = row.get_ref(column)? {
                        found.extend_from_slice(bytes);
                        found.push(b'\n');
                    }
                }
            }
        }
        Ok(found)
    }

    fn shared(&self) -> MutexGuard<'_, Shared> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn attach(&self, limit: Option<u64>, heard: Heard) -> Result<Inline, StoreError> {
        let mut shared = self.shared();
        if shared.connection.is_none() {
            shared.connection = Some(schema::open(&schema::Database::Memory, limit)?);
        }
        shared.owner += 1;
        let owner = shared.owner;
        drop(shared);
        Ok(Inline { database: self.clone(), owner, heard: Arc::new(Mutex::new(heard)) })
    }
}

/// One engine's hold on the database.
#[derive(Clone)]
pub(crate) struct Inline {
    database: InlineDatabase,
    owner: u64,
    heard: Arc<Mutex<Heard>>,
}

impl Inline {
    /// Commits changes that belong together.
    pub(super) fn write(&self, ops: Vec<Op>) -> Result<(), StoreError> {
        let group = [ops];
        let mut shared = self.owned()?;
        let committed = shared.connection.as_mut().map_or(Ok(()), |connection| commit(connection, &group));
        if let Err(error) = committed {
            tracing::error!(%error, "the database failed; executions stop");
            shared.broken = Some(error.clone());
            return Err(error);
        }
        shared.commits += 1;
        if shared.last == Some(shared.commits) {
            shared.last = None;
            shared.owner += 1;
        }
        drop(shared);
        let heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        for op in group.into_iter().flatten() {
            if let Op::Tell(notification) = op {
                heard(notification);
            }
        }
        Ok(())
    }

    pub(super) fn call<T>(
        &self,
        f: impl FnOnce(&mut Connection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        match self.owned()?.connection.as_mut() {
            Some(connection) => f(connection),
            None => Err(StoreError("the database is not open".to_owned())),
        }
    }

    fn owned(&self) -> Result<MutexGuard<'_, Shared>, StoreError> {
        let shared = self.database.shared();
        if shared.owner != self.owner {
            return Err(StoreError("another engine has taken the database".to_owned()));
        }
        match &shared.broken {
            Some(error) => Err(error.clone()),
            None => Ok(shared),
        }
    }
}
