//! What HEAD and its relatives tell of objects of every kind.

use http::{HeaderMap, HeaderValue};
use strict_s3::{Action, Answer, Rule};
use transload_plan::{PartNumber, Run};

use super::{body, content, object, target, with_faults};
use crate::s3::S3Store;
use crate::{Complete, Condition, ObjectRef, PartRef, Store, StoreErrorKind as Kind, StoredRef};

fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
    pairs
        .iter()
        .map(|(name, value)| (http::HeaderName::from_static(name), HeaderValue::from_static(value)))
        .collect()
}

#[tokio::test]
async fn archived_objects_are_seen_by_head() {
    let (server, store, _) = with_faults([]).await;
    for class in ["GLACIER", "DEEP_ARCHIVE"] {
        server.direct().put_with(
            "photos",
            "cold",
            content(),
            headers(&[("x-amz-storage-class", class)]),
            Vec::new(),
        );
        let head = store.head(&object("cold")).await.unwrap();
        assert!(head.archived, "{class}");
        assert_eq!(head.attributes.storage_class.as_deref(), Some(class));
    }
    let warm = store.head(&object("a")).await.unwrap();
    assert!(!warm.archived);
    assert_eq!(warm.attributes.storage_class, None, "STANDARD goes without saying");
}

#[tokio::test]
async fn metadata_that_can_not_be_sent_is_counted() {
    let lost = Answer::raw(200, "text/plain", "")
        .header("etag", "\"e\"")
        .header("content-length", "0")
        .header("x-amz-missing-meta", "2");
    let (server, store, _) = with_faults([Rule::on("HeadObject", Action::Answer(lost))]).await;
    assert_eq!(store.head(&object("a")).await.unwrap().missing_metadata, 2);
    server.set_faults(strict_s3::FaultPlan::none());
    assert_eq!(store.head(&object("a")).await.unwrap().missing_metadata, 0);
}

#[tokio::test]
async fn a_delete_marker_is_not_a_missing_key() {
    let (server, store, _) = with_faults([]).await;
    server.direct().put("photos-versioned", "a", content());
    let first = ObjectRef::from(StoredRef {
        bucket: "photos-versioned".parse().unwrap(),
        ..object("a").stored().unwrap().clone()
    });
    let version = store.head(&first).await.unwrap().version;
    assert!(version.is_some());
    server.direct().delete("photos-versioned", "a");
    assert_eq!(store.head(&first).await.unwrap_err().kind, Kind::DeleteMarker);
    assert_eq!(
        store
            .head(&ObjectRef::from(StoredRef { version, ..first.stored().unwrap().clone() }))
            .await
            .unwrap()
            .size,
        100_000
    );
}

#[tokio::test]
async fn a_bucket_of_another_owner_is_refused() {
    let (server, _, _) = with_faults([]).await;
    let mut settings = super::settings(&server);
    settings.expected_bucket_owner = Some("999999999999".to_owned());
    let store = S3Store::new(settings);
    assert_eq!(store.head(&object("a")).await.unwrap_err().kind, Kind::AccessDenied);
    let put = store.put(&target(&store, "b"), body(content()), &Condition::Anything).await;
    assert_eq!(put.unwrap_err().kind, Kind::AccessDenied);
}

/// Uploads parts of these lengths as `parts`.
async fn upload(store: &S3Store, lengths: &[usize]) {
    let target = target(store, "parts");
    let created = store.create_upload(&target).await.unwrap();
    let upload = created.upload(&target);
    let mut parts = Vec::new();
    for (number, length) in (1..).zip(lengths) {
        let number = PartNumber::new(number).unwrap();
        let stored = store.upload_part(&upload, number, body(vec![7; *length])).await.unwrap();
        parts.push(PartRef { number, size: *length as u64, etag: stored.etag, checksum: stored.checksum });
    }
    let size = lengths.iter().sum::<usize>() as u64;
    let complete = Complete { parts, size, checksum: None, condition: Condition::Anything };
    store.complete_upload(&upload, &complete).await.unwrap();
}

#[tokio::test]
async fn parts_are_told_with_and_without_get_object_attributes() {
    let cuts: [(&[usize], Vec<Run>); 3] = [
        (&[2_000, 2_000, 2_000, 5], vec![Run { length: 2_000, count: 3 }, Run { length: 5, count: 1 }]),
        (
            &[1_000, 3_000, 5],
            vec![
                Run { length: 1_000, count: 1 },
                Run { length: 3_000, count: 1 },
                Run { length: 5, count: 1 },
            ],
        ),
        (&[7], vec![Run { length: 7, count: 1 }]),
    ];
    for (lengths, expected) in cuts {
        for refused in [None, Some(Answer::access_denied()), Some(Answer::error(501, "NotImplemented", "no"))]
        {
            let rules = refused.clone().map(|answer| Rule::on("GetObjectAttributes", Action::Answer(answer)));
            let (_server, store, _) = with_faults(rules).await;
            upload(&store, lengths).await;
            let head = store.head(&object("parts")).await.unwrap();
            let runs = store.source_parts(&object("parts"), &head).await.unwrap().unwrap();
            assert_eq!(runs.iter().map(|run| run.count).sum::<u32>() as usize, lengths.len());
            assert_eq!(merged(&runs), expected, "{lengths:?} {refused:?}");
        }
    }
}

fn merged(runs: &[Run]) -> Vec<Run> {
    let mut merged: Vec<Run> = Vec::new();
    for run in runs {
        match merged.last_mut() {
            Some(last) if last.length == run.length => last.count += run.count,
            _ => merged.push(*run),
        }
    }
    merged
}
