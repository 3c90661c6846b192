//! The real definitions on the real engine, the real handlers over stores in memory, and a lister that writes what a test
//! wants to be done.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use serde_json::{Value, json};
use stepfunctions_local::{
    Clock, CreateStateMachine, Engine, HistoryOptions, Invocation, Lambda, LambdaError, LambdaOutput,
    ListExecutions, Listing, ObjectSummary, Objects, ObjectsError, StartExecution, Timestamp, VirtualClock,
};
use tokio::sync::Notify;
use transload_plan::Limits;
use transload_store::Deadline;
use transload_store::faulty::Faulty;
use transload_store::memory::{MemoryConfig, MemoryStore, MemoryStores};
use transload_store::work::{MemoryFiles, WorkFiles, collect};
use transload_wire::Failure;

use crate::lister;

/// Buckets and prefixes of both sides.
pub(crate) const FROM: (&str, &str) = ("photos", "in/");
pub(crate) const TO: (&str, &str) = ("photos-cn", "out/");
/// Objects above this many bytes go to the object machine.
pub(crate) const LARGE: usize = 16 << 10;
/// Parts of what is paused.
pub(crate) const PART: usize = 8 << 10;

/// What a test has in its hands.
pub(crate) struct World {
    pub(crate) source: MemoryStore,
    pub(crate) destination: MemoryStore,
    pub(crate) from: Faulty,
    pub(crate) to: Faulty,
    pub(crate) files: MemoryFiles,
    pub(crate) functions: Arc<Functions>,
    engine: Engine,
    machine: String,
}

/// How an execution ended.
pub(crate) struct Ended {
    pub(crate) arn: String,
    pub(crate) status: String,
    /// The states entered, in order.
    pub(crate) states: String,
    pub(crate) described: Value,
}

impl Ended {
    pub(crate) fn output(&self) -> Value {
        let text = self.described["output"].as_str();
        serde_json::from_str(text.unwrap_or_else(|| panic!("no output: {}", self.described))).unwrap()
    }

    pub(crate) fn error(&self) -> &str {
        self.described["error"].as_str().unwrap_or_default()
    }

    pub(crate) fn cause(&self) -> &str {
        self.described["cause"].as_str().unwrap_or_default()
    }
}

/// The runtime's time passes at once where nothing is done. So much of it, and an execution will not end any more.
const LONG: Duration = Duration::from_secs(20_000);

/// In place of an error's name: the worker never answers.
pub(crate) const HANGS: &str = "hangs";

/// Decides about an invocation: fails it, by a name of the service's.
type Decide = Box<dyn FnMut(&str, &Value) -> Option<&'static str> + Send>;

/// The workers.
pub(crate) struct Functions {
    stores: MemoryStores,
    files: MemoryFiles,
    pub(crate) lister: lister::Lister,
    /// Whether List itself works in the lister's place.
    pub(crate) lists: AtomicBool,
    calls: Mutex<Vec<(String, Value)>>,
    decide: Mutex<Option<Decide>>,
    clock: VirtualClock,
    hung: Notify,
}

impl Functions {
    pub(crate) fn calls(&self, function: &str) -> Vec<Value> {
        let calls = self.calls.lock().unwrap();
        calls.iter().filter(|(name, _)| name == function).map(|(_, payload)| payload.clone()).collect()
    }

    pub(crate) fn decide(&self, decide: impl FnMut(&str, &Value) -> Option<&'static str> + Send + 'static) {
        *self.decide.lock().unwrap() = Some(Box::new(decide));
    }

