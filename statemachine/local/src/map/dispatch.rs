//! Runs a DISTRIBUTED Map: begins or takes up the Map Run, keeps as many children running as it may, and joins them.
use super::batch::{Portion, Portions};
use super::child::{self, Known};
use super::reader::{self, Source};
use super::run::{Body, MapRun};
use super::writer;
use crate::api::Status;
use crate::asl::{MapState, Number, State};
use crate::exec::{Failure, Phase, Scope, Trouble, drive};
use crate::history::Draft;
use crate::store::{Op, StoreError};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::Arc;
use tokio::sync::mpsc;

type Finished = Result<(), StoreError>;

/// Runs the Map to its end; the result is its children's outputs, or where they were written.
pub(crate) async fn distributed(
    scope: &mut Scope,
    state: &State,
    map: &MapState,
    input: &Arc<Value>,
    express: bool,
) -> Result<Value, Trouble> {
    let (map_run, known) = match scope.cursor.phase {
        Phase::MapRun { id } => take_up(scope, id).await?,
        _ => (begin(scope, state, map, input, express).await?, HashMap::new()),
    };
    scope.run.engine.register(&map_run);
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
    let redriven = scope.run.redrives > body.redrives;
    body.status = Status::Running;
    body.stop = None;
    if redriven {
        body.redrives = scope.run.redrives;
        body.redriven = scope.run.redriven;
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
            Ok(Source::values(items))
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
    let (done, ended) = mpsc::unbounded_channel();
    let mut dispatch = Dispatch {
        scope,
        state,
        map,
        input,
        map_run,
        known,
        portions,
        next: 0,
        done,
        ended,
        exhausted: false,
    };
    let failed = dispatch.all().await?;
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

/// Sets the totals, and counts what earlier children did.
fn count(map_run: &MapRun, portions: &Portions, map: &MapState, known: &HashMap<i64, Known>) {
    let mut body = map_run.body();
    (body.items, body.children) = Default::default();
    body.items.total = portions.total_items();
    body.items.pending = body.items.total;
    body.children.total = portions.total(map).unwrap_or(known.len() as u64);
    body.children.pending = body.children.total;
    for child in known.values() {
        body.moved(child.items, None, Some(child.status));
    }
}

struct Dispatch<'a> {
    scope: &'a mut Scope,
    state: &'a State,
    map: &'a MapState,
    input: &'a Arc<Value>,
    map_run: &'a Arc<MapRun>,
    known: HashMap<i64, Known>,
    portions: Portions,
    next: i64,
    done: mpsc::UnboundedSender<Finished>,
    ended: mpsc::UnboundedReceiver<Finished>,
    exhausted: bool,
}

impl Dispatch<'_> {
    /// Starts children as others end; `true` if too many failed.
    async fn all(&mut self) -> Result<bool, Trouble> {
        loop {
            if self.exceeded() {
                self.map_run.abort().await;
                return Ok(true);
            }
            while !self.exhausted && self.map_run.running() < self.map_run.body().parallel() {
                self.start().await?;
                // Children that fail at once must be heard of before the next thousand are started.
                if self.exceeded() {
                    break;
                }
            }
            if self.exhausted && self.map_run.running() == 0 {
                return Ok(self.exceeded());
            }
            tokio::select! {
                Some(finished) = self.ended.recv() => finished?,
                () = self.map_run.changed.notified() => {}
            }
        }
    }

    /// Failures that a redrive will try again do not count before it has.
    fn exceeded(&self) -> bool {
        let body = self.map_run.body();
        body.exceeded() && (body.redrives == 0 || self.exhausted)
    }

    async fn start(&mut self) -> Result<(), Trouble> {
        let Some(portion) = self.portion()? else {
            self.exhausted = true;
            return Ok(());
        };
        let index = self.next;
        self.next += 1;
        let (run, cursor) = match self.known.remove(&index) {
            Some(child) => match self.again(child) {
                None => return Ok(()),
                Some(redrive) => {
                    let found =
                        child::known_child(&self.scope.run, self.map_run, self.map, index, redrive).await?;
                    if child.status != Status::Running {
                        self.map_run.body().moved(child.items, Some(child.status), Some(Status::Running));
                    }
                    found
                }
            },
            None => {
                let mut body = self.map_run.body();
                if body.children.pending == 0 {
                    // The number of batches was not known before.
                    body.children.total += 1;
                    body.children.pending += 1;
                }
                body.moved(portion.items, None, Some(Status::Running));
                drop(body);
                child::fresh(&self.scope.run, self.map_run, self.map, index, portion.input, portion.items)?
            }
        };
        self.spawn(run, cursor, portion.items);
        Ok(())
    }

    /// Whether a known child runs again: `Some(true)` from where it failed, `Some(false)` from where it stood.
    fn again(&self, child: Known) -> Option<bool> {
        let redriven = self.map_run.body().redriven;
        match child.status {
            Status::Running => Some(false),
            Status::Succeeded => None,
            _ => redriven.zip(child.stop).is_some_and(|(r, s)| s <= r.millis()).then_some(true),
        }
    }

    fn portion(&mut self) -> Result<Option<Portion>, Failure> {
        let view = self.scope.view(self.state, self.input);
        self.portions.next(&view, self.map)
    }

    fn spawn(&self, run: Arc<crate::exec::Run>, cursor: crate::exec::Cursor, items: u64) {
        self.map_run.began(&run);
        let (map_run, done) = (self.map_run.clone(), self.done.clone());
        tokio::spawn(async move {
            let id = run.id;
            let ended = drive(run, cursor).await;
            let status = ended.as_ref().ok().and_then(|e| e.as_ref()).map(|e| e.status);
            map_run.ended(id, items, status);
            // The parent may be gone: then it was stopped, and counts no more.
            let _ = done.send(ended.map(|_| ()));
        });
    }

    /// Inputs of the children that were never started, for the PENDING file of a failed run.
    fn rest(&mut self, failed: bool) -> Result<Vec<Value>, Trouble> {
        let mut rest = Vec::new();
        while failed && !self.exhausted && self.map.writer.as_ref().is_some_and(|w| w.arguments.is_some()) {
            let Some(portion) = self.portion()? else { break };
            rest.push(portion.input);
        }
        Ok(rest)
    }
}

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
            scope.log(&[Draft::bare("MapRunSucceeded")])?;
            scope.log(&[Draft::bare("MapStateSucceeded").beside()])?;
            scope.run.flush(vec![map_run.op()?]).await?;
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
            scope.run.flush(vec![map_run.op()?]).await?;
            Err(failure.into())
        }
        Err(store) => Err(store),
    }
}
