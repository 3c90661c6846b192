//! The lists of a call: lines of JSON, gathered into files that are closed before they grow large.

use std::collections::VecDeque;

use bytes::Bytes;
use serde::Serialize;
use transload_wire::{
    Budget, Doomed, ErrorName, Failure, Found, Item, Large, Mode, ObjectKey, ObjectRecord, Outcome, PlanCopy,
    PlanLine, PlanSkip, Tally,
};

use crate::asked::Asked;
use crate::purse::Purse;
use crate::ways::Ways;

/// Folders of lists. A run that only plans writes the last one, all others the others.
pub(crate) const FOLDERS: [&str; 6] = ["batches", "large", "deletes", "skipped", "parked", "plan"];
/// Place of the plan among them.
const PLAN: usize = 5;
/// Why an object is parked.
const BUDGET: &str = "budget";
/// A file is closed before it has more bytes than this.
const FILE: usize = 16 << 20;
/// Most bytes of a line of many objects: a child's input has 256 KiB in all, and the request beside it.
const LINE: usize = 200_000;
/// What stands around the objects of a line.
const FRAME: (&[u8], &[u8]) = (b"{\"objects\":[", b"]}\n");

/// A file that is being filled.
struct File {
    folder: &'static str,
    bytes: Vec<u8>,
}

/// A line of many objects that is being filled.
#[derive(Default)]
struct Line {
    json: Vec<u8>,
    count: u32,
    bytes: u64,
}

/// Everything that a call writes and counts.
pub(crate) struct Lists {
    /// What was found by this call.
    pub found: Found,
    /// Names begin so: with the call's number, and a word of this very try, for one that was given up may still be writing.
    begin: String,
    files: [File; FOLDERS.len()],
    ways: Ways,
    /// Whether nothing but a plan is written.
    plans: bool,
    batch: Line,
    doomed: Line,
    full: VecDeque<(String, Bytes)>,
    names: Vec<String>,
    batch_objects: u32,
    batch_bytes: u64,
    budget: Option<Budget>,
    purse: Option<Purse>,
    /// What earlier calls gave out of it.
    spent: Tally,
}

impl Lists {
    /// Those of a call, behind others that found `before`.
    pub(crate) fn new(call: u32, asked: &Asked, before: &Found) -> Self {
        Self {
            found: Found::default(),
            begin: format!("{call:04}-{:08x}", fastrand::u32(..)),
            files: FOLDERS.map(|folder| File { folder, bytes: Vec::new() }),
            ways: asked.ways.clone(),
            plans: asked.request.sync.mode == Mode::Plan,
            batch: Line::default(),
            doomed: Line::default(),
            full: VecDeque::new(),
            names: Vec::new(),
            batch_objects: asked.request.sync.batch_objects,
            batch_bytes: asked.request.sync.batch_bytes,
            budget: asked.request.sync.budget,
            purse: asked.purse.clone().map(|purse| purse.behind(before)),
            spent: to_send(before),
        }
    }

    /// An object to send, its key at the destination, and its storage class.
    pub(crate) fn copy(&mut self, copy: PlanCopy, to: ObjectKey, class: Option<&str>) -> Result<(), Failure> {
        // A batch can not wait for hours: what has to be thawed goes alone.
        let small = !copy.archived && self.ways.is_small(copy.size, &copy.etag);
        if self.is_beyond(copy.size) || !self.pay(&copy, class, small) {
            return self.park(copy);
        }
        self.retrieve(class, copy.size);
        if self.plans {
            self.line(PLAN, &PlanLine::Copy(copy.clone()))?;
        }
        let PlanCopy { key, size, etag, version_id, replaces, .. } = copy;
        if small {
            self.ways.batched(&mut self.found, size);
            return self.small(&Item { key, size, etag, version_id, replaces });
        }
        self.ways.alone(&mut self.found, (size, &etag), version_id.is_none(), replaces.is_some());
        self.large(&Large { key, destination_key: to, size, version_id, etag: Some(etag), replaces })
    }

