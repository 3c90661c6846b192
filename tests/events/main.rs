//! Events as they really come: twice, and not in the order of the writes. The real S3 servers, the real definition and
//! handlers, a bus that is played by the test.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // helpers of tests may panic as tests do

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use bytes::Bytes;
use eventbridge_local::{Rule, Rules};
use futures::stream::{self, StreamExt};
use serde::Serialize;
use serde_json::{Value, json};
use stepfunctions_local::{
    CreateStateMachine, DescribeExecution, Engine, Invocation, Lambda, LambdaError, LambdaOutput,
    StartExecution, Status,
};
use strict_s3::{BucketOptions, Server, Versioning};
use transload_store::location::ConfiguredStores;
use transload_store::{Condition, Deadline, ObjectRef, PutBody, StoredRef, Stores, Target};
use transload_wire::{Attributes, Failure};

const DEFINITION: &str = include_str!("../../statemachine/object.asl.json");
const MACHINE: &str = "arn:aws:states:us-east-1:000000000000:stateMachine:object";

/// The handlers without processes around them.
struct Handlers(ConfiguredStores);

fn answer<T: Serialize>(result: Result<T, Failure>) -> Result<LambdaOutput, LambdaError> {
    match result {
        Ok(output) => {
            let payload = serde_json::to_vec(&output).unwrap().into();
            Ok(LambdaOutput { payload, executed_version: "$LATEST".to_owned() })
        }
        Err(failure) => {
            let error_type = failure.name.as_str().to_owned();
            let payload =
                json!({"errorType": error_type, "errorMessage": failure.message}).to_string().into();
            Err(LambdaError::Function { error_type, payload })
        }
    }
}

macro_rules! call {
    ($handler:path, $stores:expr, $payload:expr) => {
        answer($handler($stores, Deadline::NONE, serde_json::from_slice(&$payload).unwrap()).await)
    };
}

#[async_trait]
impl Lambda for Handlers {
    async fn invoke(&self, invocation: Invocation) -> Result<LambdaOutput, LambdaError> {
        let payload = invocation.payload;
        match invocation.function.as_str() {
            "Head" => call!(transload_head::handle, &self.0, payload),
            "Copy" => call!(transload_copy::handle, &self.0, payload),
            "Init" => call!(transload_init::handle, &self.0, payload),
            "Part" => call!(transload_part::handle, &self.0, payload),
            "Complete" => call!(transload_complete::handle, &self.0, payload),
            "Abort" => call!(transload_abort::handle, &self.0, payload),
            "Remove" => call!(transload_remove::handle, &self.0, payload),
            "Thaw" => call!(transload_thaw::handle, &self.0, payload),
            other => panic!("no function {other}"),
        }
    }
}

/// Two servers, an engine, and every event that the source has sent.
struct World {
    source: Server,
    destination: Server,
    engine: Engine,
    rules: Rules,
    events: Arc<Mutex<Vec<Value>>>,
    stores: ConfiguredStores,
    _folder: tempfile::TempDir,
}

