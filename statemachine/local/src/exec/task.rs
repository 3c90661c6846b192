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
    pub(super) resource: &'static str,
    pub(super) resource_type: &'static str,
}

impl Names {
    fn of(resource: &Resource) -> Self {
        let (resource, resource_type) = match resource {
            Resource::LambdaArn(arn) => {
                return Self { lambda_arn: Some(arn.clone()), resource: "", resource_type: "" };
            }
            Resource::LambdaInvoke => ("invoke", "lambda"),
            Resource::StartExecution(Pattern::Request) => ("startExecution", "states"),
            Resource::StartExecution(Pattern::Sync) => ("startExecution.sync", "states"),
            Resource::StartExecution(Pattern::Sync2) => ("startExecution.sync:2", "states"),
            Resource::StartExecution(Pattern::AwsSdk) => ("startExecution", "aws-sdk:sfn"),
            Resource::S3(action) => (*action, "aws-sdk:s3"),
        };
        Self { lambda_arn: None, resource, resource_type }
    }

    fn scheduled(&self, region: &str, arguments: &Value, limits: &Limits) -> Draft {
        let arguments = arguments.to_string();
        let (timeout, heartbeat) = (limits.timeout.map(|t| t as u64), limits.heartbeat.map(|t| t as u64));
        match &self.lambda_arn {
            Some(arn) => {
                let details = json!({"resource": arn, "input": arguments, "inputDetails": {"truncated": false}, "timeoutInSeconds": timeout});
                Draft::new("LambdaFunctionScheduled", "lambdaFunctionScheduledEventDetails", details)
            }
            None => {
                let details = json!({"resource": self.resource, "resourceType": self.resource_type, "region": region,
                    "parameters": arguments, "timeoutInSeconds": timeout, "heartbeatInSeconds": heartbeat});
                Draft::new("TaskScheduled", "taskScheduledEventDetails", details)
            }
        }
    }

    fn started(&self) -> Draft {
        match self.lambda_arn {
            Some(_) => Draft::bare("LambdaFunctionStarted"),
            None => self.event("TaskStarted", "taskStartedEventDetails", json!({})),
        }
    }

    fn succeeded(&self, output: &Value) -> Draft {
        let details = json!({"output": output.to_string(), "outputDetails": {"truncated": false}});
        match self.lambda_arn {
            Some(_) => Draft::new("LambdaFunctionSucceeded", "lambdaFunctionSucceededEventDetails", details),
            None => self.event("TaskSucceeded", "taskSucceededEventDetails", details),
        }
    }

    fn ended(&self, failure: &Failure) -> Draft {
        let details = json!({"error": failure.error, "cause": failure.cause});
        let timeout = failure.matches(&["States.Timeout".to_owned()]);
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
        self.lambda_arn.as_deref().unwrap_or(self.resource_type)
    }
}

struct Limits {
    timeout: Option<f64>,
    heartbeat: Option<f64>,
}

impl Scope {
    /// One attempt of a Task: its raw result.
    pub(super) async fn task(&mut self, state: &State, task: &Task, input: &Value) -> Result<Value, Trouble> {
        self.sit_out().await;
        let names = Names::of(&task.resource);
        let (arguments, limits) = self.prepare(state, task, input)?;
        if !matches!(self.cursor.phase, Phase::Attempt) {
            self.cursor.phase = Phase::Attempt;
            let region = self.run.engine.home.region.clone();
            self.log(&[names.scheduled(&region, &arguments, &limits), names.started()])?;
        }
        self.run.flush(Vec::new()).await?;
        let outcome = self.within(&limits, state, task, &arguments, &names).await;
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

    async fn call(
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
        }
    }
}
