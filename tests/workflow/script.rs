//! The engine with functions that answer by script.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use serde_json::{Value, json};
use stepfunctions_local::{
    Clock, CreateStateMachine, Engine, HistoryOptions, Invocation, Lambda, LambdaError, LambdaOutput,
    MemoryObjects, StartExecution, Timestamp, VirtualClock,
};
use tokio::sync::Notify;

/// What a function does when it is called.
#[derive(Clone)]
pub(crate) enum Answer {
    /// Succeeds.
    Gives(Value),
    /// Fails with this error name.
    Fails(String),
    /// Never answers.
    Hangs,
}

/// Fails with this name.
pub(crate) fn fails(name: &str) -> Answer {
    Answer::Fails(name.to_owned())
}

/// The execution's input.
pub(crate) fn request() -> Value {
    json!({
        "source": {"location": "global", "bucket": "photos", "key": "a"},
        "destination": {"location": "china", "bucket": "photos-cn", "key": "a"},
    })
}

/// What Head answers.
pub(crate) fn head(decision: &str) -> Value {
    let request = request();
    json!({
        "decision": decision,
        "reason": "by script",
        "source": {"object": request["source"], "etag": "e", "size": 20_000_000, "lastModified": "2026-01-01T00:00:00Z"},
        "destination": request["destination"],
        "options": {"partsInFlight": 2, "rounds": 2, "verify": "once"},
        "attributes": {"contentType": "text/plain"},
        "identity": "identity-of-the-version",
        "token": "token-of-this-transfer",
        "replaces": null,
        "standing": null,
        "filtered": false,
        "follow": false,
        "route": null,
        "layout": {"runs": [{"length": 8_388_608, "count": 2}, {"length": 3_222_784, "count": 1}]},
        "requests": {"HeadObject": 2},
    })
}

/// What Init answers.
pub(crate) fn init(upload: &str) -> Value {
    json!({
        "upload": {"uploadId": upload, "checksumAlgorithm": "CRC64NVME"},
        "batches": ["1-2", "3"],
        "partsMissing": 3,
        "bytesMissing": 20_000_000,
        "partsPresent": 0,
        "maxConcurrency": 2,
        "oneWorker": false,
        "partsInFlight": 2,
        "bandwidth": null,
        "backoffSeconds": 5,
        "requests": {"CreateMultipartUpload": 1},
    })
}

/// What Complete and Copy answer.
pub(crate) fn record() -> Value {
    json!({"etag": "e-3", "size": 20_000_000, "parts": 3, "proof": "sourceChecksum", "reconciled": false, "requests": {}})
}

struct Scripted {
    answers: Mutex<HashMap<String, VecDeque<Answer>>>,
    calls: Mutex<Vec<(String, Value)>>,
    clock: VirtualClock,
    hung: Notify,
}

#[async_trait]
impl Lambda for Scripted {
    async fn invoke(&self, invocation: Invocation) -> Result<LambdaOutput, LambdaError> {
        let payload: Value = serde_json::from_slice(&invocation.payload).unwrap();
        self.calls.lock().unwrap().push((invocation.function.clone(), payload));
        let scripted =
            self.answers.lock().unwrap().get_mut(&invocation.function).and_then(VecDeque::pop_front);
        let answer = scripted.unwrap_or_else(|| {
            Answer::Gives(match invocation.function.as_str() {
                "head" => head("parts"),
                "init" => init("upload-1"),
                "part" => json!({"parts": [], "requests": {}}),
                "abort" => json!({"aborted": true, "finished": false, "requests": {}}),
                "remove" => json!({"outcome": "kept", "reason": "by script", "requests": {}}),
                "thaw" => json!({"ready": true, "waitSeconds": 0, "requests": {}}),
                _ => record(),
            })
        });
        match answer {
            Answer::Gives(value) => {
                let payload = serde_json::to_vec(&value).unwrap().into();
                Ok(LambdaOutput { payload, executed_version: "$LATEST".to_owned() })
            }
            Answer::Fails(name) => {
                let payload = json!({"errorType": name, "errorMessage": "by script"}).to_string().into();
                Err(LambdaError::Function { error_type: name, payload })
            }
            Answer::Hangs => {
                // Else virtual time would go on to the task's timeout.
                let _held = self.clock.hold();
                self.hung.notify_one();
                std::future::pending().await
            }
        }
    }
}

