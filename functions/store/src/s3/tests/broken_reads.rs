//! Reads that go wrong: each of the SDK's silent holes, and every way in which a body can break.

use strict_s3::{Action, Answer, Rule};

use super::{content, object, read, with_faults};
use crate::{Store, StoreErrorKind as Kind};

#[tokio::test]
async fn an_answer_that_is_not_the_range_is_refused_by_name() {
    let rows = [
        (Action::IgnoreRange, Kind::RangeIgnored),
        (Action::ShiftContentRange(1), Kind::WrongRange),
        (Action::ShiftTotal(1), Kind::WrongRange),
        (Action::Shorten(1), Kind::WrongRange),
        (Action::OmitHeader("etag"), Kind::Malformed),
    ];
    for (action, expected) in rows {
        let what = action.name();
        let (_server, store, etag) = with_faults([Rule::on("GetObject", action)]).await;
        let error = read(&store, &etag).await.expect_err(&what);
        assert_eq!(error.kind, expected, "{what}: {error}");
        assert!(error.message.contains("s3://photos/a bytes=10-50009: expected"), "{error}");
    }
}

#[tokio::test]
async fn a_body_that_breaks_or_stalls_ends_with_an_error() {
    let rows = [
        (Action::ResetResponseAfter(0), Kind::Connection),
        (Action::ResetResponseAfter(30_000), Kind::Connection),
        (Action::CloseResponseAfter(30_000), Kind::Connection),
        (Action::StallResponse { after: 30_000, pause: None }, Kind::Stalled),
    ];
    for (action, expected) in rows {
        let what = action.name();
        let (server, store, etag) = with_faults([Rule::on("GetObject", action)]).await;
        let error = read(&store, &etag).await.expect_err(&what);
        assert_eq!(error.kind, expected, "{what}: {error}");
        assert!(error.message.contains("expected 50000 bytes, found"), "{error}");
        assert_eq!(server.counts().get("GetObject"), Some(&1), "{what}: bodies are not read again in here");
    }
}

#[tokio::test]
async fn a_small_call_is_tried_again_and_every_try_counts() {
    for action in [
        Action::Answer(Answer::slow_down()),
        Action::Answer(Answer::internal_error()),
        Action::Answer(Answer::bad_gateway()),
        Action::ResetBeforeHeaders,
    ] {
        let what = action.name();
        let (_server, store, etag) = with_faults([Rule::on("GetObject", action).first(1)]).await;
        assert_eq!(read(&store, &etag).await.unwrap(), content()[10..50_010], "{what}");
        assert_eq!(store.requests().get("GetObject"), Some(&2), "{what}");
    }
}

#[tokio::test]
async fn what_does_not_pass_is_told_by_its_kind() {
    let customer_key = "The object was stored using a form of Server Side Encryption. The correct parameters must be \
                        provided to retrieve the object.";
    let rows = [
        (Answer::error(400, "InvalidRequest", customer_key), Kind::NeedsSseC),
        (Answer::error(400, "InvalidRequest", "something else"), Kind::InvalidRequest),
        (Answer::slow_down(), Kind::Throttled),
        (Answer::gateway_timeout(), Kind::Unavailable),
        (Answer::bad_gateway(), Kind::Unavailable),
        (Answer::access_denied(), Kind::AccessDenied),
        (Answer::archived(), Kind::Archived),
        (Answer::kms_disabled(), Kind::KeyUnavailable),
        (Answer::kms_throttling(), Kind::Throttled),
        (Answer::no_such_key(), Kind::NotFound),
        (Answer::precondition_failed(), Kind::PreconditionFailed),
    ];
    for (answer, expected) in rows {
        let action = Action::Answer(answer.clone());
        let (_server, store, etag) = with_faults([Rule::on("GetObject", action)]).await;
        let error = read(&store, &etag).await.expect_err("an error of the store");
        assert_eq!(error.kind, expected, "{answer:?}: {error}");
    }
}

#[tokio::test]
async fn another_etag_is_another_source_though_the_store_ignores_if_match() {
    let other = Answer::raw(206, "text/plain", content().slice(10..50_010))
        .header("etag", "\"other\"")
        .header("content-range", "bytes 10-50009/100000");
    let (_server, store, etag) = with_faults([Rule::on("GetObject", Action::Answer(other))]).await;
    let error = read(&store, &etag).await.unwrap_err();
    assert_eq!(error.kind, Kind::PreconditionFailed, "{error}");
    assert!(error.message.contains(&format!("expected ETag {etag}, found ETag other")), "{error}");
    assert_eq!(crate::failure_of(error, crate::Side::Source).name, transload_wire::ErrorName::SourceChanged);
}

#[tokio::test]
async fn a_source_that_was_overwritten_is_not_read() {
    let (_server, store, etag) =
        with_faults([Rule::on("GetObject", Action::overwrite("photos", "a", "other"))]).await;
    assert_eq!(read(&store, &etag).await.unwrap_err().kind, Kind::PreconditionFailed);
}

#[tokio::test]
async fn head_asks_why_it_was_refused() {
    let rows = [
        (
            Answer::error(
                400,
                "InvalidRequest",
                "The object was stored using a form of Server Side Encryption.",
            ),
            Kind::NeedsSseC,
        ),
        (Answer::expired_token(), Kind::Credentials),
        (Answer::access_denied(), Kind::AccessDenied),
    ];
    for (answer, expected) in rows {
        let rule = Rule::on("HeadObject", Action::Answer(answer.clone())).or_on("GetObject");
        let (_server, store, _) = with_faults([rule]).await;
        let error = store.head(&object("a")).await.expect_err("a refusal");
        assert_eq!(error.kind, expected, "{answer:?}: {error}");
    }
}

#[tokio::test]
async fn no_connection_is_a_connection_error() {
    let (server, store, etag) = with_faults([]).await;
    server.shutdown().await;
    assert_eq!(read(&store, &etag).await.unwrap_err().kind, Kind::Connection);
}
