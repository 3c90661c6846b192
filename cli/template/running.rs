//! The template's functions and state machines at work.

use std::path::Path;
use std::sync::Arc;

use lambda_local::{FunctionConfig, Logs, Pool};
use serde_json::{Value, json};
use stepfunctions_local::{Database, DirectoryObjects, Engine};
use transload_store::location::LOCATIONS_VARIABLE;
use transload_store::work::{WORK_BUCKET_VARIABLE, WORK_DIRECTORY_VARIABLE};

use super::servers::Servers;
use super::stack::{Function, Stack};
use crate::exit::{CliError, Outcome};
use crate::home::{Home, Owner};
use crate::lambda::Workers;

/// What runs.
pub(crate) struct Running {
    /// The engine.
    pub(crate) engine: Engine,
    /// ARNs of the machines, by logical id.
    pub(crate) machines: Vec<(String, String)>,
    pool: Pool,
    _owner: Owner,
}

impl Running {
    /// Starts functions and engine, and creates the machines, or updates those of an earlier run.
    ///
    /// # Errors
    /// If a definition is refused, or disk, database or sockets fail.
    pub(crate) async fn start(stack: &Stack, servers: &Servers, home: &Home, owner: Owner) -> Outcome<Self> {
        let pool = pool(stack, &servers.locations(), home).await?;
        let opened = Engine::builder()
            .partition(stack.site.partition())
            .region(stack.site.region.as_str())
            .account(stack.site.account.as_str())
            .database(Database::File(home.database()))
            .lambda(Arc::new(Workers(pool.clone())))
            .objects(Arc::new(DirectoryObjects::new(home.results())))
            .open();
        let engine = opened.await.map_err(|error| CliError::trouble(home.database().display(), error))?;
        let mut machines = Vec::new();
        for (id, body) in &stack.machines {
            machines.push((id.clone(), install(&engine, id, body).await?));
        }
        Ok(Self { engine, machines, pool, _owner: owner })
    }

    /// Ends in order: what runs is kept and goes on the next time.
    ///
    /// # Errors
    /// If the database fails.
    pub(crate) async fn shutdown(self) -> Outcome {
        let flushed = self.engine.shutdown().await;
        self.pool.shutdown().await;
        flushed.map_err(|error| CliError::trouble("database", error))
    }
}

async fn pool(stack: &Stack, locations: &str, home: &Home) -> Outcome<Pool> {
    let mut builder = Pool::builder().region(stack.site.region.as_str()).account(stack.site.account.as_str());
    for function in &stack.functions {
        let program = kept(function, home)?;
        builder = builder.function(config(function, &program, locations, home));
    }
    builder.start().await.map_err(|error| CliError::usage(format!("Resources: {error}")))
}

/// A program that was unpacked is kept below the home; one of a folder is run where it is.
fn kept(function: &Function, home: &Home) -> Outcome<std::path::PathBuf> {
    if !function.unpacked {
        return Ok(function.program.clone());
    }
    let path = home.path().join("functions").join(&function.id).join("bootstrap");
    let folder = path.parent().unwrap_or(&path);
    let moved = std::fs::create_dir_all(folder)
        .and_then(|()| crate::home::remove_if_there(&path))
        .and_then(|()| std::fs::copy(&function.program, &path).map(drop));
    moved.map_err(|error| CliError::trouble(path.display(), error))?;
    Ok(path)
}

fn config(function: &Function, program: &Path, locations: &str, home: &Home) -> FunctionConfig {
    let mut config = FunctionConfig::new(function.name.as_str(), program);
    config.timeout = function.timeout;
    config.memory_mb = function.memory_mb;
    config.reserved_concurrency = function.reserved;
    config.env = function.variables.iter().map(|(name, value)| (name.clone(), value.into())).collect();
    config.env.retain(|(name, _)| name != LOCATIONS_VARIABLE);
    config.env.push((LOCATIONS_VARIABLE.to_owned(), locations.into()));
    if function.variables.contains_key(WORK_BUCKET_VARIABLE) {
        // The bucket is a folder, the same as the engine's.
        config.env.push((WORK_DIRECTORY_VARIABLE.to_owned(), home.results().into()));
    }
    config.logs = Logs::File(home.log(&function.name));
    config
}

/// Creates a machine as the service's API does, or updates that of an earlier run. Gives its ARN.
async fn install(engine: &Engine, id: &str, body: &Value) -> Outcome<String> {
    let refuse = |error: stepfunctions_local::ApiError| {
        CliError::usage(format!("Resources.{id}: {}: {}", error.code, error.message))
    };
    match engine.call("CreateStateMachine", body.clone()).await {
        Ok(made) => Ok(text(&made["stateMachineArn"])),
        Err(error) if error.code == "StateMachineAlreadyExists" => {
            let all = engine.call("ListStateMachines", json!({})).await.map_err(refuse)?;
            let mut all = all["stateMachines"].as_array().into_iter().flatten();
            let arn =
                text(&all.find(|one| one["name"] == body["name"]).unwrap_or(&Value::Null)["stateMachineArn"]);
            let change =
                json!({"stateMachineArn": arn, "definition": body["definition"], "roleArn": body["roleArn"]});
            engine.call("UpdateStateMachine", change).await.map_err(refuse)?;
            engine
                .call("TagResource", json!({"resourceArn": arn, "tags": body["tags"]}))
                .await
                .map_err(refuse)?;
            Ok(arn)
        }
        Err(error) => Err(refuse(error)),
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
