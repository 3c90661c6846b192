//! Versions of state machines, and what a qualified ARN means: the newest revision, a version, or an alias.
use super::machines::{self, MachineRow};
use super::settings::Settings;
use super::{Engine, Loaded, aliases};
use crate::api::{ApiError, StateMachineDescription};
use crate::arn;
use crate::clock::Timestamp;
use crate::store::StoreError;
use rusqlite::{Connection, OptionalExtension, Row, params};
use std::sync::Arc;

/// A published version.
#[derive(Debug, Clone)]
pub(crate) struct Version {
    pub(crate) arn: String,
    pub(crate) revision: i64,
    pub(crate) description: Option<String>,
    pub(crate) created: Timestamp,
}

/// What an ARN that may be qualified leads to.
#[derive(Clone)]
pub(crate) struct Target {
    pub(crate) loaded: Arc<Loaded>,
    /// The version that was asked for, or that the alias chose.
    pub(crate) version: Option<String>,
    pub(crate) alias: Option<String>,
}

/// A machine, or one of its versions, as it is described.
pub(crate) struct Shown {
    pub(crate) description: StateMachineDescription,
    pub(crate) settings: Settings,
    pub(crate) revision_id: Option<String>,
    pub(crate) version: Option<Version>,
}

/// `(machine, qualifier)` of a machine's ARN: `...:stateMachine:name`, with `:1` or `:alias` behind it.
pub(super) fn split(text: &str) -> (&str, Option<&str>) {
    match text.match_indices(':').nth(6) {
        Some((at, _)) => (&text[..at], Some(&text[at + 1..])),
        None => (text, None),
    }
}

/// Whether a qualifier is a version's number; an alias has something else in its name.
pub(super) fn is_number(qualifier: &str) -> bool {
    !qualifier.is_empty() && qualifier.chars().all(|c| c.is_ascii_digit())
}

const SELECT: &str = "SELECT arn, revision, description, created FROM versions";

fn read(row: &Row<'_>) -> rusqlite::Result<Version> {
    Ok(Version {
        arn: row.get(0)?,
        revision: row.get(1)?,
        description: row.get(2)?,
        created: Timestamp::from_millis(row.get(3)?),
    })
}

/// A version by its ARN.
pub(super) fn find(db: &Connection, arn: &str) -> Result<Option<Version>, StoreError> {
    Ok(db.query_row(&format!("{SELECT} WHERE arn = ?1"), [arn], read).optional()?)
}

/// Publishes the newest revision, or finds the version that it already is. `None`: no such machine.
pub(super) fn publish(
    db: &Connection,
    arn: &str,
    description: Option<&str>,
    now: Timestamp,
) -> Result<Option<Version>, StoreError> {
    let Some(machine) = machines::find(db, arn)? else { return Ok(None) };
    let sql = format!("{SELECT} WHERE machine = ?1 AND revision = ?2");
    if let Some(found) = db.query_row(&sql, params![arn, machine.revision], read).optional()? {
        return Ok(Some(found));
    }
    let sql = "INSERT INTO version_numbers (machine, last) VALUES (?1, 1) \
               ON CONFLICT (machine) DO UPDATE SET last = last + 1 RETURNING last";
    let number: i64 = db.query_row(sql, [arn], |r| r.get(0))?;
    let version = Version {
        arn: format!("{arn}:{number}"),
        revision: machine.revision,
        description: description.map(str::to_owned),
        created: now,
    };
    let sql = "INSERT INTO versions (arn, machine, number, revision, description, created) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    let created = now.millis();
    db.execute(sql, params![version.arn, arn, number, version.revision, version.description, created])?;
    Ok(Some(version))
}

fn remove(db: &Connection, arn: &str) -> Result<Result<(), ApiError>, StoreError> {
    let users = aliases::names_of(db, arn)?;
    if !users.is_empty() {
        let message = format!(
            "Version to be deleted must not be referenced by an alias. Current list of aliases referencing this version: [{}]",
            users.join(", ")
        );
        return Ok(Err(ApiError::new("ConflictException", message)));
    }
    db.execute("DELETE FROM versions WHERE arn = ?1", [arn])?;
    Ok(Ok(()))
}