impl World {
    async fn new(versioning: Versioning) -> Self {
        let events: Arc<Mutex<Vec<Value>>> = Arc::default();
        let kept = events.clone();
        let options = BucketOptions { versioning, ..BucketOptions::default() };
        let source = Server::builder().credentials("AKIDONE", "one").bucket("photos", options);
        let source = source.on_event(move |event| kept.lock().unwrap().push(event)).start().await.unwrap();
        let destination =
            Server::builder().credentials("AKIDTWO", "two").bucket("photos-cn", BucketOptions::default());
        let destination = destination.start().await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("locations.toml");
        let mut text = String::new();
        for (name, id, secret, server) in
            [("global", "AKIDONE", "one", &source), ("china", "AKIDTWO", "two", &destination)]
        {
            let keys = folder.path().join(name);
            std::fs::write(
                &keys,
                format!("[default]\naws_access_key_id = {id}\naws_secret_access_key = {secret}\n"),
            )
            .unwrap();
            text += &format!(
                "[locations.{name}]\nkind = \"s3\"\nregion = \"us-east-1\"\nendpoint = {:?}\nallow_http = true\npath_style = true\ncredentials = {{ file = {keys:?} }}\n",
                server.endpoint()
            );
        }
        std::fs::write(&file, text).unwrap();
        let stores = || ConfiguredStores::from_file(&file).unwrap();
        let engine = Engine::builder().lambda(Arc::new(Handlers(stores()))).open().await.unwrap();
        let names = ["Head", "Copy", "Init", "Part", "Complete", "Abort", "Remove", "Thaw"];
        let definition =
            names.iter().fold(DEFINITION.replace("${ResultsBucket}", "results"), |text, name| {
                text.replace(&format!("${{{name}FunctionArn}}"), name)
            });
        let machine =
            CreateStateMachine { name: "object".to_owned(), definition, ..CreateStateMachine::default() };
        engine.create_state_machine(machine).await.unwrap();
        let stores = stores();
        Self { source, destination, engine, rules: rules(false), events, stores, _folder: folder }
    }

    /// Puts an object through the API: only that sends an event.
    async fn put(&self, text: &str) {
        let store = self.stores.open(&"global".parse().unwrap()).unwrap();
        let target = Target {
            bucket: "photos".parse().unwrap(),
            key: "k".parse().unwrap(),
            attributes: Attributes::default(),
            encryption: None,
            checksum_algorithm: None,
        };
        let bytes = Bytes::copy_from_slice(text.as_bytes());
        let (len, stream) = (text.len() as u64, stream::once(async { Ok(bytes) }).boxed());
        let body = PutBody { len, stream, md5: None, seen: None };
        store.put(&target, body, &Condition::Anything).await.unwrap();
    }

    /// Deletes the object through the API.
    async fn delete(&self) {
        let store = self.stores.open(&"global".parse().unwrap()).unwrap();
        let etag = self.source.direct().get("photos", "k").unwrap().etag.parse().unwrap();
        let (bucket, key) = ("photos".parse().unwrap(), "k".parse().unwrap());
        let object = ObjectRef::from(StoredRef { bucket, key, version: None, requester_pays: false });
        store.delete_object(&object, &etag).await.unwrap();
    }

    fn sent(&self) -> Vec<Value> {
        self.events.lock().unwrap().clone()
    }

    /// Delivers an event, and waits for what it started.
    async fn deliver(&self, event: &Value) -> DescribeExecution {
        let arn = self.start(event).await;
        self.engine.wait(&arn).await.unwrap()
    }

    async fn start(&self, event: &Value) -> String {
        let mut deliveries = self.rules.route(event, "2026-01-31T12:00:00Z");
        assert_eq!(deliveries.len(), 1);
        let delivery = deliveries.remove(0);
        let request = StartExecution { state_machine_arn: delivery.arn, name: None, input: delivery.input };
        self.engine.start_execution(request).await.unwrap().execution_arn
    }

    fn arrived(&self) -> String {
        let object = self.destination.direct().get("photos-cn", "k").expect("an object");
        String::from_utf8(object.bytes().unwrap().to_vec()).unwrap()
    }

    fn puts(&self) -> u64 {
        self.destination.counts().get("PutObject").copied().unwrap_or_default()
    }
}

/// The rule of a route; one that follows deletions has their events, too.
fn rules(follows: bool) -> Rules {
    let template = format!(
        r#"{{"source": {{"location": "global", "bucket": <bucket>, "key": <key>}}, "destination": {{"location": "china", "bucket": "photos-cn", "key": <key>}}, "options": {{"delete": {follows}}}}}"#
    );
    let kinds = if follows { json!(["Object Created", "Object Deleted"]) } else { json!(["Object Created"]) };
    let paths = json!({"bucket": "$.detail.bucket.name", "key": "$.detail.object.key"});
    let rule: Rule = serde_json::from_value(json!({
        "Name": "copy", "EventPattern": {"source": ["aws.s3"], "detail-type": kinds},
        "Targets": [{"Id": "machine", "Arn": MACHINE, "InputTransformer": {"InputPathsMap": paths, "InputTemplate": template}}],
    }))
    .unwrap();
    Rules::new(vec![rule], "us-east-1", "000000000000").unwrap()
}

