//! What a world is made of, chosen before it begins.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};
use stepfunctions_local::InlineDatabase;
use strict_s3::{BucketOptions, Capabilities, Limits, Server, Versioning};
use tokio::sync::mpsc;
use transload_store::Store;
use transload_store::location::Location;

use crate::bus::Bus;
use crate::ledger::Ledger;
use crate::network::Network;
use crate::objects::Results;
use crate::places::{CANARIES, Decorate, Places};
use crate::seed::Seed;
use crate::time::Time;
use crate::trace::Trace;
use crate::workers::Workers;
use crate::world::{Broken, Definitions, Outcome, World, definitions, open};
use crate::{DESTINATION_BUCKET, SOURCE_BUCKET};

/// A world to be. Everything has a default: AWS on both sides, buckets without versions, parts of 256 bytes, objects of
/// more than 256 bytes in parts, nothing goes wrong.
pub struct Builder {
    seed: Seed,
    part_size: u64,
    versioning: [Versioning; 2],
    /// Of the source and of the destination.
    ends: [(Value, Capabilities); 2],
    options: Value,
    concurrency: usize,
    reserved: BTreeMap<String, usize>,
    restore_takes: Duration,
    janitor: bool,
    decorate: Option<Decorate>,
    definitions: Definitions,
}