impl Engine {
    /// PublishStateMachineVersion.
    pub(crate) async fn publish_version(
        &self,
        arn: &str,
        revision_id: Option<String>,
        description: Option<String>,
    ) -> Result<Version, ApiError> {
        let machine = self.machine_row(arn).await?;
        let newest = machine.settings.uuid.as_deref().unwrap_or("INITIAL");
        if let Some(wanted) = revision_id.filter(|id| id != newest) {
            let message = format!(
                "Failed to publish the State Machine version for revision {wanted}. The current State Machine revision is {newest}."
            );
            return Err(ApiError::new("ConflictException", message));
        }
        let (wanted, now) = (arn.to_owned(), self.inner.clock.now());
        let publish = move |db: &mut Connection| {
            let transaction = db.transaction()?;
            let version = publish(&transaction, &wanted, description.as_deref(), now)?;
            transaction.commit()?;
            Ok(version)
        };
        self.inner.store.call(publish).await?.ok_or_else(|| ApiError::no_machine(arn))
    }

    /// ListStateMachineVersions, newest first. A machine that is not there has none.
    pub(crate) async fn versions(&self, arn: &str) -> Result<Vec<Version>, ApiError> {
        if !arn::is(arn, "stateMachine") {
            return Err(ApiError::arn(arn));
        }
        let wanted = arn.to_owned();
        let rows = self.inner.store.call(move |db| {
            let mut statement = db.prepare(&format!("{SELECT} WHERE machine = ?1 ORDER BY number DESC"))?;
            let rows = statement.query_map([wanted], read)?;
            Ok(rows.collect::<Result<Vec<_>, _>>()?)
        });
        Ok(rows.await?)
    }

    /// DeleteStateMachineVersion. One that is not there is as good as deleted.
    pub(crate) async fn delete_version(&self, arn: &str) -> Result<(), ApiError> {
        if !arn::is(arn, "stateMachine") || !split(arn).1.is_some_and(is_number) {
            return Err(ApiError::arn(arn));
        }
        let wanted = arn.to_owned();
        self.inner.store.call(move |db| remove(db, &wanted)).await?
    }

    /// A machine as its ARN, perhaps of a version, shows it.
    pub(super) async fn qualified_row(&self, arn: &str) -> Result<(MachineRow, Option<Version>), ApiError> {
        if !arn::is(arn, "stateMachine") {
            return Err(ApiError::arn(arn));
        }
        if split(arn).1.is_none() {
            return Ok((self.machine_row(arn).await?, None));
        }
        let wanted = arn.to_owned();
        let load = move |db: &mut Connection| {
            let version = find(db, &wanted)?;
            let machine = machines::find(db, split(&wanted).0)?;
            let Some((version, machine)) = version.zip(machine) else { return Ok(None) };
            Ok(Some((machines::as_of(db, machine, version.revision)?, Some(version))))
        };
        self.inner.store.call(load).await?.ok_or_else(|| ApiError::no_machine(arn))
    }

    /// DescribeStateMachine with everything that the API shows.
    pub(crate) async fn show_machine(&self, arn: &str) -> Result<Shown, ApiError> {
        let (row, version) = self.qualified_row(arn).await?;
        let MachineRow { description, settings, .. } = row;
        Ok(Shown { description, settings: settings.settings, revision_id: settings.uuid, version })
    }

    /// The settings of a machine's newest revision.
    pub(crate) async fn settings_of(&self, arn: &str) -> Result<Settings, ApiError> {
        self.machine_row(arn).await.map(|row| row.settings.settings)
    }

    /// What StartExecution starts.
    pub(crate) async fn target(&self, arn: &str) -> Result<Target, ApiError> {
        let (_, qualifier) = split(arn);
        let Some(qualifier) = qualifier.filter(|_| arn::is(arn, "stateMachine")) else {
            let row = self.machine_row(arn).await?;
            let loaded = self.inner.load_revision(row.revision).await?;
            return Ok(Target { loaded, version: None, alias: None });
        };
        let (version, alias) = match is_number(qualifier) {
            true => (arn.to_owned(), None),
            false => (self.route(arn).await?, Some(arn.to_owned())),
        };
        let (row, _) = self.qualified_row(&version).await?;
        let loaded = self.inner.load_revision(row.revision).await?;
        Ok(Target { loaded, version: Some(version), alias })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn qualifiers_are_split_off() {
        let machine = "arn:aws:states:us-east-1:000000000000:stateMachine:m";
        assert_eq!(split(machine), (machine, None));
        assert_eq!(split(&format!("{machine}:12")), (machine, Some("12")));
        assert_eq!(split(&format!("{machine}:prod.1")), (machine, Some("prod.1")));
        assert_eq!(split("x"), ("x", None));
        assert!(is_number("12") && !is_number("prod.1") && !is_number(""));
    }
}
