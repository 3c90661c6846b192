//! Activities, and what their workers and the holders of task tokens say.
use super::Engine;
use crate::api::ApiError;
use crate::arn;
use crate::clock::Timestamp;
use crate::exec::{Unheard, Word};
use crate::store::StoreError;
use rusqlite::{Connection, OptionalExtension, Row, params};
use serde_json::Value;

/// Seconds that GetActivityTask waits for a task (the service's long poll).
const LONG_POLL: f64 = 60.0;

/// An activity as it is stored.
#[derive(Debug, Clone)]
pub(crate) struct Activity {
    pub(crate) arn: String,
    pub(crate) name: String,
    pub(crate) created: Timestamp,
    /// The encryption configuration's JSON.
    pub(crate) encryption: String,
}

const SELECT: &str = "SELECT arn, name, created, encryption FROM activities";

fn read(row: &Row<'_>) -> rusqlite::Result<Activity> {
    let created = Timestamp::from_millis(row.get(2)?);
    Ok(Activity { arn: row.get(0)?, name: row.get(1)?, created, encryption: row.get(3)? })
}

fn find(db: &Connection, arn: &str) -> Result<Option<Activity>, StoreError> {
    Ok(db.query_row(&format!("{SELECT} WHERE arn = ?1"), [arn], read).optional()?)
}

fn create(db: &Connection, activity: Activity) -> Result<Result<Activity, ApiError>, StoreError> {
    if let Some(found) = find(db, &activity.arn)? {
        let message = format!("Activity already exists with a different configuration: '{}'", found.arn);
        let same = found.encryption == activity.encryption;
        return Ok(if same { Ok(found) } else { Err(ApiError::new("ActivityAlreadyExists", message)) });
    }
    let sql = "INSERT INTO activities (arn, name, created, encryption) VALUES (?1, ?2, ?3, ?4)";
    let created = activity.created.millis();
    db.execute(sql, params![activity.arn, activity.name, created, activity.encryption])?;
    Ok(Ok(activity))
}

impl Engine {
    /// CreateActivity. The same name again gives the same activity.
    pub(crate) async fn create_activity(
        &self,
        name: String,
        encryption: Value,
    ) -> Result<Activity, ApiError> {
        if arn::bad_name(&name) {
            return Err(ApiError::new("InvalidName", format!("Invalid Name: '{name}'")));
        }
        let (arn, created) = (self.inner.home.activity(&name), self.inner.clock.now());
        let activity = Activity { arn, name, created, encryption: encryption.to_string() };
        self.inner.store.call(move |db| create(db, activity)).await?
    }

    /// DescribeActivity.
    pub(crate) async fn activity(&self, arn: &str) -> Result<Activity, ApiError> {
        if !arn::is(arn, "activity") {
            return Err(ApiError::arn(arn));
        }
        let wanted = arn.to_owned();
        let found = self.inner.store.call(move |db| find(db, &wanted)).await?;
        let message = format!("Activity Does Not Exist: '{arn}'");
        found.ok_or_else(|| ApiError::new("ActivityDoesNotExist", message))
    }

    /// ListActivities, by name.
    pub(crate) async fn activities(&self) -> Result<Vec<Activity>, ApiError> {
        let rows = self.inner.store.call(|db| {
            let mut statement = db.prepare(&format!("{SELECT} ORDER BY name"))?;
            let rows = statement.query_map([], read)?;
            Ok(rows.collect::<Result<Vec<_>, _>>()?)
        });
        Ok(rows.await?)
    }

    /// DeleteActivity. One that is not there is as good as deleted.
    pub(crate) async fn delete_activity(&self, arn: &str) -> Result<(), ApiError> {
        if !arn::is(arn, "activity") {
            return Err(ApiError::arn(arn));
        }
        let wanted = arn.to_owned();
        let delete = move |db: &mut Connection| {
            db.execute("DELETE FROM activities WHERE arn = ?1", [&wanted])?;
            db.execute("DELETE FROM tags WHERE resource = ?1", [&wanted])?;
            Ok(())
        };
        Ok(self.inner.store.call(delete).await?)
    }

    /// GetActivityTask: token and input of a task, or nothing after a minute.
    pub(crate) async fn activity_task(
        &self,
        arn: &str,
        worker: Option<&str>,
    ) -> Result<Option<(String, String)>, ApiError> {
        self.activity(arn).await?;
        let until = self.inner.clock.now().plus_seconds(LONG_POLL);
        tokio::select! {
            biased;
            found = self.inner.tokens.next(arn, worker) => Ok(Some(found)),
            () = self.inner.clock.sleep_until(until) => Ok(None),
        }
    }

    /// SendTaskSuccess, SendTaskFailure, SendTaskHeartbeat.
    pub(crate) fn say(&self, token: &str, word: Word) -> Result<(), ApiError> {
        self.inner.tokens.say(token, word).map_err(|unheard| match unheard {
            Unheard::Invalid => ApiError::new("InvalidToken", "Invalid Token: 'Invalid token'"),
            Unheard::Gone => {
                ApiError::new("TaskTimedOut", "Task Timed Out: 'Provided task does not exist anymore'")
            }
        })
    }
}
