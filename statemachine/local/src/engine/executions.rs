//! Executions: started, described, listed, waited for, stopped, redriven.
use super::versions::{Target, split};
use super::{Engine, lock, origins};
use crate::api::*;
use crate::arn;
use crate::clock::Timestamp;
use crate::exec::{Cursor, MAX_DATA, Parts, Run, Stop};
use crate::history::MAX_EVENTS;
use crate::store::{self, COLUMNS, ExecutionRow, Op, StoreError};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;

/// An execution can be redriven so long after its end (facts: 14 days), in milliseconds.
pub(crate) const REDRIVABLE: i64 = 14 * 24 * 3600 * 1000;
/// Items of a page at most, and if the caller does not say.
const PAGE: (u32, u32) = (1_000, 100);

/// How many items a page has.
pub(super) fn page_size(wanted: Option<u32>) -> u32 {
    match wanted {
        None | Some(0) => PAGE.1,
        Some(n) => n.min(PAGE.0),
    }
}

/// Reads a token that [`page_size`]d calls give out.
pub(super) fn token(text: Option<&str>) -> Result<i64, ApiError> {
    let Some(text) = text else { return Ok(0) };
    text.parse::<u32>()
        .map(i64::from)
        .map_err(|_| ApiError::new("InvalidToken", "Invalid Token: 'Invalid token'"))
}

enum Found {
    New,
    Same(Box<ExecutionRow>),
    Taken,
}

impl Engine {
    /// StartExecution. The same name and input while the first still runs give the same execution. Returns once the
    /// execution is in the database.
    pub async fn start_execution(&self, request: StartExecution) -> Result<ExecutionStarted, ApiError> {
        carried_through(self.clone().start(request)).await
    }

    async fn start(self, request: StartExecution) -> Result<ExecutionStarted, ApiError> {
        let engine = &self.inner;
        let _beginning = engine.beginning.read().await;
        let target = self.target(&request.state_machine_arn).await?;
        let machine = target.loaded.clone();
        let name = request.name.unwrap_or_else(|| engine.uuid());
        if arn::bad_name(&name) {
            return Err(ApiError::new("InvalidName", format!("Invalid Name: '{name}'")));
        }
        let text = request.input.unwrap_or_else(|| "{}".to_owned());
        let input = Arc::new(checked_input(&text)?);
        let (id, start) = (engine.next_id(), engine.clock.now());
        let arn = match machine.express {
            true => engine.home.express(&machine.name, &name, &engine.uuid()),
            false => engine.home.execution(&machine.name, &name),
        };
        let row = ExecutionRow {
            id,
            arn: arn.clone(),
            machine: machine.arn.clone(),
            revision: machine.revision,
            name: name.clone(),
            express: machine.express,
            status: Status::Running,
            start: start.millis(),
            stop: None,
            input: text.clone(),
            output: None,
            error: None,
            cause: None,
            map_run: None,
            child: None,
            items: 0,
            redrives: 0,
            redriven: None,
            last_event: 0,
        };
        match engine.store.call(move |db| begin(db, &row, &target)).await? {
            Found::Same(row) => {
                let start_date = Timestamp::from_millis(row.start);
                return Ok(ExecutionStarted { execution_arn: row.arn, start_date });
            }
            Found::Taken => {
                let message = format!("Execution Already Exists: '{arn}'");
                return Err(ApiError::new("ExecutionAlreadyExists", message));
            }
            Found::New => {}
        }
        let run = Run::new(Parts {
            engine: engine.clone(),
            id,
            arn: arn.clone(),
            name,
            machine: machine.clone(),
            flow: machine.machine.flow.clone(),
            address: String::new(),
            express: machine.express,
            input: input.clone(),
            start,
            redrives: 0,
            redriven: None,
            map_run: None,
            last_event: 0,
            before: Vec::new(),
            resume: BTreeMap::new(),
        });
        run.log_one(0, &crate::map::started(&text, &machine.role));
        let cursor = Cursor::start(&machine.machine.flow.start_at, input, Arc::default(), 0);
        run.save("", &cursor);
        let told = Notification {
            execution_arn: arn.clone(),
            map_run_arn: None,
            status: Status::Running,
            output: None,
            error: None,
        };
        run.flush(vec![Op::Tell(told)]).await?;
        engine.store.flush().await?;
        self.go(run, cursor);
        Ok(ExecutionStarted { execution_arn: arn, start_date: start })
    }

