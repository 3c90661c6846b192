//! A world: two places, the network between, workers, the engine with the real definitions, all under one seed.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use futures::StreamExt;
use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::{Value, json};
use stepfunctions_local::{
    CreateStateMachine, Database, DescribeExecution, Engine, HistoryEvent, HistoryOptions, InlineDatabase,
    StartExecution,
};
use strict_s3::{Direct, OpenUpload, Server, StoredObject};
use transload_store::{Condition, ObjectRef, PutBody, StoredRef, Stores, Target};
use transload_wire::Attributes;

use crate::builder::Builder;
use crate::bus::Bus;
use crate::ledger::{Ledger, Who};
use crate::network::Network;
use crate::objects::Results;
use crate::places::WorkerStores;
use crate::seed::Seed;
use crate::time::Time;
use crate::trace::Trace;
use crate::workers::Workers;
use crate::{DESTINATION_BUCKET, SOURCE_BUCKET};

/// Something in the set-up of a world does not hold: a mistake of the test or a defect, never a finding.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Broken(pub String);

impl Broken {
    pub(crate) fn of(error: impl std::fmt::Display) -> Self {
        Self(error.to_string())
    }
}

/// Result of what only breaks when the world does.
pub type Outcome<T> = Result<T, Broken>;

/// How an execution stands.
#[derive(Debug, Clone)]
pub struct Ended {
    /// Its ARN.
    pub arn: String,
    /// `SUCCEEDED`, `FAILED`, `TIMED_OUT`, `ABORTED`, or `RUNNING` if it did not end in the time given.
    pub status: String,
    /// The error's name; empty without one.
    pub error: String,
    /// The error's cause.
    pub cause: String,
    /// The record; null without one.
    pub output: Value,
    /// The states entered, in order.
    pub states: Vec<String>,
    /// It failed and may be redriven with its upload kept: the error was not caught.
    pub parked: bool,
}

/// Everything, under one seed. Ends with the runtime that it was made on.
pub struct World {
    /// What everything is drawn from.
    pub seed: Seed,
    /// The time of day.
    pub time: Time,
    /// What happened.
    pub trace: Trace,
    /// The network.
    pub network: Network,
    /// The workers.
    pub workers: Workers,
    /// Where Map Runs write their results.
    pub results: Results,
    /// The place that is copied from, location `source`.
    pub source: Arc<Server>,
    /// The place that is copied to, location `destination`.
    pub destination: Arc<Server>,
    /// Events on their way to the engine.
    pub bus: Bus,
    pub(crate) database: InlineDatabase,
    pub(crate) definitions: Definitions,
    pub(crate) engine: Arc<Mutex<Engine>>,
    pub(crate) options: Value,
    pub(crate) ledger: Arc<Mutex<Ledger>>,
    /// Writes through the API, as whoever owns the source does.
    pub(crate) writer: WorkerStores,
}

impl World {
    /// Begins a world. Only within [`run`](crate::run).
    #[must_use]
    pub fn builder(seed: u64) -> Builder {
        Builder::new(seed)
    }

    /// The engine as it is now.
    #[must_use]
    pub fn engine(&self) -> Engine {
        current(&self.engine)
    }

    pub(crate) fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes or overwrites the object that is to be copied, with metadata of its own. Gives its ETag.
    pub fn put_source(&self, key: &str, bytes: &[u8]) -> String {
        let headers = attributes();
        let tags = vec![("team".to_owned(), "maps".to_owned())];
        let put = self.source.direct().put_with(SOURCE_BUCKET, key, bytes.to_vec(), headers, tags);
        let etag = put.unwrap_or_default();
        self.trace.note(format_args!("source {key}: {} bytes, ETag {etag}", bytes.len()));
        self.ledger().note(key, Who::Source, &etag, bytes, self.time.elapsed());
        etag
    }

