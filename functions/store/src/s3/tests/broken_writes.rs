//! Writes that go wrong: parts, whole objects, Complete.

use strict_s3::{Action, Answer, Rule};
use transload_plan::PartNumber;

use super::{body, content, target, with_faults};
use crate::s3::S3Store;
use crate::{
    Complete, Condition, PartRef, Store, StoreError, StoreErrorKind as Kind, StoredPart, UploadRef, Written,
};

async fn create(store: &S3Store) -> UploadRef {
    let target = target(store, "b");
    let created = store.create_upload(&target).await.unwrap();
    created.upload(&target)
}

async fn part(store: &S3Store, upload: &UploadRef) -> Result<StoredPart, StoreError> {
    store.upload_part(upload, PartNumber::new(1).unwrap(), body(content())).await
}

async fn complete(store: &S3Store) -> Result<Written, StoreError> {
    let upload = create(store).await;
    let stored = part(store, &upload).await?;
    let named = PartRef {
        number: PartNumber::new(1).unwrap(),
        size: 100_000,
        etag: stored.etag,
        checksum: stored.checksum.clone(),
    };
    let complete = Complete {
        parts: vec![named],
        size: 100_000,
        checksum: stored.checksum,
        condition: Condition::Absent,
    };
    store.complete_upload(&upload, &complete).await
}

#[tokio::test]
async fn a_part_that_goes_wrong_is_told_by_its_kind_and_sent_once() {
    let rows = [
        (Action::OmitHeader("etag"), Kind::Malformed),
        (Action::FlipRequest(70_000), Kind::Corrupted),
        (Action::ResetBeforeHeaders, Kind::Connection),
        (Action::ResetRequestAfter(50_000), Kind::Connection),
        (Action::CommitThenReset, Kind::Connection),
        (Action::Answer(Answer::slow_down()), Kind::Throttled),
        (Action::Answer(Answer::internal_error()), Kind::Unavailable),
        (Action::Answer(Answer::bad_gateway()), Kind::Unavailable),
        (Action::Answer(Answer::access_denied()), Kind::AccessDenied),
        (Action::Answer(Answer::expired_token()), Kind::Credentials),
        (Action::Answer(Answer::request_timeout()), Kind::Stalled),
        (Action::Answer(Answer::kms_disabled()), Kind::KeyUnavailable),
        (Action::Answer(Answer::no_such_upload()), Kind::NoSuchUpload),
    ];
    for (action, expected) in rows {
        let what = action.name();
        let (server, store, _) = with_faults([Rule::on("UploadPart", action)]).await;
        let upload = create(&store).await;
        let error = part(&store, &upload).await.expect_err(&what);
        assert_eq!(error.kind, expected, "{what}: {error}");
        assert!(error.message.starts_with("UploadPart s3://photos/b part 1: "), "{error}");
        assert_eq!(store.requests().get("UploadPart"), Some(&1), "{what}: a body can not be sent twice");
        assert_eq!(server.counts().get("UploadPart"), Some(&1), "{what}");
    }
}

#[tokio::test]
async fn a_store_that_takes_no_more_bytes_is_given_up() {
    let stall = Action::StallRequest { after: 20_000, pause: None };
    let (_server, store, _) = with_faults([Rule::on("UploadPart", stall)]).await;
    let upload = create(&store).await;
    // More than the buffers between here and there hold.
    let large = vec![7_u8; 64 << 20];
    let error = store.upload_part(&upload, PartNumber::new(1).unwrap(), body(large)).await.unwrap_err();
    assert_eq!(error.kind, Kind::Stalled, "{error}");
}

/// A store without checksums whose ETags are MD5s.
fn with_md5(server: &strict_s3::Server) -> S3Store {
    let mut settings = super::settings(server);
    settings.capabilities.checksums = Vec::new();
    settings.capabilities.etag_md5 = true;
    S3Store::new(settings)
}

#[tokio::test]
async fn without_checksums_the_store_turns_away_what_arrives_altered_and_keeps_none_of_it() {
    let (server, _, _) =
        with_faults([Rule::on("UploadPart", Action::FlipRequest(70_000)).or_on("PutObject")]).await;
    let store = with_md5(&server);
    let upload = UploadRef { checksum_algorithm: None, ..create(&store).await };
    let error = part(&store, &upload).await.unwrap_err();
    assert_eq!(error.kind, Kind::Corrupted, "{error}");
    assert_eq!(
        server.direct().uploads("photos")[0].parts,
        [],
        "a later round would take it for the right part"
    );
    let plain = crate::Target { checksum_algorithm: None, ..target(&store, "b") };
    let error = store.put(&plain, body(content()), &Condition::Anything).await.unwrap_err();
    assert_eq!(error.kind, Kind::Corrupted, "{error}");
    assert!(server.direct().get("photos", "b").is_none());
}

