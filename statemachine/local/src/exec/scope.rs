//! One scope: the states of a machine, a branch or an iteration, one after the other.
use super::io::{self, Result_, View};
use super::{Cursor, Failure, Phase, Run, Trouble};
use crate::asl::{Flow, Kind, Language, State, Transition, Variables};
use crate::history::Draft;
use serde_json::{Map, Value};
use std::sync::Arc;

/// Bytes of variables in one `Assign` (facts: 256 KiB) and per scope (10 MiB).
const MAX_ASSIGN: usize = 262_144;
const MAX_VARIABLES: usize = 10 * 1024 * 1024;

/// A scope and where it stands.
pub(crate) struct Scope {
    pub(crate) run: Arc<Run>,
    pub(crate) flow: Arc<Flow>,
    /// Where its cursor is kept: empty for the execution itself, `/3` for its fourth branch.
    pub(crate) path: String,
    /// Where its flow is in the definition.
    pub(crate) address: String,
    pub(crate) cursor: Cursor,
}

/// What a state did.
pub(super) struct Performed {
    /// `None`: nothing of its own, the input goes on.
    pub(super) result: Option<Value>,
    /// What a Choice chose.
    pub(super) chosen: Option<Chosen>,
}

/// A Choice's decision.
pub(super) struct Chosen {
    pub(super) next: String,
    pub(super) output: Option<Value>,
    pub(super) assigned: Option<Map<String, Value>>,
}

impl Scope {
    /// A scope that starts, or goes on where `cursor` stands.
    pub(crate) fn new(run: Arc<Run>, flow: Arc<Flow>, path: String, address: String, cursor: Cursor) -> Self {
        Self { run, flow, path, address, cursor }
    }

    /// To the end: the output and the scope's last event.
    pub(crate) async fn run(mut self) -> Result<(Arc<Value>, u64), Trouble> {
        loop {
            if let Phase::Done { output } = &self.cursor.phase {
                return Ok((output.clone(), self.cursor.previous));
            }
            let Some(state) = self.flow.states.get(&self.cursor.state).cloned() else {
                let cause = format!("The state '{}' is not in the definition.", self.cursor.state);
                return Err(Failure::terminal("States.Runtime", cause).into());
            };
            self.enter(&state)?;
            match self.perform(&state).await {
                Ok(()) => {}
                Err(Trouble::Error(failure)) => self.recover(&state, failure).await?,
                Err(store) => return Err(store),
            }
        }
    }

    fn enter(&mut self, state: &State) -> Result<(), Trouble> {
        if !matches!(self.cursor.phase, Phase::Fresh) {
            return Ok(());
        }
        self.cursor.entered_at = self.run.engine.clock.now();
        self.cursor.before = self.cursor.previous;
        self.cursor.phase = Phase::Entered;
        let event = Draft::entered(kind_name(&state.kind), &state.name, &self.cursor.input);
        let id = self.log(&[event])?;
        self.cursor.entered = id;
        self.run.save(&self.path, &self.cursor);
        Ok(())
    }

    /// Records events of this scope.
    pub(crate) fn log(&mut self, events: &[Draft]) -> Result<u64, Trouble> {
        self.run.log(&self.path, &mut self.cursor, events)
    }

