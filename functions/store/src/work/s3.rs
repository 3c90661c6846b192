//! Files in a bucket of the workflow's own.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use futures::{StreamExt, TryStreamExt, stream};
use transload_plan::{ByteRange, PartNumber};
use transload_wire::{Attributes, BucketName, ErrorName, Failure, ObjectKey};

use super::{WorkBody, WorkFile, WorkFiles};
use crate::resume::{PinnedRange, pinned_stream};
use crate::s3::S3Store;
use crate::{
    Backoff, Complete, Condition, Deadline, PartRef, PutBody, Shelf, Side, Store, StoreError, StoredRef,
    Target, UploadRef, failure_of, prove,
};

/// Tries of one request with a body: the SDK repeats the others by itself.
const TRIES: u32 = 4;
/// Bytes of a part: what one stream holds in memory. Ten thousand of them are 78 GiB.
const PART: usize = 8 << 20;

/// Files in a bucket.
#[derive(Debug, Clone)]
pub struct S3Files {
    store: Arc<S3Store>,
    bucket: BucketName,
}

impl S3Files {
    /// Files in this bucket.
    #[must_use]
    pub fn new(store: Arc<S3Store>, bucket: BucketName) -> Self {
        Self { store, bucket }
    }

    fn object(&self, name: &str) -> Result<StoredRef, Failure> {
        super::check_name(name)?;
        let key =
            name.parse::<ObjectKey>().map_err(|error| ErrorName::Internal.because(error.to_string()))?;
        Ok(StoredRef { bucket: self.bucket.clone(), key, version: None, requester_pays: false })
    }

    fn target(&self, name: &str) -> Result<Target, Failure> {
        Ok(Target {
            bucket: self.bucket.clone(),
            key: self.object(name)?.key,
            attributes: Attributes::default(),
            encryption: None,
            checksum_algorithm: self.store.checksums().first().copied(),
        })
    }

    /// Sends the parts and completes the upload: its size.
    async fn send(&self, upload: &UploadRef, first: Bytes, mut body: WorkBody) -> Result<u64, Failure> {
        let (mut parts, mut part, mut size) = (Vec::new(), Some(first), 0);
        while let Some(bytes) = part {
            let number = PartNumber::new(u32::try_from(parts.len() + 1).unwrap_or(u32::MAX))?;
            let stored = again(|| self.store.upload_part(upload, number, whole(&bytes))).await?;
            let len = bytes.len() as u64;
            size += len;
            parts.push(PartRef { number, size: len, etag: stored.etag, checksum: stored.checksum });
            part = Some(next_part(&mut body).await?).filter(|bytes| !bytes.is_empty());
        }
        let complete = Complete { parts, size, checksum: None, condition: Condition::Anything };
        again(|| self.store.complete_upload(upload, &complete)).await.map(|_| size)
    }
}

/// The next part of a body; the last one is shorter.
async fn next_part(body: &mut WorkBody) -> Result<Bytes, Failure> {
    let mut part = BytesMut::new();
    while part.len() < PART {
        match body.next().await {
            Some(frame) => part.extend_from_slice(&frame?),
            None => break,
        }
    }
    Ok(part.freeze())
}

fn whole(bytes: &Bytes) -> PutBody {
    let (len, bytes) = (bytes.len() as u64, bytes.clone());
    PutBody { len, stream: stream::once(async { Ok(bytes) }).boxed(), md5: None, seen: None }
}

/// Repeats what may pass.
async fn again<T, F>(call: impl Fn() -> F) -> Result<T, Failure>
where
    F: Future<Output = Result<T, StoreError>>,
{
    let mut backoff = Backoff::of_tries(TRIES);
    loop {
        match call().await {
            Ok(answer) => return Ok(answer),
            Err(error) if error.is_transient() && backoff.pause(&Deadline::NONE).await => {}
            Err(error) => return Err(failure(error)),
        }
    }
}

/// What does not pass is not the source's nor the destination's: somebody has to look at the workflow's own bucket.
fn failure(error: StoreError) -> Failure {
    if error.is_transient() {
        return failure_of(error, Side::Destination);
    }
    ErrorName::WorkDenied.because(error.to_string()).caused_by(error)
}

/// The same of a failure that a read of the bucket was given by its side of a transfer.
fn of_read(failure: Failure) -> Failure {
    if failure.is_transient() {
        return failure;
    }
    ErrorName::WorkDenied.because(failure.message.clone()).caused_by(failure)
}

#[async_trait]
impl WorkFiles for S3Files {
    fn bucket(&self) -> &str {
        self.bucket.as_str()
    }

    async fn put(&self, name: &str, bytes: Bytes) -> Result<(), Failure> {
        let target = self.target(name)?;
        again(|| self.store.put(&target, whole(&bytes), &Condition::Anything)).await.map(drop)
    }

    async fn put_stream(&self, name: &str, mut body: WorkBody) -> Result<u64, Failure> {
        let first = next_part(&mut body).await?;
        if first.len() < PART {
            let len = first.len() as u64;
            return self.put(name, first).await.map(|()| len);
        }
        let target = self.target(name)?;
        let created = again(|| self.store.create_upload(&target)).await?;
        let upload = created.upload(&target);
        let sent = self.send(&upload, first, body).await;
        if sent.is_err() {
            // The failure is the one to tell; what can not be aborted now, the bucket's lifecycle rule removes.
            drop(self.store.abort_upload(&upload).await);
        }
        sent
    }

    async fn get(&self, name: &str) -> Result<Option<WorkBody>, Failure> {
        let object = self.object(name)?;
        let head = match self.store.head(&object.clone().into()).await {
            Err(error) if prove::is_nothing(&error) => return Ok(None),
            head => head.map_err(failure)?,
        };
        if head.size == 0 {
            return Ok(Some(stream::empty().boxed()));
        }
        let range = ByteRange { start: 0, len: head.size };
        let pinned = PinnedRange { object: object.into(), etag: head.etag, range, total: head.size };
        let (body, _) = pinned_stream(Arc::<S3Store>::clone(&self.store), pinned, Deadline::NONE);
        Ok(Some(body.map_err(of_read).boxed()))
    }

    async fn list(&self, prefix: &str) -> Result<Vec<WorkFile>, Failure> {
        let shelf = Shelf { bucket: self.bucket.clone(), prefix: prefix.to_owned(), requester_pays: false };
        let (mut files, mut after) = (Vec::new(), String::new());
        loop {
            let page = again(|| self.store.list_objects(&shelf, &after, 1_000)).await?;
            let found = page.objects.into_iter();
            files.extend(found.map(|object| WorkFile { name: object.key.to_string(), size: object.size }));
            match page.next {
                Some(next) => after = next,
                None => return Ok(files),
            }
        }
    }

    async fn delete(&self, name: &str) -> Result<(), Failure> {
        let object = self.object(name)?;
        again(|| self.store.remove(&object.bucket, &object.key)).await
    }
}