    /// As [`put_source`](Self::put_source), through the API and without tags: only that sends an event (see [`Bus::take`]).
    ///
    /// # Errors
    /// The request fails.
    pub async fn upload_source(&self, key: &str, bytes: &[u8]) -> Outcome<()> {
        let name = "source".parse().map_err(|error| Broken(format!("{error:?}")))?;
        let store = self.writer.open(&name).map_err(Broken::of)?;
        let attributes = Attributes {
            content_type: Some("text/x".to_owned()),
            metadata: BTreeMap::from([("colour".to_owned(), "red".to_owned())]),
            ..Attributes::default()
        };
        let target = Target {
            bucket: SOURCE_BUCKET.parse().map_err(|error| Broken(format!("{error:?}")))?,
            key: key.parse().map_err(|error| Broken(format!("{error:?}")))?,
            attributes,
            encryption: None,
            checksum_algorithm: None,
        };
        let body = Bytes::copy_from_slice(bytes);
        let stream = futures::stream::once(async { Ok(body) }).boxed();
        let body = PutBody { len: bytes.len() as u64, stream, md5: None, seen: None };
        let written = store.put(&target, body, &Condition::Anything).await.map_err(Broken::of)?;
        self.ledger().note(
            key,
            Who::Source,
            written.etag.to_header().trim_matches('"'),
            bytes,
            self.time.elapsed(),
        );
        Ok(())
    }

    /// Deletes what is newest of a source's object through the API, which sends an event. False: there is nothing.
    ///
    /// # Errors
    /// The request fails.
    pub async fn remove_source(&self, key: &str) -> Outcome<bool> {
        let name = "source".parse().map_err(|error| Broken(format!("{error:?}")))?;
        let store = self.writer.open(&name).map_err(Broken::of)?;
        let Some(found) = self.source.direct().get(SOURCE_BUCKET, key) else { return Ok(false) };
        let object = ObjectRef::from(StoredRef {
            bucket: SOURCE_BUCKET.parse().map_err(|error| Broken(format!("{error:?}")))?,
            key: key.parse().map_err(|error| Broken(format!("{error:?}")))?,
            version: None,
            requester_pays: false,
        });
        let etag = found.etag.trim_matches('"').parse().map_err(|error| Broken(format!("{error:?}")))?;
        store.delete_object(&object, &etag).await.map_err(Broken::of)?;
        Ok(true)
    }

    /// Deletes the object that is to be copied.
    pub fn delete_source(&self, key: &str) {
        self.trace.note(format_args!("source {key} is deleted"));
        self.source.direct().delete(SOURCE_BUCKET, key);
    }

    /// Another writer puts something at the destination.
    pub fn put_rival(&self, key: &str, bytes: &[u8]) {
        self.trace.note(format_args!("a rival writes {key}"));
        let etag = self.destination.direct().put(DESTINATION_BUCKET, key, bytes.to_vec()).unwrap_or_default();
        self.ledger().note(key, Who::Rival, &etag, bytes, self.time.elapsed());
    }

    /// What stands at the destination.
    #[must_use]
    pub fn arrived(&self, key: &str) -> Option<StoredObject> {
        self.destination.direct().get(DESTINATION_BUCKET, key)
    }

    /// Uploads that are open at the destination.
    #[must_use]
    pub fn uploads(&self) -> Vec<OpenUpload> {
        self.destination.direct().uploads(DESTINATION_BUCKET)
    }

    /// The input of the transfer of a key, with the world's options.
    #[must_use]
    pub fn input(&self, key: &str) -> Value {
        json!({
            "source": {"location": "source", "bucket": SOURCE_BUCKET, "key": key},
            "destination": {"location": "destination", "bucket": DESTINATION_BUCKET, "key": key},
            "options": self.options,
        })
    }

    /// Starts the transfer of a key. Gives the execution's ARN.
    ///
    /// # Errors
    /// The engine refuses the input.
    pub async fn start(&self, key: &str) -> Outcome<String> {
        self.start_with(&self.input(key)).await
    }