    async fn work(&self, function: &str, input: &str) -> Result<String, Failure> {
        let left = Duration::from_secs(120);
        macro_rules! handler {
            ($handle:path) => {
                transload_runtime::invoke(
                    &async |stores: &MemoryStores, deadline: Deadline, input| {
                        $handle(stores, deadline, input).await
                    },
                    &self.stores,
                    left,
                    input,
                )
                .await
                .map(|output| output.get().to_owned())
            };
        }
        match function {
            "head" => handler!(transload_head::handle),
            "init" => handler!(transload_init::handle),
            "part" => handler!(transload_part::handle),
            "complete" => handler!(transload_complete::handle),
            "copy" => handler!(transload_copy::handle),
            "abort" => handler!(transload_abort::handle),
            "remove" => handler!(transload_remove::handle),
            "thaw" => handler!(transload_thaw::handle),
            "batch" => handler!(transload_batch::handle),
            "delete" => handler!(transload_delete::handle),
            "list" if self.lists.load(Ordering::Relaxed) => {
                let input = transload_wire::parse(input.as_bytes())?;
                let output =
                    transload_list::handle(&self.stores, &self.files, Deadline::after(left), input).await?;
                Ok(serde_json::to_string(&output).unwrap())
            }
            "list" => self.lister.call(&self.files, input).await,
            _ => transload_runtime::invoke(
                &async |files: &MemoryFiles, deadline: Deadline, input| {
                    transload_report::handle(Arc::new(files.clone()), deadline, input).await
                },
                &self.files,
                left,
                input,
            )
            .await
            .map(|output| output.get().to_owned()),
        }
    }
}

#[async_trait]
impl Lambda for Functions {
    async fn invoke(&self, invocation: Invocation) -> Result<LambdaOutput, LambdaError> {
        // The machine's time stands while a worker works: that is in memory.
        let _held = self.clock.hold();
        let payload: Value = serde_json::from_slice(&invocation.payload).unwrap();
        let fate = self.decide.lock().unwrap().as_mut().and_then(|d| d(&invocation.function, &payload));
        self.calls.lock().unwrap().push((invocation.function.clone(), payload.clone()));
        if fate == Some(HANGS) {
            self.hung.notify_one();
            std::future::pending::<()>().await;
        }
        if let Some(name) = fate {
            return Err(LambdaError::Service { name: name.to_owned(), message: "by the test".to_owned() });
        }
        match self.work(&invocation.function, &payload.to_string()).await {
            Ok(output) => Ok(LambdaOutput { payload: output.into(), executed_version: "$LATEST".to_owned() }),
            Err(failure) => {
                let name = failure.name.to_string();
                let payload = json!({"errorType": name, "errorMessage": failure.message}).to_string();
                Err(LambdaError::Function { error_type: name, payload: payload.into() })
            }
        }
    }
}

/// The engine's bucket is the functions' one.
struct Shared(MemoryFiles);

fn missing(failure: impl std::fmt::Display) -> ObjectsError {
    ObjectsError::new("NoSuchKey", failure.to_string())
}

#[async_trait]
impl Objects for Shared {
    async fn get(&self, _bucket: &str, key: &str) -> Result<Bytes, ObjectsError> {
        let body = self.0.get(key).await.map_err(missing)?.ok_or_else(|| missing(key))?;
        collect(body).await.map_err(missing)
    }

    async fn put(&self, _bucket: &str, key: &str, body: Bytes) -> Result<(), ObjectsError> {
        self.0.put(key, body).await.map_err(missing)
    }

    async fn list(&self, _bucket: &str, prefix: &str, _token: Option<&str>) -> Result<Listing, ObjectsError> {
        let files = self.0.list(prefix).await.map_err(missing)?;
        let summary = |file: transload_store::work::WorkFile| ObjectSummary {
            key: file.name,
            size: file.size,
            etag: "\"e\"".to_owned(),
            last_modified: 0,
        };
        Ok(Listing { objects: files.into_iter().map(summary).collect(), next: None })
    }

    async fn head(&self, _bucket: &str, key: &str) -> Result<ObjectSummary, ObjectsError> {
        Err(missing(key))
    }
}

impl World {
    pub(crate) async fn new() -> Self {
        let limits = Limits {
            max_object: 1 << 30,
            min_part: 1 << 10,
            max_part: 1 << 20,
            max_parts: 1_000,
            default_part: 8 << 10,
            equal_parts: false,
        };
        let config = MemoryConfig { limits, ..MemoryConfig::default() };
        let source = MemoryStore::new(config.clone()).with_bucket(FROM.0);
        let destination = MemoryStore::new(config).with_bucket(TO.0);
        let (from, to) = (Faulty::new(source.clone()), Faulty::new(destination.clone()));
        let files = MemoryFiles::new("work");
        let clock = VirtualClock::new(Timestamp::from_millis(1_800_000_000_000));
        let functions = Arc::new(Functions {
            stores: MemoryStores::default().with("global", from.clone()).with("china", to.clone()),
            files: files.clone(),
            lister: lister::Lister::new(source.clone(), destination.clone()),
            lists: AtomicBool::new(false),
            calls: Mutex::default(),
            decide: Mutex::default(),
            clock: clock.clone(),
            hung: Notify::new(),
        });
        let engine = Engine::builder()
            .lambda(functions.clone())
            .objects(Arc::new(Shared(files.clone())))
            .clock(Arc::new(clock))
            .seed(7)
            .open()
            .await
            .unwrap();
        let object = create(&engine, "object", include_str!("../../statemachine/object.asl.json"), "").await;
        let text = include_str!("../../statemachine/bucket.asl.json");
        let machine = create(&engine, "bucket", text, &object).await;
        Self { source, destination, from, to, files, functions, engine, machine }
    }

