//! One state by itself, for TestState: what it would do with an input, and what its data looks like on the way.
use super::io::{self, Result_};
use super::retry::longest_delay;
use super::scope::Scope;
use super::task::Names;
use super::{Cursor, Failure, Item, Parts, Phase, Run, Trouble};
use crate::asl::{Flow, Kind, Language, Machine, MapState, Mode, Resource, State, Task, Transition};
use crate::engine::{Inner, Loaded};
use crate::map;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A state, and the world it is tested in.
pub(crate) struct Probe {
    pub(crate) state: Arc<State>,
    pub(crate) input: Value,
    pub(crate) role: String,
    pub(crate) variables: BTreeMap<String, Value>,
    /// In place of the context object.
    pub(crate) context: Option<Value>,
    pub(crate) mock: Option<Mock>,
    /// Attempts that the retrier has used up.
    pub(crate) retries: u32,
    /// Iterations of a Map that failed.
    pub(crate) failures: Option<u64>,
    /// What the item reader of a Map has read.
    pub(crate) read: Option<Vec<Value>>,
}

/// What stands for the call of a Task, the branches of a Parallel, the iterations of a Map.
#[derive(Clone)]
pub(crate) enum Mock {
    Result(Value),
    Error(Failure),
}

/// How the test went.
#[derive(Default)]
pub(crate) struct Report {
    /// `SUCCEEDED`, `FAILED`, `RETRIABLE` or `CAUGHT_ERROR`.
    pub(crate) status: &'static str,
    pub(crate) output: Option<Value>,
    pub(crate) failure: Option<Failure>,
    pub(crate) next: Option<String>,
    /// The data on the way, as the API names it.
    pub(crate) seen: Map<String, Value>,
}

/// Why there is no report.
pub(crate) enum Refused {
    /// More iterations failed than there are.
    TooManyFailures,
    Trouble(Trouble),
}

impl From<Trouble> for Refused {
    fn from(trouble: Trouble) -> Self {
        Self::Trouble(trouble)
    }
}

impl From<Failure> for Refused {
    fn from(failure: Failure) -> Self {
        Self::Trouble(failure.into())
    }
}

/// What a state came to.
struct Reached {
    done: Result_,
    next: Option<String>,
}

struct Bench {
    scope: Scope,
    state: Arc<State>,
    probe: Probe,
    seen: Map<String, Value>,
}

impl Probe {
    /// Tests the state; nothing is recorded anywhere.
    pub(crate) async fn run(self, engine: &Arc<Inner>) -> Result<Report, Refused> {
        let scope = self.scope(engine);
        let mut bench = Bench { scope, state: self.state.clone(), probe: self, seen: Map::new() };
        match bench.act().await {
            Ok(reached) => bench.reached(reached),
            Err(Refused::Trouble(Trouble::Error(failure))) => Ok(bench.failed(failure)),
            Err(other) => Err(other),
        }
    }

    fn scope(&self, engine: &Arc<Inner>) -> Scope {
        let (machine, name) = (engine.uuid(), engine.uuid());
        let states = [(self.state.name.clone(), self.state.clone())].into_iter().collect();
        let flow = Arc::new(Flow { start_at: self.state.name.clone(), states });
        let loaded = Loaded {
            revision: 0,
            arn: engine.home.machine(&machine),
            name: machine.clone(),
            role: self.role.clone(),
            express: true,
            machine: Machine { flow: flow.clone(), timeout_seconds: None },
        };
        let input = Arc::new(self.input.clone());
        let mut run = Run::new(Parts {
            engine: engine.clone(),
            id: 0,
            arn: engine.home.tested(&machine, &name),
            name,
            machine: Arc::new(loaded),
            flow: flow.clone(),
            address: String::new(),
            express: true,
            input: input.clone(),
            start: engine.clock.now(),
            redrives: 0,
            redriven: None,
            map_run: None,
            last_event: 0,
            before: Vec::new(),
            resume: BTreeMap::new(),
        });
        if let Some(run) = Arc::get_mut(&mut run) {
            run.context = self.context.clone();
        }
        let mut cursor = Cursor::start(&self.state.name, input, Arc::new(self.variables.clone()), 0);
        cursor.phase = Phase::Entered;
        // The second event of the execution that this would be; causes name it.
        cursor.entered = 2;
        cursor.entered_at = engine.clock.now();
        cursor.retry_count = u64::from(self.retries);
        Scope::new(run, flow, String::new(), String::new(), cursor)
    }
}

impl Bench {
    fn see(&mut self, name: &str, value: &Value) {
        self.seen.insert(name.to_owned(), json!(value.to_string()));
    }

    fn paths(&self) -> bool {
        self.state.language == Language::JsonPath
    }

