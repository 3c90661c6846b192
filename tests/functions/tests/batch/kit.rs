//! Two stores, and a batch of objects as they were listed.

use std::collections::BTreeMap;

use transload_batch::handle;
use transload_function_tests::World;
use transload_store::faulty::Faulty;
use transload_store::memory::{MemoryConfig, MemoryStore, MemoryStores};
use transload_store::{Deadline, Verb};
use transload_wire::{
    Attributes, BatchInput, BatchOutput, ExecutionInfo, Item, Options, Outcome, TransferRequest, Tree,
};

/// Buckets of the source and of the destination, and what their keys begin with.
pub(crate) const FROM: (&str, &str) = ("photos", "in/");
pub(crate) const TO: (&str, &str) = ("photos-cn", "out/");

/// What a test has in its hands.
pub(crate) struct Kit {
    pub(crate) source: MemoryStore,
    pub(crate) destination: MemoryStore,
    pub(crate) from: Faulty,
    pub(crate) to: Faulty,
    pub(crate) stores: MemoryStores,
    pub(crate) options: Options,
    pub(crate) items: Vec<Item>,
}

/// Bytes that differ from object to object.
pub(crate) fn bytes(size: usize, seed: usize) -> Vec<u8> {
    (0..size).map(|i| u8::try_from((i * 7 + seed) % 251).unwrap_or(0)).collect()
}

impl Kit {
    /// Objects `in/0`, `in/1`, ... of these sizes.
    pub(crate) fn new(sizes: &[usize]) -> Self {
        Self::with(sizes, World::config(), Attributes::default())
    }

    pub(crate) fn with(sizes: &[usize], destination: MemoryConfig, attributes: Attributes) -> Self {
        let source = MemoryStore::new(World::config()).with_bucket(FROM.0);
        let destination = MemoryStore::new(destination).with_bucket(TO.0);
        let (from, to) = (Faulty::new(source.clone()), Faulty::new(destination.clone()));
        let stores = MemoryStores::default().with("global", from.clone()).with("china", to.clone());
        let mut kit =
            Self { source, destination, from, to, stores, options: Options::default(), items: Vec::new() };
        for (index, size) in sizes.iter().enumerate() {
            kit.source.write_with(FROM.0, &key(index), bytes(*size, index), attributes.clone());
        }
        kit.items = (0..sizes.len()).map(|index| kit.listed(index)).collect();
        kit
    }

    /// An object as both sides list it now.
    pub(crate) fn listed(&self, index: usize) -> Item {
        let head = self.source.facts(FROM.0, &key(index)).unwrap();
        let standing = self.destination.facts(TO.0, &format!("{}{index}", TO.1));
        Item {
            key: key(index).parse().unwrap(),
            size: head.size,
            etag: head.etag,
            version_id: None,
            replaces: standing.map(|head| head.etag),
        }
    }

    pub(crate) fn input(&self, tries: u32) -> BatchInput {
        let tree = |location: &str, (bucket, prefix): (&str, &str)| Tree {
            location: location.parse().unwrap(),
            bucket: bucket.parse().unwrap(),
            prefix: prefix.to_owned(),
        };
        BatchInput {
            source: tree("global", FROM),
            destination: tree("china", TO),
            options: self.options.clone(),
            in_flight: 64,
            objects: self.items.clone(),
            execution: execution(),
            entered: None,
            tries,
            exact: false,
            route: None,
        }
    }

    pub(crate) async fn run(&self, tries: u32) -> BatchOutput {
        handle(&self.stores, Deadline::NONE, self.input(tries)).await.unwrap()
    }

    /// The request of the object machine for the same object.
    pub(crate) fn request(&self, index: usize) -> TransferRequest {
        let input = self.input(0);
        let json = format!(
            r#"{{"source": {{"location": "{}", "bucket": "{}", "key": "{}"}},
                "destination": {{"location": "{}", "bucket": "{}", "key": "{}{index}"}}}}"#,
            input.source.location,
            FROM.0,
            key(index),
            input.destination.location,
            TO.0,
            TO.1
        );
        let request: TransferRequest = transload_wire::parse(json.as_bytes()).unwrap();
        TransferRequest { options: self.options.clone(), ..request }
    }

    /// What stands at the destination.
    pub(crate) fn copied(&self, index: usize) -> Option<Vec<u8>> {
        self.destination.read(TO.0, &format!("{}{index}", TO.1)).map(|bytes| bytes.to_vec())
    }

    /// Requests of one kind at both ends.
    pub(crate) fn count(&self, verb: Verb) -> u64 {
        self.from.count(verb) + self.to.count(verb)
    }

    pub(crate) fn overwrite(&self, index: usize, bytes: &str) {
        self.source.write(FROM.0, &key(index), bytes.to_owned());
    }

    pub(crate) fn intrude(&self, index: usize) {
        self.destination.write(TO.0, &format!("{}{index}", TO.1), "another writer's");
    }
}

pub(crate) fn key(index: usize) -> String {
    format!("{}{index}", FROM.1)
}

pub(crate) fn execution() -> ExecutionInfo {
    ExecutionInfo {
        id: "arn:aws:states:us-east-1:123456789012:execution:bucket:run".to_owned(),
        start_time: "2026-01-01T00:00:00Z".to_owned(),
        redrive_count: 0,
    }
}

/// How many records there are of each outcome, and of what is left by its error.
pub(crate) fn tally(output: &BatchOutput) -> BTreeMap<String, usize> {
    let mut tally = BTreeMap::new();
    for record in &output.records {
        let name = match (record.outcome, &record.error) {
            (Outcome::Failed, Some(error)) => format!("failed {error}"),
            (outcome, _) => format!("{outcome:?}").to_lowercase(),
        };
        *tally.entry(name).or_default() += 1;
    }
    for left in &output.left {
        *tally.entry(format!("left {}", left.error)).or_default() += 1;
    }
    tally
}

/// The same, written down.
pub(crate) fn tallied(rows: &[(&str, usize)]) -> BTreeMap<String, usize> {
    rows.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect()
}