    /// Starts a transfer with any input.
    ///
    /// # Errors
    /// The engine refuses the input.
    pub async fn start_with(&self, input: &Value) -> Outcome<String> {
        let request = StartExecution {
            state_machine_arn: machine("object"),
            name: None,
            input: Some(input.to_string()),
        };
        let started = self.engine().start_execution(request).await.map_err(Broken::of)?;
        let key = input["destination"]["key"].as_str().unwrap_or_default();
        self.ledger().started(&started.execution_arn, key);
        Ok(started.execution_arn)
    }

    /// Starts the transfer of a key and waits for its end.
    ///
    /// # Errors
    /// As [`World::start`] and [`World::ended`].
    pub async fn transfer(&self, key: &str) -> Outcome<Ended> {
        let arn = self.start(key).await?;
        self.ended(&arn).await
    }

    /// Waits for the end of an execution, however long that takes.
    ///
    /// # Errors
    /// There is no such execution.
    pub async fn ended(&self, arn: &str) -> Outcome<Ended> {
        if let Some(ended) = self.ledger().ended.get(arn) {
            return Ok(ended.clone());
        }
        loop {
            let engine = self.engine();
            let mut news = engine.subscribe();
            let found = engine.describe_execution(arn).await.map_err(Broken::of)?;
            if found.status.is_terminal() {
                let ended = self.told(found).await?;
                self.ledger().ended.insert(arn.to_owned(), ended.clone());
                return Ok(ended);
            }
            // The engine may be ended meanwhile: look again now and then.
            let _ = tokio::time::timeout(Duration::from_secs(60), async {
                while let Ok(n) = news.recv().await {
                    if n.execution_arn == arn && n.status.is_terminal() {
                        break;
                    }
                }
            })
            .await;
        }
    }

    /// How an execution stands after so long, ended or not.
    ///
    /// # Errors
    /// There is no such execution.
    pub async fn within(&self, arn: &str, time: Duration) -> Outcome<Ended> {
        let _ = tokio::time::timeout(time, self.ended(arn)).await;
        let found = self.engine().describe_execution(arn).await.map_err(Broken::of)?;
        self.told(found).await
    }

    /// Lets time pass: at once, if there is nothing to be done in it.
    pub async fn advance(&self, time: Duration) {
        tokio::time::sleep(time).await;
    }

    /// StopExecution.
    ///
    /// # Errors
    /// There is no such execution.
    pub async fn stop(&self, arn: &str) -> Outcome<()> {
        self.trace.note(format_args!("stops {arn}"));
        self.engine().stop_execution(arn, None, None).await.map_err(Broken::of)?;
        Ok(())
    }

    /// RedriveExecution.
    ///
    /// # Errors
    /// It can not be redriven.
    pub async fn redrive(&self, arn: &str) -> Outcome<()> {
        self.trace.note(format_args!("redrives {arn}"));
        self.engine().redrive_execution(arn).await.map_err(Broken::of)?;
        self.ledger().ended.remove(arn);
        Ok(())
    }

    /// The engine's process is killed, and started again on the same database. Workers live on; what they answer is lost.
    ///
    /// # Errors
    /// The database can not be opened.
    pub async fn crash_engine(&self) -> Outcome<()> {
        self.trace.note("the engine is killed, and started again");
        self.database.sever();
        let machinery = (&self.database, &self.definitions);
        let engine = open(self.seed, self.time, machinery, &self.workers, &self.results).await?;
        let old = {
            let mut current = self.engine.lock().unwrap_or_else(PoisonError::into_inner);
            std::mem::replace(&mut *current, engine)
        };
        // What the dead engine had under way ends; its database is closed to it, so nothing of that is kept.
        tokio::spawn(async move { drop(old.shutdown().await) });
        self.bus.listen(self.engine.clone());
        Ok(())
    }

    /// The whole history of an execution.
    ///
    /// # Errors
    /// There is no such execution.
    pub async fn history(&self, arn: &str) -> Outcome<Vec<HistoryEvent>> {
        let engine = self.engine();
        let mut options = HistoryOptions { max_results: Some(1_000), ..HistoryOptions::default() };
        let mut all = Vec::new();
        loop {
            let page = engine.get_execution_history(arn, options.clone()).await.map_err(Broken::of)?;
            all.extend(page.items);
            match page.next_token {
                Some(token) => options.next_token = Some(token),
                None => return Ok(all),
            }
        }
    }

