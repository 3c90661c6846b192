//! Engine, worker pool and definition put together: the one place where a transfer can run.

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use lambda_local::{FunctionConfig, Logs, Pool};
use stepfunctions_local::{CreateStateMachine, Database, DirectoryObjects, Engine, StartExecution};

use transload_store::work::{WORK_BUCKET_VARIABLE, WORK_DIRECTORY_VARIABLE};

use crate::control::Listener;
use crate::definition::{
    self, BUCKET_MACHINE, FUNCTIONS, MACHINE, PACK_MACHINE, RESULTS_BUCKET, UNPACK_MACHINE,
};
use crate::exit::{CliError, Outcome};
use crate::home::{Home, Owner};
use crate::lambda::Workers;
use crate::view;

/// What workers are started with.
#[derive(Debug, Clone)]
pub(crate) struct WorkerSettings {
    /// The locations file, which they read themselves.
    pub(crate) locations: PathBuf,
    /// Names of variables that the locations' credentials need; workers get no others of ours.
    pub(crate) inherit: Vec<String>,
    /// Further variables.
    pub(crate) env: Vec<(String, OsString)>,
}

/// A running machine. Executions that a killed process left go on as soon as it is open.
pub(crate) struct Machine {
    /// The engine.
    pub(crate) engine: Engine,
    /// Its workers.
    pub(crate) pool: Pool,
    listener: Option<Listener>,
    _owner: Owner,
}

/// Memory of each worker in MB, as deployed. Pack and Unpack hold three parts.
fn memory_mb(function: &str) -> u32 {
    if matches!(function, "Pack" | "Unpack") { 512 } else { 128 }
}

/// Longest time of an invocation in seconds, as deployed: the timeout of its state or a little less.
fn timeout(function: &str) -> Duration {
    Duration::from_secs(match function {
        "Head" | "Init" | "Abort" | "Remove" | "Thaw" => 300,
        "Batch" | "Delete" => 120,
        _ => 900,
    })
}

impl Machine {
    /// Takes the home, starts the pool and the engine, and puts the definition in place.
    ///
    /// # Errors
    /// If another process has the home, or disk, database or sockets fail.
    pub(crate) async fn open(home: &Home, settings: &WorkerSettings) -> Outcome<Self> {
        Self::open_in(home, home.own()?, settings).await
    }

    /// As [`Machine::open`], in a home that is this process's already.
    ///
    /// # Errors
    /// If disk, database or sockets fail.
    pub(crate) async fn open_in(home: &Home, owner: Owner, settings: &WorkerSettings) -> Outcome<Self> {
        let pool = pool(home, settings).await?;
        let opened = Engine::builder()
            .database(Database::File(home.database()))
            .lambda(Arc::new(Workers(pool.clone())))
            .objects(Arc::new(DirectoryObjects::new(home.results())))
            .open();
        let engine = opened.await.map_err(|e| CliError::trouble(home.database().display(), e))?;
        install(&engine).await?;
        let listener = Listener::open(home, engine.clone());
        Ok(Self { engine, pool, listener, _owner: owner })
    }

    /// Starts an execution; the same name with the same input while it runs is the same execution.
    ///
    /// # Errors
    /// The API's: a name that is taken or malformed, an input that is no JSON or too long.
    pub(crate) async fn start(&self, name: &str, input: String) -> Outcome<String> {
        self.start_of(view::machine_arn(), name, input).await
    }

    /// The same of the machine that moves many objects.
    ///
    /// # Errors
    /// As there.
    pub(crate) async fn start_sync(&self, name: &str, input: String) -> Outcome<String> {
        self.start_of(view::bucket_machine_arn(), name, input).await
    }

    /// The same of the machine that packs trees.
    ///
    /// # Errors
    /// As there.
    pub(crate) async fn start_pack(&self, name: &str, input: String) -> Outcome<String> {
        self.start_of(view::pack_machine_arn(), name, input).await
    }

    /// The same of the machine that unpacks archives.
    ///
    /// # Errors
    /// As there.
    pub(crate) async fn start_unpack(&self, name: &str, input: String) -> Outcome<String> {
        self.start_of(view::unpack_machine_arn(), name, input).await
    }

    async fn start_of(&self, state_machine_arn: String, name: &str, input: String) -> Outcome<String> {
        let request = StartExecution { state_machine_arn, name: Some(name.to_owned()), input: Some(input) };
        Ok(self.engine.start_execution(request).await?.execution_arn)
    }

    /// Ends in order: what runs is kept and goes on when the home is opened again.
    ///
    /// # Errors
    /// If the database fails.
    pub(crate) async fn shutdown(self) -> Outcome {
        if let Some(listener) = self.listener {
            listener.close().await;
        }
        let flushed = self.engine.shutdown().await;
        self.pool.shutdown().await;
        flushed.map_err(|e| CliError::trouble("database", e))
    }
}

async fn pool(home: &Home, settings: &WorkerSettings) -> Outcome<Pool> {
    let program = std::env::current_exe().map_err(|e| CliError::trouble("this program's own path", e))?;
    // How many run at a time is the Map's to say: the input's maxConcurrency.
    let mut builder = Pool::builder();
    for name in FUNCTIONS {
        let mut function = match built(name) {
            Some(bootstrap) => FunctionConfig::new(name, bootstrap),
            None => FunctionConfig::new(name, &program),
        };
        function.args = vec!["worker".into(), name.into()];
        function.env = settings.env.clone();
        function.env.push(("TRANSLOAD_LOCATIONS_FILE".to_owned(), settings.locations.clone().into()));
        function.env.push((WORK_BUCKET_VARIABLE.to_owned(), RESULTS_BUCKET.into()));
        function.env.push((WORK_DIRECTORY_VARIABLE.to_owned(), home.results().into()));
        function.inherit_env = settings.inherit.clone();
        function.timeout = timeout(name);
        function.memory_mb = memory_mb(name);
        function.logs = Logs::File(home.log(name));
        builder = builder.function(function);
    }
    builder.start().await.map_err(|e| CliError::trouble("workers", e))
}

/// The binary that is deployed, in place of this program, where `TRANSLOAD_FUNCTIONS` names the folder that holds it.
fn built(name: &str) -> Option<PathBuf> {
    let folder = std::env::var_os("TRANSLOAD_FUNCTIONS")?;
    std::path::absolute(PathBuf::from(folder).join(name.to_ascii_lowercase()).join("bootstrap")).ok()
}

/// Creates the state machines, or updates those that an earlier release made.
async fn install(engine: &Engine) -> Outcome {
    let machines = [
        (MACHINE, definition::object(), view::machine_arn()),
        (BUCKET_MACHINE, definition::bucket(), view::bucket_machine_arn()),
        (PACK_MACHINE, definition::pack(), view::pack_machine_arn()),
        (UNPACK_MACHINE, definition::unpack(), view::unpack_machine_arn()),
    ];
    for (name, definition, arn) in machines {
        let machine = CreateStateMachine {
            name: name.to_owned(),
            definition,
            role_arn: format!("arn:aws:iam::000000000000:role/{name}"),
            ..CreateStateMachine::default()
        };
        match engine.create_state_machine(machine.clone()).await {
            Err(error) if error.code == "StateMachineAlreadyExists" => {
                engine.update_state_machine(&arn, Some(machine.definition), None).await?;
            }
            other => drop(other?),
        }
    }
    Ok(())
}
