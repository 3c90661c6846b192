//! What a revision of a state machine has beside its definition and role.
use crate::store::StoreError;
use rusqlite::{Connection, OptionalExtension, params};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// Kept and shown, and part of whether two requests are the same; nothing is logged, traced or encrypted here.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Settings {
    pub(crate) logging_configuration: Value,
    pub(crate) tracing_configuration: Value,
    pub(crate) encryption_configuration: Value,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            logging_configuration: json!({"level": "OFF", "includeExecutionData": false}),
            tracing_configuration: json!({"enabled": false}),
            encryption_configuration: json!({"type": "AWS_OWNED_KEY"}),
        }
    }
}

/// A revision's settings, and who and when it is.
#[derive(Debug, Clone, Default)]
pub(crate) struct Revision {
    /// None for the one that the machine was created with.
    pub(crate) uuid: Option<String>,
    pub(crate) settings: Settings,
    /// Milliseconds since 1970; 0 if nobody noted it.
    pub(crate) created: i64,
}

/// Notes a revision's settings.
pub(super) fn save(db: &Connection, revision: i64, with: &Revision) -> Result<(), StoreError> {
    let settings = serde_json::to_string(&with.settings).map_err(|e| StoreError(format!("settings: {e}")))?;
    let sql = "INSERT INTO revision_settings (revision, uuid, settings, created) VALUES (?1, ?2, ?3, ?4)";
    db.execute(sql, params![revision, with.uuid, settings, with.created])?;
    Ok(())
}

/// A revision's settings; the usual ones if it was made before there were any.
pub(super) fn load(db: &Connection, revision: i64) -> Result<Revision, StoreError> {
    let sql = "SELECT uuid, settings, created FROM revision_settings WHERE revision = ?1";
    let row = db.query_row(sql, [revision], |r| Ok((r.get(0)?, r.get::<_, String>(1)?, r.get(2)?)));
    let Some((uuid, text, created)) = row.optional()? else { return Ok(Revision::default()) };
    let settings = serde_json::from_str(&text)
        .map_err(|e| StoreError(format!("settings of revision {revision}: {e}")))?;
    Ok(Revision { uuid, settings, created })
}
