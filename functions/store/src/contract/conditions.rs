//! Pins of reads, and conditions of writes.

use transload_plan::ByteRange;
use transload_wire::Etag;

use super::{Subject, body, bytes, kind};
use crate::{Condition, ObjectRef, StoreErrorKind as Kind, StoredRef};

pub(super) async fn run(subject: &Subject) {
    a_read_is_pinned_by_its_etag(subject).await;
    only_what_was_listed_is_deleted(subject).await;
    if subject.store.conditional_writes() {
        a_write_takes_effect_only_if_its_condition_holds(subject).await;
    }
}

async fn a_read_is_pinned_by_its_etag(subject: &Subject) {
    let before = subject.put("pinned", &bytes(1_000, 1)).await;
    subject.put("pinned", &bytes(1_000, 2)).await;
    let read = subject
        .store
        .get_range(&subject.object("pinned"), &before.etag, ByteRange { start: 0, len: 10 }, 1_000)
        .await;
    assert_eq!(kind("a read of what was overwritten", read.map(|_| ())), Kind::PreconditionFailed);
    let open = subject.store.open(&subject.object("pinned"), &before.etag, 1_000).await;
    assert_eq!(kind("opening what was overwritten", open.map(|_| ())), Kind::PreconditionFailed);
    let open = subject.store.open(&subject.object("never-put"), &before.etag, 1_000).await;
    assert_eq!(kind("opening what is not there", open.map(|_| ())), Kind::NotFound);
    let elsewhere = ObjectRef::from(StoredRef {
        bucket: subject.missing_bucket.clone(),
        ..subject.object("pinned").stored().expect("an object").clone()
    });
    let open = subject.store.open(&elsewhere, &before.etag, 1_000).await;
    assert_eq!(kind("opening where no bucket is", open.map(|_| ())), Kind::NoSuchBucket);
}

async fn only_what_was_listed_is_deleted(subject: &Subject) {
    let before = subject.put("doomed", b"before").await;
    let after = subject.put("doomed", b"after it").await;
    let object = subject.object("doomed");
    if subject.store.conditional_writes() {
        let refused = subject.store.delete_object(&object, &before.etag).await;
        assert_eq!(kind("deleting another object", refused), Kind::PreconditionFailed);
        assert_eq!(subject.head("doomed").await.etag, after.etag, "a refused deletion had an effect");
    }
    let deleted = subject.store.delete_object(&object, &after.etag).await.expect("delete");
    let gone = subject.store.head(&object).await.map(drop);
    assert!(matches!(kind("what was deleted", gone), Kind::NotFound | Kind::DeleteMarker));
    assert_eq!(deleted.marker.is_some(), after.version.is_some(), "a marker where there are versions");
}

async fn a_write_takes_effect_only_if_its_condition_holds(subject: &Subject) {
    let target = subject.target("conditional");
    let put = async |content: &[u8], condition: &Condition| {
        subject.store.put(&target, body(content), condition).await
    };
    let first = put(b"first", &Condition::Absent).await.expect("put where nothing is");
    assert_eq!(kind("absent", put(b"second", &Condition::Absent).await), Kind::PreconditionFailed);
    let other: Etag = "00000000000000000000000000000000".parse().expect("an ETag");
    assert_eq!(kind("matches", put(b"second", &Condition::Matches(other)).await), Kind::PreconditionFailed);
    let whole = ByteRange { start: 0, len: 5 };
    assert_eq!(subject.read("conditional", whole).await, &b"first"[..], "a refused write had an effect");
    put(b"third", &Condition::Matches(first.etag)).await.expect("put over what was found");
    assert_eq!(subject.read("conditional", whole).await, &b"third"[..]);
}
