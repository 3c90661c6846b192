//! A test's own hands: what it may do to a store behind its back. Nothing here is counted as a request.

use bytes::{Bytes, BytesMut};
use transload_wire::{Attributes, BucketName, Etag, ObjectKey, UploadId, VersionId};

use super::MemoryStore;
use super::state::{Content, State};
use super::write;
use crate::{Condition, Head, StoreError, StoreErrorKind, StoredRef, Target, Verb};

impl MemoryStore {
    /// Adds a bucket without versions.
    #[must_use]
    pub fn with_bucket(self, name: &str) -> Self {
        self.lock().buckets.entry(name.to_owned()).or_default();
        self
    }

    /// Adds a bucket with versions.
    #[must_use]
    pub fn with_versions(self, name: &str) -> Self {
        self.lock().buckets.entry(name.to_owned()).or_default().versioned = true;
        self
    }

    /// Lets requests that do not agree to pay be refused.
    #[must_use]
    pub fn with_requester_pays(self, name: &str) -> Self {
        self.lock().buckets.entry(name.to_owned()).or_default().requester_pays = true;
        self
    }

    /// Puts an object, whatever is there. The bucket is made if there is none.
    ///
    /// # Panics
    /// If the bucket or the key is no name of its kind: a mistake in the test.
    pub fn write(&self, bucket: &str, key: &str, bytes: impl Into<Bytes>) -> (Etag, Option<VersionId>) {
        self.write_with(bucket, key, bytes, Attributes::default())
    }

    /// Puts an object with attributes.
    ///
    /// # Panics
    /// If a name is none, or the attributes break a limit: a mistake in the test.
    #[allow(clippy::expect_used)] // The caller is a test, and the mistake is its own.
    pub fn write_with(
        &self,
        bucket: &str,
        key: &str,
        bytes: impl Into<Bytes>,
        attributes: Attributes,
    ) -> (Etag, Option<VersionId>) {
        let target = Target {
            bucket: bucket.parse().expect("a bucket's name"),
            key: key.parse().expect("a key"),
            attributes,
            encryption: None,
            checksum_algorithm: None,
        };
        let mut state = self.lock();
        state.buckets.entry(bucket.to_owned()).or_default();
        let written = write::put(&self.config, &mut state, &target, bytes.into(), &Condition::Anything)
            .expect("attributes within S3's limits");
        (written.etag, written.version)
    }

    /// Bytes of the newest version.
    #[must_use]
    pub fn read(&self, bucket: &str, key: &str) -> Option<Bytes> {
        self.look(bucket, key, |content| content.bytes.clone())
    }

    /// Facts of the newest version, tags included in its attributes.
    #[must_use]
    pub fn facts(&self, bucket: &str, key: &str) -> Option<Head> {
        let object = object(bucket, key).ok()?;
        let mut state = self.lock();
        let counted = state.requests.clone();
        let mut head = state.head(&object).ok()?;
        state.requests = counted;
        head.attributes.tags = state.content(Verb::HeadObject, &object).ok()?.target.attributes.tags.clone();
        Some(head)
    }

    /// Keys of the bucket whose newest version is no delete marker.
    #[must_use]
    pub fn keys(&self, bucket: &str) -> Vec<ObjectKey> {
        let state = self.lock();
        let Some(bucket) = state.buckets.get(bucket) else { return Vec::new() };
        bucket.objects.keys().filter(|key| bucket.newest(key).is_some()).cloned().collect()
    }

    /// Deletes the newest version: a delete marker in a bucket with versions.
    pub fn delete(&self, bucket: &str, key: &str) {
        let mut state = self.lock();
        let tick = state.tick();
        if let (Some(bucket), Ok(key)) = (state.buckets.get_mut(bucket), key.parse()) {
            bucket.store(&key, None, tick);
        }
    }