#[tokio::test]
async fn a_part_that_is_too_large_to_gather_is_compared_with_the_answer() {
    let (server, _, _) = with_faults([Rule::on("UploadPart", Action::FlipRequest(70_000))]).await;
    let store = with_md5(&server);
    let upload = UploadRef { checksum_algorithm: None, ..create(&store).await };
    let large = body(bytes::Bytes::from(vec![7; (16 << 20) + 1]));
    let sent = store.upload_part(&upload, PartNumber::new(1).unwrap(), large).await;
    let error = sent.unwrap_err();
    assert_eq!(error.kind, Kind::Corrupted, "{error}");
    assert!(error.message.contains("MD5: expected "), "{error}");
}

/// The store says another checksum than the one of the bytes that were sent.
#[tokio::test]
async fn a_store_that_received_other_bytes_is_noticed_without_a_trailer_too() {
    let (server, _, _) = with_faults([Rule::on("UploadPart", Action::FlipRequest(70_000))]).await;
    let mut settings = super::settings(&server);
    settings.capabilities.trailers = false;
    let store = S3Store::new(settings);
    let upload = create(&store).await;
    let error = part(&store, &upload).await.unwrap_err();
    assert_eq!(error.kind, Kind::Corrupted, "{error}");
    assert!(error.message.contains("CRC64NVME: expected "), "{error}");
}

#[tokio::test]
async fn an_answer_to_complete_that_is_none_is_malformed() {
    let rows = [
        (Action::Answer(Answer::ok_empty()), Kind::Malformed),
        (Action::Answer(Answer::ok_html()), Kind::Malformed),
        (Action::Answer(Answer::precondition_failed()), Kind::PreconditionFailed),
        (Action::Answer(Answer::conditional_conflict()), Kind::Conflict),
        (Action::Answer(Answer::invalid_part()), Kind::InvalidPart),
        (Action::Answer(Answer::invalid_part_order()), Kind::InvalidPart),
        (Action::Answer(Answer::entity_too_small()), Kind::InvalidPart),
        (Action::Answer(Answer::ok_with_error("InternalError")), Kind::Unavailable),
        (Action::Answer(Answer::ok_with_error("SlowDown")), Kind::Throttled),
    ];
    for (action, expected) in rows {
        let what = format!("{action:?}");
        let (_server, store, _) = with_faults([Rule::on("CompleteMultipartUpload", action)]).await;
        let error = complete(&store).await.expect_err(&what);
        assert_eq!(error.kind, expected, "{what}: {error}");
    }
}

/// Cut at every byte, the answer is either refused or says what the whole one says.
#[tokio::test]
async fn an_answer_to_complete_that_was_cut_never_gives_another_etag() {
    let (server, store, _) = with_faults([]).await;
    let whole = complete(&store).await.unwrap();
    for length in (0..700).step_by(7) {
        server.direct().delete("photos", "b");
        server.set_faults(
            strict_s3::FaultPlan::none()
                .rule(Rule::on("CompleteMultipartUpload", Action::TruncateAnswer(length))),
        );
        match complete(&store).await {
            Ok(cut) => assert_eq!(cut.etag, whole.etag, "cut after {length} bytes"),
            Err(error) => assert_eq!(error.kind, Kind::Malformed, "cut after {length} bytes: {error}"),
        }
    }
}

#[tokio::test]
async fn a_complete_that_fails_for_a_moment_is_tried_again() {
    for failed in 1..=2 {
        let rule =
            Rule::on("CompleteMultipartUpload", Action::Answer(Answer::ok_with_error("InternalError")))
                .first(failed);
        let (_server, store, _) = with_faults([rule]).await;
        complete(&store).await.unwrap();
        assert_eq!(store.requests().get("CompleteMultipartUpload"), Some(&(failed + 1)));
    }
}

#[tokio::test]
async fn a_whole_object_that_arrives_altered_is_refused() {
    let (server, store, _) = with_faults([Rule::on("PutObject", Action::FlipRequest(70_000))]).await;
    let error = store.put(&target(&store, "b"), body(content()), &Condition::Absent).await.unwrap_err();
    assert_eq!(error.kind, Kind::Corrupted, "{error}");
    assert!(server.direct().get("photos", "b").is_none());
}
