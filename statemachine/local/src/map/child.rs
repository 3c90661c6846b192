//! A child of a Map Run: made anew, or brought back as it was.
use super::MapRun;
use crate::api::Status;
use crate::asl::MapState;
use crate::clock::Timestamp;
use crate::engine::{Inner, REDRIVABLE, Revival};
use crate::exec::{Cursor, Parts, Run, Trouble};
use crate::history::{Draft, MAX_EVENTS};
use crate::store::{COLUMNS, ExecutionRow, Op, StoreError};
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// What an earlier process, or the attempt before a redrive, left of a child.
#[derive(Debug, Clone, Copy)]
pub(super) struct Known {
    pub(super) status: Status,
    pub(super) stop: Option<i64>,
    pub(super) items: u64,
    express: bool,
    last_event: i64,
}

/// What becomes of a known child.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// It has run, in this attempt or successfully before.
    Over,
    /// It goes on from where it stood.
    GoesOn,
    /// It waits for its redrive.
    Redrive,
    /// It would, but it ended too long ago or its history is full.
    Lost,
}

impl Known {
    /// By when the Map Run was redriven, if it was.
    pub(super) fn fate(&self, redriven: Option<Timestamp>) -> Fate {
        let earlier = redriven.zip(self.stop).filter(|(redriven, stop)| *stop <= redriven.millis());
        match (self.status, earlier) {
            (Status::Running, _) => Fate::GoesOn,
            (Status::Succeeded, _) | (_, None) => Fate::Over,
            (_, Some((redriven, stop))) => {
                let full = !self.express && self.last_event as u64 >= MAX_EVENTS - 1;
                let late = redriven.millis() - stop > REDRIVABLE;
                if full || late { Fate::Lost } else { Fate::Redrive }
            }
        }
    }
}

/// Every child of a Map Run that was ever recorded, by its number.
pub(super) async fn known(engine: &Inner, map_run: i64) -> Result<HashMap<i64, Known>, StoreError> {
    engine
        .store
        .call(move |db| {
            let mut statement = db.prepare_cached(
                "SELECT child, status, stop, items, express, last_event FROM executions WHERE map_run = ?1",
            )?;
            let rows = statement.query_map([map_run], |row| {
                let known = Known {
                    status: Status::parse(&row.get::<_, String>(1)?),
                    stop: row.get(2)?,
                    items: row.get::<_, i64>(3)? as u64,
                    express: row.get(4)?,
                    last_event: row.get(5)?,
                };
                Ok((row.get(0)?, known))
            })?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
        .await
}

/// A child that nothing is known of.
pub(super) fn fresh(
    parent: &Run,
    map_run: &Arc<MapRun>,
    map: &MapState,
    index: i64,
    input: Value,
    items: u64,
) -> Result<(Arc<Run>, Cursor), Trouble> {
    let engine = &parent.engine;
    let (machine, address) = {
        let body = map_run.body();
        (body.machine.clone(), super::address(&body.address, "", "*"))
    };
    let name = engine.uuid();
    let arn = engine.home.execution(crate::arn::last(&machine), &name);
    let id = engine.next_id();
    let (input, start) = (Arc::new(input), engine.clock.now());
    let express = map_run.body().express;
    let row = ExecutionRow {
        id,
        arn: arn.clone(),
        machine,
        revision: parent.machine.revision,
        name: name.clone(),
        express,
        status: Status::Running,
        start: start.millis(),
        stop: None,
        input: input.to_string(),
        output: None,
        error: None,
        cause: None,
        map_run: Some(map_run.id),
        child: Some(index),
        items: items as i64,
        redrives: 0,
        redriven: None,
        last_event: 0,
    };
    let text = row.input.clone();
    let run = Run::new(Parts {
        engine: engine.clone(),
        id,
        arn,
        name,
        machine: parent.machine.clone(),
        flow: map.processor.clone(),
        // One separator too many after the state's own name.
        address,
        express,
        input: input.clone(),
        start,
        redrives: 0,
        redriven: None,
        map_run: Some(map_run.clone()),
        last_event: 0,
        before: vec![Op::Insert(Box::new(row))],
        resume: BTreeMap::new(),
    });
    run.log_one(0, &started(&text, &parent.machine.role));
    let cursor = Cursor::start(&map.processor.start_at, input, Arc::default(), 0);
    run.save("", &cursor);
    Ok((run, cursor))
}

/// The first event of an execution.
pub(crate) fn started(input: &str, role: &str) -> Draft {
    let details = json!({"input": input, "inputDetails": {"truncated": false}, "roleArn": role});
    Draft::new("ExecutionStarted", "executionStartedEventDetails", details)
}

/// A child that is known, as it was (`redrive` false) or from where it failed.
pub(super) async fn known_child(
    parent: &Run,
    map_run: &Arc<MapRun>,
    map: &MapState,
    index: i64,
    redrive: bool,
) -> Result<(Arc<Run>, Cursor), Trouble> {
    let id = map_run.id;
    let row = parent
        .engine
        .store
        .call(move |db| {
            let sql = format!("SELECT {COLUMNS} FROM executions WHERE map_run = ?1 AND child = ?2");
            Ok(db.prepare_cached(&sql)?.query_row([id, index], ExecutionRow::read)?)
        })
        .await?;
    let address = super::address(&map_run.body().address, "", "*");
    let revival = Revival {
        row,
        machine: parent.machine.clone(),
        flow: map.processor.clone(),
        address,
        map_run: Some(map_run.clone()),
    };
    Ok(revival.begin(&parent.engine, redrive).await?)
}