    pub(super) async fn row(&self, arn: &str) -> Result<ExecutionRow, ApiError> {
        if !arn::is(arn, "execution") && !arn::is(arn, "express") {
            return Err(ApiError::arn(arn));
        }
        let wanted = arn.to_owned();
        let row = self.inner.store.call(move |db| store::load_execution(db, &wanted)).await?;
        row.ok_or_else(|| ApiError::no_execution(arn))
    }

    /// DescribeExecution, children of Map Runs included.
    pub async fn describe_execution(&self, arn: &str) -> Result<DescribeExecution, ApiError> {
        let row = self.row(arn).await?;
        let map_run_arn = match row.map_run {
            Some(id) => Some(self.inner.load_map_run(id).await?.0),
            None => None,
        };
        Ok(self.described(row, map_run_arn))
    }

    fn described(&self, row: ExecutionRow, map_run_arn: Option<String>) -> DescribeExecution {
        let reason = self.not_redrivable(&row);
        let redrive_status = match (&reason, row.map_run) {
            (Some(_), _) => "NOT_REDRIVABLE",
            (None, Some(_)) => "REDRIVABLE_BY_MAP_RUN",
            (None, None) => "REDRIVABLE",
        };
        DescribeExecution {
            execution_arn: row.arn,
            state_machine_arn: row.machine,
            name: row.name,
            status: row.status,
            start_date: Timestamp::from_millis(row.start),
            stop_date: row.stop.map(Timestamp::from_millis),
            input: row.input,
            input_details: DataDetails { included: true },
            output_details: row.output.as_ref().map(|_| DataDetails { included: true }),
            output: row.output,
            error: row.error,
            cause: row.cause,
            map_run_arn,
            redrive_count: row.redrives as u64,
            redrive_date: row.redriven.map(Timestamp::from_millis),
            redrive_status,
            redrive_status_reason: reason,
        }
    }

    fn not_redrivable(&self, row: &ExecutionRow) -> Option<String> {
        let now = self.inner.clock.now().millis();
        match row.status {
            Status::Running | Status::Succeeded => {
                Some(format!("Execution is {} and cannot be redriven", row.status.as_str()))
            }
            _ if row.express && row.map_run.is_none() => {
                Some("Execution is EXPRESS and cannot be redriven".to_owned())
            }
            // One event is needed to say that it was redriven, one for its next end.
            _ if row.last_event as u64 >= MAX_EVENTS - 1 => {
                Some("Execution history event limit exceeded".to_owned())
            }
            _ if row.stop.is_some_and(|stop| now - stop > REDRIVABLE) => {
                Some("Execution has ended more than 14 days ago and cannot be redriven".to_owned())
            }
            _ => None,
        }
    }

    /// ListExecutions, newest first; of a Map Run in the order of its items.
    pub async fn list_executions(&self, request: ListExecutions) -> Result<Page<ExecutionSummary>, ApiError> {
        self.list_redriven(request, None).await
    }

    /// The same, of those only that were (or were not) redriven.
    pub(crate) async fn list_redriven(
        &self,
        request: ListExecutions,
        redriven: Option<bool>,
    ) -> Result<Page<ExecutionSummary>, ApiError> {
        let (filter, of, order, map_run_arn) = self.listed(&request).await?;
        let (skip, take) = (token(request.next_token.as_deref())?, i64::from(page_size(request.max_results)));
        let status =
            request.status_filter.map(|s| format!(" AND status = '{}'", s.as_str())).unwrap_or_default();
        let redriven = match redriven {
            None => "",
            Some(true) => " AND redrives > 0",
            Some(false) => " AND redrives = 0",
        };
        let sql = format!(
            "SELECT {COLUMNS} FROM executions WHERE {filter}{status}{redriven} ORDER BY {order} LIMIT ?2 OFFSET ?3"
        );
        let rows = self.inner.store.call(move |db| {
            let mut statement = db.prepare_cached(&sql)?;
            let rows = statement.query_map(rusqlite::params![of, take + 1, skip], ExecutionRow::read)?;
            Ok(rows.collect::<Result<Vec<_>, _>>()?)
        });
        let mut rows = rows.await?;
        let more = rows.len() as i64 > take;
        rows.truncate(usize::try_from(take).unwrap_or(usize::MAX));
        let items = rows.into_iter().map(|row| summary(row, map_run_arn.clone())).collect();
        Ok(Page { items, next_token: more.then(|| (skip + take).to_string()) })
    }

