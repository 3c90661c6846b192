//! Through which version and which alias an execution was started.
use super::Engine;
use super::versions::Target;
use crate::api::ApiError;
use crate::store::StoreError;
use rusqlite::{Connection, OptionalExtension, params};
use std::collections::BTreeMap;

/// The version and the alias of an execution, as far as there are any.
#[derive(Debug, Clone, Default)]
pub(crate) struct Origin {
    pub(crate) version: Option<String>,
    pub(crate) alias: Option<String>,
}

/// Notes what an execution was started through.
pub(super) fn save(db: &Connection, execution: i64, target: &Target) -> Result<(), StoreError> {
    if target.version.is_some() {
        let sql = "INSERT INTO origins (execution, version, alias) VALUES (?1, ?2, ?3)";
        db.execute(sql, params![execution, target.version, target.alias])?;
    }
    Ok(())
}

impl Engine {
    /// Origins by execution; those without are left out.
    pub(crate) async fn origins(&self, arns: Vec<String>) -> Result<BTreeMap<String, Origin>, ApiError> {
        let load = move |db: &mut Connection| {
            let sql = "SELECT o.version, o.alias FROM origins o JOIN executions e ON e.id = o.execution WHERE e.arn = ?1";
            let mut statement = db.prepare_cached(sql)?;
            let mut found = BTreeMap::new();
            for arn in arns {
                let read = |r: &rusqlite::Row<'_>| Ok(Origin { version: r.get(0)?, alias: r.get(1)? });
                if let Some(origin) = statement.query_row([&arn], read).optional()? {
                    found.insert(arn, origin);
                }
            }
            Ok(found)
        };
        Ok(self.inner.store.call(load).await?)
    }
}