    /// Objects `in/NAME` of these sizes.
    pub(crate) fn fill(&self, sizes: &[(String, usize)]) {
        for (name, size) in sizes {
            self.source.write(FROM.0, &format!("{}{name}", FROM.1), content(name, *size));
        }
    }

    /// Whether the destination holds just these.
    pub(crate) fn assert_arrived(&self, sizes: &[(String, usize)]) {
        let keys = self.destination.keys(TO.0);
        let mut expected: Vec<_> = sizes.iter().map(|(name, _)| format!("{}{name}", TO.1)).collect();
        expected.sort();
        assert_eq!(keys.iter().map(|key| key.as_str()).collect::<Vec<_>>(), expected);
        for (name, size) in sizes {
            let found = self.destination.read(TO.0, &format!("{}{name}", TO.1)).unwrap();
            assert_eq!(found, content(name, *size), "{name}");
        }
    }

    /// Runs a request with these fields beside the two sides.
    pub(crate) async fn run(&self, sync: &Value) -> Ended {
        self.run_with("run", sync, &json!({})).await
    }

    /// Starts a run, and pauses it when a worker hangs.
    pub(crate) async fn paused(&self, sync: &Value) -> Ended {
        let options = json!({"wholeObjectLimit": LARGE, "partSize": PART});
        let arn = self.start_with("run", sync, &json!({"options": options})).await;
        self.hangs(&arn).await;
        self.stop(&arn, "Paused").await;
        self.ended(arn).await
    }

    /// Waits until a worker hangs.
    async fn hangs(&self, arn: &str) {
        if tokio::time::timeout(LONG, self.functions.hung.notified()).await.is_err() {
            panic!("no worker hangs: {}", self.newest(arn).await);
        }
    }

    /// What an execution did last, for whoever waits in vain.
    async fn newest(&self, arn: &str) -> String {
        let described = self.engine.describe_execution(arn).await.unwrap();
        let options =
            HistoryOptions { max_results: Some(20), reverse_order: true, ..HistoryOptions::default() };
        let newest = self.engine.get_execution_history(arn, options).await.unwrap();
        format!("{described:#?} {:#?}", newest.items)
    }

    /// StopExecution of a run, and of an execution that it redrove a moment ago and did not wait for yet: that one is not
    /// stopped with it.
    pub(crate) async fn stop(&self, arn: &str, error: &str) {
        let stop = async |arn: &str| {
            let cause = Some("by the test".to_owned());
            self.engine.stop_execution(arn, Some(error.to_owned()), cause).await.unwrap();
        };
        stop(arn).await;
        for transfer in self.transfers().await {
            if transfer["status"] == "RUNNING" {
                stop(transfer["executionArn"].as_str().unwrap()).await;
            }
        }
    }

    /// Redrives it, and pauses it when a worker hangs.
    pub(crate) async fn paused_again(&self, ended: &Ended) -> Ended {
        self.engine.redrive_execution(&ended.arn).await.unwrap();
        self.hangs(&ended.arn).await;
        self.stop(&ended.arn, "Paused").await;
        self.ended(ended.arn.clone()).await
    }

    /// The run as it stands.
    pub(crate) async fn last(&self) -> Ended {
        self.ended(format!("{}:run", self.machine.replace(":stateMachine:", ":execution:"))).await
    }

    /// Redrives an execution and waits for its end.
    pub(crate) async fn redrive_arn(&self, arn: &str) -> Ended {
        self.engine.redrive_execution(arn).await.unwrap();
        self.ended(arn.to_owned()).await
    }

