//! State machines: made, changed, described, listed; and their definitions parsed once.
use super::settings::{self, Revision, Settings};
use super::versions::{self, Version};
use super::{Engine, Inner, lock};
use crate::api::{
    ApiError, CreateStateMachine, MachineType, StateMachineCreated, StateMachineDescription,
    StateMachineSummary,
};
use crate::arn;
use crate::asl::{self, Machine};
use crate::clock::Timestamp;
use crate::store::StoreError;
use rusqlite::{Connection, OptionalExtension, Row, params};
use std::sync::Arc;

/// A revision of a state machine with its definition parsed.
#[derive(Debug)]
pub(crate) struct Loaded {
    pub(crate) revision: i64,
    pub(crate) arn: String,
    pub(crate) name: String,
    pub(crate) role: String,
    pub(crate) express: bool,
    pub(crate) machine: Machine,
}

/// A machine as it is stored, with one of its revisions.
pub(super) struct MachineRow {
    pub(super) description: StateMachineDescription,
    pub(super) revision: i64,
    pub(super) settings: Revision,
}

/// What CreateStateMachine and UpdateStateMachine may ask for beside a machine's own members.
#[derive(Debug, Clone, Default)]
pub(crate) struct Publish {
    pub(crate) publish: bool,
    pub(crate) description: Option<String>,
}

/// UpdateStateMachine: what is given changes.
#[derive(Debug, Default)]
pub(crate) struct Change {
    pub(crate) definition: Option<String>,
    pub(crate) role: Option<String>,
    /// From the settings before to those after.
    pub(crate) settings: Option<Settings>,
    pub(crate) publish: Publish,
}

/// Answer of UpdateStateMachine.
pub(crate) struct Changed {
    pub(crate) update: Timestamp,
    pub(crate) revision_id: Option<String>,
    pub(crate) version: Option<Version>,
}

const SELECT: &str = "SELECT m.arn, m.name, m.express, r.role, m.created, r.definition, m.revision \
                      FROM machines m JOIN revisions r ON r.id = m.revision";

fn read(row: &Row<'_>) -> rusqlite::Result<MachineRow> {
    let express: bool = row.get(2)?;
    Ok(MachineRow {
        description: StateMachineDescription {
            state_machine_arn: row.get(0)?,
            name: row.get(1)?,
            status: "ACTIVE",
            definition: row.get(5)?,
            role_arn: row.get(3)?,
            kind: if express { MachineType::Express } else { MachineType::Standard },
            creation_date: Timestamp::from_millis(row.get(4)?),
        },
        revision: row.get(6)?,
        settings: Revision::default(),
    })
}

pub(super) fn find(db: &Connection, arn: &str) -> Result<Option<MachineRow>, StoreError> {
    let found = db.query_row(&format!("{SELECT} WHERE m.arn = ?1"), [arn], read).optional()?;
    let Some(row) = found else { return Ok(None) };
    Ok(Some(MachineRow { settings: settings::load(db, row.revision)?, ..row }))
}

/// The definition and role of a revision in place of the newest ones.
pub(super) fn as_of(db: &Connection, row: MachineRow, revision: i64) -> Result<MachineRow, StoreError> {
    let sql = "SELECT role, definition FROM revisions WHERE id = ?1";
    let (role_arn, definition) = db.query_row(sql, [revision], |r| Ok((r.get(0)?, r.get(1)?)))?;
    let description = StateMachineDescription { role_arn, definition, ..row.description };
    Ok(MachineRow { description, revision, settings: settings::load(db, revision)? })
}

fn revise(
    db: &Connection,
    (arn, express): (&str, bool),
    role: &str,
    definition: &str,
    with: &Revision,
) -> Result<i64, StoreError> {
    let sql = "INSERT INTO revisions (machine, role, express, definition) VALUES (?1, ?2, ?3, ?4)";
    db.execute(sql, params![arn, role, express, definition])?;
    let revision = db.last_insert_rowid();
    settings::save(db, revision, with)?;
    Ok(revision)
}

impl Engine {
    /// CreateStateMachine. The same name, definition and type again give the same machine.
    pub async fn create_state_machine(
        &self,
        request: CreateStateMachine,
    ) -> Result<StateMachineCreated, ApiError> {
        let made = self.make_machine(request, Settings::default(), Publish::default()).await?;
        Ok(made.0)
    }