/// The status that a transfer's record gives.
fn outcome(execution: &DescribeExecution) -> String {
    let output: Value = serde_json::from_str(execution.output.as_deref().unwrap_or("null")).unwrap();
    output["status"].as_str().unwrap_or(execution.status.as_str()).to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_comes_twice_is_one_transfer() {
    let world = World::new(Versioning::Off).await;
    world.put("one").await;
    let event = &world.sent()[0];
    let both = [world.deliver(event).await, world.deliver(event).await];
    assert_eq!(both.each_ref().map(outcome), ["copied", "skipped"]);
    assert_eq!((world.arrived().as_str(), world.puts()), ("one", 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn events_in_the_wrong_order_never_put_an_older_version_over_a_newer_one() {
    for versioning in [Versioning::Off, Versioning::Enabled] {
        let world = World::new(versioning).await;
        for text in ["one", "two", "three"] {
            world.put(text).await;
        }
        let events = world.sent();
        for event in events.iter().rev().chain(&events) {
            let ended = world.deliver(event).await;
            assert_eq!(ended.status, Status::Succeeded, "{ended:?}");
            assert_eq!(world.arrived(), "three", "every execution reads what is newest");
        }
        assert_eq!(world.puts(), 1, "five of six had nothing to do");
        world.source.shutdown().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn events_at_the_same_time_all_succeed_with_one_whole_object_and_no_upload() {
    let world = World::new(Versioning::Off).await;
    world.put("one").await;
    let event = world.sent().remove(0);
    let mut executions = Vec::new();
    for _ in 0..8 {
        executions.push(world.start(&event).await);
    }
    let mut ends = Vec::new();
    for arn in &executions {
        ends.push(world.engine.wait(arn).await.unwrap());
    }
    assert!(ends.iter().all(|end| end.status == Status::Succeeded), "{ends:?}");
    assert_eq!(world.arrived(), "one");
    assert_eq!(world.destination.direct().uploads("photos-cn"), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn executions_of_several_versions_at_the_same_time_end_with_the_newest() {
    for round in 0..8 {
        let world = World::new(Versioning::Enabled).await;
        let mut executions = Vec::new();
        for text in ["one", "two", "three", "four", "five"] {
            world.put(text).await;
            let event = world.sent().pop().unwrap();
            for _ in 0..3 {
                executions.push(world.start(&event).await);
            }
            // Some meet each other at the source, others at the destination.
            tokio::time::sleep(std::time::Duration::from_millis(round * 3)).await;
        }
        for arn in &executions {
            let end = world.engine.wait(arn).await.unwrap();
            assert_eq!(end.status, Status::Succeeded, "{end:?}");
        }
        assert_eq!(world.arrived(), "five");
        assert_eq!(world.destination.direct().uploads("photos-cn"), []);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_deleted_at_the_source_vanishes_at_the_destination() {
    for versioning in [Versioning::Off, Versioning::Enabled] {
        let mut world = World::new(versioning).await;
        world.rules = rules(true);
        world.put("one").await;
        world.delete().await;
        world.put("two").await;
        let events = world.sent();
        assert_eq!(events.iter().filter(|event| event["detail-type"] == "Object Deleted").count(), 1);
        // The deletion is told last, and the object is there again.
        for event in [&events[0], &events[2], &events[1]] {
            world.deliver(event).await;
            assert_eq!(world.arrived(), "two");
        }
        world.delete().await;
        let gone = world.sent().pop().unwrap();
        assert_eq!(outcome(&world.deliver(&gone).await), "deleted");
        assert!(world.destination.direct().get("photos-cn", "k").is_none());
        // An event that comes late does not bring it back.
        assert_eq!(outcome(&world.deliver(&events[2]).await), "skipped");
        assert!(world.destination.direct().get("photos-cn", "k").is_none());
    }
}
