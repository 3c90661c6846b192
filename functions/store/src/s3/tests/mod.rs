//! S3 over real sockets: the contract against a strict server, each hole of the SDK, each thing that can break.

mod broken_reads;
mod broken_writes;
mod contracts;
mod credentials;
mod listing;
mod probing;
mod reading;
mod resuming;
mod work;

use std::sync::Arc;
use std::time::Duration;

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use bytes::Bytes;
use futures::{StreamExt, stream};
use strict_s3::{BucketOptions, FaultPlan, Rule, Server};
use transload_plan::{ByteRange, Limits};
use transload_wire::{Attributes, Etag};

use super::{Capabilities, CredentialsSource, Patience, S3Settings, S3Store};
use crate::contract::Subject;
use crate::{ObjectRef, PutBody, Store, StoreError, StoredRef, Target};

const LEAST_PART: u64 = 1_000;

/// Patience of tests: what would stall for seconds stalls for tenths.
fn patience() -> Patience {
    Patience { stall: Duration::from_millis(300), answer: Duration::from_secs(5), ..Patience::default() }
}

fn limits() -> Limits {
    Limits { min_part: LEAST_PART, default_part: LEAST_PART, ..Limits::default() }
}

fn settings(server: &Server) -> S3Settings {
    let credentials = Credentials::new("AKIDTEST", "a secret of the test", None, None, "test");
    S3Settings {
        name: "test".to_owned(),
        partition: None,
        region: Some(server.region().to_owned()),
        endpoint: Some(server.endpoint()),
        path_style: true,
        expected_bucket_owner: Some(strict_s3::DEFAULT_OWNER.to_owned()),
        credentials: CredentialsSource::Provider(SharedCredentialsProvider::new(credentials)),
        capabilities: Capabilities { limits: limits(), ..Capabilities::default() },
        patience: patience(),
        user_agent: Some("transload".to_owned()),
    }
}

fn builder() -> strict_s3::Builder {
    Server::builder()
        .credentials("AKIDTEST", "a secret of the test")
        .bucket("photos", BucketOptions::default())
        .bucket("photos-versioned", BucketOptions::versioned())
        .limits(strict_s3::Limits { min_part: LEAST_PART, ..strict_s3::Limits::default() })
}

/// A server as strict as Amazon's, and a store that talks to it.
async fn strict() -> (Server, Arc<S3Store>) {
    let server = builder().start().await.unwrap();
    let store = Arc::new(S3Store::new(settings(&server)));
    (server, store)
}

/// The same, with an object of 100,000 bytes under `a` and these faults.
async fn with_faults(rules: impl IntoIterator<Item = Rule>) -> (Server, Arc<S3Store>, Etag) {
    let (server, store) = strict().await;
    let etag = server.direct().put("photos", "a", content()).unwrap().parse().unwrap();
    server.set_faults(rules.into_iter().fold(FaultPlan::none(), FaultPlan::rule));
    (server, store, etag)
}

fn content() -> Bytes {
    (0..100_000).map(|n: u32| (n % 251) as u8).collect::<Vec<_>>().into()
}

fn subject(store: Arc<dyn Store>, bucket: &str) -> Subject {
    let (bucket, missing_bucket) = (bucket.parse().unwrap(), "not-there".parse().unwrap());
    Subject { store, bucket, missing_bucket, prefix: "contract/".to_owned(), unkept: Vec::new() }
}

fn object(key: &str) -> ObjectRef {
    ObjectRef::from(StoredRef {
        bucket: "photos".parse().unwrap(),
        key: key.parse().unwrap(),
        version: None,
        requester_pays: false,
    })
}

fn target(store: &S3Store, key: &str) -> Target {
    Target {
        bucket: "photos".parse().unwrap(),
        key: key.parse().unwrap(),
        attributes: Attributes::default(),
        encryption: None,
        checksum_algorithm: store.checksums().first().copied(),
    }
}

fn body(bytes: impl Into<Bytes>) -> PutBody {
    let bytes = bytes.into();
    PutBody { len: bytes.len() as u64, stream: stream::iter([Ok(bytes)]).boxed(), md5: None, seen: None }
}

const RANGE: ByteRange = ByteRange { start: 10, len: 50_000 };

/// Reads [`RANGE`] of the object `a` to its end.
async fn read(store: &S3Store, etag: &Etag) -> Result<Vec<u8>, StoreError> {
    let mut ranged = store.get_range(&object("a"), etag, RANGE, 100_000).await?;
    let mut bytes = Vec::new();
    while let Some(frame) = ranged.body.next().await {
        bytes.extend_from_slice(&frame?);
    }
    Ok(bytes)
}
