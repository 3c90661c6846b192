//! Scopes inside a scope: the branches of a Parallel, the iterations of an INLINE Map.
use super::io::json_size;
use super::scope::Scope;
use super::{Cursor, Failure, Item, MAX_DATA, Phase, Trouble};
use crate::asl::{Flow, Language, MapState, Mode, State};
use crate::history::Draft;
use crate::map;
use futures::future::BoxFuture;
use futures::stream::{FuturesUnordered, StreamExt};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Iterations that an INLINE Map runs at once however high its MaxConcurrency is (the service's limit).
const MAX_INLINE: usize = 40;

type Ended = (usize, Result<(Arc<Value>, u64), Trouble>);

impl Scope {
    /// Runs every branch of a Parallel.
    pub(super) async fn parallel(
        &mut self,
        state: &State,
        branches: &[Arc<Flow>],
        input: &Arc<Value>,
    ) -> Result<Value, Trouble> {
        self.sit_out().await;
        let input = match &state.io.arguments {
            Some(template) => Arc::new(self.view(state, input).evaluate(template, arguments_field(state))?),
            None => input.clone(),
        };
        if !matches!(self.cursor.phase, Phase::Branches) {
            self.cursor.phase = Phase::Branches;
            self.log(&[Draft::bare("ParallelStateStarted")])?;
        }
        let started = self.cursor.previous;
        let mut running: FuturesUnordered<BoxFuture<'static, Ended>> = FuturesUnordered::new();
        for (index, flow) in branches.iter().enumerate() {
            let fresh = Cursor::start(&flow.start_at, input.clone(), self.cursor.variables.clone(), started);
            running.push(self.inner(state, index, flow.clone(), index.to_string(), fresh));
        }
        let mut outputs = vec![Value::Null; branches.len()];
        let mut last = started;
        while let Some((index, ended)) = running.next().await {
            let (output, event) = ended?;
            outputs[index] = (*output).clone();
            last = event;
        }
        self.joined("ParallelStateSucceeded", last)?;
        self.bounded(state, Value::Array(outputs))
    }

    /// A scope below this one; it goes on where it stood if it did.
    fn inner(
        &self,
        state: &State,
        index: usize,
        flow: Arc<Flow>,
        segment: String,
        fresh: Cursor,
    ) -> BoxFuture<'static, Ended> {
        let path = format!("{}/{index}", self.path);
        let cursor = self.run.take_resume(&path).unwrap_or(fresh);
        self.run.save(&path, &cursor);
        let address = map::address(&self.address, &state.name, &segment);
        let scope = Self::new(self.run.clone(), flow, path, address, cursor);
        Box::pin(async move { (index, scope.run().await) })
    }

    /// The event of a successful join is followed by nothing: the exit follows the last inner event, too.
    fn joined(&mut self, kind: &str, last: u64) -> Result<(), Trouble> {
        self.cursor.previous = last;
        self.cursor.phase = Phase::Entered;
        self.run.forget_below(&self.path);
        self.log(&[Draft::bare(kind).beside()]).map(|_| ())
    }

    fn bounded(&self, state: &State, output: Value) -> Result<Value, Trouble> {
        match json_size(&output) > MAX_DATA {
            true => Err(Failure { terminal: true, ..Failure::too_large(&state.name) }.into()),
            false => Ok(output),
        }
    }

    /// A Map in either mode.
    pub(super) async fn map(
        &mut self,
        state: &State,
        map: &MapState,
        input: &Arc<Value>,
    ) -> Result<Value, Trouble> {
        self.sit_out().await;
        match map.mode {
            Mode::Inline => self.inline(state, map, input).await,
            Mode::Distributed { express } => map::distributed(self, state, map, input, express).await,
        }
    }

    async fn inline(&mut self, state: &State, map: &MapState, input: &Arc<Value>) -> Result<Value, Trouble> {
        let items = map::items(&self.view(state, input), map)?;
        if !matches!(self.cursor.phase, Phase::Branches) {
            self.cursor.phase = Phase::Branches;
            let details = json!({"length": items.len()});
            self.log(&[Draft::new("MapStateStarted", "mapStateStartedEventDetails", details)])?;
        }
        let most = map.max_concurrency.as_ref().map(|n| self.view(state, input).number(n)).transpose()?;
        let most = most.map_or(MAX_INLINE, |n| n as usize);
        let most = if most == 0 { MAX_INLINE } else { most.min(MAX_INLINE) };
        let outputs = self.iterate(state, map, input, &items, most).await?;
        self.bounded(state, Value::Array(outputs))
    }

    async fn iterate(
        &mut self,
        state: &State,
        map: &MapState,
        input: &Arc<Value>,
        items: &[Value],
        most: usize,
    ) -> Result<Vec<Value>, Trouble> {
        let (mut previous, mut join) = (self.cursor.previous, self.cursor.previous);
        let mut running: FuturesUnordered<BoxFuture<'static, Ended>> = FuturesUnordered::new();
        let mut outputs = vec![Value::Null; items.len()];
        let mut under_way = BTreeMap::new();
        let mut next = 0;
        loop {
            while next < items.len() && running.len() < most {
                if let Some(output) = self.run.take_done(&format!("{}/{next}", self.path)) {
                    outputs[next] = (*output).clone();
                    next += 1;
                    continue;
                }
                running.push(self.iteration(state, map, input, next, &items[next], previous)?);
                under_way.insert(next, previous);
                next += 1;
            }
            let Some((index, ended)) = running.next().await else { break };
            under_way.remove(&index);
            let details = json!({"name": state.name, "index": index});
            match ended {
                Ok((output, last)) => {
                    let event =
                        Draft::new("MapIterationSucceeded", "mapIterationSucceededEventDetails", details);
                    join = self.run.log_one(last, &event);
                    previous = last;
                    outputs[index] = (*output).clone();
                }
                Err(Trouble::Error(failure)) => {
                    return Err(self.iteration_failed(state, failure, details, &under_way));
                }
                Err(store) => return Err(store),
            }
        }
        self.joined("MapStateSucceeded", join)?;
        Ok(outputs)
    }

    fn iteration(
        &mut self,
        state: &State,
        map: &MapState,
        input: &Arc<Value>,
        index: usize,
        item: &Value,
        previous: u64,
    ) -> Result<BoxFuture<'static, Ended>, Trouble> {
        let path = format!("{}/{index}", self.path);
        let known = self.run.stood(&path);
        let item = Item { index: index as u64, value: Arc::new(item.clone()), source: None };
        let selected = match known {
            true => Value::Null,
            false => map::select(&self.view(state, input), map, &item)?,
        };
        let mut fresh = Cursor::start(
            &map.processor.start_at,
            Arc::new(selected),
            self.cursor.variables.clone(),
            previous,
        );
        fresh.item = Some(item);
        if !known {
            let details = json!({"name": state.name, "index": index});
            let event = Draft::new("MapIterationStarted", "mapIterationStartedEventDetails", details);
            self.run.log(&path, &mut fresh, &[event])?;
        }
        Ok(self.inner(state, index, map.processor.clone(), "*".to_owned(), fresh))
    }

    fn iteration_failed(
        &mut self,
        state: &State,
        failure: Failure,
        details: Value,
        under_way: &BTreeMap<usize, u64>,
    ) -> Trouble {
        let after = failure.after.unwrap_or(self.cursor.previous);
        self.run.log_one(after, &Draft::new("MapIterationFailed", "mapIterationFailedEventDetails", details));
        for (index, previous) in under_way {
            let details = json!({"name": state.name, "index": index});
            self.run.log_one(
                *previous,
                &Draft::new("MapIterationAborted", "mapIterationAbortedEventDetails", details),
            );
        }
        Failure { after: Some(after), ..failure }.into()
    }
}

fn arguments_field(state: &State) -> &'static str {
    if state.language == Language::Jsonata { "Arguments" } else { "Parameters" }
}