    /// Whose executions are asked for: a condition over `?1`, its value, the order, and the Map Run.
    async fn listed(
        &self,
        request: &ListExecutions,
    ) -> Result<(&'static str, rusqlite::types::Value, &'static str, Option<String>), ApiError> {
        match (&request.state_machine_arn, &request.map_run_arn) {
            (Some(arn), None) => {
                let origin = self.listable(arn).await?;
                let filter = match (origin, split(arn).1) {
                    (_, None) => "machine = ?1 AND map_run IS NULL",
                    (true, _) => "id IN (SELECT execution FROM origins WHERE alias = ?1)",
                    (false, _) => "id IN (SELECT execution FROM origins WHERE version = ?1)",
                };
                Ok((filter, arn.clone().into(), "id DESC", None))
            }
            (None, Some(arn)) => {
                let id = self.map_run_id(arn).await?;
                Ok(("map_run = ?1", id.into(), "child", Some(arn.clone())))
            }
            _ => Err(ApiError::validation("Exactly one of stateMachineArn and mapRunArn must be given")),
        }
    }

    /// Refuses what has no list of executions; whether the ARN is an alias.
    async fn listable(&self, arn: &str) -> Result<bool, ApiError> {
        let (machine, qualifier) = split(arn);
        let row = self.machine_row(machine).await.map_err(|e| match e.code {
            "StateMachineDoesNotExist" => ApiError::no_machine(arn),
            _ => e,
        })?;
        if row.description.kind == MachineType::Express {
            return Err(ApiError::wrong_type());
        }
        match qualifier {
            None => Ok(false),
            Some(number) if super::versions::is_number(number) => {
                self.qualified_row(arn).await.map(|_| false)
            }
            Some(_) => self.alias(arn).await.map(|_| true),
        }
    }

    /// Waits until an execution has ended. An error of the database ends the wait, too.
    pub async fn wait(&self, arn: &str) -> Result<DescribeExecution, ApiError> {
        let mut news = self.subscribe();
        loop {
            let found = self.describe_execution(arn).await?;
            if found.status.is_terminal() {
                return Ok(found);
            }
            let ended = |n: &Notification| n.execution_arn == arn && n.status.is_terminal();
            loop {
                tokio::select! {
                    biased;
                    told = news.recv() => match told {
                        Ok(n) if ended(&n) => break,
                        Ok(_) => {}
                        // Too many at once: look for ourselves.
                        Err(_) => break,
                    },
                    // A database that fails tells nobody.
                    () = tokio::time::sleep(std::time::Duration::from_secs(1)) => break,
                }
            }
        }
    }

    /// StopExecution. Children of its Map Runs are stopped, too.
    pub async fn stop_execution(
        &self,
        arn: &str,
        error: Option<String>,
        cause: Option<String>,
    ) -> Result<ExecutionStopped, ApiError> {
        let driven = || lock(&self.inner.runs).get(arn).filter(|run| !*run.over.borrow()).cloned();
        let mut row = self.row(arn).await?;
        let mut running = driven();
        if running.is_none() && row.status == Status::Running {
            // It may be on its way from the database to whoever drives it.
            drop(self.inner.beginning.write().await);
            running = driven();
            row = self.row(arn).await?;
        }
        if let Some(run) = running.filter(|_| row.status == Status::Running) {
            run.stop.send_if_modified(|stop| {
                let first = stop.is_none();
                if first {
                    *stop = Some(Stop::Abort { error, cause });
                }
                first
            });
            // Not for the execution as such: it may be redriven at once. The sender lives in the run.
            let _ = run.over.subscribe().wait_for(|over| *over).await;
            row = self.row(arn).await?;
        } else if row.status == Status::Running {
            let message = match row.map_run {
                Some(_) => format!("'{arn}' is a child of a Map Run; stop its parent"),
                None => format!("'{arn}' is not driven by this engine"),
            };
            return Err(ApiError::new("ValidationException", message));
        }
        let stop_date = row.stop.map_or_else(|| self.inner.clock.now(), Timestamp::from_millis);
        Ok(ExecutionStopped { stop_date })
    }

