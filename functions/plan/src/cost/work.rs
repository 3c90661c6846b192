//! The requests that objects take, by the way they go, if nothing fails.
//!
//! Each number here is one that the functions really send: a test runs them and compares. Unknown beforehand are only tags:
//! an object that has some takes one more GET at the source.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{BatchBounds, Layout, PartSet, PlanError, batches};

/// Requests by operation of S3.
pub type Requests = BTreeMap<String, u64>;

/// Parts of a page of ListParts.
const PARTS_OF_A_PAGE: u64 = 1_000;

/// Requests at both ends.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Sides {
    /// At the source.
    pub source: Requests,
    /// At the destination.
    pub destination: Requests,
}

impl Sides {
    /// Adds the other's.
    pub fn add(&mut self, other: &Self) {
        merge(&mut self.source, &other.source);
        merge(&mut self.destination, &other.destination);
    }

    /// Counts requests at the source.
    pub fn at_source(&mut self, operation: &str, count: u64) {
        count_in(&mut self.source, operation, count);
    }

    /// Counts requests at the destination.
    pub fn at_destination(&mut self, operation: &str, count: u64) {
        count_in(&mut self.destination, operation, count);
    }
}

fn merge(sum: &mut Requests, other: &Requests) {
    other.iter().for_each(|(operation, count)| count_in(sum, operation, *count));
}

fn count_in(requests: &mut Requests, operation: &str, count: u64) {
    if count > 0 {
        *requests.entry(operation.to_owned()).or_default() += count;
    }
}

/// What stores and options make of every transfer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Manner {
    /// Whether the source's tags are carried.
    pub tags: bool,
    /// Whether a source without a checksum of its own is read twice.
    pub twice: bool,
    /// Whether the destination honours conditions of writes; where not, it is looked at before each.
    pub conditional: bool,
    /// Whether the answer of a write proves it; where not, it is read back.
    pub proves: bool,
    /// Whether uploads that an earlier execution parked are looked for.
    pub adopts: bool,
    /// Whether parts are cut as the source's were.
    pub as_the_source: bool,
}

impl Default for Manner {
    /// Of S3, with every option's default.
    fn default() -> Self {
        Self { tags: true, twice: false, conditional: true, proves: true, adopts: true, as_the_source: false }
    }
}

/// Objects of a class of size that are to be sent, and what they take.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct ClassWork {
    /// Objects.
    pub objects: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Objects of these that go in batches.
    pub batched: u64,
    /// Objects of these that go whole, in an execution each; all others go in parts, in an execution each.
    pub whole: u64,
    /// Parts.
    pub parts: u64,
    /// Objects whose parts are sent by one worker each.
    pub single: u64,
    /// Children that send the parts of all others.
    pub children: u64,
    /// Requests at the source.
    pub source: Requests,
    /// Requests at the destination.
    pub destination: Requests,
}

impl ClassWork {
    /// An object of a batch.
    pub fn batched(&mut self, size: u64, manner: &Manner) {
        self.object(size);
        self.batched += 1;
        self.one_write(manner, manner.proves);
    }

    /// An object that is sent whole by an execution of its own: Head looks at both ends, Copy reads back.
    pub fn whole(&mut self, size: u64, manner: &Manner) {
        self.object(size);
        self.whole += 1;
        self.looked_at(manner);
        self.one_write(manner, false);
    }

    /// An object that is sent in parts, by as many children as `bounds` make of them.
    ///
    /// # Errors
    /// Never for a layout that [`layout`](crate::layout) made.
    pub fn in_parts(
        &mut self,
        layout: &Layout,
        bounds: &BatchBounds,
        manner: &Manner,
    ) -> Result<(), PlanError> {
        let all: PartSet = (1..=layout.count()).collect();
        self.children += batches(layout, &all, bounds)?.len() as u64;
        self.parts_of(layout, manner);
        Ok(())
    }

    /// An object that is sent in parts by one worker.
    pub fn by_one_worker(&mut self, layout: &Layout, manner: &Manner) {
        self.single += 1;
        self.parts_of(layout, manner);
    }

    fn parts_of(&mut self, layout: &Layout, manner: &Manner) {
        self.object(layout.size());
        self.looked_at(manner);
        let parts = u64::from(layout.count());
        self.parts += parts;
        self.source("GetObject", if manner.twice { 2 * parts } else { parts });
        // Init: what another execution left, then a new upload.
        self.destination("ListMultipartUploads", u64::from(manner.adopts));
        self.destination("CreateMultipartUpload", 1);
        self.destination("UploadPart", parts);
        // Complete: all parts are listed, and the object is read back.
        self.destination("ListParts", parts.div_ceil(PARTS_OF_A_PAGE));
        self.destination("CompleteMultipartUpload", 1);
        self.destination("HeadObject", 1 + u64::from(!manner.conditional));
    }