    /// Removes one version for good.
    pub fn delete_version(&self, bucket: &str, key: &str, version: &VersionId) {
        if let (Some(bucket), Ok(key)) = (self.lock().buckets.get_mut(bucket), key.parse())
            && let Some(versions) = bucket.objects.get_mut(&key)
        {
            versions.retain(|found| found.id.as_ref() != Some(version));
        }
    }

    /// Open uploads: key, id and the numbers of the parts that are there.
    #[must_use]
    pub fn open_uploads(&self, bucket: &str) -> Vec<(ObjectKey, UploadId, Vec<u32>)> {
        let state = self.lock();
        let uploads = state.buckets.get(bucket).map(|bucket| &bucket.uploads);
        let listed = uploads.into_iter().flatten();
        listed
            .map(|((key, id), upload)| (key.clone(), id.clone(), upload.parts.keys().copied().collect()))
            .collect()
    }

    /// Inverts the lowest bit of a stored byte; ETag and checksum stay as they are, as with a rotten disk.
    pub fn flip(&self, bucket: &str, key: &str, at: usize) {
        self.change(bucket, key, |content| content.bytes = flipped(&content.bytes, at));
    }

    /// Inverts the lowest bit of a byte of a part that is already uploaded.
    pub fn flip_part(&self, bucket: &str, upload: &UploadId, part: u32, at: usize) {
        if let Some(bucket) = self.lock().buckets.get_mut(bucket) {
            let uploads = bucket.uploads.iter_mut().filter(|((_, id), _)| id == upload);
            for part in uploads.filter_map(|(_, upload)| upload.parts.get_mut(&part)) {
                part.bytes = flipped(&part.bytes, at);
            }
        }
    }

    /// Moves the newest version into an archive tier, or back.
    pub fn set_archived(&self, bucket: &str, key: &str, archived: bool) {
        self.change(bucket, key, |content| content.archived = archived);
    }

    /// Lets the newest version need a key of the client's own (SSE-C).
    pub fn set_customer_key(&self, bucket: &str, key: &str) {
        self.change(bucket, key, |content| content.customer_key = true);
    }

    /// Takes the checksum off the newest version, as of an object written by an old client.
    pub fn forget_checksum(&self, bucket: &str, key: &str) {
        self.change(bucket, key, |content| content.checksum = None);
    }

    /// Lets the newest version look as if it had been uploaded in parts of these lengths.
    pub fn set_parts(&self, bucket: &str, key: &str, lengths: &[u64]) {
        self.change(bucket, key, |content| content.parts = Some(lengths.to_vec()));
    }

    fn look<T>(&self, bucket: &str, key: &str, at: impl FnOnce(&Content) -> T) -> Option<T> {
        self.lock().buckets.get(bucket)?.newest(&key.parse().ok()?).map(at)
    }

    fn change(&self, bucket: &str, key: &str, how: impl FnOnce(&mut Content)) {
        let mut state = self.lock();
        if let Some(content) = newest_mut(&mut state, bucket, key) {
            how(content);
        }
    }
}

fn newest_mut<'a>(state: &'a mut State, bucket: &str, key: &str) -> Option<&'a mut Content> {
    state.buckets.get_mut(bucket)?.objects.get_mut(&key.parse().ok()?)?.last_mut()?.content.as_mut()
}

fn object(bucket: &str, key: &str) -> Result<StoredRef, StoreError> {
    let refuse =
        |error: transload_wire::NameError| StoreError::new(StoreErrorKind::InvalidRequest, error.to_string());
    let (bucket, key) =
        (bucket.parse::<BucketName>().map_err(refuse)?, key.parse::<ObjectKey>().map_err(refuse)?);
    // A test may look without paying.
    Ok(StoredRef { bucket, key, version: None, requester_pays: true })
}

fn flipped(bytes: &Bytes, at: usize) -> Bytes {
    let mut copy = BytesMut::from(&bytes[..]);
    if let Some(byte) = copy.get_mut(at) {
        *byte ^= 1;
    }
    copy.freeze()
}