    /// The same with everything that the API knows.
    pub(crate) async fn make_machine(
        &self,
        request: CreateStateMachine,
        settings: Settings,
        publish: Publish,
    ) -> Result<(StateMachineCreated, Option<Version>), ApiError> {
        if arn::bad_name(&request.name) {
            return Err(ApiError::new("InvalidName", format!("Invalid Name: '{}'", request.name)));
        }
        let express = request.kind == MachineType::Express;
        asl::parse(&request.definition, express).map_err(|problems| ApiError::definition(&problems))?;
        let (arn, now) = (self.inner.home.machine(&request.name), self.inner.clock.now());
        let create = move |db: &mut Connection| {
            let transaction = db.transaction()?;
            let made = create(&transaction, &arn, &request, &settings, now)?;
            let version = match (&made, publish.publish) {
                (Ok(_), true) => versions::publish(&transaction, &arn, publish.description.as_deref(), now)?,
                _ => None,
            };
            transaction.commit()?;
            Ok(made.map(|made| (made, version)))
        };
        self.inner.store.call(create).await?
    }

    /// UpdateStateMachine: running executions keep the definition they began with. Returns when.
    pub async fn update_state_machine(
        &self,
        arn: &str,
        definition: Option<String>,
        role: Option<String>,
    ) -> Result<Timestamp, ApiError> {
        let change = Change { definition, role, ..Change::default() };
        self.change_machine(arn, change).await.map(|changed| changed.update)
    }

    /// The same with everything that the API knows.
    pub(crate) async fn change_machine(&self, arn: &str, change: Change) -> Result<Changed, ApiError> {
        if change.definition.is_none() && change.role.is_none() && change.settings.is_none() {
            return Err(ApiError::new(
                "MissingRequiredParameter",
                "Either the definition, the role ARN, the LoggingConfiguration, or the TracingConfiguration must be specified",
            ));
        }
        let found = self.machine_row(arn).await?;
        if let Some(definition) = &change.definition {
            let express = found.description.kind == MachineType::Express;
            asl::parse(definition, express).map_err(|problems| ApiError::definition(&problems))?;
        }
        let (arn, uuid, now) = (arn.to_owned(), self.inner.uuid(), self.inner.clock.now());
        let update = move |db: &mut Connection| {
            let transaction = db.transaction()?;
            let changed = update(&transaction, &arn, change, uuid, now)?;
            transaction.commit()?;
            Ok(changed)
        };
        self.inner.store.call(update).await?
    }

    /// DescribeStateMachine.
    pub async fn describe_state_machine(&self, arn: &str) -> Result<StateMachineDescription, ApiError> {
        self.machine_row(arn).await.map(|row| row.description)
    }

    /// ListStateMachines, all of them, by name.
    pub async fn list_state_machines(&self) -> Result<Vec<StateMachineSummary>, ApiError> {
        let rows = self.inner.store.call(|db| {
            let mut statement = db.prepare(&format!("{SELECT} ORDER BY m.name"))?;
            let rows = statement.query_map([], read)?;
            Ok(rows.collect::<Result<Vec<_>, _>>()?)
        });
        let summary = |d: StateMachineDescription| StateMachineSummary {
            state_machine_arn: d.state_machine_arn,
            name: d.name,
            kind: d.kind,
            creation_date: d.creation_date,
        };
        Ok(rows.await?.into_iter().map(|row| summary(row.description)).collect())
    }

    pub(super) async fn machine_row(&self, arn: &str) -> Result<MachineRow, ApiError> {
        if !arn::is(arn, "stateMachine") {
            return Err(ApiError::arn(arn));
        }
        let wanted = arn.to_owned();
        let row = self.inner.store.call(move |db| find(db, &wanted)).await?;
        row.ok_or_else(|| ApiError::no_machine(arn))
    }

