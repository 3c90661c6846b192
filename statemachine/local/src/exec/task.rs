//! Task: schedules work, waits for it within its time, records how it went.
use super::io::json_size;
use super::scope::Scope;
use super::{Failure, MAX_DATA, Phase, Trouble};
use crate::asl::{Pattern, Resource, State, Task};
use crate::history::Draft;
use serde_json::{Value, json};

/// What a task's events call the thing it uses.
pub(super) struct Names {
    /// A function's own ARN has events of its own.
    lambda_arn: Option<String>,
    /// So has an activity.
    activity: Option<String>,
    pub(super) resource: String,
    pub(super) resource_type: &'static str,
}

impl Names {
    pub(super) fn of(task: &Task) -> Self {
        let (mut lambda_arn, mut activity) = (None, None);
        let (resource, resource_type) = match &task.resource {
            Resource::LambdaArn(arn) => {
                lambda_arn = Some(arn.clone());
                ("", "")
            }
            Resource::Activity(arn) => {
                activity = Some(arn.clone());
                ("", "")
            }
            Resource::Sfn(action) => (action.as_str(), "aws-sdk:sfn"),
            Resource::LambdaInvoke => ("invoke", "lambda"),
            Resource::StartExecution(Pattern::Request) => ("startExecution", "states"),
            Resource::StartExecution(Pattern::Sync) => ("startExecution.sync", "states"),
            Resource::StartExecution(Pattern::Sync2) => ("startExecution.sync:2", "states"),
            Resource::StartExecution(Pattern::AwsSdk) => ("startExecution", "aws-sdk:sfn"),
            Resource::S3(action) => (*action, "aws-sdk:s3"),
            Resource::Mocked(_) => ("", ""),
        };
        let waits = if task.waits { ".waitForTaskToken" } else { "" };
        Self { lambda_arn, activity, resource: format!("{resource}{waits}"), resource_type }
    }

    fn scheduled(&self, region: &str, arguments: &Value, limits: &Limits) -> Draft {
        let arguments = arguments.to_string();
        let (timeout, heartbeat) = (limits.timeout.map(|t| t as u64), limits.heartbeat.map(|t| t as u64));
        match (&self.lambda_arn, &self.activity) {
            (Some(arn), _) => {
                let details = json!({"resource": arn, "input": arguments, "inputDetails": {"truncated": false}, "timeoutInSeconds": timeout});
                Draft::new("LambdaFunctionScheduled", "lambdaFunctionScheduledEventDetails", details)
            }
            (None, Some(arn)) => {
                let details = json!({"resource": arn, "input": arguments, "inputDetails": {"truncated": false},
                    "timeoutInSeconds": timeout, "heartbeatInSeconds": heartbeat});
                Draft::new("ActivityScheduled", "activityScheduledEventDetails", details)
            }
            (None, None) => {
                let details = json!({"resource": self.resource, "resourceType": self.resource_type, "region": region,
                    "parameters": arguments, "timeoutInSeconds": timeout, "heartbeatInSeconds": heartbeat});
                Draft::new("TaskScheduled", "taskScheduledEventDetails", details)
            }
        }
    }

    /// `None`: an activity starts when a worker takes it.
    fn started(&self) -> Option<Draft> {
        match (&self.lambda_arn, &self.activity) {
            (Some(_), _) => Some(Draft::bare("LambdaFunctionStarted")),
            (None, Some(_)) => None,
            (None, None) => Some(self.event("TaskStarted", "taskStartedEventDetails", json!({}))),
        }
    }

    fn succeeded(&self, output: &Value) -> Draft {
        let details = json!({"output": output.to_string(), "outputDetails": {"truncated": false}});
        match (&self.lambda_arn, &self.activity) {
            (Some(_), _) => {
                Draft::new("LambdaFunctionSucceeded", "lambdaFunctionSucceededEventDetails", details)
            }
            (None, Some(_)) => Draft::new("ActivitySucceeded", "activitySucceededEventDetails", details),
            (None, None) => self.event("TaskSucceeded", "taskSucceededEventDetails", details),
        }
    }

    fn ended(&self, failure: &Failure) -> Draft {
        let details = json!({"error": failure.error, "cause": failure.cause});
        let timeout = failure.matches(&["States.Timeout".to_owned()]);
        if self.activity.is_some() {
            let (kind, key) = match timeout {
                false => ("ActivityFailed", "activityFailedEventDetails"),
                true => ("ActivityTimedOut", "activityTimedOutEventDetails"),
            };
            return Draft::new(kind, key, details);
        }
        match (&self.lambda_arn, timeout) {
            (Some(_), false) => {
                Draft::new("LambdaFunctionFailed", "lambdaFunctionFailedEventDetails", details)
            }
            (Some(_), true) => {
                Draft::new("LambdaFunctionTimedOut", "lambdaFunctionTimedOutEventDetails", details)
            }
            (None, false) => self.event("TaskFailed", "taskFailedEventDetails", details),
            (None, true) => self.event("TaskTimedOut", "taskTimedOutEventDetails", details),
        }
    }

