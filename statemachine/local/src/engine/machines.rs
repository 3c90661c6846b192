//! State machines: made, changed, described, listed; and their definitions parsed once.
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

struct MachineRow {
    description: StateMachineDescription,
    revision: i64,
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
    })
}

fn find(db: &Connection, arn: &str) -> Result<Option<MachineRow>, StoreError> {
    Ok(db.query_row(&format!("{SELECT} WHERE m.arn = ?1"), [arn], read).optional()?)
}

fn same(a: &str, b: &str) -> bool {
    let parse = |t: &str| serde_json::from_str::<serde_json::Value>(t).ok();
    parse(a) == parse(b)
}

fn revise(db: &Connection, arn: &str, role: &str, express: bool, definition: &str) -> rusqlite::Result<i64> {
    let sql = "INSERT INTO revisions (machine, role, express, definition) VALUES (?1, ?2, ?3, ?4)";
    db.execute(sql, params![arn, role, express, definition])?;
    Ok(db.last_insert_rowid())
}

impl Engine {
    /// CreateStateMachine. The same name, definition, role and type again give the same machine.
    pub async fn create_state_machine(
        &self,
        request: CreateStateMachine,
    ) -> Result<StateMachineCreated, ApiError> {
        if arn::bad_name(&request.name) {
            return Err(ApiError::new("InvalidName", format!("Invalid Name: '{}'", request.name)));
        }
        let express = request.kind == MachineType::Express;
        asl::parse(&request.definition, express).map_err(|problems| ApiError::definition(&problems))?;
        let (arn, now) = (self.inner.home.machine(&request.name), self.inner.clock.now());
        self.inner.store.call(move |db| create(db, &arn, &request, express, now)).await?
    }

    /// UpdateStateMachine: running executions keep the definition they began with. Returns when.
    pub async fn update_state_machine(
        &self,
        arn: &str,
        definition: Option<String>,
        role: Option<String>,
    ) -> Result<Timestamp, ApiError> {
        if definition.is_none() && role.is_none() {
            return Err(ApiError::new(
                "MissingRequiredParameter",
                "Either the definition, the role ARN, the LoggingConfiguration, or the TracingConfiguration must be specified",
            ));
        }
        let found = self.describe_state_machine(arn).await?;
        let express = found.kind == MachineType::Express;
        let definition = definition.unwrap_or(found.definition);
        asl::parse(&definition, express).map_err(|problems| ApiError::definition(&problems))?;
        let (arn, role, now) = (arn.to_owned(), role.unwrap_or(found.role_arn), self.inner.clock.now());
        let update = move |db: &mut Connection| {
            let transaction = db.transaction()?;
            let revision = revise(&transaction, &arn, &role, express, &definition)?;
            let sql = "UPDATE machines SET revision = ?2, updated = ?3 WHERE arn = ?1";
            transaction.execute(sql, params![arn, revision, now.millis()])?;
            Ok(transaction.commit()?)
        };
        self.inner.store.call(update).await?;
        Ok(now)
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
        Ok(rows
            .await?
            .into_iter()
            .map(|row| {
                let d = row.description;
                StateMachineSummary {
                    state_machine_arn: d.state_machine_arn,
                    name: d.name,
                    kind: d.kind,
                    creation_date: d.creation_date,
                }
            })
            .collect())
    }

    async fn machine_row(&self, arn: &str) -> Result<MachineRow, ApiError> {
        if !arn::is(arn, "stateMachine") {
            return Err(ApiError::arn(arn, "stateMachine"));
        }
        let wanted = arn.to_owned();
        let row = self.inner.store.call(move |db| find(db, &wanted)).await?;
        row.ok_or_else(|| ApiError::no_machine(arn))
    }

    /// The newest revision of a machine.
    pub(super) async fn load_machine(&self, arn: &str) -> Result<Arc<Loaded>, ApiError> {
        let row = self.machine_row(arn).await?;
        self.inner.load_revision(row.revision).await
    }
}

fn create(
    db: &mut Connection,
    arn: &str,
    request: &CreateStateMachine,
    express: bool,
    now: Timestamp,
) -> Result<Result<StateMachineCreated, ApiError>, StoreError> {
    if let Some(found) = find(db, arn)? {
        let d = found.description;
        let equal = same(&d.definition, &request.definition)
            && d.role_arn == request.role_arn
            && d.kind == request.kind;
        return Ok(match equal {
            true => Ok(StateMachineCreated {
                state_machine_arn: d.state_machine_arn,
                creation_date: d.creation_date,
            }),
            false => Err(ApiError::new(
                "StateMachineAlreadyExists",
                format!("State Machine Already Exists: '{arn}'"),
            )),
        });
    }
    let transaction = db.transaction()?;
    let revision = revise(&transaction, arn, &request.role_arn, express, &request.definition)?;
    transaction.execute(
        "INSERT INTO machines (arn, name, express, role, revision, created, updated) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6)",
        params![arn, request.name, express, request.role_arn, revision, now.millis()],
    )?;
    transaction.commit()?;
    Ok(Ok(StateMachineCreated { state_machine_arn: arn.to_owned(), creation_date: now }))
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
