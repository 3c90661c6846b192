//! A stream that reads on where a read broke.

use std::sync::Arc;

use bytes::Bytes;
use futures::StreamExt;
use strict_s3::{Action, Rule};
use transload_plan::PartNumber;
use transload_wire::{ErrorName, Failure};

use super::{RANGE, content, object, target, with_faults};
use crate::resume::{PinnedRange, pinned_stream};
use crate::s3::S3Store;
use crate::{Deadline, PutBody, Store};

fn pinned(etag: &transload_wire::Etag) -> PinnedRange {
    PinnedRange { object: object("a"), etag: etag.clone(), range: RANGE, total: 100_000 }
}

async fn drain(store: &Arc<S3Store>, etag: &transload_wire::Etag) -> (Result<Bytes, Failure>, u32) {
    let (mut stream, reads) = pinned_stream(store.clone(), pinned(etag), Deadline::NONE);
    let mut bytes = Vec::new();
    while let Some(frame) = stream.next().await {
        match frame {
            Ok(frame) => bytes.extend_from_slice(&frame),
            Err(failure) => return (Err(failure), reads.count()),
        }
    }
    (Ok(bytes.into()), reads.count())
}

#[tokio::test]
async fn a_read_that_breaks_goes_on_at_the_received_offset() {
    for action in [
        Action::ResetResponseAfter(20_000),
        Action::CloseResponseAfter(20_000),
        Action::StallResponse { after: 20_000, pause: None },
    ] {
        let what = action.name();
        let (server, store, etag) = with_faults([Rule::on("GetObject", action).first(2)]).await;
        let (read, reads) = drain(&store, &etag).await;
        assert_eq!(read.unwrap(), content()[10..50_010], "{what}");
        assert_eq!(reads, 3, "{what}");
        let asked: Vec<_> = server.requests().into_iter().filter_map(|request| request.range).collect();
        assert_eq!(asked[0], "bytes=10-50009");
        assert!(asked.iter().all(|range| range.ends_with("-50009")), "{asked:?}");
        // What was sent before a reset may be lost with it; what was received is never asked for again.
        assert!(
            what.contains("Reset") || asked[1..] == ["bytes=20010-50009", "bytes=40010-50009"],
            "{what} {asked:?}"
        );
    }
}

#[tokio::test]
async fn a_wrong_range_is_bad_luck_once_and_broken_twice() {
    for action in [Action::ShiftContentRange(1), Action::ShiftTotal(1), Action::Shorten(1)] {
        let (_server, store, etag) = with_faults([Rule::on("GetObject", action.clone()).first(1)]).await;
        let (read, reads) = drain(&store, &etag).await;
        assert_eq!((read.unwrap(), reads), (content().slice(10..50_010), 2));
        let (_server, store, etag) = with_faults([Rule::on("GetObject", action)]).await;
        let (read, reads) = drain(&store, &etag).await;
        assert_eq!((read.unwrap_err().name, reads), (ErrorName::SourceBroken, 2));
    }
}

#[tokio::test]
async fn permanent_faults_end_the_stream_at_once() {
    let rows = [
        (Action::IgnoreRange, ErrorName::RangeIgnored),
        (Action::overwrite("photos", "a", "other"), ErrorName::SourceChanged),
        (Action::hook(|direct| assert!(direct.delete("photos", "a"))), ErrorName::SourceNotFound),
    ];
    for (action, expected) in rows {
        let (_server, store, etag) = with_faults([Rule::on("GetObject", action)]).await;
        let (read, reads) = drain(&store, &etag).await;
        assert_eq!((read.unwrap_err().name, reads), (expected, 1));
    }
}

/// The source changes between the first read and the one that goes on: the pin must hold.
#[tokio::test]
async fn a_source_that_changes_in_between_is_noticed() {
    let rules = [
        Rule::on("GetObject", Action::ResetResponseAfter(20_000)).nth(1),
        Rule::on("GetObject", Action::overwrite("photos", "a", vec![0; 100_000])),
    ];
    let (_server, store, etag) = with_faults(rules).await;
    let (read, reads) = drain(&store, &etag).await;
    assert_eq!((read.unwrap_err().name, reads), (ErrorName::SourceChanged, 2));
}

#[tokio::test]
async fn one_put_sees_one_unbroken_stream() {
    let (server, store, etag) =
        with_faults([Rule::on("GetObject", Action::ResetResponseAfter(20_000)).first(2)]).await;
    let target = target(&store, "b");
    let created = store.create_upload(&target).await.unwrap();
    let upload = created.upload(&target);
    let (stream, _) = pinned_stream(store.clone(), pinned(&etag), Deadline::NONE);
    let body = PutBody { len: RANGE.len, stream, md5: None, seen: None };
    store.upload_part(&upload, PartNumber::new(1).unwrap(), body).await.unwrap();
    assert_eq!(server.counts().get("UploadPart"), Some(&1));
}

/// The failure of the source arrives through the PUT that was sending it.
#[tokio::test]
async fn the_sources_failure_is_the_failure_of_the_put() {
    let (_server, store, etag) = with_faults([Rule::on("GetObject", Action::IgnoreRange)]).await;
    let (stream, _) = pinned_stream(store.clone(), pinned(&etag), Deadline::NONE);
    let body = PutBody { len: RANGE.len, stream, md5: None, seen: None };
    let put = store.put(&target(&store, "b"), body, &crate::Condition::Anything).await.unwrap_err();
    assert_eq!(crate::failure_of(put, crate::Side::Destination).name, ErrorName::RangeIgnored);
}