    /// All executions of the object machine, newest first.
    pub(crate) async fn transfers(&self) -> Vec<Value> {
        let machine = self.machine.replace(":bucket", ":object");
        let list = ListExecutions { state_machine_arn: Some(machine), ..ListExecutions::default() };
        let page = serde_json::to_value(self.engine.list_executions(list).await.unwrap()).unwrap();
        page["items"].as_array().unwrap().clone()
    }

    /// The same under a name, with more fields of the request.
    pub(crate) async fn run_with(&self, name: &str, sync: &Value, more: &Value) -> Ended {
        let arn = self.start_with(name, sync, more).await;
        self.ended(arn).await
    }

    async fn start_with(&self, name: &str, sync: &Value, more: &Value) -> String {
        let mut input = json!({
            "source": {"location": "global", "bucket": FROM.0, "prefix": FROM.1},
            "destination": {"location": "china", "bucket": TO.0, "prefix": TO.1},
            "options": {"wholeObjectLimit": LARGE},
            "sync": sync,
        });
        more.as_object().unwrap().iter().for_each(|(field, value)| input[field] = value.clone());
        let request = StartExecution {
            state_machine_arn: self.machine.clone(),
            name: Some(name.to_owned()),
            input: Some(input.to_string()),
        };
        self.engine.start_execution(request).await.unwrap().execution_arn
    }

    pub(crate) async fn redrive(&self, ended: &Ended) -> Ended {
        self.engine.redrive_execution(&ended.arn).await.unwrap();
        self.ended(ended.arn.clone()).await
    }

    async fn ended(&self, arn: String) -> Ended {
        let Ok(described) = tokio::time::timeout(LONG, self.engine.wait(&arn)).await else {
            panic!("it does not end: {}", self.newest(&arn).await);
        };
        let described = serde_json::to_value(described.unwrap()).unwrap();
        let options = HistoryOptions { max_results: Some(1_000), ..HistoryOptions::default() };
        let history = self.engine.get_execution_history(&arn, options).await.unwrap();
        let history = serde_json::to_value(&history).unwrap();
        let entered = |event: &Value| event["stateEnteredEventDetails"]["name"].as_str().map(str::to_owned);
        let states = history["items"].as_array().unwrap().iter().filter_map(entered);
        let states = states.collect::<Vec<_>>().join(" ");
        Ended { arn, status: described["status"].as_str().unwrap().to_owned(), states, described }
    }

    /// One of the report's files.
    pub(crate) fn report(&self, name: &str) -> String {
        let all = self.files.all();
        let found: BTreeMap<_, _> =
            all.iter().filter(|(file, _)| file.ends_with(&format!("report/{name}"))).collect();
        assert_eq!(found.len(), 1, "{name} in {:?}", all.keys());
        String::from_utf8(found.into_values().next().unwrap().to_vec()).unwrap()
    }

    /// Deletes all lists and reports: those of a run have its name.
    pub(crate) async fn forget_files(&self) {
        for name in self.files.all().into_keys() {
            self.files.delete(&name).await.unwrap();
        }
    }

    /// The report for programs.
    pub(crate) fn document(&self) -> Value {
        serde_json::from_str(&self.report("report.json")).unwrap()
    }
}

/// Bytes that differ from object to object.
pub(crate) fn content(name: &str, size: usize) -> Vec<u8> {
    let seed: usize = name.bytes().map(usize::from).sum();
    (0..size).map(|at| u8::try_from((at * 7 + seed) % 251).unwrap_or(0)).collect()
}

async fn create(engine: &Engine, name: &str, definition: &str, object: &str) -> String {
    let mut definition =
        definition.replace("${ResultsBucket}", "work").replace("${ObjectStateMachineArn}", object);
    for function in [
        "Abort", "Batch", "Complete", "Copy", "Delete", "Head", "Init", "List", "Part", "Remove", "Report",
        "Thaw",
    ] {
        definition = definition.replace(&format!("${{{function}FunctionArn}}"), &function.to_lowercase());
    }
    let request = CreateStateMachine { name: name.to_owned(), definition, ..CreateStateMachine::default() };
    match engine.create_state_machine(request).await {
        Ok(created) => created.state_machine_arn,
        Err(error) => panic!("{name}: {error:?}"),
    }
}