impl Builder {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            seed: Seed(seed),
            part_size: 256,
            versioning: [Versioning::Off; 2],
            ends: [(json!({}), Capabilities::default()), (json!({}), Capabilities::default())],
            options: json!({}),
            concurrency: 64,
            reserved: BTreeMap::new(),
            restore_takes: Duration::ZERO,
            janitor: true,
            decorate: None,
            definitions: definitions(),
        }
    }

    /// Bytes of a part, and the largest object that is sent whole.
    #[must_use]
    pub fn part_size(mut self, bytes: u64) -> Self {
        self.part_size = bytes;
        self
    }

    /// Whether the source's and the destination's bucket keep versions.
    #[must_use]
    pub fn versioning(mut self, source: Versioning, destination: Versioning) -> Self {
        self.versioning = [source, destination];
        self
    }

    /// What the destination is: fields of its location (`{"profile": "generic"}`), and what its server can do.
    #[must_use]
    pub fn destination(mut self, location: Value, capabilities: Capabilities) -> Self {
        self.ends[1] = (location, capabilities);
        self
    }

    /// What the source is, likewise.
    #[must_use]
    pub fn source(mut self, location: Value, capabilities: Capabilities) -> Self {
        self.ends[0] = (location, capabilities);
        self
    }

    /// Options of the transfers that override the world's, such as `{"overwrite": "never"}`.
    #[must_use]
    pub fn options(mut self, options: Value) -> Self {
        self.options = options;
        self
    }

    /// Workers at a time; further calls are answered 429.
    #[must_use]
    pub fn concurrency(mut self, workers: usize) -> Self {
        self.concurrency = workers;
        self
    }

    /// Workers of one function that no other gets, and beyond which it gets none.
    #[must_use]
    pub fn reserved_concurrency(mut self, function: &str, workers: usize) -> Self {
        self.reserved.insert(function.to_owned(), workers);
        self
    }

    /// How long an archived object takes to come back. At once, unless set.
    #[must_use]
    pub fn restore_takes(mut self, time: Duration) -> Self {
        self.restore_takes = time;
        self
    }

    /// Whether the janitor is told of executions that were stopped or took too long. It is, unless set.
    #[must_use]
    pub fn janitor(mut self, on: bool) -> Self {
        self.janitor = on;
        self
    }

    /// Changes the text of a state machine (`object`, `janitor`): a guard that is switched off.
    #[must_use]
    pub fn amend(mut self, machine: &str, change: impl Fn(&str) -> String) -> Self {
        for (_, text) in self.definitions.iter_mut().filter(|(name, _)| name == machine) {
            *text = change(text);
        }
        self
    }

    /// Puts something between the handlers and each worker's store for a place (`source`, `destination`).
    #[must_use]
    pub fn decorate(
        mut self,
        decorate: impl Fn(&str, Arc<dyn Store>) -> Arc<dyn Store> + Send + Sync + 'static,
    ) -> Self {
        self.decorate = Some(Arc::new(decorate));
        self
    }

    /// As [`decorate`](Self::decorate), around what was put between already.
    #[must_use]
    pub fn also(
        mut self,
        decorate: impl Fn(&str, Arc<dyn Store>) -> Arc<dyn Store> + Send + Sync + 'static,
    ) -> Self {
        let inner = self.decorate.take();
        self.decorate = Some(Arc::new(move |place, store| match &inner {
            Some(inner) => decorate(place, inner(place, store)),
            None => decorate(place, store),
        }));
        self
    }

    /// Makes it.
    ///
    /// # Errors
    /// A location or option is refused.
    pub async fn build(self) -> Outcome<World> {
        let time = Time::begin();
        let trace = Trace::new(time);
        let (events, heard) = mpsc::unbounded_channel();
        let ledger = Arc::new(Mutex::new(Ledger::default()));
        let book = ledger.clone();
        // Nobody has to listen any more.
        let source = self.server("source", SOURCE_BUCKET, time, move |event| drop(events.send(event)))?;
        let destination = self.server("destination", DESTINATION_BUCKET, time, move |event| {
            if event["detail-type"] != "Object Created" {
                return;
            }
            let object = &event["detail"]["object"];
            let (key, etag) =
                (object["key"].as_str().unwrap_or_default(), object["etag"].as_str().unwrap_or_default());
            book.lock().unwrap_or_else(PoisonError::into_inner).committed(key, etag, time.elapsed());
        })?;
        let servers = BTreeMap::from([
            ("source".to_owned(), source.clone()),
            ("destination".to_owned(), destination.clone()),
        ]);
        let network = Network::new(trace.clone(), servers);
        let [(from, _), (to, _)] = &self.ends;
        let locations = [("source", from.clone()), ("destination", to.clone())];
        let locations =
            locations.into_iter().map(|(name, fields)| Ok((name.to_owned(), self.location(name, &fields)?)));
        let locations = locations.collect::<Outcome<_>>()?;
        let places = Arc::new(Places { locations, decorate: self.decorate.clone() });
        let workers = Workers::new(
            time,
            trace.clone(),
            network.clone(),
            places.clone(),
            self.concurrency,
            &self.reserved,
        );
        let (results, database) = (Results::new(time), InlineDatabase::new());
        let engine = open(self.seed, time, (&database, &self.definitions), &workers, &results).await?;
        let engine = Arc::new(Mutex::new(engine));
        let bus = Bus::new(trace.clone(), time, self.janitor, heard);
        bus.listen(engine.clone());
        let writer = places.stores(&network, 0, time, 0);
        let options = merged(
            json!({"partSize": self.part_size, "wholeObjectLimit": self.part_size, "maxConcurrency": 8}),
            &self.options,
        );
        let seed = self.seed;
        Ok(World {
            seed,
            time,
            trace,
            network,
            workers,
            results,
            source,
            destination,
            bus,
            database,
            definitions: self.definitions,
            engine,
            options,
            ledger,
            writer,
        })
    }

    fn server(
        &self,
        name: &str,
        bucket: &str,
        time: Time,
        heard: impl Fn(Value) + Send + Sync + 'static,
    ) -> Outcome<Arc<Server>> {
        let is_source = name == "source";
        let limits =
            Limits { min_part: 16, max_part: self.part_size * 64, max_parts: 10_000, max_object: 1 << 30 };
        let capabilities = self.ends[usize::from(!is_source)].1.clone();
        let versioning = self.versioning[usize::from(!is_source)];
        let builder = Server::builder()
            .credentials(CANARIES[0], CANARIES[1])
            .limits(limits)
            .capabilities(capabilities)
            .bucket(bucket, BucketOptions { versioning, ..BucketOptions::default() })
            .restore_takes(self.restore_takes)
            .clock(move || time.now())
            .on_event(heard)
            .seed(self.seed.number(name));
        Ok(Arc::new(builder.offline().map_err(Broken::of)?))
    }

    fn location(&self, name: &str, fields: &Value) -> Outcome<Location> {
        let common = json!({
            "kind": "s3",
            "region": "us-east-1",
            "endpoint": format!("http://{name}.test"),
            "allow_http": true,
            "path_style": true,
            "limits": {
                "min_part": 16, "max_part": self.part_size * 64, "max_parts": 10_000,
                "default_part": self.part_size, "max_object": 1 << 30,
            },
        });
        serde_json::from_value(merged(common, fields)).map_err(Broken::of)
    }
}

fn merged(mut base: Value, over: &Value) -> Value {
    for (name, value) in over.as_object().into_iter().flatten() {
        base[name] = value.clone();
    }
    base
}

/// How long after the end of an execution the janitor has, not counted while Lambda has no worker for it.
pub const JANITOR: Duration = Duration::from_secs(15 * 60);