    async fn act(&mut self) -> Result<Reached, Refused> {
        let state = self.state.clone();
        let raw = self.scope.cursor.input.clone();
        self.see("input", &raw);
        let input = match (&state.kind, self.paths()) {
            (Kind::Fail { .. }, _) | (_, false) => (*raw).clone(),
            (_, true) => io::effective_input(&self.scope.view(&state, &raw), &state.io)?,
        };
        // As recorded, these two kinds do not show it.
        let hidden = matches!(state.kind, Kind::Pass { result: Some(_) } | Kind::Parallel { .. });
        if self.paths() && !hidden {
            self.see("afterInputPath", &input);
        }
        let result = match &state.kind {
            Kind::Choice { rules, default } => {
                let chosen = self.scope.choose(&state, &input, rules, default.as_deref())?;
                return Ok(self.chosen(&raw, &input, chosen)?);
            }
            Kind::Fail { error, cause } => {
                return Err(self.scope.fail(&state, &input, error.as_ref(), cause.as_ref()).into());
            }
            Kind::Wait(delay) => {
                self.scope.moment(&state, &input, delay)?;
                None
            }
            Kind::Succeed => None,
            Kind::Pass { result } => self.pass(&input, result.as_ref())?,
            Kind::Task(task) => Some(self.task(task, &input).await?),
            Kind::Parallel { .. } => Some(self.parallel(&input)?),
            Kind::Map(map) => Some(self.map(map, &input)?),
        };
        let done = self.finish(&raw, &input, result)?;
        let next = match &state.transition {
            Some(Transition::Next(next)) => Some(next.clone()),
            _ => None,
        };
        Ok(Reached { done, next })
    }

    fn chosen(&self, raw: &Value, input: &Value, chosen: super::scope::Chosen) -> Result<Reached, Failure> {
        let view = self.scope.view(&self.state, input);
        let output = match chosen.output {
            Some(output) => io::checked(&view, output)?,
            None if self.paths() => io::finish(&view, raw, None)?.output,
            None => raw.clone(),
        };
        Ok(Reached { done: Result_ { output, assigned: chosen.assigned }, next: Some(chosen.next) })
    }

    fn pass(&mut self, input: &Value, fixed: Option<&Value>) -> Result<Option<Value>, Failure> {
        let state = self.state.clone();
        let passed = self.scope.pass(&state, input, fixed)?;
        if let Some(value) = &passed {
            self.see(if fixed.is_some() { "result" } else { "afterParameters" }, value);
        }
        Ok(passed)
    }

    /// `Parameters` or `Arguments`; the input where there are none.
    fn arguments(&mut self, input: &Value) -> Result<Value, Failure> {
        let state = self.state.clone();
        let field = if self.paths() { "Parameters" } else { "Arguments" };
        match &state.io.arguments {
            Some(template) => self.scope.view(&state, input).evaluate(template, field),
            None => Ok(input.clone()),
        }
    }

    async fn task(&mut self, task: &Task, input: &Value) -> Result<Value, Trouble> {
        let arguments = self.arguments(input)?;
        self.see(if self.paths() { "afterParameters" } else { "afterArguments" }, &arguments);
        let result = match self.probe.mock.clone() {
            Some(Mock::Result(result)) => result,
            Some(Mock::Error(failure)) => return Err(failure.into()),
            None => {
                let state = self.state.clone();
                let names = Names::of(task);
                self.scope.call(&state, task, &arguments, &names).await?
            }
        };
        if io::json_size(&result) > super::MAX_DATA {
            return Err(Failure::too_large(&self.state.name).into());
        }
        self.see("result", &result);
        Ok(result)
    }

    fn parallel(&mut self, input: &Value) -> Result<Value, Failure> {
        let arguments = self.arguments(input)?;
        if self.state.io.arguments.is_some() {
            self.see(if self.paths() { "afterParameters" } else { "afterArguments" }, &arguments);
        }
        self.mocked()
    }

    fn mocked(&self) -> Result<Value, Failure> {
        match self.probe.mock.clone() {
            Some(Mock::Result(result)) => Ok(result),
            Some(Mock::Error(failure)) => Err(failure),
            None => Err(Failure::terminal("States.Runtime", "The state has no mock.")),
        }
    }

    fn map(&mut self, map: &MapState, input: &Value) -> Result<Value, Refused> {
        let items = self.items(map, input)?;
        let state = self.state.clone();
        let number = |number: &Option<crate::asl::Number>| {
            number.as_ref().map(|n| self.scope.view(&state, input).number(n)).transpose()
        };
        let most = number(&map.max_concurrency)?.unwrap_or_default() as u64;
        let count = number(&map.tolerated_count)?.map(|n| n as u64);
        let percentage = number(&map.tolerated_percentage)?;
        self.seen.insert("maxConcurrency".to_owned(), json!(most));
        self.seen.extend(count.map(|n| ("toleratedFailureCount".to_owned(), json!(n))));
        self.seen.extend(percentage.map(|n| ("toleratedFailurePercentage".to_owned(), json!(n))));
        let (failures, all) = (self.probe.failures.unwrap_or_default(), items.len() as u64);
        if failures > all {
            return Err(Refused::TooManyFailures);
        }
        let result = self.mocked()?;
        // As recorded: without a threshold of its own, the state takes the mocked result whatever failed.
        let share = failures as f64 * 100.0 / all.max(1) as f64;
        if count.is_some_and(|n| failures > n) || percentage.is_some_and(|p| share > p) {
            let cause = "The specified tolerated failure threshold was exceeded";
            return Err(Failure::new("States.ExceedToleratedFailureThreshold", cause).into());
        }
        Ok(result)
    }

