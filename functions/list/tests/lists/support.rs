//! Two places, a request to make one like the other, and what was written about it.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use transload_store::Deadline;
use transload_store::faulty::Faulty;
use transload_store::memory::{MemoryConfig, MemoryStore, MemoryStores};
use transload_store::work::{MemoryFiles, WorkFiles};
use transload_wire::{
    Batch, Delete, Doomed, Failure, Found, Item, Large, ListInput, ListOutput, ObjectRecord, Tally,
};

/// Locations `global` and `china`, buckets `photos` and `photos-cn`, prefixes `a/` and `b/`.
pub(crate) struct World {
    pub(crate) source: MemoryStore,
    pub(crate) destination: MemoryStore,
    pub(crate) from: Faulty,
    pub(crate) to: Faulty,
    pub(crate) stores: MemoryStores,
    pub(crate) files: MemoryFiles,
}

/// Everything that was written, by key.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Written {
    pub(crate) small: BTreeMap<String, Item>,
    pub(crate) large: BTreeMap<String, Large>,
    pub(crate) doomed: BTreeMap<String, Doomed>,
    pub(crate) skipped: BTreeMap<String, String>,
    /// Bytes of what is beyond the budget.
    pub(crate) parked: BTreeMap<String, u64>,
}

impl World {
    /// Pages of so many objects.
    pub(crate) fn paged(page: usize) -> Self {
        let store = || MemoryStore::new(MemoryConfig { page, ..MemoryConfig::default() });
        let source = store().with_bucket("photos");
        let destination = store().with_bucket("photos-cn");
        let (from, to) = (Faulty::new(source.clone()), Faulty::new(destination.clone()));
        let stores = MemoryStores::default().with("global", from.clone()).with("china", to.clone());
        Self { source, destination, from, to, stores, files: MemoryFiles::new("lists") }
    }

    pub(crate) fn new() -> Self {
        Self::paged(1_000)
    }

    /// Puts an object at the source.
    pub(crate) fn here(&self, key: &str, bytes: &str) {
        self.source.write("photos", &format!("a/{key}"), bytes.to_owned());
    }

    /// Puts an object at the destination.
    pub(crate) fn there(&self, key: &str, bytes: &str) {
        self.destination.write("photos-cn", &format!("b/{key}"), bytes.to_owned());
    }

    /// Some of everything: the same, another size, missing, too many; and keys outside of both prefixes.
    pub(crate) fn mixed(page: usize) -> Self {
        let world = Self::paged(page);
        for n in 0..23 {
            let key = format!("{:02}/{n}", n / 7);
            if n % 5 != 1 {
                world.here(&key, "bytes");
            }
            if n % 4 != 2 {
                world.there(&key, if n % 6 == 3 { "other bytes" } else { "bytes" });
            }
        }
        world.source.write("photos", "Z", "outside");
        world.source.write("photos", "a0", "outside");
        world.destination.write("photos-cn", "b", "outside");
        world
    }

    /// One call.
    pub(crate) async fn call(&self, deadline: Deadline, input: &ListInput) -> Result<ListOutput, Failure> {
        transload_list::handle(&self.stores, &self.files, deadline, input.clone()).await
    }

    /// All calls: each has as much time as it wants.
    pub(crate) async fn list(&self, sync: Value) -> Result<(ListOutput, Written), Failure> {
        let output = self.call(Deadline::NONE, &input(&sync)).await?;
        assert_eq!(output.left, None);
        let written = self.written(&output).await;
        Ok((output, written))
    }

    /// The lines of a plan.
    pub(crate) async fn list_plan(&self, sync: Value) -> (ListOutput, Vec<Value>) {
        let output = self.call(Deadline::NONE, &input(&sync)).await.unwrap();
        let files = self.files.all();
        let text: String = files.values().map(|bytes| String::from_utf8(bytes.to_vec()).unwrap()).collect();
        let lines = text.lines().map(|line| {
            let line: Value = serde_json::from_str(line).unwrap();
            line.get("skip").cloned().unwrap_or(line)
        });
        (output, lines.collect())
    }

    /// The same in calls that have no time to spare: each lists what it must.
    pub(crate) async fn list_in_calls(&self, sync: &Value) -> Result<(ListOutput, Written, u32), Failure> {
        let mut input = input(sync);
        for calls in 1..1_000 {
            // Below the margin that is kept for ending in good order, above that of the deadline itself.
            let deadline = Deadline::after(Duration::from_secs(15));
            let output = self.call(deadline, &input).await?;
            match &output.left {
                Some(left) => {
                    assert!(!left.ranges.is_empty());
                    assert_eq!(left.calls, calls);
                    let json = serde_json::to_string(&output).unwrap();
                    input.left = transload_wire::parse::<ListOutput>(json.as_bytes()).unwrap().left;
                }
                None => return Ok((output.clone(), self.written(&output).await, calls)),
            }
        }
        panic!("the calls do not end");
    }