/// Makes a state machine whose functions are named in small letters.
async fn create(engine: &Engine, name: &str, definition: &str) -> String {
    let mut definition = definition.replace("${ResultsBucket}", "results");
    for function in ["Abort", "Complete", "Copy", "Head", "Init", "Part", "Remove", "Thaw"] {
        definition = definition.replace(&format!("${{{function}FunctionArn}}"), &function.to_lowercase());
    }
    let request = CreateStateMachine { name: name.to_owned(), definition, ..CreateStateMachine::default() };
    engine.create_state_machine(request).await.unwrap().state_machine_arn
}

/// The machine for notifications, as it is deployed for a route.
fn route(definition: &str, machine: &str) -> String {
    // {"delete": true, "copyTags": false}
    let options = "eyJkZWxldGUiOiB0cnVlLCAiY29weVRhZ3MiOiBmYWxzZX0=";
    let filled = [
        ("SourceLocation", "global"),
        ("SourceBucket", "photos"),
        ("SourcePrefix", "in/"),
        ("DestinationLocation", "china"),
        ("DestinationBucket", "photos-cn"),
        ("Options", options),
        ("RouteName", "photos"),
        ("ObjectStateMachineArn", machine),
    ];
    filled
        .iter()
        .fold(definition.to_owned(), |text, (name, value)| text.replace(&format!("${{{name}}}"), value))
}

/// One engine, one script.
pub(crate) struct World {
    engine: Engine,
    machine: String,
    janitor: String,
    notifications: String,
    functions: Arc<Scripted>,
}

/// How an execution ended.
pub(crate) struct Outcome {
    /// Its ARN.
    pub arn: String,
    /// Its status.
    pub status: String,
    /// The states entered, in order.
    pub states: String,
    described: Value,
}

impl Outcome {
    /// The output.
    pub(crate) fn output(&self) -> Value {
        let text = self.described["output"].as_str();
        serde_json::from_str(text.unwrap_or_else(|| panic!("no output: {}", self.described))).unwrap()
    }

    /// How long it took, by the virtual clock.
    pub(crate) fn seconds(&self) -> f64 {
        let at = |name: &str| self.described[name].as_f64().unwrap();
        at("stopDate") - at("startDate")
    }

    /// The error's name.
    pub(crate) fn error(&self) -> &str {
        self.described["error"].as_str().unwrap_or_else(|| panic!("no error: {}", self.described))
    }

    /// The error's cause.
    pub(crate) fn cause(&self) -> &str {
        self.described["cause"].as_str().unwrap_or_default()
    }
}

impl World {
    /// Scripted functions answer in turn, then as if all went well.
    pub(crate) async fn new(script: &[(&str, Vec<Answer>)]) -> Self {
        let answers =
            script.iter().map(|(name, answers)| ((*name).to_owned(), answers.clone().into())).collect();
        let clock = VirtualClock::new(Timestamp::from_millis(1_800_000_000_000));
        let functions = Arc::new(Scripted {
            answers: Mutex::new(answers),
            calls: Mutex::default(),
            clock: clock.clone(),
            hung: Notify::new(),
        });
        let objects = MemoryObjects::new();
        objects.bucket("results");
        let engine = Engine::builder()
            .lambda(functions.clone())
            .objects(Arc::new(objects))
            .clock(Arc::new(clock))
            .seed(7)
            .open()
            .await
            .unwrap();
        let machine = create(&engine, "object", include_str!("../../statemachine/object.asl.json")).await;
        let janitor = create(&engine, "janitor", include_str!("../../statemachine/janitor.asl.json")).await;
        let notifications = include_str!("../../statemachine/notifications.asl.json");
        let notifications = create(&engine, "notifications", &route(notifications, &machine)).await;
        Self { engine, machine, janitor, notifications, functions }
    }

    /// Payloads of the calls of one function, in order.
    pub(crate) fn calls(&self, function: &str) -> Vec<Value> {
        let calls = self.functions.calls.lock().unwrap();
        calls.iter().filter(|(name, _)| name == function).map(|(_, payload)| payload.clone()).collect()
    }

