//! A look at executions: of a home, through the process that runs them there or in its database if none does; or of the
//! machine that is deployed.

use std::time::Duration;

use async_trait::async_trait;
use serde_json::Value;
use stepfunctions_local::{Database, Engine, HistoryOptions, ListExecutions};
use transload_browse::report::Look;
pub(crate) use transload_browse::story::text;

use crate::Global;
use crate::api::{self, Request};
use crate::control;
use crate::definition::{BUCKET_MACHINE, MACHINE, PACK_MACHINE, UNPACK_MACHINE};
use crate::deployed::Deployed;
use crate::exit::{CliError, Exit, Outcome};
use crate::home::{Home, Owner};
use crate::{archive, sync};

/// Answers requests about executions.
pub(crate) enum View {
    /// The database is this process's.
    Here {
        /// Opened for a look, or of the machine that runs in this process.
        engine: Engine,
        /// Held for the time of a look.
        _owner: Option<Owner>,
    },
    /// Another process has it.
    There(Home),
    /// In an account.
    Deployed(Deployed),
}

/// How long two processes that only look wait for each other.
const TURNS: u32 = 20;
const TURN: Duration = Duration::from_millis(100);

/// The ARN of an execution of this machine by its name, or the ARN itself.
fn execution_arn(name_or_arn: &str) -> String {
    if name_or_arn.starts_with("arn:") {
        return name_or_arn.to_owned();
    }
    let machine = if sync::is_name(name_or_arn) {
        BUCKET_MACHINE
    } else if name_or_arn.starts_with(archive::PACK) {
        PACK_MACHINE
    } else if name_or_arn.starts_with(archive::UNPACK) {
        UNPACK_MACHINE
    } else {
        MACHINE
    };
    format!("arn:aws:states:us-east-1:000000000000:execution:{machine}:{name_or_arn}")
}

/// The machine's ARN.
pub(crate) fn machine_arn() -> String {
    format!("arn:aws:states:us-east-1:000000000000:stateMachine:{MACHINE}")
}

/// The ARN of the machine that moves many objects.
pub(crate) fn bucket_machine_arn() -> String {
    format!("arn:aws:states:us-east-1:000000000000:stateMachine:{BUCKET_MACHINE}")
}

/// The ARN of the machine that packs trees.
pub(crate) fn pack_machine_arn() -> String {
    format!("arn:aws:states:us-east-1:000000000000:stateMachine:{PACK_MACHINE}")
}

/// The ARN of the machine that unpacks archives.
pub(crate) fn unpack_machine_arn() -> String {
    format!("arn:aws:states:us-east-1:000000000000:stateMachine:{UNPACK_MACHINE}")
}

impl View {
    /// What the machine of this process sees.
    pub(crate) fn of(engine: &Engine) -> Self {
        Self::Here { engine: engine.clone(), _owner: None }
    }

    /// Of the stack that was named, else of the home.
    ///
    /// # Errors
    /// As those of the two.
    pub(crate) async fn open(global: &Global) -> Outcome<Self> {
        match &global.stack {
            Some(stack) => Ok(Self::Deployed(Deployed::open(stack).await?)),
            None => Self::of_home(&global.home()?).await,
        }
    }

    /// The machine's ARN.
    pub(crate) fn machine_arn(&self) -> String {
        match self {
            Self::Deployed(deployed) => deployed.machine_arn().to_owned(),
            Self::Here { .. } | Self::There(_) => machine_arn(),
        }
    }

    /// The ARNs of all machines that commands about executions look at.
    pub(crate) fn machine_arns(&self) -> Vec<String> {
        match self {
            Self::Deployed(deployed) => deployed.machine_arns(),
            Self::Here { .. } | Self::There(_) => {
                vec![machine_arn(), bucket_machine_arn(), pack_machine_arn(), unpack_machine_arn()]
            }
        }
    }

