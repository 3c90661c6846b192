//! Tasks that somebody outside ends: activities, and `.waitForTaskToken` of any integration.
use super::scope::Scope;
use super::task::{Limits, Names};
use super::tokens::{Tokens, Word};
use super::{Failure, Trouble};
use crate::asl::{Resource, State, Task};
use crate::clock::Timestamp;
use crate::history::Draft;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// The token of a task that waits: kept with its place, so that it outlives the process.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Callback {
    pub(crate) token: String,
    /// Whether whoever is to answer has been called.
    pub(crate) submitted: bool,
}

impl Scope {
    /// Draws a token, unless the task has one from before the process died.
    pub(super) fn expect_callback(&mut self) {
        if self.cursor.callback.is_none() {
            let token = Tokens::draw(&self.run.engine.entropy);
            self.cursor.callback = Some(Callback { token, submitted: false });
        }
    }

    /// Waits until the token's holder says how it went.
    pub(super) async fn called_back(
        &mut self,
        limits: &Limits,
        state: &State,
        task: &Task,
        arguments: &Value,
        names: &Names,
    ) -> Result<Value, Trouble> {
        let Some(Callback { token, submitted }) = self.cursor.callback.clone() else {
            return Err(Failure::terminal("States.Runtime", "The task has no token.").into());
        };
        let engine = self.run.engine.clone();
        let begun = engine.clock.now();
        let mut ticket = engine.tokens.wait(&token);
        let until = limits.timeout.map(|t| begun.plus_seconds(t));
        let beat = |now: Timestamp| limits.heartbeat.map(|h| now.plus_seconds(h));
        // Heartbeats of an activity count from when a worker has it.
        let mut alive = None;
        if let Resource::Activity(arn) = &task.resource {
            engine.tokens.enqueue(arn, &token, arguments.to_string());
        } else {
            alive = beat(begun);
            if !submitted {
                self.submit(state, task, arguments, names, until).await?;
            }
        }
        loop {
            let (deadline, error) = earliest(until, alive);
            tokio::select! {
                biased;
                word = ticket.next() => match word {
                    Word::Success(result) => return Ok(result),
                    Word::Failure(failure) => return Err(failure.into()),
                    Word::Heartbeat => alive = beat(engine.clock.now()),
                    Word::Taken { worker } => {
                        alive = beat(engine.clock.now());
                        let details = json!({"workerName": worker});
                        self.log(&[Draft::new("ActivityStarted", "activityStartedEventDetails", details)])?;
                        self.run.flush(Vec::new()).await?;
                    }
                },
                () = sleep(&*engine.clock, deadline) => return Err(late(error)),
            }
        }
    }

    /// Calls the integration that hands the token on, and records its answer.
    async fn submit(
        &mut self,
        state: &State,
        task: &Task,
        arguments: &Value,
        names: &Names,
        until: Option<Timestamp>,
    ) -> Result<(), Trouble> {
        let clock = self.run.engine.clock.clone();
        let answer = tokio::select! {
            biased;
            answer = self.call(state, task, arguments, names) => answer?,
            () = sleep(&*clock, until) => return Err(late("States.Timeout")),
        };
        if let Some(callback) = &mut self.cursor.callback {
            callback.submitted = true;
        }
        let details = json!({"output": answer.to_string(), "outputDetails": {"truncated": false}});
        self.log(&[names.event("TaskSubmitted", "taskSubmittedEventDetails", details)])?;
        Ok(self.run.flush(Vec::new()).await?)
    }

    /// Refuses an activity that is not there, before anything is scheduled.
    pub(super) async fn known_activity(
        &self,
        state: &State,
        arn: &str,
        input: &Value,
    ) -> Result<(), Trouble> {
        let found = crate::engine::Engine::from_inner(self.run.engine.clone()).activity(arn).await;
        match found {
            Ok(_) => Ok(()),
            Err(e) if e.code == "StorageFailure" => Err(crate::store::StoreError(e.message).into()),
            Err(_) => {
                let cause = format!("The activity {arn} does not exist.");
                Err(self.view(state, input).runtime(cause).into())
            }
        }
    }
}

fn earliest(until: Option<Timestamp>, alive: Option<Timestamp>) -> (Option<Timestamp>, &'static str) {
    match (until, alive) {
        (Some(until), Some(alive)) if alive < until => (Some(alive), "States.HeartbeatTimeout"),
        (None, Some(alive)) => (Some(alive), "States.HeartbeatTimeout"),
        (until, _) => (until, "States.Timeout"),
    }
}

async fn sleep(clock: &dyn crate::clock::Clock, until: Option<Timestamp>) {
    match until {
        Some(until) => clock.sleep_until(until).await,
        None => std::future::pending().await,
    }
}

fn late(error: &str) -> Trouble {
    Failure { error: Some(error.to_owned()), ..Failure::default() }.into()
}