    /// Runs the usual request.
    pub(crate) async fn run(&self) -> Outcome {
        self.run_with(&request().to_string()).await
    }

    /// Runs any input.
    pub(crate) async fn run_with(&self, input: &str) -> Outcome {
        self.outcome(self.start(&self.machine, input).await).await
    }

    async fn start(&self, machine: &str, input: &str) -> String {
        let request = StartExecution {
            state_machine_arn: machine.to_owned(),
            input: Some(input.to_owned()),
            ..StartExecution::default()
        };
        self.engine.start_execution(request).await.unwrap().execution_arn
    }

    /// Runs the usual request until a function hangs, and stops it then.
    pub(crate) async fn stopped(&self) -> Outcome {
        let arn = self.start(&self.machine, &request().to_string()).await;
        self.functions.hung.notified().await;
        self.engine.stop_execution(&arn, None, None).await.unwrap();
        self.outcome(arn).await
    }

    /// The same, with this error and these more fields of the input.
    pub(crate) async fn stopped_with(&self, error: Option<&str>, more: &Value) -> Outcome {
        let mut input = request();
        more.as_object().unwrap().iter().for_each(|(field, value)| input[field] = value.clone());
        let arn = self.start(&self.machine, &input.to_string()).await;
        self.functions.hung.notified().await;
        self.engine.stop_execution(&arn, error.map(str::to_owned), None).await.unwrap();
        self.outcome(arn).await
    }

    /// A run that ended so, in the place of one over many objects: it only waits.
    pub(crate) async fn run_that_ended(&self, error: Option<&str>) -> String {
        let waits =
            json!({"StartAt": "Wait", "States": {"Wait": {"Type": "Wait", "Seconds": 5000, "End": true}}});
        let machine = create(&self.engine, "runs", &waits.to_string()).await;
        let hold = self.functions.clock.hold();
        let arn = self.start(&machine, "{}").await;
        self.engine.stop_execution(&arn, error.map(str::to_owned), None).await.unwrap();
        drop(hold);
        arn
    }

    /// Redrives an execution, and does not wait.
    pub(crate) async fn begin_again(&self, arn: &str) {
        self.engine.redrive_execution(arn).await.unwrap();
    }

    /// Starts the janitor with the service's event about an execution.
    pub(crate) async fn janitor(&self, of: &Outcome) -> Outcome {
        let detail = json!({
            "executionArn": of.arn, "stateMachineArn": self.machine, "name": of.arn.rsplit(':').next(),
            "status": of.status, "startDate": 0, "stopDate": 0, "input": request().to_string(), "output": null,
        });
        let event = json!({
            "version": "0", "source": "aws.states", "detail-type": "Step Functions Execution Status Change",
            "resources": [of.arn], "detail": detail,
        });
        self.outcome(self.start(&self.janitor, &event.to_string()).await).await
    }

    /// Hands a batch of notifications over.
    pub(crate) async fn notify(&self, batch: &Value) -> Outcome {
        self.outcome(self.start(&self.notifications, &batch.to_string()).await).await
    }

    /// Waits for the transfer of a name that was started.
    pub(crate) async fn transfer(&self, name: &str) -> Outcome {
        let arn = self.machine.replace(":stateMachine:", ":execution:");
        self.outcome(format!("{arn}:{name}")).await
    }

    /// Redrives an execution and waits for its end.
    pub(crate) async fn redrive(&self, arn: &str) -> Outcome {
        self.engine.redrive_execution(arn).await.unwrap();
        self.outcome(arn.to_owned()).await
    }

    async fn outcome(&self, arn: String) -> Outcome {
        let described = serde_json::to_value(self.engine.wait(&arn).await.unwrap()).unwrap();
        let status = described["status"].as_str().unwrap().to_owned();
        let options = HistoryOptions { max_results: Some(1_000), ..HistoryOptions::default() };
        let history = self.engine.get_execution_history(&arn, options).await.unwrap();
        let history = serde_json::to_value(&history).unwrap();
        let entered = |event: &Value| event["stateEnteredEventDetails"]["name"].as_str().map(str::to_owned);
        let events = history["items"].as_array().unwrap();
        let states = events.iter().filter_map(entered).collect::<Vec<_>>().join(" ");
        Outcome { arn, status, states, described }
    }
}