    /// Every text in the engine's database.
    ///
    /// # Errors
    /// The database's own.
    pub fn stored(&self) -> Outcome<Vec<u8>> {
        self.database.contents().map_err(Broken::of)
    }

    async fn told(&self, found: DescribeExecution) -> Outcome<Ended> {
        let history = self.history(&found.execution_arn).await?;
        let events: Vec<Value> =
            history.iter().filter_map(|event| serde_json::to_value(event).ok()).collect();
        let entered = |event: &Value| event["stateEnteredEventDetails"]["name"].as_str().map(str::to_owned);
        let states: Vec<String> = events.iter().filter_map(entered).collect();
        let status = found.status.as_str().to_owned();
        let parked = status == "FAILED"
            && !states.last().is_some_and(|last| ["Failed", "Unrouted"].contains(&last.as_str()));
        let output = found.output.as_deref().and_then(|text| serde_json::from_str(text).ok());
        let ended = Ended {
            arn: found.execution_arn,
            status,
            error: found.error.unwrap_or_default(),
            cause: found.cause.unwrap_or_default(),
            output: output.unwrap_or_default(),
            states,
            parked,
        };
        self.trace.note(format_args!(
            "{} is {} {} {} {}",
            ended.arn,
            ended.status,
            ended.error,
            ended.states.join(" "),
            ended.output
        ));
        Ok(ended)
    }

    /// The destination's storage, without HTTP.
    #[must_use]
    pub fn direct(&self) -> Direct {
        self.destination.direct()
    }

    /// How many faults of each kind were injected.
    #[must_use]
    pub fn injected(&self) -> BTreeMap<String, u64> {
        let mut all = self.network.injected();
        all.extend(self.workers.injected());
        all
    }
}

/// The ARN of a state machine.
pub(crate) fn machine(name: &str) -> String {
    format!("arn:aws:states:us-east-1:000000000000:stateMachine:{name}")
}

pub(crate) fn current(engine: &Mutex<Engine>) -> Engine {
    engine.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

fn attributes() -> HeaderMap {
    let name = HeaderName::from_static;
    HeaderMap::from_iter([
        (name("content-type"), HeaderValue::from_static("text/x")),
        (name("x-amz-meta-colour"), HeaderValue::from_static("red")),
    ])
}

/// Names and texts of the state machines.
pub(crate) type Definitions = Vec<(String, String)>;

/// The real ones, with the functions' names filled in.
pub(crate) fn definitions() -> Definitions {
    let texts = [
        ("object", include_str!("../../../statemachine/object.asl.json")),
        ("janitor", include_str!("../../../statemachine/janitor.asl.json")),
    ];
    let filled = texts.map(|(name, text)| {
        let mut text = text.replace("${ResultsBucket}", "results");
        for function in ["Abort", "Complete", "Copy", "Head", "Init", "Part", "Remove", "Thaw"] {
            text = text.replace(&format!("${{{function}FunctionArn}}"), &function.to_lowercase());
        }
        (name.to_owned(), text)
    });
    filled.into()
}

/// Opens the engine, with the definitions if they are not there yet.
pub(crate) async fn open(
    seed: Seed,
    time: Time,
    (database, definitions): (&InlineDatabase, &Definitions),
    workers: &Workers,
    results: &Results,
) -> Outcome<Engine> {
    let builder = Engine::builder()
        .database(Database::Inline(database.clone()))
        .lambda(Arc::new(workers.clone()))
        .objects(Arc::new(results.clone()))
        .clock(Arc::new(time))
        .seed(seed.number("engine"));
    let engine = builder.open().await.map_err(Broken::of)?;
    for (name, definition) in definitions {
        let request = CreateStateMachine {
            name: name.clone(),
            definition: definition.clone(),
            ..CreateStateMachine::default()
        };
        engine.create_state_machine(request).await.map_err(Broken::of)?;
    }
    Ok(engine)
}
