//! What the tests share: an engine with virtual time, functions in the same process, histories as short lines.
// Every test file uses a part of this; helpers of tests may panic as tests do.
#![allow(dead_code, clippy::unwrap_used, clippy::expect_used)]
use async_trait::async_trait;
use bytes::Bytes;
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use stepfunctions_local::*;

type Body = Box<dyn Fn(&str, Value) -> Result<Value, (String, String)> + Send + Sync>;

/// Functions by one closure: name and event in; a value, or error type and message, out. Every call is noted.
pub(crate) struct Functions {
    body: Body,
    clock: VirtualClock,
    pub(crate) calls: Mutex<Vec<(String, Value, Timestamp)>>,
    /// Events that no answer comes to for now.
    pub(crate) hanging: Mutex<Vec<Value>>,
}

#[async_trait]
impl Lambda for Functions {
    async fn invoke(&self, invocation: Invocation) -> Result<LambdaOutput, LambdaError> {
        let event: Value = serde_json::from_slice(&invocation.payload).unwrap();
        self.calls.lock().unwrap().push((invocation.function.clone(), event.clone(), self.clock.now()));
        let hangs = self.hanging.lock().unwrap().contains(&event);
        if hangs || event == "hang" || event["hang"] == true {
            std::future::pending::<()>().await;
        }
        match (self.body)(&invocation.function, event) {
            Ok(value) => Ok(LambdaOutput {
                payload: Bytes::from(value.to_string()),
                executed_version: "$LATEST".into(),
            }),
            Err((error_type, message)) => {
                let payload = json!({"errorMessage": message, "errorType": error_type}).to_string().into();
                Err(LambdaError::Function { error_type, payload })
            }
        }
    }
}

/// An engine and what is around it.
pub(crate) struct World {
    pub(crate) engine: Engine,
    pub(crate) functions: Arc<Functions>,
    pub(crate) objects: Arc<MemoryObjects>,
    pub(crate) clock: VirtualClock,
}

pub(crate) const START: i64 = 1_700_000_000_000;

impl World {
    /// In memory.
    pub(crate) async fn new(
        body: impl Fn(&str, Value) -> Result<Value, (String, String)> + Send + Sync + 'static,
    ) -> Self {
        Self::on(Database::Memory, body).await
    }

    /// On a database.
    pub(crate) async fn on(
        database: Database,
        body: impl Fn(&str, Value) -> Result<Value, (String, String)> + Send + Sync + 'static,
    ) -> Self {
        let clock = VirtualClock::new(Timestamp::from_millis(START));
        let functions = Arc::new(Functions {
            body: Box::new(body),
            clock: clock.clone(),
            calls: Mutex::default(),
            hanging: Mutex::default(),
        });
        let objects = Arc::new(MemoryObjects::new());
        objects.bucket("results");
        let engine = Engine::builder()
            .database(database)
            .lambda(functions.clone())
            .objects(objects.clone())
            .clock(Arc::new(clock.clone()))
            .seed(7)
            .open()
            .await
            .unwrap();
        Self { engine, functions, objects, clock }
    }

    /// A machine of one definition.
    pub(crate) async fn machine(&self, definition: &Value) -> String {
        let request = CreateStateMachine {
            name: "machine".into(),
            definition: definition.to_string(),
            role_arn: "arn:aws:iam::000000000000:role/r".into(),
            ..Default::default()
        };
        self.engine.create_state_machine(request).await.unwrap().state_machine_arn
    }

    /// Starts a machine.
    pub(crate) async fn start(&self, machine: &str, input: &Value) -> String {
        let request =
            StartExecution { state_machine_arn: machine.into(), name: None, input: Some(input.to_string()) };
        self.engine.start_execution(request).await.unwrap().execution_arn
    }

    /// Makes the machine, runs it to its end.
    pub(crate) async fn run(&self, definition: &Value, input: &Value) -> DescribeExecution {
        let machine = self.machine(definition).await;
        let arn = self.start(&machine, input).await;
        self.engine.wait(&arn).await.unwrap()
    }

    /// All events.
    pub(crate) async fn history(&self, arn: &str) -> Vec<HistoryEvent> {
        let (mut all, mut next_token) = (Vec::new(), None);
        loop {
            let options = HistoryOptions { max_results: Some(1000), next_token, ..Default::default() };
            let page = self.engine.get_execution_history(arn, options).await.unwrap();
            all.extend(page.items);
            next_token = page.next_token;
            if next_token.is_none() {
                return all;
            }
        }
    }

    /// Events as `3<2 TaskScheduled`.
    pub(crate) async fn lines(&self, arn: &str) -> Vec<String> {
        let events = self.history(arn).await;
        events.iter().map(|e| format!("{}<{} {}", e.id, e.previous_event_id, e.kind)).collect()
    }

    /// The events of the calls so far.
    pub(crate) fn events(&self) -> Vec<Value> {
        self.functions.calls.lock().unwrap().iter().map(|(_, e, _)| e.clone()).collect()
    }

    /// The only Map Run of an execution.
    pub(crate) async fn map_run(&self, arn: &str) -> DescribeMapRun {
        let runs = self.engine.list_map_runs(arn).await.unwrap();
        assert_eq!(runs.len(), 1);
        self.engine.describe_map_run(&runs[0].map_run_arn).await.unwrap()
    }

    /// An object's JSON.
    pub(crate) async fn object(&self, key: &str) -> Value {
        serde_json::from_slice(&self.objects.get("results", key).await.unwrap()).unwrap()
    }
}

/// A machine of these states, in JSONata, starting with `first`.
pub(crate) fn machine(first: &str, states: Value) -> Value {
    json!({"QueryLanguage": "JSONata", "StartAt": first, "States": states})
}

/// A Task that calls `function` with the state's input.
pub(crate) fn task(function: &str) -> Value {
    json!({"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "End": true,
        "Arguments": {"FunctionName": function, "Payload": "{% $states.input %}"},
        "Output": "{% $states.result.Payload %}"})
}

/// `base` with more fields.
pub(crate) fn with(mut base: Value, more: Value) -> Value {
    base.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    base
}

/// A Distributed Map named `Each` over the input's `items`, one Task per child.
pub(crate) fn each(more: Value) -> Value {
    let map = json!({"Type": "Map", "End": true, "Label": "Each", "Items": "{% $states.input.items %}",
        "ItemProcessor": {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}, "StartAt": "Work",
            "States": {"Work": task("work")}}});
    machine("Each", json!({"Each": with(map, more)}))
}

/// A parsed text.
pub(crate) fn parse(text: Option<&String>) -> Value {
    serde_json::from_str(text.expect("a text")).unwrap()
}