    /// Bytes of a storage class that may charge for being read.
    fn retrieve(&mut self, class: Option<&str>, size: u64) {
        if let Some(class) = class.filter(|class| *class != "STANDARD") {
            *self.found.retrieved.entry(class.to_owned()).or_default() += size;
        }
    }

    /// Whether the budget is used up for an object of this size. A smaller one may still have its place.
    fn is_beyond(&self, size: u64) -> bool {
        let mut moved = self.spent;
        add(&mut moved, to_send(&self.found));
        self.budget.is_some_and(|budget| !budget.has_room(moved, size))
    }

    /// Pays for an object, if there is a budget of dollars and it has room.
    fn pay(&mut self, copy: &PlanCopy, class: Option<&str>, small: bool) -> bool {
        let Some(purse) = &mut self.purse else { return true };
        let price = if small {
            purse.small(copy.size, class)
        } else {
            let (newest, replaces) = (copy.version_id.is_none(), copy.replaces.is_some());
            let count = |ways: &Ways, found: &mut Found| {
                ways.alone(found, (copy.size, &copy.etag), newest, replaces);
            };
            purse.large(copy.size, class, count)
        };
        if !purse.has_room(price, &self.found) {
            return false;
        }
        purse.spend(price);
        if small && self.batch.count == 0 {
            purse.spend_batch();
        }
        true
    }

    /// An object that another run may send. A plan that is executed leaves it out by the same reason.
    fn park(&mut self, PlanCopy { key, size, .. }: PlanCopy) -> Result<(), Failure> {
        self.found.parked.add(size);
        if self.plans {
            return self.line(PLAN, &PlanLine::Skip(PlanSkip { key, size, reason: BUDGET.to_owned() }));
        }
        self.line(4, &left_out(key, size, Outcome::Parked, BUDGET.to_owned()))
    }

    fn small(&mut self, item: &Item) -> Result<(), Failure> {
        self.found.small.add(item.size);
        let json = json(item)?;
        if self.batch.is_full(json.len(), item.size, (self.batch_objects, self.batch_bytes)) {
            self.end_batch();
            self.purse.iter_mut().for_each(Purse::spend_batch);
        }
        self.batch.add(&json, item.size);
        Ok(())
    }

    fn large(&mut self, large: &Large) -> Result<(), Failure> {
        self.found.large.add(large.size);
        if self.plans { Ok(()) } else { self.line(1, large) }
    }

    /// An object to delete.
    pub(crate) fn doom(&mut self, doomed: &Doomed) -> Result<(), Failure> {
        self.found.deletes.add(doomed.size);
        self.purse.iter_mut().for_each(Purse::spend_deletion);
        self.ways.deleted(&mut self.found);
        if self.plans {
            self.line(PLAN, &PlanLine::Delete(doomed.clone()))?;
        }
        let json = json(doomed)?;
        if self.doomed.is_full(json.len(), 0, (self.batch_objects, 0)) {
            self.end_doomed();
        }
        self.doomed.add(&json, 0);
        Ok(())
    }

    /// An object that is left out.
    pub(crate) fn skip(&mut self, skip: PlanSkip) -> Result<(), Failure> {
        self.found.skipped.entry(skip.reason.clone()).or_default().add(skip.size);
        if self.plans {
            return self.line(PLAN, &PlanLine::Skip(skip));
        }
        self.line(3, &left_out(skip.key, skip.size, Outcome::Skipped, skip.reason))
    }

    fn line(&mut self, file: usize, line: &impl Serialize) -> Result<(), Failure> {
        let mut json = json(line)?;
        json.push(b'\n');
        self.append(file, &[&json]);
        Ok(())
    }

    fn end_batch(&mut self) {
        let line = std::mem::take(&mut self.batch);
        self.found.batches += 1;
        self.ways.batch(&mut self.found);
        if !self.plans {
            self.append(0, &[FRAME.0, &line.json, FRAME.1]);
        }
    }

    fn end_doomed(&mut self) {
        let line = std::mem::take(&mut self.doomed);
        self.found.deletions += 1;
        self.purse.iter_mut().for_each(Purse::spend_deletions);
        if !self.plans {
            self.append(2, &[FRAME.0, &line.json, FRAME.1]);
        }
    }