    /// The definition that an execution runs, or ran.
    pub(crate) async fn machine_of_execution(
        &self,
        arn: &str,
    ) -> Result<(StateMachineDescription, Revision, Option<String>), ApiError> {
        let row = self.row(arn).await?;
        let map_run = match row.map_run {
            Some(id) => Some(self.inner.load_map_run(id).await?.0),
            None => None,
        };
        let load = move |db: &mut Connection| {
            let sql = "SELECT machine, role, express, definition FROM revisions WHERE id = ?1";
            let description = db.query_row(sql, [row.revision], |r| {
                let express: bool = r.get(2)?;
                Ok(StateMachineDescription {
                    state_machine_arn: row.machine.clone(),
                    name: arn::last(&r.get::<_, String>(0)?).to_owned(),
                    status: "ACTIVE",
                    definition: r.get(3)?,
                    role_arn: r.get(1)?,
                    kind: if express { MachineType::Express } else { MachineType::Standard },
                    creation_date: Timestamp::default(),
                })
            })?;
            Ok((description, settings::load(db, row.revision)?, map_run))
        };
        Ok(self.inner.store.call(load).await?)
    }
}

fn create(
    db: &Connection,
    arn: &str,
    request: &CreateStateMachine,
    settings: &Settings,
    now: Timestamp,
) -> Result<Result<StateMachineCreated, ApiError>, StoreError> {
    if let Some(found) = find(db, arn)? {
        let d = found.description;
        // As documented, another role or other tags make no difference; as recorded, other spacing does.
        let equal = d.definition == request.definition
            && d.kind == request.kind
            && found.settings.settings == *settings;
        let message = format!("State Machine Already Exists: '{arn}'");
        let made =
            StateMachineCreated { state_machine_arn: d.state_machine_arn, creation_date: d.creation_date };
        return Ok(if equal { Ok(made) } else { Err(ApiError::new("StateMachineAlreadyExists", message)) });
    }
    let express = request.kind == MachineType::Express;
    let with = Revision { uuid: None, settings: settings.clone(), created: now.millis() };
    let revision = revise(db, (arn, express), &request.role_arn, &request.definition, &with)?;
    db.execute(
        "INSERT INTO machines (arn, name, express, role, revision, created, updated) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6)",
        params![arn, request.name, express, request.role_arn, revision, now.millis()],
    )?;
    Ok(Ok(StateMachineCreated { state_machine_arn: arn.to_owned(), creation_date: now }))
}

fn update(
    db: &Connection,
    arn: &str,
    change: Change,
    uuid: String,
    now: Timestamp,
) -> Result<Result<Changed, ApiError>, StoreError> {
    let Some(found) = find(db, arn)? else { return Ok(Err(ApiError::no_machine(arn))) };
    let before = &found.description;
    let definition = change.definition.unwrap_or_else(|| before.definition.clone());
    let role = change.role.unwrap_or_else(|| before.role_arn.clone());
    let settings = change.settings.unwrap_or_else(|| found.settings.settings.clone());
    let same =
        definition == before.definition && role == before.role_arn && settings == found.settings.settings;
    // As recorded, an update that changes nothing makes no revision.
    let revision_id = if same { found.settings.uuid.clone() } else { Some(uuid) };
    if !same {
        let express = before.kind == MachineType::Express;
        let with = Revision { uuid: revision_id.clone(), settings, created: now.millis() };
        let revision = revise(db, (arn, express), &role, &definition, &with)?;
        let sql = "UPDATE machines SET revision = ?2, updated = ?3 WHERE arn = ?1";
        db.execute(sql, params![arn, revision, now.millis()])?;
    }
    let version = match change.publish.publish {
        true => versions::publish(db, arn, change.publish.description.as_deref(), now)?,
        false => None,
    };
    Ok(Ok(Changed { update: now, revision_id, version }))
}

impl Inner {
    /// A revision by its number, parsed the first time.
    pub(crate) async fn load_revision(&self, revision: i64) -> Result<Arc<Loaded>, ApiError> {
        if let Some(found) = lock(&self.loaded).get(&revision) {
            return Ok(found.clone());
        }
        let sql = "SELECT machine, role, express, definition FROM revisions WHERE id = ?1";
        let row = self.store.call(move |db| {
            Ok(db.query_row(sql, [revision], |r| {
                Ok((r.get::<_, String>(0)?, r.get(1)?, r.get(2)?, r.get::<_, String>(3)?))
            })?)
        });
        let (arn, role, express, definition) = row.await?;
        let machine = asl::parse(&definition, express).map_err(|problems| ApiError::definition(&problems))?;
        let name = arn::last(&arn).to_owned();
        let loaded = Arc::new(Loaded { revision, arn, name, role, express, machine });
        lock(&self.loaded).insert(revision, loaded.clone());
        Ok(loaded)
    }
}
