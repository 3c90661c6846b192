//! One attempt at a DISTRIBUTED Map: begins or takes up its Map Run, works it off, records how it ended.
use super::batch::Portions;
use super::child::{self, Known};
use super::dispatch::{Dispatch, count};
use super::reader;
use super::run::{Body, MapRun};
use super::source::Source;
use super::writer;
use crate::api::Status;
use crate::asl::{MapState, Number, State};
use crate::exec::{Failure, Phase, Scope, Trouble};
use crate::history::Draft;
use crate::store::{Op, StoreError};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::Arc;

/// Redrives of one Map Run (facts: 1,000).
const MAX_REDRIVES: u64 = 1_000;

/// Runs the Map to its end; the result is its children's outputs, or where they were written.
pub(crate) async fn distributed(
    scope: &mut Scope,
    state: &State,
    map: &MapState,
    input: &Arc<Value>,
    express: bool,
) -> Result<Value, Trouble> {
    // Whoever stops this execution has to find its Map Run.
    let run = scope.run.clone();
    let undivided = run.undivided();
    let (map_run, known) = match scope.cursor.phase {
        Phase::MapRun { id } => take_up(scope, id).await?,
        _ => (begin(scope, state, map, input, express).await?, HashMap::new()),
    };
    run.engine.register(&map_run);
    drop(undivided);
    let outcome = work(scope, state, map, input, &map_run, known).await;
    finish(scope, &map_run, outcome).await
}

async fn begin(
    scope: &mut Scope,
    state: &State,
    map: &MapState,
    input: &Arc<Value>,
    express: bool,
) -> Result<Arc<MapRun>, Trouble> {
    let items = match map.reader {
        Some(_) => None,
        None => Some(super::items(&scope.view(state, input), map)?),
    };
    let details = json!({"length": items.as_ref().map_or(0, Vec::len)});
    scope.log(&[Draft::new("MapStateStarted", "mapStateStartedEventDetails", details)])?;
    let mut body = settings(scope, state, map, input)?;
    if let Some(reader) = &map.reader {
        reader::plan(&scope.view(state, input), reader)?;
    }
    let engine = scope.run.engine.clone();
    body.express = express;
    body.label = map.label.clone().unwrap_or_else(|| engine.uuid().replace('-', ""));
    let own = scope.run.machine.name.clone();
    body.machine = engine.home.child_machine(&own, &body.label);
    let id = engine.next_id();
    let arn = engine.home.map_run(&own, &body.label, &engine.uuid());
    let map_run = MapRun::new(id, arn.clone(), scope.run.id, body);
    scope.cursor.phase = Phase::MapRun { id };
    scope.log(&[Draft::new("MapRunStarted", "mapRunStartedEventDetails", json!({"mapRunArn": arn}))])?;
    let mut ops = vec![map_run.op()?];
    ops.extend(items.map(|items| Op::MapItems { id, items: Value::Array(items).to_string() }));
    scope.run.flush(ops).await?;
    Ok(map_run)
}

fn settings(scope: &Scope, state: &State, map: &MapState, input: &Value) -> Result<Body, Failure> {
    let view = scope.view(state, input);
    let number = |n: &Option<Number>| n.as_ref().map(|n| view.number(n)).transpose();
    Ok(Body {
        status: Status::Running,
        start: scope.run.engine.clock.now(),
        stop: None,
        max_concurrency: number(&map.max_concurrency)?.map_or(0, |n| n as u64),
        tolerated_count: number(&map.tolerated_count)?.map(|n| n as u64),
        tolerated_percentage: number(&map.tolerated_percentage)?,
        items: crate::api::MapRunCounts::default(),
        children: crate::api::MapRunCounts::default(),
        redrives: 0,
        redriven: None,
        parent_redrives: Some(scope.run.redrives),
        express: false,
        label: String::new(),
        address: format!("{}{}", scope.address, state.name),
        parent: scope.run.arn.clone(),
        machine: String::new(),
    })
}

