//! Tags of state machines and activities, in the order in which they were set.
use super::Engine;
use crate::api::ApiError;
use crate::arn;
use crate::store::StoreError;
use rusqlite::{Connection, params};
use serde_json::{Value, json};

/// Tags of one resource (the service's limit).
pub(crate) const MAX_TAGS: usize = 50;

/// A tag.
pub(crate) type Tag = (String, String);

fn exists(db: &Connection, arn: &str) -> Result<bool, StoreError> {
    let sql = "SELECT exists (SELECT 1 FROM machines WHERE arn = ?1) OR exists (SELECT 1 FROM activities WHERE arn = ?1)";
    Ok(db.query_row(sql, [arn], |r| r.get(0))?)
}

fn missing(arn: &str) -> ApiError {
    ApiError::new("ResourceNotFound", format!("Resource not found: '{arn}'"))
}

fn known(arn: &str) -> Result<(), ApiError> {
    match arn::is(arn, "stateMachine") || arn::is(arn, "activity") {
        true => Ok(()),
        false => Err(ApiError::arn(arn)),
    }
}

/// Sets tags; the last of the same key counts.
pub(super) fn set(db: &Connection, arn: &str, tags: &[Tag]) -> Result<(), StoreError> {
    let sql = "INSERT INTO tags (resource, key, value) VALUES (?1, ?2, ?3) \
               ON CONFLICT (resource, key) DO UPDATE SET value = ?3";
    for (key, value) in tags {
        db.execute(sql, params![arn, key, value])?;
    }
    Ok(())
}

fn add(db: &Connection, arn: &str, tags: &[Tag]) -> Result<Result<(), ApiError>, StoreError> {
    if !exists(db, arn)? {
        return Ok(Err(missing(arn)));
    }
    set(db, arn, tags)?;
    let count: usize = db.query_row("SELECT count(*) FROM tags WHERE resource = ?1", [arn], |r| r.get(0))?;
    Ok(match count > MAX_TAGS {
        true => Err(too_many(arn)),
        false => Ok(()),
    })
}

/// More tags than a resource may have.
pub(crate) fn too_many(arn: &str) -> ApiError {
    ApiError::new("TooManyTags", format!("Too many tags: a resource has at most {MAX_TAGS}: '{arn}'"))
}

impl Engine {
    /// TagResource.
    pub(crate) async fn tag(&self, arn: &str, tags: Vec<Tag>) -> Result<(), ApiError> {
        known(arn)?;
        let wanted = arn.to_owned();
        let tag = move |db: &mut Connection| {
            let transaction = db.transaction()?;
            let done = add(&transaction, &wanted, &tags)?;
            if done.is_ok() {
                transaction.commit()?;
            }
            Ok(done)
        };
        self.inner.store.call(tag).await?
    }

    /// UntagResource; keys that are not there are as good as removed.
    pub(crate) async fn untag(&self, arn: &str, keys: Vec<String>) -> Result<(), ApiError> {
        known(arn)?;
        let wanted = arn.to_owned();
        let untag = move |db: &mut Connection| {
            if !exists(db, &wanted)? {
                return Ok(Err(missing(&wanted)));
            }
            for key in &keys {
                db.execute("DELETE FROM tags WHERE resource = ?1 AND key = ?2", params![wanted, key])?;
            }
            Ok(Ok(()))
        };
        self.inner.store.call(untag).await?
    }

    /// ListTagsForResource.
    pub(crate) async fn tags(&self, arn: &str) -> Result<Vec<Value>, ApiError> {
        known(arn)?;
        let wanted = arn.to_owned();
        let list = move |db: &mut Connection| {
            if !exists(db, &wanted)? {
                return Ok(Err(missing(&wanted)));
            }
            let mut statement = db.prepare("SELECT key, value FROM tags WHERE resource = ?1 ORDER BY id")?;
            let tag = |r: &rusqlite::Row<'_>| {
                Ok(json!({"key": r.get::<_, String>(0)?, "value": r.get::<_, String>(1)?}))
            };
            let rows = statement.query_map([wanted], tag)?;
            Ok(Ok(rows.collect::<Result<Vec<_>, _>>()?))
        };
        self.inner.store.call(list).await?
    }
}
