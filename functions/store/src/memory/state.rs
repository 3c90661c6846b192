//! What a store in memory holds: buckets, versions, uploads.

use std::collections::BTreeMap;

use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use bytes::Bytes;
use transload_wire::{Checksum, Etag, ObjectKey, Requests, UploadId, VersionId};

use crate::{StoreError, StoreErrorKind, Target, Verb, Written};

/// Everything behind one lock.
#[derive(Default)]
pub(super) struct State {
    pub(super) buckets: BTreeMap<String, Bucket>,
    pub(super) requests: Requests,
    /// Grows with every write: ids and times come from it, so that runs repeat exactly.
    ticks: u64,
}

#[derive(Default)]
pub(super) struct Bucket {
    pub(super) versioned: bool,
    pub(super) requester_pays: bool,
    /// Oldest version first.
    pub(super) objects: BTreeMap<ObjectKey, Vec<Version>>,
    pub(super) uploads: BTreeMap<(ObjectKey, UploadId), Upload>,
    /// Answers of completed uploads, for those who ask again.
    pub(super) completed: BTreeMap<UploadId, Written>,
}

#[derive(Clone)]
pub(super) struct Version {
    pub(super) id: Option<VersionId>,
    /// Absent in a delete marker.
    pub(super) content: Option<Content>,
}

/// One version's bytes and facts.
#[derive(Clone)]
pub(super) struct Content {
    pub(super) bytes: Bytes,
    pub(super) etag: Etag,
    pub(super) modified: String,
    pub(super) checksum: Option<Checksum>,
    pub(super) target: Target,
    /// Lengths of the parts; absent if it was put whole.
    pub(super) parts: Option<Vec<u64>>,
    pub(super) archived: bool,
    pub(super) customer_key: bool,
}

pub(super) struct Upload {
    pub(super) target: Target,
    pub(super) initiated: String,
    pub(super) initiator: String,
    pub(super) parts: BTreeMap<u32, Part>,
}

pub(super) struct Part {
    pub(super) bytes: Bytes,
    pub(super) etag: Etag,
    pub(super) checksum: Option<Checksum>,
    pub(super) modified: String,
}

impl State {
    pub(super) fn count(&mut self, verb: Verb) {
        *self.requests.entry(verb.as_str().to_owned()).or_default() += 1;
    }

    pub(super) fn bucket(&mut self, verb: Verb, name: &str) -> Result<&mut Bucket, StoreError> {
        self.buckets.get_mut(name).ok_or_else(|| {
            StoreError::new(StoreErrorKind::NoSuchBucket, format!("{verb} s3://{name}: no such bucket"))
        })
    }

    pub(super) fn tick(&mut self) -> u64 {
        self.ticks += 1;
        self.ticks
    }
}

/// An invented time: a second passes with every write, from 2026-01-01 on.
pub(super) fn time(tick: u64) -> String {
    let seconds = 1_767_225_600_i64.saturating_add_unsigned(tick);
    DateTime::from_secs(seconds).fmt(Format::DateTime).unwrap_or_default()
}

impl Bucket {
    /// The version asked for, or the newest.
    pub(super) fn version(&self, key: &ObjectKey, id: Option<&VersionId>) -> Option<&Version> {
        let versions = self.objects.get(key)?;
        match id {
            Some(id) => versions.iter().find(|version| version.id.as_ref() == Some(id)),
            None => versions.last(),
        }
    }

    /// The content of the version asked for, or of the newest.
    pub(super) fn version_mut(&mut self, key: &ObjectKey, id: Option<&VersionId>) -> Option<&mut Content> {
        let versions = self.objects.get_mut(key)?;
        let found = match id {
            Some(id) => versions.iter_mut().find(|version| version.id.as_ref() == Some(id)),
            None => versions.last_mut(),
        };
        found?.content.as_mut()
    }

    /// The newest version's content, unless it is a delete marker.
    pub(super) fn newest(&self, key: &ObjectKey) -> Option<&Content> {
        self.version(key, None)?.content.as_ref()
    }

    /// Makes a version the newest; without versioning it is the only one.
    pub(super) fn store(
        &mut self,
        key: &ObjectKey,
        content: Option<Content>,
        tick: u64,
    ) -> Option<VersionId> {
        let id = self.versioned.then(|| format!("v{tick:08}").parse().ok()).flatten();
        let versions = self.objects.entry(key.clone()).or_default();
        if !self.versioned {
            versions.clear();
        }
        if self.versioned || content.is_some() {
            versions.push(Version { id: id.clone(), content });
        }
        id
    }
}
