//! What is not there, and bodies that fail.

use bytes::Bytes;
use futures::{StreamExt, stream};
use transload_plan::ByteRange;
use transload_wire::{ErrorName, Etag};

use super::{Subject, body, bytes, failing, failure, kind, number};
use crate::{Condition, ObjectRef, PutBody, StoreErrorKind as Kind, StoredRef, Target};

pub(super) async fn run(subject: &Subject) {
    what_is_not_there_is_not_found(subject).await;
    a_failed_body_keeps_its_failure_and_has_no_effect(subject).await;
    a_body_of_another_length_is_refused(subject).await;
    a_wrong_md5_is_refused(subject).await;
}

async fn what_is_not_there_is_not_found(subject: &Subject) {
    let (store, missing) = (&subject.store, subject.object("missing"));
    let etag: Etag = "0123456789abcdef0123456789abcdef".parse().expect("an ETag");
    let range = ByteRange { start: 0, len: 1 };
    assert_eq!(kind("head", store.head(&missing).await), Kind::NotFound);
    assert_eq!(kind("tags", store.tags(&missing).await), Kind::NotFound);
    assert_eq!(kind("get", store.get_range(&missing, &etag, range, 1).await.map(|_| ())), Kind::NotFound);

    let nowhere = ObjectRef::from(StoredRef {
        bucket: subject.missing_bucket.clone(),
        ..missing.stored().expect("an object").clone()
    });
    // HEAD has no body that could tell a missing bucket from a missing key.
    let head = kind("head in no bucket", store.head(&nowhere).await);
    assert!(matches!(head, Kind::NotFound | Kind::NoSuchBucket), "{head:?}");
    let get = store.get_range(&nowhere, &etag, range, 1).await.map(|_| ());
    assert_eq!(kind("get in no bucket", get), Kind::NoSuchBucket);
    let target = Target { bucket: subject.missing_bucket.clone(), ..subject.target("x") };
    assert_eq!(
        kind("put in no bucket", store.put(&target, body(b"x"), &Condition::Anything).await),
        Kind::NoSuchBucket
    );
    assert_eq!(kind("create in no bucket", store.create_upload(&target).await), Kind::NoSuchBucket);
}

async fn a_failed_body_keeps_its_failure_and_has_no_effect(subject: &Subject) {
    let content = bytes(500_000, 1);
    let put = subject
        .store
        .put(
            &subject.target("failed-body"),
            failing(&content, ErrorName::SourceChanged),
            &Condition::Anything,
        )
        .await
        .expect_err("a body that fails");
    assert_eq!(
        (put.kind, failure(&put).map(|f| f.name)),
        (Kind::Body, Some(ErrorName::SourceChanged)),
        "{put}"
    );
    assert!(subject.absent("failed-body").await);

    let upload = subject.create("failed-part").await;
    let part = subject
        .store
        .upload_part(&upload, number(1), failing(&content, ErrorName::OutOfTime))
        .await
        .expect_err("a part whose body fails");
    assert_eq!(
        (part.kind, failure(&part).map(|f| f.name)),
        (Kind::Body, Some(ErrorName::OutOfTime)),
        "{part}"
    );
    assert_eq!(subject.store.list_parts(&upload, 0).await.expect("parts").parts, []);
    subject.store.abort_upload(&upload).await.expect("abort");
}

async fn a_body_of_another_length_is_refused(subject: &Subject) {
    for (announced, sent) in [(10, 9), (10, 11), (0, 1)] {
        let frames = vec![Ok(Bytes::from(bytes(sent, 1)))];
        let body = PutBody { len: announced, stream: stream::iter(frames).boxed(), md5: None, seen: None };
        let put = subject.store.put(&subject.target("wrong-length"), body, &Condition::Anything).await;
        let put = put.expect_err("a body of another length");
        assert_eq!(
            (put.kind, failure(&put).map(|f| f.name)),
            (Kind::Body, Some(ErrorName::PartCorrupted)),
            "{put}"
        );
        assert!(subject.absent("wrong-length").await, "{announced} announced, {sent} sent");
    }
}

async fn a_wrong_md5_is_refused(subject: &Subject) {
    let body = PutBody { md5: Some("0123456789abcdef0123456789abcdef".to_owned()), ..body(b"bytes") };
    let put = subject.store.put(&subject.target("wrong-md5"), body, &Condition::Anything).await;
    assert_eq!(kind("a wrong MD5", put), Kind::Corrupted);
    assert!(subject.absent("wrong-md5").await);
}
