//! One suite that every store has to pass: what a transfer relies on, whatever is behind the trait.
//!
//! It writes below its own prefix, and leaves objects but no open uploads behind. Parts have the store's smallest
//! length, so that a store with small limits is tested quickly and a real one with parts of 5 MiB.

mod conditions;
mod listing;
mod multipart;
mod objects;
mod refusals;

use std::sync::Arc;

use bytes::Bytes;
use futures::{StreamExt, stream};
use transload_plan::{ByteRange, PartNumber};
use transload_wire::{Attributes, BucketName, Checksum, ChecksumAlgorithm, ErrorName, Failure, ObjectKey};

use crate::{
    Condition, Hasher, Head, ObjectRef, PutBody, Store, StoreError, StoreErrorKind, StoredRef, Target,
    UploadRef, Written,
};

/// A store under test.
#[derive(Clone)]
pub struct Subject {
    /// The store.
    pub store: Arc<dyn Store>,
    /// A bucket that exists.
    pub bucket: BucketName,
    /// A bucket that does not.
    pub missing_bucket: BucketName,
    /// What all keys begin with.
    pub prefix: String,
    /// Ends of keys whose object a store of others is known not to keep as it was put; of our own there are none.
    pub unkept: Vec<String>,
}

/// Runs the whole suite; panics with the name of what does not hold.
pub async fn run(subject: &Subject) {
    objects::run(subject).await;
    conditions::run(subject).await;
    multipart::run(subject).await;
    refusals::run(subject).await;
    listing::run(subject).await;
}

impl Subject {
    fn key(&self, name: &str) -> ObjectKey {
        format!("{}{name}", self.prefix).parse().expect("a key")
    }

    fn keeps(&self, name: &str) -> bool {
        self.store.takes(&self.key(name)) && self.unkept.iter().all(|other| other != name)
    }

    fn object(&self, name: &str) -> ObjectRef {
        ObjectRef::from(StoredRef {
            bucket: self.bucket.clone(),
            key: self.key(name),
            version: None,
            requester_pays: false,
        })
    }

    fn target(&self, name: &str) -> Target {
        Target {
            bucket: self.bucket.clone(),
            key: self.key(name),
            attributes: Attributes::default(),
            encryption: None,
            checksum_algorithm: self.algorithm(),
        }
    }

    fn algorithm(&self) -> Option<ChecksumAlgorithm> {
        self.store.checksums().first().copied()
    }

    /// Whether keys are paths of files: then no key is beneath another one, and no name is empty.
    fn keeps_files(&self) -> bool {
        !self.store.takes(&self.key("x//y"))
    }

    fn min_part(&self) -> usize {
        usize::try_from(self.store.limits().min_part).expect("a part that fits into memory")
    }

    async fn put(&self, name: &str, bytes: &[u8]) -> Written {
        let put = self.store.put(&self.target(name), body(bytes), &Condition::Anything).await;
        put.unwrap_or_else(|error| panic!("put {name}: {error}"))
    }

    async fn head(&self, name: &str) -> Head {
        let head = self.store.head(&self.object(name)).await;
        head.unwrap_or_else(|error| panic!("head {name}: {error}"))
    }

    async fn read(&self, name: &str, range: ByteRange) -> Bytes {
        let head = self.head(name).await;
        let ranged = self.store.get_range(&self.object(name), &head.etag, range, head.size).await;
        let ranged = ranged.unwrap_or_else(|error| panic!("get {name} {range}: {error}"));
        assert_eq!(ranged.range, range, "get {name}");
        collect(ranged.body).await.unwrap_or_else(|error| panic!("body of {name} {range}: {error}"))
    }

    async fn absent(&self, name: &str) -> bool {
        matches!(self.store.head(&self.object(name)).await, Err(error) if error.kind == StoreErrorKind::NotFound)
    }

    async fn create(&self, name: &str) -> UploadRef {
        let target = self.target(name);
        let created =
            self.store.create_upload(&target).await.unwrap_or_else(|error| panic!("create {name}: {error}"));
        created.upload(&target)
    }

    fn sum(&self, bytes: &[u8]) -> Option<Checksum> {
        self.algorithm().map(|algorithm| Hasher::sum(algorithm, bytes))
    }
}

/// Bytes that repeat only after 251, so that a shifted range is seen.
fn bytes(len: usize, seed: usize) -> Vec<u8> {
    (0..len).map(|n| ((n + seed) % 251) as u8).collect()
}

/// A body in frames of uneven lengths.
fn body(bytes: &[u8]) -> PutBody {
    let frames: Vec<_> = bytes.chunks(77_777).map(|frame| Ok(Bytes::copy_from_slice(frame))).collect();
    PutBody { len: bytes.len() as u64, stream: stream::iter(frames).boxed(), md5: None, seen: None }
}

/// A body that fails behind its first half.
fn failing(bytes: &[u8], name: ErrorName) -> PutBody {
    let half = Bytes::copy_from_slice(&bytes[..bytes.len() / 2]);
    let frames = [Ok(half), Err(name.because("the source ended"))];
    PutBody { len: bytes.len() as u64, stream: stream::iter(frames).boxed(), md5: None, seen: None }
}

async fn collect(mut body: crate::ObjectBody) -> Result<Bytes, StoreError> {
    let mut bytes = Vec::new();
    while let Some(frame) = body.next().await {
        bytes.extend_from_slice(&frame?);
    }
    Ok(bytes.into())
}

fn number(part: u32) -> PartNumber {
    PartNumber::new(part).expect("a part number")
}

/// The kind of a call that has to fail.
fn kind<T>(what: &str, answer: Result<T, StoreError>) -> StoreErrorKind {
    match answer {
        Ok(_) => panic!("{what}: expected a refusal, found success"),
        Err(error) => {
            assert!(!error.message.is_empty(), "{what}: a refusal without words");
            error.kind
        }
    }
}

/// The failure of a body, as the store has to hand it back.
fn failure(error: &StoreError) -> Option<&Failure> {
    std::error::Error::source(error)?.downcast_ref()
}