    fn append(&mut self, file: usize, pieces: &[&[u8]]) {
        let len: usize = pieces.iter().map(|piece| piece.len()).sum();
        if self.files[file].bytes.len() + len > FILE {
            self.end_file(file);
        }
        pieces.iter().for_each(|piece| self.files[file].bytes.extend_from_slice(piece));
    }

    fn end_file(&mut self, file: usize) {
        let file = &mut self.files[file];
        if !file.bytes.is_empty() {
            let name = format!("{}/{}-{:05}.jsonl", file.folder, self.begin, self.names.len());
            self.names.push(name.clone());
            self.found.files += 1;
            self.full.push_back((name, std::mem::take(&mut file.bytes).into()));
        }
    }

    /// Ends every line and every file.
    pub(crate) fn close(&mut self) {
        if self.batch.count > 0 {
            self.end_batch();
        }
        if self.doomed.count > 0 {
            self.end_doomed();
        }
        (0..FOLDERS.len()).for_each(|file| self.end_file(file));
    }

    /// Whether a file waits to be written.
    pub(crate) fn is_full(&self) -> bool {
        !self.full.is_empty()
    }

    /// A file to write, and its name behind the run's prefix.
    pub(crate) fn take(&mut self) -> Option<(String, Bytes)> {
        self.full.pop_front()
    }

    /// Names of all files of this call.
    pub(crate) fn names(&self) -> &[String] {
        &self.names
    }

    /// Adds what this call found.
    pub(crate) fn add_to(&self, sum: &mut Found) {
        let found = &self.found;
        for (sum, found) in [
            (&mut sum.listed, found.listed),
            (&mut sum.destination, found.destination),
            (&mut sum.present, found.present),
            (&mut sum.parked, found.parked),
            (&mut sum.small, found.small),
            (&mut sum.large, found.large),
            (&mut sum.deletes, found.deletes),
        ] {
            add(sum, found);
        }
        for (sum, found) in [
            (&mut sum.batches, found.batches),
            (&mut sum.deletions, found.deletions),
            (&mut sum.files, found.files),
        ] {
            *sum += found;
        }
        sum.beside.add(&found.beside);
        for (class, work) in &found.classes {
            sum.classes.entry(*class).or_default().add(work);
        }
        for (class, bytes) in &found.retrieved {
            *sum.retrieved.entry(class.clone()).or_default() += bytes;
        }
        for (reason, found) in &found.skipped {
            add(sum.skipped.entry(reason.clone()).or_default(), *found);
        }
    }
}

/// The record of an object that List itself settles.
fn left_out(key: ObjectKey, size: u64, outcome: Outcome, reason: String) -> ObjectRecord {
    ObjectRecord { key, outcome, size, etag: None, duration_ms: 0, error: Some(reason), cause: None }
}

/// What was found to be sent.
fn to_send(found: &Found) -> Tally {
    let mut sum = found.small;
    add(&mut sum, found.large);
    sum
}

fn add(sum: &mut Tally, found: Tally) {
    sum.objects += found.objects;
    sum.bytes += found.bytes;
}

fn json(value: &impl Serialize) -> Result<Vec<u8>, Failure> {
    serde_json::to_vec(value).map_err(|error| ErrorName::Internal.because(format!("a list's line: {error}")))
}

impl Line {
    /// Whether one more object belongs to the next line.
    fn is_full(&self, json: usize, bytes: u64, (objects, most): (u32, u64)) -> bool {
        let length = FRAME.0.len() + self.json.len() + 1 + json + FRAME.1.len();
        self.count > 0
            && (self.count >= objects || self.bytes.saturating_add(bytes) > most && most > 0 || length > LINE)
    }

    fn add(&mut self, json: &[u8], bytes: u64) {
        if self.count > 0 {
            self.json.push(b',');
        }
        self.json.extend_from_slice(json);
        self.count += 1;
        self.bytes = self.bytes.saturating_add(bytes);
    }
}
