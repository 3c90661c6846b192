//! Aliases: names for one version of a state machine, or for two that share its executions by weight.
use super::versions::{self, split};
use super::{Engine, lock};
use crate::api::ApiError;
use crate::arn;
use crate::clock::Timestamp;
use crate::store::StoreError;
use rand::Rng;
use rusqlite::{Connection, OptionalExtension, Row, params};
use serde::{Deserialize, Serialize};

/// One version that an alias leads to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Route {
    pub(crate) state_machine_version_arn: String,
    /// Of 100.
    pub(crate) weight: i64,
}

/// An alias as it is stored.
#[derive(Debug, Clone)]
pub(crate) struct Alias {
    pub(crate) arn: String,
    pub(crate) name: String,
    pub(crate) description: Option<String>,
    pub(crate) routing: Vec<Route>,
    pub(crate) created: Timestamp,
    pub(crate) updated: Timestamp,
}

const SELECT: &str = "SELECT arn, name, description, routing, created, updated FROM aliases";

fn read(row: &Row<'_>) -> rusqlite::Result<(Alias, String)> {
    let alias = Alias {
        arn: row.get(0)?,
        name: row.get(1)?,
        description: row.get(2)?,
        routing: Vec::new(),
        created: Timestamp::from_millis(row.get(4)?),
        updated: Timestamp::from_millis(row.get(5)?),
    };
    Ok((alias, row.get(3)?))
}

fn routed((alias, routing): (Alias, String)) -> Result<Alias, StoreError> {
    let routing =
        serde_json::from_str(&routing).map_err(|e| StoreError(format!("routing of {}: {e}", alias.arn)))?;
    Ok(Alias { routing, ..alias })
}

fn find(db: &Connection, arn: &str) -> Result<Option<Alias>, StoreError> {
    let row = db.query_row(&format!("{SELECT} WHERE arn = ?1"), [arn], read).optional()?;
    row.map(routed).transpose()
}

fn of_machine(db: &Connection, machine: &str) -> Result<Vec<Alias>, StoreError> {
    let mut statement = db.prepare(&format!("{SELECT} WHERE machine = ?1 ORDER BY id"))?;
    let rows = statement.query_map([machine], read)?.collect::<Result<Vec<_>, _>>()?;
    rows.into_iter().map(routed).collect()
}

/// Names of the aliases that lead to a version.
pub(super) fn names_of(db: &Connection, version: &str) -> Result<Vec<String>, StoreError> {
    let all = of_machine(db, split(version).0)?;
    Ok(all.into_iter().filter(|a| leads_to(a, version)).map(|a| a.name).collect())
}

fn leads_to(alias: &Alias, version: &str) -> bool {
    alias.routing.iter().any(|r| r.state_machine_version_arn == version)
}

fn save(db: &Connection, machine: &str, alias: &Alias) -> Result<(), StoreError> {
    let routing = serde_json::to_string(&alias.routing).map_err(|e| StoreError(format!("routing: {e}")))?;
    let sql = "INSERT INTO aliases (arn, machine, name, description, routing, created, updated) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) \
               ON CONFLICT (arn) DO UPDATE SET description = ?4, routing = ?5, updated = ?7";
    let (created, updated) = (alias.created.millis(), alias.updated.millis());
    db.execute(sql, params![alias.arn, machine, alias.name, alias.description, routing, created, updated])?;
    Ok(())
}

fn all_there(db: &Connection, routing: &[Route]) -> Result<bool, StoreError> {
    for route in routing {
        if versions::find(db, &route.state_machine_version_arn)?.is_none() {
            return Ok(false);
        }
    }
    Ok(true)
}