    /// The executions of all machines, newest first.
    pub(crate) async fn all_executions(
        &self,
        status: Option<stepfunctions_local::Status>,
    ) -> Outcome<Vec<Value>> {
        let mut all = Vec::new();
        for arn in self.machine_arns() {
            let list = ListExecutions {
                state_machine_arn: Some(arn),
                status_filter: status,
                ..ListExecutions::default()
            };
            match self.executions(list).await {
                Ok(found) => all.extend(found),
                // A home that an earlier release made has no such machine.
                Err(error) if error.exit == Exit::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        let started = |execution: &Value| execution["startDate"].as_f64().unwrap_or_default();
        all.sort_by(|a, b| started(b).total_cmp(&started(a)));
        Ok(all)
    }

    /// The ARN of an execution by its name, or the ARN itself. What a schedule starts has a name that does not say of which
    /// machine it is: then the machines are asked.
    ///
    /// # Errors
    /// The API's.
    pub(crate) async fn execution_arn(&self, name_or_arn: &str) -> Outcome<String> {
        let Self::Deployed(deployed) = self else { return Ok(execution_arn(name_or_arn)) };
        let mut arns = deployed.execution_arns(name_or_arn);
        let first = arns.remove(0);
        for arn in arns {
            match self.describe(&first).await {
                Err(error) if error.exit == Exit::NotFound && self.describe(&arn).await.is_ok() => {
                    return Ok(arn);
                }
                // Whoever asks for it is told the rest.
                _ => {}
            }
        }
        Ok(first)
    }

    /// Opens the home for reading. Nothing that was running goes on.
    ///
    /// # Errors
    /// [`Exit::NotFound`] if nothing ever ran there.
    async fn of_home(home: &Home) -> Outcome<Self> {
        if !home.has_executions() {
            let message = format!("{}: nothing was transferred from here yet", home.path().display());
            return Err(CliError::new(Exit::NotFound, message)
                .hint("start with `transload demo`, or name another home with --home"));
        }
        let mut turn = 0;
        loop {
            match home.own() {
                Ok(owner) => {
                    let builder = Engine::builder().database(Database::File(home.database())).dormant(true);
                    let engine =
                        builder.open().await.map_err(|e| CliError::trouble(home.database().display(), e))?;
                    return Ok(Self::Here { engine, _owner: Some(owner) });
                }
                Err(error) if error.exit != Exit::Busy || (turn == TURNS && !home.socket().exists()) => {
                    return Err(error);
                }
                Err(_) if home.socket().exists() => return Ok(Self::There(home.clone())),
                Err(_) => turn += 1,
            }
            tokio::time::sleep(TURN).await;
        }
    }

    /// Answers one request.
    ///
    /// # Errors
    /// The API's.
    pub(crate) async fn call(&self, request: Request) -> Outcome<Value> {
        match self {
            Self::Here { engine, .. } => api::call(engine, request).await.map_err(CliError::from),
            Self::There(home) => control::ask(home, &request).await,
            Self::Deployed(deployed) => deployed.call(request).await,
        }
    }

    /// DescribeExecution.
    pub(crate) async fn describe(&self, arn: &str) -> Outcome<Value> {
        self.call(Request::DescribeExecution(arn.to_owned())).await
    }

    /// All events of an execution, in order.
    pub(crate) async fn history(&self, arn: &str) -> Outcome<Vec<Value>> {
        self.pages("events", |next_token| {
            let options =
                HistoryOptions { max_results: Some(1_000), next_token, ..HistoryOptions::default() };
            Request::GetExecutionHistory(arn.to_owned(), options)
        })
        .await
    }

    /// Events of an execution beyond this id, in order: read from the newest back.
    pub(crate) async fn history_after(&self, arn: &str, id: u64) -> Outcome<Vec<Value>> {
        let (mut found, mut next_token) = (Vec::new(), None);
        loop {
            let options = HistoryOptions {
                max_results: Some(100),
                next_token: next_token.take(),
                reverse_order: true,
                ..HistoryOptions::default()
            };
            let mut page = self.call(Request::GetExecutionHistory(arn.to_owned(), options)).await?;
            let events = page["events"].as_array_mut().map(std::mem::take).unwrap_or_default();
            let known = events.iter().any(|event| event["id"].as_u64().unwrap_or_default() <= id);
            found.extend(events.into_iter().filter(|event| event["id"].as_u64().unwrap_or_default() > id));
            next_token = page["nextToken"].as_str().map(str::to_owned);
            if known || next_token.is_none() {
                found.reverse();
                return Ok(found);
            }
        }
    }

    /// All executions that `list` asks for.
    pub(crate) async fn executions(&self, list: ListExecutions) -> Outcome<Vec<Value>> {
        let page = |next_token| {
            Request::ListExecutions(ListExecutions { max_results: Some(1_000), next_token, ..list.clone() })
        };
        self.pages("executions", page).await
    }

    /// The Map Runs of an execution, in the order they began.
    pub(crate) async fn map_runs(&self, arn: &str) -> Outcome<Vec<Value>> {
        self.pages("mapRuns", |_| Request::ListMapRuns(arn.to_owned())).await
    }

    async fn pages(&self, name: &str, request: impl Fn(Option<String>) -> Request) -> Outcome<Vec<Value>> {
        let (mut all, mut next) = (Vec::new(), None);
        loop {
            let mut page = self.call(request(next.take())).await?;
            if let Value::Array(items) = page[name].take() {
                all.extend(items);
            }
            match page["nextToken"].as_str() {
                Some(token) => next = Some(token.to_owned()),
                None => return Ok(all),
            }
        }
    }
}

#[async_trait]
impl Look for View {
    type Error = CliError;

    async fn describe(&self, arn: &str) -> Outcome<Value> {
        View::describe(self, arn).await
    }

    async fn history(&self, arn: &str) -> Outcome<Vec<Value>> {
        View::history(self, arn).await
    }

    async fn map_runs(&self, arn: &str) -> Outcome<Vec<Value>> {
        View::map_runs(self, arn).await
    }

    async fn children(&self, map_run: &str) -> Outcome<Vec<Value>> {
        let map_run_arn = Some(map_run.to_owned());
        self.executions(ListExecutions { map_run_arn, ..ListExecutions::default() }).await
    }
}
