//! Nested executions: `states:startExecution` alone, with `.sync` and `.sync:2`, and through the SDK integration.
use super::scope::Scope;
use super::task::Names;
use super::{Failure, Trouble};
use crate::api::{ApiError, DescribeExecution, StartExecution, Status};
use crate::asl::{Pattern, State};
use crate::engine::Engine;
use serde_json::{Map, Value, json};

impl Scope {
    /// Starts an execution of another machine and waits for it where the pattern says so.
    pub(super) async fn nested(
        &mut self,
        state: &State,
        pattern: Pattern,
        arguments: &Value,
        names: &Names,
    ) -> Result<Value, Trouble> {
        let engine = Engine::from_inner(self.run.engine.clone());
        let request = self.request(state, arguments)?;
        // Whoever stops this execution has to find the one that it waits for.
        let run = self.run.clone();
        let undivided = run.undivided();
        let started = engine.start_execution(request).await.map_err(|e| refused(&e, pattern))?;
        if pattern == Pattern::AwsSdk {
            return Ok(
                json!({"ExecutionArn": started.execution_arn, "StartDate": started.start_date.to_rfc3339()}),
            );
        }
        let submitted = self.submitted(&started.execution_arn, started.start_date.millis());
        if pattern == Pattern::Request {
            return Ok(submitted);
        }
        let details = json!({"output": submitted.to_string(), "outputDetails": {"truncated": false}});
        run.awaits(&started.execution_arn);
        self.log(&[names.event("TaskSubmitted", "taskSubmittedEventDetails", details)])?;
        run.flush(Vec::new()).await?;
        drop(undivided);
        let ended = engine.wait(&started.execution_arn).await.map_err(|e| refused(&e, pattern))?;
        self.run.awaits_no_more(&started.execution_arn);
        let told = described(&ended, pattern, self.run.engine.vintage.redrive);
        match ended.status {
            Status::Succeeded => Ok(told),
            _ => Err(Failure::new("States.TaskFailed", told.to_string()).into()),
        }
    }

    fn request(&self, state: &State, arguments: &Value) -> Result<StartExecution, Failure> {
        let view = self.view(state, arguments);
        let text = |name: &str| arguments.get(name).and_then(Value::as_str).map(str::to_owned);
        let machine = text("StateMachineArn");
        let machine =
            machine.ok_or_else(|| view.runtime("The field 'StateMachineArn' is required but was missing"))?;
        let input = match arguments.get("Input") {
            None | Some(Value::Null) => None,
            Some(Value::String(text)) => Some(text.clone()),
            Some(other) => Some(other.to_string()),
        };
        Ok(StartExecution { state_machine_arn: machine, name: text("Name"), input })
    }

    fn submitted(&self, arn: &str, start: i64) -> Value {
        // The body behind these headers, where the service writes seconds as `1.688135339123E9`.
        let seconds = start as f64 / 1000.0;
        let length = format!(r#"{{"executionArn":"{arn}","startDate":{seconds:E}}}"#).len().to_string();
        let mut answer: Map<String, Value> = self.envelope(&[
            ("connection", "keep-alive"),
            ("Content-Length", &length),
            ("Content-Type", "application/x-amz-json-1.0"),
        ]);
        answer.insert("ExecutionArn".to_owned(), json!(arn));
        answer.insert("StartDate".to_owned(), json!(seconds));
        Value::Object(answer)
    }
}

fn refused(error: &ApiError, pattern: Pattern) -> Trouble {
    if error.code == "StorageFailure" {
        return Trouble::Store(crate::store::StoreError(error.message.clone()));
    }
    let (prefix, suffix) =
        if pattern == Pattern::AwsSdk { ("Sfn", "Exception") } else { ("StepFunctions", "Exception") };
    let name = error.code.trim_end_matches("Exception");
    Failure::new(format!("{prefix}.{name}{suffix}"), error.message.clone()).into()
}

fn described(ended: &DescribeExecution, pattern: Pattern, redrive: bool) -> Value {
    // `.sync` hands documents on as text, `.sync:2` as JSON.
    let document = |text: &String| match pattern {
        Pattern::Sync2 => serde_json::from_str(text).unwrap_or_else(|_| json!(text)),
        _ => json!(text),
    };
    let mut map = Map::new();
    map.extend(ended.cause.iter().map(|c| ("Cause".to_owned(), json!(c))));
    map.extend(ended.error.iter().map(|e| ("Error".to_owned(), json!(e))));
    map.insert("ExecutionArn".to_owned(), json!(ended.execution_arn));
    map.insert("Input".to_owned(), document(&ended.input));
    map.insert("InputDetails".to_owned(), json!({"Included": true}));
    map.insert("Name".to_owned(), json!(ended.name));
    if let Some(output) = &ended.output {
        map.insert("Output".to_owned(), document(output));
        map.insert("OutputDetails".to_owned(), json!({"Included": true}));
    }
    if redrive {
        map.insert("RedriveCount".to_owned(), json!(ended.redrive_count));
        map.insert("RedriveStatus".to_owned(), json!(ended.redrive_status));
        let reason = ended.redrive_status_reason.iter();
        map.extend(reason.map(|r| ("RedriveStatusReason".to_owned(), json!(r))));
    }
    map.insert("StartDate".to_owned(), json!(ended.start_date.millis()));
    map.insert("StateMachineArn".to_owned(), json!(ended.state_machine_arn));
    map.insert("Status".to_owned(), json!(ended.status));
    map.extend(ended.stop_date.iter().map(|d| ("StopDate".to_owned(), json!(d.millis()))));
    Value::Object(map)
}
