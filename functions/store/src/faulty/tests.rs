//! Faults have the effect they promise, on the very calls they name.

use bytes::Bytes;
use futures::{StreamExt, stream};
use transload_plan::ByteRange;
use transload_wire::Attributes;

use super::{BodyFault, Faulty};
use crate::memory::{MemoryConfig, MemoryStore};
use crate::{
    Condition, ObjectRef, PutBody, Store, StoreError, StoreErrorKind as Kind, StoredRef, Target, Verb,
    Written,
};

fn world() -> (MemoryStore, Faulty) {
    let memory = MemoryStore::new(MemoryConfig::default()).with_bucket("photos");
    (memory.clone(), Faulty::new(memory))
}

async fn put(store: &Faulty) -> Result<Written, StoreError> {
    let target = Target {
        bucket: "photos".parse().unwrap(),
        key: "a".parse().unwrap(),
        attributes: Attributes::default(),
        encryption: None,
        checksum_algorithm: None,
    };
    let frames = [Ok(Bytes::from_static(b"some ")), Ok(Bytes::from_static(b"bytes"))];
    let body = PutBody { len: 10, stream: stream::iter(frames).boxed(), md5: None, seen: None };
    store.put(&target, body, &Condition::Anything).await
}

#[tokio::test]
async fn a_refused_call_has_no_effect_and_a_lost_answer_has() {
    let (memory, store) = world();
    store.refuse(Verb::PutObject, 1..=1, Kind::Throttled);
    store.lose_answer(Verb::PutObject, 2..=2, Kind::Connection);
    assert_eq!(put(&store).await.unwrap_err().kind, Kind::Throttled);
    assert_eq!(memory.read("photos", "a"), None);
    assert_eq!(put(&store).await.unwrap_err().kind, Kind::Connection);
    assert_eq!(memory.read("photos", "a").unwrap(), "some bytes");
    assert!(put(&store).await.is_ok());
    assert_eq!((store.count(Verb::PutObject), store.calls().len()), (3, 3));
    assert_eq!(store.calls()[0].what, "s3://photos/a");
}

#[tokio::test(start_paused = true)]
async fn a_spoiled_body_that_is_sent_breaks_or_arrives_altered() {
    for (fault, kind) in [(BodyFault::Cut(7), Kind::Connection), (BodyFault::Stall(7), Kind::Stalled)] {
        let (memory, store) = world();
        store.spoil(Verb::PutObject, .., fault);
        assert_eq!(put(&store).await.unwrap_err().kind, kind);
        assert_eq!(memory.read("photos", "a"), None);
    }
    let (memory, store) = world();
    store.spoil(Verb::PutObject, .., BodyFault::Flip(6));
    put(&store).await.unwrap();
    assert_eq!(memory.read("photos", "a").unwrap(), "some bxtes");
}

#[tokio::test]
async fn acts_run_before_the_call() {
    let (memory, store) = world();
    let (etag, _) = memory.write("photos", "a", "old");
    let behind = memory.clone();
    store.before(Verb::GetObject, 2..=2, move || drop(behind.write("photos", "a", "new")));
    let (bucket, key) = ("photos".parse().unwrap(), "a".parse().unwrap());
    let object = ObjectRef::from(StoredRef { bucket, key, version: None, requester_pays: false });
    let get = async || store.get_range(&object, &etag, ByteRange { start: 0, len: 3 }, 3).await.map(|_| ());
    assert!(get().await.is_ok());
    assert_eq!(get().await.unwrap_err().kind, Kind::PreconditionFailed);
    store.heal();
    assert!(store.requests().contains_key("GetObject"));
}
