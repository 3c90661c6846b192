//! The contract, for each way of sending bodies.

use std::sync::Arc;

use bytes::Bytes;
use transload_wire::ChecksumAlgorithm;

use super::{body, builder, object, settings, strict, subject, target};
use crate::contract::{self, Subject};
use crate::location::Locations;
use crate::s3::{Capabilities, S3Settings, S3Store};
use crate::{Condition, Hasher, PutBody, Store, StoreErrorKind};

#[tokio::test]
async fn s3_with_trailers_keeps_the_contract() {
    let (_server, store) = strict().await;
    contract::run(&subject(store.clone(), "photos")).await;
    contract::run(&subject(store, "photos-versioned")).await;
}

#[tokio::test]
async fn other_checksums_keep_the_contract() {
    for algorithm in [ChecksumAlgorithm::Crc32c, ChecksumAlgorithm::Crc32] {
        let (server, _) = strict().await;
        let mut settings = settings(&server);
        settings.capabilities.checksums = vec![algorithm];
        contract::run(&subject(Arc::new(S3Store::new(settings)), "photos")).await;
    }
}

/// What a server refuses that knows neither checksums nor trailers nor conditions.
fn bare() -> strict_s3::Capabilities {
    strict_s3::Capabilities {
        crc64nvme: false,
        checksums: false,
        trailers: false,
        conditional_writes: false,
        ..strict_s3::Capabilities::default()
    }
}

/// Such a server keeps the contract, by a client that relies on these.
async fn kept_without_extras(
    has: strict_s3::Capabilities,
    checksums: Vec<ChecksumAlgorithm>,
    etag_md5: bool,
) {
    let server = builder().capabilities(has).start().await.unwrap();
    let capabilities = Capabilities {
        limits: super::limits(),
        checksums,
        trailers: false,
        conditional_writes: false,
        etag_md5,
    };
    let settings = S3Settings { capabilities, ..settings(&server) };
    contract::run(&subject(Arc::new(S3Store::new(settings)), "photos")).await;
}

#[tokio::test]
async fn s3_without_extras_keeps_the_contract() {
    let has = strict_s3::Capabilities { no_such_upload_after_complete: true, ..bare() };
    kept_without_extras(has, Vec::new(), true).await;
}

/// A store that is told no checksum and tells one.
#[tokio::test]
async fn s3_with_a_checksum_that_is_only_told_keeps_the_contract() {
    let has = strict_s3::Capabilities { crc64ecma: true, ..bare() };
    kept_without_extras(has, vec![ChecksumAlgorithm::Crc64Xz], false).await;
}

/// A store as strict as Amazon's, told to take CRC32C and no trailers.
async fn ahead() -> (strict_s3::Server, Arc<S3Store>) {
    let server = super::builder().start().await.unwrap();
    let capabilities = Capabilities {
        limits: super::limits(),
        checksums: vec![ChecksumAlgorithm::Crc32c],
        trailers: false,
        ..Capabilities::default()
    };
    let store = S3Store::new(S3Settings { capabilities, ..settings(&server) });
    (server, Arc::new(store))
}

#[tokio::test]
async fn a_store_without_trailers_keeps_the_contract() {
    let (_server, store) = ahead().await;
    contract::run(&subject(store, "photos")).await;
}

#[tokio::test]
async fn a_store_without_trailers_is_told_the_checksum_ahead() {
    let (_server, store) = ahead().await;
    for bytes in [super::content(), Bytes::new()] {
        let mut hasher = Hasher::new(ChecksumAlgorithm::Crc32c);
        hasher.update(&bytes);
        let expected = Some(hasher.finish());
        let written = store.put(&target(&store, "b"), body(bytes), &Condition::Anything).await.unwrap();
        assert_eq!(written.checksum, expected);
        assert_eq!(store.head(&object("b")).await.unwrap().checksum, expected);
    }
}

#[tokio::test]
async fn what_is_too_large_to_be_gathered_is_refused_before_it_is_sent() {
    let (_server, store) = ahead().await;
    let large = PutBody { len: crate::s3::gather::MOST + 1, ..body(super::content()) };
    let refused = store.put(&target(&store, "b"), large, &Condition::Anything).await.unwrap_err();
    assert_eq!(refused.kind, StoreErrorKind::Unsupported, "{refused}");
    assert!(refused.message.contains("expected at most 16777216 bytes in one request"), "{refused}");
    assert_eq!(store.requests().get("PutObject"), None);
}

/// Against a real store, when `TRANSLOAD_TEST_LOCATIONS` names a locations file: each of its locations, in the bucket
/// `TRANSLOAD_TEST_BUCKET`. Ends of keys that it does not keep stand in `TRANSLOAD_TEST_UNKEPT`, between blanks.
#[tokio::test]
async fn a_real_store_keeps_the_contract() {
    let variable = |name: &str| std::env::var(format!("TRANSLOAD_TEST_{name}")).ok();
    let Some(file) = variable("LOCATIONS") else {
        println!("skipped: TRANSLOAD_TEST_LOCATIONS is not set");
        return;
    };
    let bucket = variable("BUCKET").unwrap();
    let unkept: Vec<String> =
        variable("UNKEPT").iter().flat_map(|names| names.split(' ')).map(str::to_owned).collect();
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_nanos();
    let locations = Locations::from_toml(&std::fs::read_to_string(file).unwrap()).unwrap();
    for (name, location) in locations.locations {
        let store = Arc::new(S3Store::new(location.settings(name.as_str()).unwrap()));
        let prefix = format!("transload-contract/{now}/");
        contract::run(&Subject { prefix, unkept: unkept.clone(), ..subject(store, &bucket) }).await;
    }
}