    /// Expressions' view of a state.
    pub(crate) fn view<'a>(&'a self, state: &'a State, input: &'a Value) -> View<'a> {
        View { run: &self.run, cursor: &self.cursor, state, input, item: self.cursor.item.as_ref() }
    }

    async fn perform(&mut self, state: &State) -> Result<(), Trouble> {
        let raw = self.cursor.input.clone();
        let input: Arc<Value> = match (&state.kind, state.language) {
            (Kind::Fail { .. }, _) | (_, Language::Jsonata) => raw.clone(),
            (_, Language::JsonPath) => Arc::new(io::effective_input(&self.view(state, &raw), &state.io)?),
        };
        let performed = self.act(state, &input).await?;
        if let Some(chosen) = performed.chosen {
            return self.leave_choice(state, &input, chosen);
        }
        let done = io::finish(&self.view(state, &input), &raw, performed.result)?;
        let next = state.transition.clone().unwrap_or(Transition::End);
        self.leave(state, done, &next)
    }

    async fn act(&mut self, state: &State, input: &Arc<Value>) -> Result<Performed, Trouble> {
        let result = match &state.kind {
            Kind::Pass { result } => self.pass(state, input, result.as_ref())?,
            Kind::Task(task) => Some(self.task(state, task, input).await?),
            Kind::Choice { rules, default } => {
                let chosen = self.choose(state, input, rules, default.as_deref())?;
                return Ok(Performed { result: None, chosen: Some(chosen) });
            }
            Kind::Wait(delay) => {
                self.wait(state, input, delay).await?;
                None
            }
            Kind::Succeed => None,
            Kind::Fail { error, cause } => {
                return Err(self.fail(state, input, error.as_ref(), cause.as_ref()));
            }
            Kind::Parallel { branches } => Some(self.parallel(state, branches, input).await?),
            Kind::Map(map) => Some(self.map(state, map, input).await?),
        };
        Ok(Performed { result, chosen: None })
    }

    pub(super) fn pass(
        &self,
        state: &State,
        input: &Value,
        result: Option<&Value>,
    ) -> Result<Option<Value>, Failure> {
        if state.language == Language::Jsonata {
            return Ok(None);
        }
        match (result, &state.io.arguments) {
            (Some(result), _) => Ok(Some(result.clone())),
            (None, Some(template)) => self.view(state, input).evaluate(template, "Parameters").map(Some),
            (None, None) => Ok(Some(input.clone())),
        }
    }

    pub(super) fn fail(
        &self,
        state: &State,
        input: &Value,
        error: Option<&crate::asl::Text>,
        cause: Option<&crate::asl::Text>,
    ) -> Trouble {
        let view = self.view(state, input);
        let texts = (error.map(|t| view.text(t)).transpose(), cause.map(|t| view.text(t)).transpose());
        match texts {
            (Ok(error), Ok(cause)) => Failure { error, cause, ..Failure::default() }.into(),
            (Err(failure), _) | (_, Err(failure)) => failure.into(),
        }
    }

    fn leave_choice(&mut self, state: &State, input: &Value, chosen: Chosen) -> Result<(), Trouble> {
        let raw = self.cursor.input.clone();
        let view = self.view(state, input);
        let output = match (chosen.output, state.language) {
            (Some(output), _) => io::checked(&view, output)?,
            (None, Language::Jsonata) => (*raw).clone(),
            (None, Language::JsonPath) => io::finish(&view, &raw, None)?.output,
        };
        let done = Result_ { output, assigned: chosen.assigned };
        self.leave(state, done, &Transition::Next(chosen.next))
    }

    /// Records the end of a state and moves on.
    pub(super) fn leave(&mut self, state: &State, done: Result_, next: &Transition) -> Result<(), Trouble> {
        let variables = self.assigned(state, done.assigned.as_ref())?;
        let event = Draft::exited(kind_name(&state.kind), &state.name, &done.output, done.assigned.as_ref());
        let output = Arc::new(done.output);
        self.cursor.variables = variables;
        match next {
            Transition::Next(name) => self.cursor.go(name, output),
            Transition::End => self.cursor.phase = Phase::Done { output },
        }
        self.log(&[event]).map(|_| ())
    }

    pub(super) fn assigned(
        &self,
        state: &State,
        assigned: Option<&Map<String, Value>>,
    ) -> Result<Variables, Failure> {
        let Some(assigned) = assigned else { return Ok(self.cursor.variables.clone()) };
        let mut variables = (*self.cursor.variables).clone();
        let size: usize = assigned.values().map(io::json_size).sum();
        variables.extend(assigned.iter().map(|(k, v)| (k.clone(), v.clone())));
        let total: usize = variables.values().map(io::json_size).sum();
        if size > MAX_ASSIGN || total > MAX_VARIABLES {
            let cause = format!(
                "The variables of the state '{}' exceed the size limit: {size} bytes assigned, {total} in all.",
                state.name
            );
            return Err(Failure::terminal("States.Runtime", cause));
        }
        Ok(Arc::new(variables))
    }
}

/// A kind's name in event types.
pub(super) fn kind_name(kind: &Kind) -> &'static str {
    match kind {
        Kind::Pass { .. } => "Pass",
        Kind::Task(_) => "Task",
        Kind::Choice { .. } => "Choice",
        Kind::Wait(_) => "Wait",
        Kind::Succeed => "Succeed",
        Kind::Fail { .. } => "Fail",
        Kind::Parallel { .. } => "Parallel",
        Kind::Map(_) => "Map",
    }
}