    fn object(&mut self, size: u64) {
        self.objects += 1;
        self.bytes += size;
    }

    /// What Head asks before anything is written.
    fn looked_at(&mut self, manner: &Manner) {
        self.source("HeadObject", 1);
        self.destination("HeadObject", 1);
        self.source("GetObjectTagging", u64::from(manner.tags));
        self.source("GetObjectAttributes", u64::from(manner.as_the_source));
    }

    /// What a replaced object costs once more: both ends are looked at after the write.
    pub fn looked_at_again(&mut self) {
        self.source("HeadObject", 1);
        self.destination("HeadObject", 1);
    }

    fn one_write(&mut self, manner: &Manner, proven: bool) {
        self.source("GetObject", 1 + u64::from(manner.twice));
        self.destination("PutObject", 1);
        self.destination("HeadObject", u64::from(!proven) + u64::from(!manner.conditional));
    }

    fn source(&mut self, operation: &str, count: u64) {
        count_in(&mut self.source, operation, count);
    }

    fn destination(&mut self, operation: &str, count: u64) {
        count_in(&mut self.destination, operation, count);
    }

    /// Adds the other's.
    pub fn add(&mut self, other: &Self) {
        for (sum, count) in [
            (&mut self.objects, other.objects),
            (&mut self.bytes, other.bytes),
            (&mut self.batched, other.batched),
            (&mut self.whole, other.whole),
            (&mut self.parts, other.parts),
            (&mut self.single, other.single),
            (&mut self.children, other.children),
        ] {
            *sum += count;
        }
        merge(&mut self.source, &other.source);
        merge(&mut self.destination, &other.destination);
    }

    /// The same objects so many times: for tables of what could be.
    #[must_use]
    pub fn times(mut self, count: u64) -> Self {
        let numbers = [
            &mut self.objects,
            &mut self.bytes,
            &mut self.batched,
            &mut self.whole,
            &mut self.parts,
            &mut self.single,
            &mut self.children,
        ];
        numbers.into_iter().for_each(|number| *number *= count);
        self.source.values_mut().chain(self.destination.values_mut()).for_each(|number| *number *= count);
        self
    }

    /// Objects that have an execution each and go in parts.
    #[must_use]
    pub fn split(&self) -> u64 {
        self.objects.saturating_sub(self.batched + self.whole)
    }
}

#[cfg(test)]
mod tests {
    use super::{ClassWork, Manner};
    use crate::{BatchBounds, Limits, MIB, layout};

    fn parts(size: u64, manner: &Manner) -> ClassWork {
        let (mut work, layout) = (ClassWork::default(), layout(size, None, &Limits::default()).unwrap());
        work.in_parts(&layout, &BatchBounds::default(), manner).unwrap();
        work
    }

    #[test]
    fn a_large_object_takes_a_get_and_a_put_for_each_part_and_eight_more() {
        let work = parts(1_024 * MIB, &Manner::default());
        assert_eq!((work.parts, work.children, work.split()), (128, 64, 1));
        let all: u64 = work.source.values().chain(work.destination.values()).sum();
        assert_eq!(all, 2 * 128 + 8);
    }

    #[test]
    fn one_worker_sends_the_same_requests_without_children() {
        let layout = layout(128 * MIB, None, &Limits::default()).unwrap();
        let mut alone = ClassWork::default();
        alone.by_one_worker(&layout, &Manner::default());
        let many = parts(128 * MIB, &Manner::default());
        assert_eq!((alone.single, alone.children, alone.parts, alone.split()), (1, 0, 16, 1));
        assert_eq!((alone.source, alone.destination), (many.source, many.destination));
        assert_eq!(many.children, 16);
    }

    #[test]
    fn pages_of_parts_are_counted() {
        assert_eq!(parts(1_000 * 8 * MIB, &Manner::default()).destination["ListParts"], 1);
        assert_eq!(parts(1_001 * 8 * MIB, &Manner::default()).destination["ListParts"], 2);
    }

    #[test]
    fn a_store_without_conditions_is_looked_at_before_each_write() {
        let manner = Manner { conditional: false, proves: false, ..Manner::default() };
        let mut work = ClassWork::default();
        work.batched(10, &manner);
        assert_eq!(work.destination["HeadObject"], 2);
        assert_eq!(parts(64 * MIB, &manner).destination["HeadObject"], 3);
    }
}