    /// An event that carries the resource.
    pub(super) fn event(&self, kind: &str, key: &'static str, mut details: Value) -> Draft {
        details["resource"] = json!(self.resource);
        details["resourceType"] = json!(self.resource_type);
        Draft::new(kind, key, details)
    }

    /// How the result is called when it is too large, as recorded.
    fn too_large(&self) -> &str {
        self.lambda_arn.as_deref().or(self.activity.as_deref()).unwrap_or(self.resource_type)
    }
}

pub(super) struct Limits {
    pub(super) timeout: Option<f64>,
    pub(super) heartbeat: Option<f64>,
}

impl Scope {
    /// One attempt of a Task: its raw result.
    pub(super) async fn task(&mut self, state: &State, task: &Task, input: &Value) -> Result<Value, Trouble> {
        self.sit_out().await;
        let names = Names::of(task);
        if task.waits || names.activity.is_some() {
            self.expect_callback();
        }
        let (arguments, limits) = self.prepare(state, task, input)?;
        if !matches!(self.cursor.phase, Phase::Attempt) {
            if let Some(arn) = &names.activity {
                self.known_activity(state, arn, input).await?;
            }
            self.cursor.phase = Phase::Attempt;
            let region = self.run.engine.home.region.clone();
            let scheduled = names.scheduled(&region, &arguments, &limits);
            let events: Vec<Draft> = [scheduled].into_iter().chain(names.started()).collect();
            self.log(&events)?;
        }
        self.run.flush(Vec::new()).await?;
        let outcome = match self.cursor.callback {
            Some(_) => self.called_back(&limits, state, task, &arguments, &names).await,
            None => self.within(&limits, state, task, &arguments, &names).await,
        };
        self.cursor.callback = None;
        let outcome = match outcome {
            Ok(result) if json_size(&result) > MAX_DATA => Err(Failure::too_large(names.too_large()).into()),
            other => other,
        };
        self.cursor.phase = Phase::Entered;
        match outcome {
            Ok(result) => {
                self.log(&[names.succeeded(&result)])?;
                Ok(result)
            }
            Err(Trouble::Error(failure)) => {
                if !failure.terminal {
                    self.log(&[names.ended(&failure)])?;
                }
                Err(failure.into())
            }
            Err(store) => Err(store),
        }
    }

    fn prepare(&self, state: &State, task: &Task, input: &Value) -> Result<(Value, Limits), Failure> {
        let view = self.view(state, input);
        let field = if state.language == crate::asl::Language::Jsonata { "Arguments" } else { "Parameters" };
        let arguments = match &state.io.arguments {
            Some(template) => view.evaluate(template, field)?,
            None => input.clone(),
        };
        let number = |n: &Option<crate::asl::Number>| n.as_ref().map(|n| view.number(n)).transpose();
        Ok((arguments, Limits { timeout: number(&task.timeout)?, heartbeat: number(&task.heartbeat)? }))
    }

    async fn within(
        &mut self,
        limits: &Limits,
        state: &State,
        task: &Task,
        arguments: &Value,
        names: &Names,
    ) -> Result<Value, Trouble> {
        let clock = self.run.engine.clock.clone();
        // Nothing that is called here sends heartbeats, so the first missing one is due after one interval.
        let (seconds, error) = match (limits.timeout, limits.heartbeat) {
            (t, Some(h)) if t.is_none_or(|t| h < t) => (h, "States.HeartbeatTimeout"),
            (Some(t), _) => (t, "States.Timeout"),
            (None, _) => return self.call(state, task, arguments, names).await,
        };
        let until = clock.now().plus_seconds(seconds);
        tokio::select! {
            biased;
            done = self.call(state, task, arguments, names) => done,
            () = clock.sleep_until(until) => {
                Err(Failure { error: Some(error.to_owned()), ..Failure::default() }.into())
            }
        }
    }

    pub(super) async fn call(
        &mut self,
        state: &State,
        task: &Task,
        arguments: &Value,
        names: &Names,
    ) -> Result<Value, Trouble> {
        match &task.resource {
            Resource::LambdaArn(arn) => self.invoke_directly(state, arn, arguments).await,
            Resource::LambdaInvoke => self.invoke(state, arguments).await,
            Resource::StartExecution(pattern) => self.nested(state, *pattern, arguments, names).await,
            Resource::S3(action) => self.s3(state, action, arguments).await,
            Resource::Sfn(action) => self.own_api(action, arguments).await,
            // Its workers come for it, nobody is called.
            Resource::Activity(_) => Ok(Value::Null),
            // Only a tested state may have one, and only with a mock in place of the call.
            Resource::Mocked(arn) => {
                let cause = format!("The resource \"{arn}\" is not supported by this engine");
                Err(Failure::terminal("States.Runtime", cause).into())
            }
        }
    }
}