    /// RedriveExecution: goes on from the states that were entered and not exited.
    pub async fn redrive_execution(&self, arn: &str) -> Result<ExecutionRedriven, ApiError> {
        carried_through(self.clone().redrive(arn.to_owned())).await
    }

    async fn redrive(self, arn: String) -> Result<ExecutionRedriven, ApiError> {
        let arn = arn.as_str();
        // Two at once would both find it ended, and run it twice.
        let _one = self.inner.redriving.lock().await;
        let _beginning = self.inner.beginning.read().await;
        let row = self.row(arn).await?;
        let reason = match row.map_run {
            Some(_) => Some("Execution is a child of a Map Run; redrive its parent".to_owned()),
            None => self.not_redrivable(&row),
        };
        if let Some(reason) = reason {
            return Err(ApiError::new(
                "ExecutionNotRedrivable",
                format!("Execution is not redrivable: '{arn}': {reason}"),
            ));
        }
        let machine = self.inner.load_revision(row.revision).await?;
        let (run, cursor) = self.revival(row, machine).begin(&self.inner, true).await?;
        self.inner.store.flush().await?;
        let redrive_date = run.redriven.unwrap_or_else(|| self.inner.clock.now());
        self.go(run, cursor);
        Ok(ExecutionRedriven { redrive_date })
    }
}

/// Does it all though the caller goes away: an execution that is RUNNING in the database and driven by nobody would never
/// end.
async fn carried_through<T: Send + 'static>(
    work: impl Future<Output = Result<T, ApiError>> + Send + 'static,
) -> Result<T, ApiError> {
    match tokio::spawn(work).await {
        Ok(answer) => answer,
        Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
        Err(_) => Err(StoreError("the runtime shuts down".to_owned()).into()),
    }
}

fn checked_input(text: &str) -> Result<Value, ApiError> {
    if text.len() > MAX_DATA {
        let message = format!(
            "1 validation error detected: Value at 'input' failed to satisfy constraint: Member must have length less than or equal to {MAX_DATA}"
        );
        return Err(ApiError::validation(message));
    }
    serde_json::from_str(text).map_err(|_| {
        let what = match text.trim().is_empty() {
            true => "Invalid execution input.".to_owned(),
            false => crate::json::complaint(text).message,
        };
        ApiError::new("InvalidExecutionInput", format!("Invalid State Machine Execution Input: '{what}'"))
    })
}

fn begin(db: &mut rusqlite::Connection, row: &ExecutionRow, target: &Target) -> Result<Found, StoreError> {
    if let Some(found) = store::load_execution(db, &row.arn)? {
        let same = found.status == Status::Running && found.input == row.input;
        return Ok(if same { Found::Same(Box::new(found)) } else { Found::Taken });
    }
    let transaction = db.transaction()?;
    store::insert(&transaction, row)?;
    origins::save(&transaction, row.id, target)?;
    transaction.commit()?;
    Ok(Found::New)
}

fn summary(row: ExecutionRow, map_run_arn: Option<String>) -> ExecutionSummary {
    ExecutionSummary {
        execution_arn: row.arn,
        state_machine_arn: row.machine,
        name: row.name,
        status: row.status,
        start_date: Timestamp::from_millis(row.start),
        stop_date: row.stop.map(Timestamp::from_millis),
        item_count: map_run_arn.as_ref().map(|_| row.items as u64),
        map_run_arn,
        redrive_count: row.redrives as u64,
        redrive_date: row.redriven.map(Timestamp::from_millis),
    }
}