fn create(db: &Connection, machine: &str, alias: Alias) -> Result<Result<Alias, ApiError>, StoreError> {
    if !all_there(db, &alias.routing)? {
        return Ok(Err(ApiError::no_reference()));
    }
    if let Some(found) = find(db, &alias.arn)? {
        let same = found.routing == alias.routing && found.description == alias.description;
        let message = "Failed to create alias because an alias with the same name and a different routing configuration already exists.";
        return Ok(if same { Ok(found) } else { Err(ApiError::new("ConflictException", message)) });
    }
    save(db, machine, &alias)?;
    Ok(Ok(alias))
}

impl Engine {
    /// CreateStateMachineAlias; the routing has been checked, all of it is of one machine.
    pub(crate) async fn create_alias(
        &self,
        name: String,
        description: Option<String>,
        routing: Vec<Route>,
    ) -> Result<Alias, ApiError> {
        let machine = routing.first().map(|r| split(&r.state_machine_version_arn).0.to_owned());
        let machine = machine.unwrap_or_default();
        let now = self.inner.clock.now();
        let arn = format!("{machine}:{name}");
        let alias = Alias { arn, name, description, routing, created: now, updated: now };
        self.inner.store.call(move |db| create(db, &machine, alias)).await?
    }

    /// UpdateStateMachineAlias: what is given changes. Returns when.
    pub(crate) async fn update_alias(
        &self,
        arn: &str,
        description: Option<String>,
        routing: Option<Vec<Route>>,
    ) -> Result<Timestamp, ApiError> {
        let alias = self.alias(arn).await?;
        let now = self.inner.clock.now();
        let machine = split(arn).0.to_owned();
        let alias = Alias {
            description: description.or(alias.description),
            routing: routing.unwrap_or(alias.routing),
            updated: now,
            ..alias
        };
        let update = move |db: &mut Connection| {
            if !all_there(db, &alias.routing)? {
                return Ok(Err(ApiError::no_reference()));
            }
            save(db, &machine, &alias).map(Ok)
        };
        self.inner.store.call(update).await?.map(|()| now)
    }

    /// DescribeStateMachineAlias.
    pub(crate) async fn alias(&self, arn: &str) -> Result<Alias, ApiError> {
        if !arn::is(arn, "stateMachine") || split(arn).1.is_none() {
            return Err(ApiError::arn(arn));
        }
        let wanted = arn.to_owned();
        let found = self.inner.store.call(move |db| find(db, &wanted)).await?;
        found.ok_or_else(ApiError::no_reference)
    }

    /// ListStateMachineAliases in the order they were made: of a machine, or of one version of it.
    pub(crate) async fn aliases(&self, arn: &str) -> Result<Vec<Alias>, ApiError> {
        self.qualified_row(arn).await?;
        let (machine, qualifier) = split(arn);
        let version = qualifier.map(|_| arn.to_owned());
        let machine = machine.to_owned();
        let mut all = self.inner.store.call(move |db| of_machine(db, &machine)).await?;
        all.retain(|a| version.as_ref().is_none_or(|v| leads_to(a, v)));
        Ok(all)
    }

    /// DeleteStateMachineAlias.
    pub(crate) async fn delete_alias(&self, arn: &str) -> Result<(), ApiError> {
        self.alias(arn).await?;
        let wanted = arn.to_owned();
        let delete = move |db: &mut Connection| {
            db.execute("DELETE FROM aliases WHERE arn = ?1", [wanted])?;
            Ok(())
        };
        Ok(self.inner.store.call(delete).await?)
    }

    /// The version that an alias chooses this time.
    pub(super) async fn route(&self, arn: &str) -> Result<String, ApiError> {
        let alias = self.alias(arn).await.map_err(|e| match e.code {
            "ResourceNotFound" => ApiError::no_machine(arn),
            _ => e,
        })?;
        let mut drawn = lock(&self.inner.entropy).random_range(0..100_i64);
        for route in &alias.routing {
            drawn -= route.weight;
            if drawn < 0 {
                return Ok(route.state_machine_version_arn.clone());
            }
        }
        Err(ApiError::no_machine(arn))
    }
}