    fn items(&mut self, map: &MapState, input: &Value) -> Result<Vec<Value>, Failure> {
        let state = self.state.clone();
        let items = match (&map.reader, &self.probe.read) {
            (Some(_), read) => read.clone().unwrap_or_default(),
            (None, _) => map::items(&self.scope.view(&state, input), map)?,
        };
        if self.paths() && map.reader.is_none() {
            self.see("afterItemsPath", &json!(items));
        }
        if map.selector.is_some() {
            // A test names no object that the reader has read.
            let origin: Option<Arc<str>> = match map.mode {
                Mode::Distributed { .. } if map.reader.is_none() => Some(map::STATE_DATA.into()),
                Mode::Distributed { .. } | Mode::Inline => None,
            };
            let mut selected = Vec::with_capacity(items.len());
            for (index, value) in items.iter().enumerate() {
                let item =
                    Item { index: index as u64, value: Arc::new(value.clone()), source: origin.clone() };
                selected.push(map::select(&self.scope.view(&state, input), map, &item)?);
            }
            self.see("afterItemSelector", &Value::Array(selected));
        }
        Ok(items)
    }

    fn finish(&mut self, raw: &Value, input: &Value, result: Option<Value>) -> Result<Result_, Failure> {
        let state = self.state.clone();
        if let (true, Some(result)) = (self.paths(), &result) {
            let selected = match &state.io.result_selector {
                Some(template) => self.scope.view(&state, result).evaluate(template, "ResultSelector")?,
                None => result.clone(),
            };
            self.see("afterResultSelector", &selected);
            let placed = io::place(&state.io.result_path, raw, selected);
            let placed = placed.map_err(|m| self.scope.view(&state, input).runtime(m))?;
            self.see("afterResultPath", &placed);
        }
        io::finish(&self.scope.view(&state, input), raw, result)
    }

    fn reached(mut self, reached: Reached) -> Result<Report, Refused> {
        let variables = self.scope.assigned(&self.state, reached.done.assigned.as_ref())?;
        if !variables.is_empty() {
            self.see("variables", &json!(*variables));
        }
        Ok(Report {
            status: "SUCCEEDED",
            output: Some(reached.done.output),
            next: reached.next,
            seen: self.seen,
            ..Report::default()
        })
    }

    fn failed(mut self, failure: Failure) -> Report {
        let state = self.state.clone();
        let mut details = Map::new();
        if let Some(index) = state.retry.iter().position(|r| failure.matches(&r.errors)) {
            let retrier = &state.retry[index];
            details.insert("retryIndex".to_owned(), json!(index));
            if self.probe.retries < retrier.max_attempts {
                let delay = longest_delay(retrier, self.probe.retries) as u64;
                details.insert("retryBackoffIntervalSeconds".to_owned(), json!(delay));
                self.seen.insert("errorDetails".to_owned(), Value::Object(details));
                return Report {
                    status: "RETRIABLE",
                    failure: Some(failure),
                    seen: self.seen,
                    ..Report::default()
                };
            }
        }
        let index = state.catch.iter().position(|c| failure.matches(&c.errors));
        details.extend(index.map(|index| ("catchIndex".to_owned(), json!(index))));
        if !details.is_empty() {
            self.seen.insert("errorDetails".to_owned(), Value::Object(details));
        }
        let report = Report { failure: Some(failure.clone()), seen: self.seen, ..Report::default() };
        let Some(catcher) = index.map(|index| &state.catch[index]) else {
            return Report { status: "FAILED", ..report };
        };
        match self.scope.handed_on(&state, catcher, &failure) {
            Ok(done) => Report {
                status: "CAUGHT_ERROR",
                output: Some(done.output),
                next: Some(catcher.next.clone()),
                ..report
            },
            Err(own) => Report { status: "FAILED", failure: Some(own), ..report },
        }
    }
}

/// Whether a Task can be tried out without a mock: what waits for somebody else can not.
pub(crate) fn callable(task: &Task) -> bool {
    use crate::asl::Pattern;
    if task.waits {
        return false;
    }
    match &task.resource {
        Resource::LambdaArn(_) | Resource::LambdaInvoke | Resource::S3(_) => true,
        Resource::StartExecution(pattern) => matches!(pattern, Pattern::Request | Pattern::AwsSdk),
        Resource::Sfn(action) => action != "getActivityTask",
        Resource::Activity(_) | Resource::Mocked(_) => false,
    }
}
