//! Events: those of the source to the rule that starts transfers, and those of the engine to the janitor.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use eventbridge_local::{Rule, Rules};
use serde_json::{Value, json};
use stepfunctions_local::{Engine, StartExecution, Status};
use tokio::sync::mpsc;

use crate::DESTINATION_BUCKET;
use crate::time::Time;
use crate::trace::Trace;
use crate::world::{Broken, Outcome, current, machine};

/// The bus of a world. Clones are the same.
#[derive(Clone)]
pub struct Bus(Arc<Mutex<State>>);

struct State {
    trace: Trace,
    time: Time,
    janitor: bool,
    heard: mpsc::UnboundedReceiver<Value>,
    events: VecDeque<Value>,
}

impl Bus {
    pub(crate) fn new(
        trace: Trace,
        time: Time,
        janitor: bool,
        heard: mpsc::UnboundedReceiver<Value>,
    ) -> Self {
        let state = State { trace, time, janitor, heard, events: VecDeque::new() };
        Self(Arc::new(Mutex::new(state)))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The events that the source has sent so far and nobody has taken, in the order of the writes.
    #[must_use]
    pub fn take(&self) -> Vec<Value> {
        let mut state = self.lock();
        while let Ok(event) = state.heard.try_recv() {
            state.events.push_back(event);
        }
        state.events.drain(..).collect()
    }

    /// What the rule for the source's events makes of one: inputs of transfers.
    ///
    /// # Errors
    /// The rule is refused, or its input is no JSON.
    pub fn route(&self, event: &Value, options: &Value) -> Outcome<Vec<Value>> {
        let time = stepfunctions_local::Timestamp::from(self.lock().time.now()).to_rfc3339();
        let deliveries = rules(options)?.route(event, &time);
        let inputs = deliveries.into_iter().filter_map(|delivery| delivery.input);
        inputs.map(|input| serde_json::from_str(&input).map_err(Broken::of)).collect()
    }

    /// Notes how executions end, and tells the janitor of executions of this engine that are stopped or take too long.
    pub(crate) fn listen(&self, engine: Arc<Mutex<Engine>>) {
        let (bus, mut news) = (self.clone(), current(&engine).subscribe());
        tokio::spawn(async move {
            while let Ok(told) = news.recv().await {
                let top = told.map_run_arn.is_none();
                if top && told.status.is_terminal() {
                    let error = told.error.as_deref().unwrap_or_default();
                    let output = told.output.as_deref().unwrap_or_default();
                    let (arn, status) = (&told.execution_arn, told.status.as_str());
                    bus.lock().trace.note(format_args!("{arn} ends: {status} {error} {output}"));
                }
                if top
                    && told.error.is_some()
                    && let Ok(found) = current(&engine).describe_execution(&told.execution_arn).await
                {
                    bus.lock().trace.note(format_args!("because: {}", found.cause.unwrap_or_default()));
                }
                let ours = top && bus.lock().janitor && told.execution_arn.contains(":execution:object:");
                if ours && matches!(told.status, Status::Aborted | Status::TimedOut) {
                    bus.clean(&current(&engine), &told.execution_arn, told.status).await;
                }
            }
        });
    }

    async fn clean(&self, engine: &Engine, arn: &str, status: Status) {
        self.lock().trace.note(format_args!("the janitor is told of {arn}: {}", status.as_str()));
        let event = json!({
            "version": "0", "source": "aws.states", "detail-type": "Step Functions Execution Status Change",
            "resources": [arn],
            "detail": {"executionArn": arn, "stateMachineArn": machine("object"), "status": status.as_str()},
        });
        let request = StartExecution {
            state_machine_arn: machine("janitor"),
            name: None,
            input: Some(event.to_string()),
        };
        if let Err(error) = engine.start_execution(request).await {
            self.lock().trace.note(format_args!("the janitor does not start: {error}"));
        }
    }
}

fn rules(options: &Value) -> Outcome<Rules> {
    let template = format!(
        r#"{{"source": {{"location": "source", "bucket": <bucket>, "key": <key>}}, "destination": {{"location": "destination", "bucket": "{DESTINATION_BUCKET}", "key": <key>}}, "options": {options}}}"#
    );
    let kinds: &[&str] =
        if options["delete"] == true { &["Object Created", "Object Deleted"] } else { &["Object Created"] };
    let paths = json!({"bucket": "$.detail.bucket.name", "key": "$.detail.object.key"});
    let rule: Rule = serde_json::from_value(json!({
        "Name": "copy",
        "EventPattern": {"source": ["aws.s3"], "detail-type": kinds},
        "Targets": [{
            "Id": "machine", "Arn": machine("object"),
            "InputTransformer": {"InputPathsMap": paths, "InputTemplate": template},
        }],
    }))
    .map_err(Broken::of)?;
    Rules::new(vec![rule], "us-east-1", "000000000000").map_err(Broken::of)
}