    /// Reads all lists back, and holds them against each other and against what was counted.
    pub(crate) async fn written(&self, output: &ListOutput) -> Written {
        let prefix = &output.work.prefix;
        let mut written = Written::default();
        let mut batches = 0;
        for (name, bytes) in self.files.all() {
            let name = name.strip_prefix(prefix.as_str()).expect("a file of this run");
            for line in std::str::from_utf8(&bytes).unwrap().lines() {
                match name.split('/').next().unwrap() {
                    "batches" => {
                        batches += 1;
                        written.batch(output, line);
                    }
                    "large" => {
                        let large: Large = read(line);
                        assert!(written.large.insert(large.key.to_string(), large).is_none(), "{line}");
                    }
                    "deletes" => {
                        for doomed in read::<Delete>(line).objects {
                            let key = doomed.key.to_string();
                            assert!(written.doomed.insert(key, doomed).is_none(), "{line}");
                        }
                    }
                    "skipped" => {
                        let record: ObjectRecord = read(line);
                        let reason = record.error.expect("a reason");
                        assert!(written.skipped.insert(record.key.to_string(), reason).is_none(), "{line}");
                    }
                    "parked" => {
                        let record: ObjectRecord = read(line);
                        assert_eq!(record.error.as_deref(), Some("budget"));
                        let key = record.key.to_string();
                        assert!(written.parked.insert(key, record.size).is_none(), "{line}");
                    }
                    other => panic!("a list of {other}"),
                }
            }
        }
        assert_eq!(batches, output.found.batches);
        written.check(output);
        written
    }
}

impl Written {
    fn batch(&mut self, output: &ListOutput, line: &str) {
        let batch: Batch = read(line);
        let bytes: u64 = batch.objects.iter().map(|item| item.size).sum();
        assert!(line.len() <= 200_000, "{} bytes of JSON", line.len());
        assert!((1..=output.sync.batch_objects as usize).contains(&batch.objects.len()));
        assert!(bytes <= output.sync.batch_bytes || batch.objects.len() == 1, "{bytes}");
        for item in batch.objects {
            assert!(self.small.insert(item.key.to_string(), item).is_none(), "{line}");
        }
    }

    fn check(&self, output: &ListOutput) {
        let found = &output.found;
        let tally = |sizes: &mut dyn Iterator<Item = u64>| {
            sizes.fold(Tally::default(), |mut sum, size| {
                sum.add(size);
                sum
            })
        };
        assert_eq!(found.small, tally(&mut self.small.values().map(|item| item.size)));
        assert_eq!(found.large, tally(&mut self.large.values().map(|large| large.size)));
        assert_eq!(found.parked, tally(&mut self.parked.values().copied()));
        assert_eq!(found.deletes, tally(&mut self.doomed.values().map(|doomed| doomed.size)));
        let skipped: u64 = found.skipped.values().map(|tally| tally.objects).sum();
        assert_eq!(skipped, self.skipped.len() as u64);
        assert_eq!(
            found.listed.objects,
            found.present.objects
                + skipped
                + found.parked.objects
                + found.small.objects
                + found.large.objects,
            "every object of the source is accounted for"
        );
    }

    /// Keys of small objects, behind the source's prefix.
    pub(crate) fn sent(&self) -> Vec<&str> {
        self.small.keys().map(|key| key.strip_prefix("a/").unwrap()).collect()
    }

    /// Keys that are to be deleted, behind the destination's prefix.
    pub(crate) fn deleted(&self) -> Vec<&str> {
        self.doomed.keys().map(|key| key.strip_prefix("b/").unwrap()).collect()
    }
}

/// What was found, without how it was: pages, calls and files differ where one is cut short, and with them what batches take as a
/// whole.
pub(crate) fn steady(found: &Found) -> Found {
    Found {
        batches: 0,
        beside: Default::default(),
        listing: Default::default(),
        calls: 0,
        deletions: 0,
        files: 0,
        ..found.clone()
    }
}

fn read<T: DeserializeOwned>(line: &str) -> T {
    transload_wire::parse(line.as_bytes()).unwrap_or_else(|failure| panic!("{failure}: {line}"))
}

/// The input of a first call.
pub(crate) fn input(sync: &Value) -> ListInput {
    of(json!({
        "source": {"location": "global", "bucket": "photos", "prefix": "a/"},
        "destination": {"location": "china", "bucket": "photos-cn", "prefix": "b/"},
        "sync": sync,
    }))
    .unwrap()
}

/// The input with this request.
pub(crate) fn of(request: Value) -> Result<ListInput, Failure> {
    let id = "arn:aws:states:us-east-1:000000000000:execution:transload-bucket:run";
    let input = json!({"request": request, "execution": {"id": id, "startTime": "2026-01-01T00:00:00.000Z"}});
    transload_wire::parse(input.to_string().as_bytes())
}

/// Engines run workers on threads of their own choice.
#[test]
fn a_call_may_move_between_threads() {
    fn moves(_: impl Send) {}
    let world = World::new();
    moves(transload_list::handle(&world.stores, &world.files, Deadline::NONE, input(&json!({}))));
}

/// The run's lists stand under its name and start.
#[tokio::test]
async fn lists_stand_below_the_name_of_the_run() {
    let world = World::mixed(1_000);
    let (output, _) = world.list(json!({})).await.unwrap();
    assert_eq!(
        (output.work.bucket.as_str(), output.work.prefix.as_str()),
        ("lists", "sync/run-20260101000000000/")
    );
    let names = world.files.list("sync/run-20260101000000000/batches/0001-").await.unwrap();
    assert_eq!(names.len(), 1);
}
