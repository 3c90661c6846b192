//! Reading verbs of a store in memory.

use bytes::Bytes;
use transload_plan::{ByteRange, Run};
use transload_wire::{BucketName, Etag};

use super::state::{Content, State};
use crate::{Head, StoreError, StoreErrorKind as Kind, StoredRef, Verb};

impl State {
    /// Counts a request and refuses an unknown bucket.
    pub(super) fn begin(&mut self, verb: Verb, bucket: &BucketName) -> Result<(), StoreError> {
        self.count(verb);
        self.bucket(verb, bucket.as_str()).map(|_| ())
    }

    /// The content of the version asked for.
    pub(super) fn content(&mut self, verb: Verb, object: &StoredRef) -> Result<&Content, StoreError> {
        let bucket = self.bucket(verb, object.bucket.as_str())?;
        let refuse = |kind, why: &str| Err(StoreError::new(kind, format!("{verb} {object}: {why}")));
        if bucket.requester_pays && !object.requester_pays {
            return refuse(Kind::AccessDenied, "the requester has to pay");
        }
        match bucket.version(&object.key, object.version.as_ref()) {
            None => refuse(Kind::NotFound, "no such key or version"),
            Some(version) => match &version.content {
                None => refuse(Kind::DeleteMarker, "the version is a delete marker"),
                Some(content) if content.customer_key => {
                    refuse(Kind::NeedsSseC, "encrypted with a key of the client's own")
                }
                Some(content) => Ok(content),
            },
        }
    }

    pub(super) fn head(&mut self, object: &StoredRef) -> Result<Head, StoreError> {
        self.count(Verb::HeadObject);
        self.facts_of(object)
    }

    fn facts_of(&mut self, object: &StoredRef) -> Result<Head, StoreError> {
        let content = self.content(Verb::HeadObject, object)?.clone();
        let version = self
            .bucket(Verb::HeadObject, object.bucket.as_str())?
            .version(&object.key, object.version.as_ref());
        let mut attributes = content.target.attributes;
        let tags = std::mem::take(&mut attributes.tags).len();
        Ok(Head {
            size: content.bytes.len() as u64,
            etag: content.etag,
            version: version.and_then(|version| version.id.clone()),
            last_modified: content.modified,
            checksum: content.checksum,
            attributes,
            tag_count: (tags > 0).then_some(u32::try_from(tags).unwrap_or(u32::MAX)),
            missing_metadata: 0,
            archived: content.archived,
        })
    }

    pub(super) fn open(
        &mut self,
        object: &StoredRef,
        etag: &Etag,
        total: u64,
    ) -> Result<(Head, Bytes), StoreError> {
        let bytes = self.get_range(object, etag, ByteRange { start: 0, len: total }, total)?;
        Ok((self.facts_of(object)?, bytes))
    }

    pub(super) fn source_parts(
        &mut self,
        object: &StoredRef,
        head: &Head,
    ) -> Result<Option<Vec<Run>>, StoreError> {
        self.count(Verb::GetObjectAttributes);
        let content = self.content(Verb::GetObjectAttributes, object)?;
        if content.etag != head.etag {
            return Err(changed(Verb::GetObjectAttributes, object, &head.etag, content));
        }
        Ok(content
            .parts
            .as_ref()
            .map(|lengths| lengths.iter().map(|length| Run { length: *length, count: 1 }).collect()))
    }

    pub(super) fn get_range(
        &mut self,
        object: &StoredRef,
        etag: &Etag,
        range: ByteRange,
        total: u64,
    ) -> Result<Bytes, StoreError> {
        self.count(Verb::GetObject);
        let content = self.content(Verb::GetObject, object)?;
        if content.archived {
            return Err(StoreError::new(Kind::Archived, format!("GetObject {object}: in an archive tier")));
        }
        if content.etag != *etag {
            return Err(changed(Verb::GetObject, object, etag, content));
        }
        let size = content.bytes.len() as u64;
        let window = usize::try_from(range.start).ok().zip(usize::try_from(range.end()).ok());
        match window {
            Some((start, end)) if range.end() <= size && size == total => Ok(content.bytes.slice(start..end)),
            _ => Err(StoreError::new(
                Kind::WrongRange,
                format!("GetObject {object}: expected {range} of {total} bytes, found an object of {size}"),
            )),
        }
    }
}

fn changed(verb: Verb, object: &StoredRef, expected: &Etag, found: &Content) -> StoreError {
    StoreError::new(
        Kind::PreconditionFailed,
        format!("{verb} {object}: expected ETag {expected}, found {}", found.etag),
    )
}
