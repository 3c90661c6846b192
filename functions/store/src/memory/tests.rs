//! The contract, and what only a store in memory offers.

use std::sync::Arc;

use transload_plan::{ByteRange, Limits};
use transload_wire::ChecksumAlgorithm;

use super::{MemoryConfig, MemoryStore};
use crate::contract::{self, Subject};
use crate::faulty::Faulty;
use crate::{ObjectRef, Store, StoreErrorKind as Kind, StoredRef};

fn small() -> MemoryConfig {
    let limits = Limits { min_part: 1_000, default_part: 1_000, ..Limits::default() };
    MemoryConfig { limits, page: 2, frame: 10_000, ..MemoryConfig::default() }
}

fn subject(store: Arc<dyn Store>, bucket: &str) -> Subject {
    let (bucket, missing_bucket) = (bucket.parse().unwrap(), "not-there".parse().unwrap());
    Subject { store, bucket, missing_bucket, prefix: "contract/".to_owned(), unkept: Vec::new() }
}

#[tokio::test]
async fn memory_keeps_the_contract() {
    contract::run(&subject(Arc::new(MemoryStore::new(small()).with_bucket("plain")), "plain")).await;
    contract::run(&subject(Arc::new(MemoryStore::new(small()).with_versions("versioned")), "versioned"))
        .await;
}

#[tokio::test]
async fn memory_without_checksums_and_conditions_keeps_the_contract() {
    let config =
        MemoryConfig { checksums: Vec::new(), conditional_writes: false, completes_again: false, ..small() };
    contract::run(&subject(Arc::new(MemoryStore::new(config).with_bucket("plain")), "plain")).await;
}

#[tokio::test]
async fn other_checksums_keep_the_contract() {
    for algorithm in ChecksumAlgorithm::COMBINABLE {
        let config = MemoryConfig { checksums: vec![algorithm], ..small() };
        contract::run(&subject(Arc::new(MemoryStore::new(config).with_bucket("plain")), "plain")).await;
    }
}

#[tokio::test]
async fn a_decorator_without_faults_keeps_the_contract() {
    let store = Faulty::new(MemoryStore::new(small()).with_bucket("plain"));
    contract::run(&subject(Arc::new(store), "plain")).await;
}

fn object(key: &str) -> ObjectRef {
    ObjectRef::from(StoredRef {
        bucket: "photos".parse().unwrap(),
        key: key.parse().unwrap(),
        version: None,
        requester_pays: false,
    })
}

#[tokio::test]
async fn versions_outlive_overwriting_and_deleting() {
    let store = MemoryStore::new(small()).with_versions("photos");
    let (etag, version) = store.write("photos", "a", "old");
    store.write("photos", "a", "newer");
    store.delete("photos", "a");
    assert_eq!(store.head(&object("a")).await.unwrap_err().kind, Kind::DeleteMarker);
    assert!(store.keys("photos").is_empty());
    let pinned =
        ObjectRef::from(StoredRef { version: version.clone(), ..object("a").stored().unwrap().clone() });
    assert_eq!(store.head(&pinned).await.unwrap().size, 3);
    assert!(store.get_range(&pinned, &etag, ByteRange { start: 0, len: 3 }, 3).await.is_ok());
    store.delete_version("photos", "a", &version.unwrap());
    assert_eq!(store.head(&pinned).await.unwrap_err().kind, Kind::NotFound);
}

#[tokio::test]
async fn what_a_source_may_refuse_can_be_set_up() {
    let store = MemoryStore::new(small()).with_requester_pays("paid");
    for key in ["archived", "customer"] {
        store.write("photos", key, "x");
    }
    store.set_archived("photos", "archived", true);
    store.set_customer_key("photos", "customer");
    let head = store.head(&object("archived")).await.unwrap();
    assert!(head.archived);
    let read = store.get_range(&object("archived"), &head.etag, ByteRange { start: 0, len: 1 }, 1).await;
    assert_eq!(read.err().map(|error| error.kind), Some(Kind::Archived));
    assert_eq!(store.head(&object("customer")).await.unwrap_err().kind, Kind::NeedsSseC);

    store.write("paid", "a", "x");
    let stingy = ObjectRef::from(StoredRef {
        bucket: "paid".parse().unwrap(),
        ..object("a").stored().unwrap().clone()
    });
    assert_eq!(store.head(&stingy).await.unwrap_err().kind, Kind::AccessDenied);
    assert!(
        store
            .head(&ObjectRef::from(StoredRef { requester_pays: true, ..stingy.stored().unwrap().clone() }))
            .await
            .is_ok()
    );
}

#[test]
fn a_flipped_byte_keeps_etag_and_checksum() {
    let store = MemoryStore::new(small());
    store.write("photos", "a", "abc");
    let before = store.facts("photos", "a").unwrap();
    store.flip("photos", "a", 1);
    assert_eq!(store.read("photos", "a").unwrap(), "acc");
    assert_eq!(store.facts("photos", "a").unwrap(), before);
}