/// A Map Run of an earlier process, or of the execution before its redrive.
async fn take_up(scope: &mut Scope, id: i64) -> Result<(Arc<MapRun>, HashMap<i64, Known>), Trouble> {
    let engine = scope.run.engine.clone();
    let (arn, mut body) = engine.load_map_run(id).await?;
    let known = child::known(&engine, id).await?;
    let redriven = body.behind(scope.run.redrives);
    if redriven && body.redrives >= MAX_REDRIVES {
        let cause =
            format!("The Map Run has been redriven {MAX_REDRIVES} times and cannot be redriven again.");
        return Err(Failure::terminal("States.Runtime", cause).into());
    }
    body.status = Status::Running;
    body.stop = None;
    if redriven {
        body.redrives += 1;
        body.redriven = scope.run.redriven;
        body.parent_redrives = Some(scope.run.redrives);
    }
    let (count, map_run) = (body.redrives, MapRun::new(id, arn.clone(), scope.run.id, body));
    if redriven {
        let details = json!({"mapRunArn": arn, "redriveCount": count});
        scope.log(&[Draft::new("MapRunRedriven", "mapRunRedrivenEventDetails", details)])?;
    }
    scope.run.flush(vec![map_run.op()?]).await?;
    Ok((map_run, known))
}

async fn source(
    scope: &Scope,
    state: &State,
    map: &MapState,
    input: &Value,
    id: i64,
) -> Result<Source, Trouble> {
    let engine = &scope.run.engine;
    match &map.reader {
        Some(found) => {
            let plan = reader::plan(&scope.view(state, input), found)?;
            Ok(reader::read(&*engine.objects, found, &plan).await?)
        }
        None => {
            let sql = "SELECT items FROM map_items WHERE map_run = ?1";
            let text: String =
                engine.store.call(move |db| Ok(db.query_row(sql, [id], |r| r.get(0))?)).await?;
            let items =
                serde_json::from_str(&text).map_err(|e| StoreError(format!("items of map run {id}: {e}")))?;
            Ok(Source::state(items))
        }
    }
}

async fn work(
    scope: &mut Scope,
    state: &State,
    map: &MapState,
    input: &Arc<Value>,
    map_run: &Arc<MapRun>,
    known: HashMap<i64, Known>,
) -> Result<Value, Trouble> {
    let target = match &map.writer {
        Some(writer) => writer::target(&scope.view(state, input), writer)?,
        None => None,
    };
    let source = source(scope, state, map, input, map_run.id).await?;
    let portions = Portions::new(&scope.view(state, input), map, source)?;
    count(map_run, &portions, map, &known);
    let mut dispatch = Dispatch::new(scope, (state, map), input, map_run, known, portions);
    let failed = dispatch.all().await?;
    dispatch.leave_waiting();
    let rest = dispatch.rest(failed)?;
    let result = match target {
        Some(target) => writer::export(scope, map, map_run, &target, &rest).await,
        None if failed => Ok(Value::Null),
        None => writer::collect(scope, state, map, map_run).await,
    };
    if failed {
        let cause = "The specified tolerated failure threshold was exceeded";
        return Err(Failure::new("States.ExceedToleratedFailureThreshold", cause).into());
    }
    result
}

/// What the end changes is written together with what follows: whoever took up the run in between would end it again.
async fn finish(
    scope: &mut Scope,
    map_run: &Arc<MapRun>,
    outcome: Result<Value, Trouble>,
) -> Result<Value, Trouble> {
    let engine = scope.run.engine.clone();
    if !matches!(outcome, Err(Trouble::Store(_))) {
        map_run.abort().await;
        let mut body = map_run.body();
        body.status = if outcome.is_ok() { Status::Succeeded } else { Status::Failed };
        body.stop = Some(engine.clock.now());
    }
    engine.unregister(map_run.id);
    match outcome {
        Ok(value) => {
            let start = scope.cursor.previous;
            scope.log(&[Draft::bare("MapRunSucceeded")])?;
            scope.log(&[Draft::bare("MapStateSucceeded").beside()])?;
            if engine.vintage.exit_follows_start {
                scope.cursor.previous = start;
            }
            scope.run.defer(map_run.op()?);
            Ok(value)
        }
        Err(Trouble::Error(failure)) => {
            let event = Draft::failed(
                "MapRunFailed",
                "mapRunFailedEventDetails",
                failure.error.as_deref(),
                failure.cause.as_deref(),
            );
            scope.log(&[event])?;
            if failure.error.as_deref() == Some("States.DataLimitExceeded") || failure.terminal {
                // As documented: a redrive of such a run starts a new one over all items.
                scope.cursor.phase = Phase::Entered;
                scope.run.save(&scope.path, &scope.cursor);
            }
            scope.run.defer(map_run.op()?);
            Err(failure.into())
        }
        Err(store) => Err(store),
    }
}
