//! In List's place: compares by name and size, and writes the lists.

use std::sync::Mutex;

use bytes::Bytes;
use transload_store::memory::MemoryStore;
use transload_store::work::WorkFiles;
use transload_wire::{
    Bandwidth, Batch, Delete, Doomed, Failure, Found, Item, Large, Left, ListInput, ListOutput, ObjectKey,
    Requests, Tally, WorkPlace,
};

use crate::world::{FROM, LARGE, TO};

/// The lister and its lies.
pub(crate) struct Lister {
    source: MemoryStore,
    destination: MemoryStore,
    /// Objects that it counts without writing them into a list.
    pub(crate) unlisted: Mutex<u64>,
}

fn lines(values: impl IntoIterator<Item = impl serde::Serialize>) -> Bytes {
    let lines: Vec<_> = values.into_iter().map(|v| serde_json::to_string(&v).unwrap() + "\n").collect();
    lines.concat().into()
}

fn under(prefix: (&str, &str), key: &ObjectKey, other: (&str, &str)) -> Option<ObjectKey> {
    format!("{}{}", other.1, key.as_str().strip_prefix(prefix.1)?).parse().ok()
}

impl Lister {
    pub(crate) fn new(source: MemoryStore, destination: MemoryStore) -> Self {
        Self { source, destination, unlisted: Mutex::new(0) }
    }

    /// The first call lists nothing, so that there is a second one.
    pub(crate) async fn call(&self, files: &dyn WorkFiles, input: &str) -> Result<String, Failure> {
        let input: ListInput = transload_wire::parse(input.as_bytes())?;
        input.request.sync.check()?;
        let work = WorkPlace { bucket: files.bucket().to_owned(), prefix: "sync/run-1/".to_owned() };
        let left = Left { ranges: Vec::new(), line: 0, found: Found::default(), calls: 1, lists: Vec::new() };
        let (found, left) = match input.left {
            None => (Found::default(), Some(left)),
            Some(_) => (self.lists(files, &work.prefix, &input).await?, None),
        };
        let (sync, options) = (input.request.sync, input.request.options);
        let bandwidth = Bandwidth::default();
        let output = ListOutput { left, found, work, sync, options, bandwidth, requests: Requests::new() };
        Ok(serde_json::to_string(&output).unwrap())
    }

    async fn lists(&self, files: &dyn WorkFiles, prefix: &str, input: &ListInput) -> Result<Found, Failure> {
        let mut found = Found::default();
        let (mut small, mut large, mut doomed) = (Vec::new(), Vec::new(), Vec::new());
        for key in self.source.keys(FROM.0) {
            let head = self.source.facts(FROM.0, key.as_str()).unwrap();
            found.listed.add(head.size);
            let Some(destination_key) = under(FROM, &key, TO) else {
                found.skipped.entry("excluded".to_owned()).or_default().add(head.size);
                continue;
            };
            let standing = self.destination.facts(TO.0, destination_key.as_str());
            if standing.as_ref().is_some_and(|there| there.size == head.size) {
                found.present.add(head.size);
            } else if head.size > LARGE as u64 {
                found.large.add(head.size);
                large.push(Large {
                    key,
                    destination_key,
                    size: head.size,
                    version_id: None,
                    etag: None,
                    replaces: None,
                });
            } else {
                found.small.add(head.size);
                let replaces = standing.map(|there| there.etag);
                small.push(Item { key, size: head.size, etag: head.etag, version_id: None, replaces });
            }
        }
        for key in self.destination.keys(TO.0) {
            let head = self.destination.facts(TO.0, key.as_str()).unwrap();
            found.destination.add(head.size);
            let Some(source_key) = under(TO, &key, FROM) else { continue };
            if input.request.sync.delete.is_some() && self.source.facts(FROM.0, source_key.as_str()).is_none()
            {
                found.deletes.add(head.size);
                doomed.push(Doomed { key, source_key, size: head.size, etag: head.etag });
            }
        }
        let size = usize::try_from(input.request.sync.batch_objects).unwrap();
        let batches: Vec<_> = small.chunks(size).map(|o| Batch { objects: o.to_vec() }).collect();
        found.batches = batches.len() as u64;
        files.put(&format!("{prefix}batches/0001.jsonl"), lines(batches)).await?;
        files.put(&format!("{prefix}large/0001.jsonl"), lines(large)).await?;
        let deletes = doomed.chunks(10).map(|o| Delete { objects: o.to_vec() });
        files.put(&format!("{prefix}deletes/0001.jsonl"), lines(deletes)).await?;
        self.leave_out(files, prefix, &mut found).await?;
        Ok(found)
    }

    /// Writes what is left out, and lies if it was told to.
    async fn leave_out(&self, files: &dyn WorkFiles, prefix: &str, found: &mut Found) -> Result<(), Failure> {
        let skipped = found.skipped.get("excluded").map_or(0, |tally| tally.objects);
        let record = |n| serde_json::json!({"key": format!("elsewhere-{n}"), "outcome": "skipped", "size": 1, "error": "excluded"});
        files.put(&format!("{prefix}skipped/0001.jsonl"), lines((0..skipped).map(record))).await?;
        let lie = *self.unlisted.lock().unwrap();
        found.small = Tally { objects: found.small.objects + lie, ..found.small };
        found.listed = Tally { objects: found.listed.objects + lie, ..found.listed };
        Ok(())
    }
}
