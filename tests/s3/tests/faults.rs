//! Every fault, seen by a client on the wire.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a helper that fails is a test that fails")]

mod common;

use std::io::ErrorKind;
use std::time::Duration;

use aws_sdk_s3::Client;
use aws_sdk_s3::error::SdkError;
use aws_sdk_s3::operation::RequestId as _;
use aws_sdk_s3::types::{ChecksumAlgorithm, CompletedMultipartUpload, CompletedPart};
use common::{BUCKET, Raw, body, bytes, presigning, raw, refusal, start, target_of};
use strict_s3::{Action, Answer, FaultPlan, Rule, Server};

const SIZE: usize = 400_000;

/// A server with one object and a fault on reading it, and the answer to a GET of bytes 100-199,999.
async fn get(action: Action) -> (Server, Raw) {
    let (server, client) = start().await;
    server.direct().put(BUCKET, "k", bytes(SIZE));
    let presigned = client.get_object().bucket(BUCKET).key("k").presigned(presigning()).await.unwrap();
    server.set_faults(Rule::on("GetObject", action).key("k").first(1));
    let seen = raw(&server, "GET", &target_of(&presigned), &[("range", "bytes=100-199999")], b"").await;
    let after = raw(&server, "GET", &target_of(&presigned), &[("range", "bytes=0-3")], b"").await;
    assert_eq!((after.status(), after.body()), (206, bytes(4)), "only the first request has the fault");
    (server, seen)
}

#[tokio::test]
async fn canned_answers() {
    let cases = [
        (Answer::slow_down(), 503, "SlowDown"),
        (Answer::service_unavailable(), 503, "ServiceUnavailable"),
        (Answer::internal_error(), 500, "InternalError"),
        (Answer::bad_gateway(), 502, "<html>"),
        (Answer::gateway_timeout(), 504, "<html>"),
        (Answer::access_denied(), 403, "AccessDenied"),
        (Answer::invalid_access_key(), 403, "InvalidAccessKeyId"),
        (Answer::expired_token(), 400, "ExpiredToken"),
        (Answer::request_time_too_skewed(), 403, "RequestTimeTooSkewed"),
        (Answer::request_timeout(), 400, "RequestTimeout"),
        (Answer::archived(), 403, "InvalidObjectState"),
        (Answer::kms_disabled(), 400, "KMS.DisabledException"),
        (Answer::kms_throttling(), 400, "ThrottlingException"),
        (Answer::no_such_key(), 404, "NoSuchKey"),
        (Answer::precondition_failed(), 412, "PreconditionFailed"),
    ];
    for (answer, status, text) in cases {
        let (server, seen) = get(Action::Answer(answer)).await;
        assert_eq!((seen.status(), seen.text().contains(text)), (status, true), "{}", seen.text());
        let record = &server.requests()[0];
        assert_eq!((record.fault.clone(), record.status), (Some(format!("Answer {status}")), Some(status)));
    }
}

#[tokio::test]
async fn reset_before_headers() {
    let (_, seen) = get(Action::ResetBeforeHeaders).await;
    assert_eq!((seen.bytes.len(), seen.error), (0, Some(ErrorKind::ConnectionReset)));
}

#[tokio::test]
async fn reset_within_the_answer_at_an_exact_byte() {
    for at in [0, 1, 99_999] {
        let (server, seen) = get(Action::ResetResponseAfter(at)).await;
        assert_eq!((seen.body().len() as u64, seen.error), (at, Some(ErrorKind::ConnectionReset)));
        assert_eq!(seen.header("content-length").as_deref(), Some("199900"));
        assert_eq!(server.requests()[0].bytes_out, at);
    }
}

#[tokio::test]
async fn an_answer_may_end_early_in_order() {
    let (_, seen) = get(Action::CloseResponseAfter(1000)).await;
    assert_eq!((seen.body().len(), seen.header("content-length").as_deref()), (1000, Some("199900")));
}

#[tokio::test]
async fn stalls_end_or_last() {
    let pause = Some(Duration::from_millis(50));
    let (_, seen) = get(Action::StallResponse { after: 1000, pause }).await;
    assert_eq!(seen.body(), bytes(SIZE)[100..200_000]);
    let for_ever = tokio::time::timeout(
        Duration::from_millis(300),
        get(Action::StallResponse { after: 10, pause: None }),
    );
    assert!(for_ever.await.is_err());
    let (_, seen) = get(Action::Delay(Duration::from_millis(20))).await;
    assert_eq!(seen.status(), 206);
}

#[tokio::test]
async fn a_range_may_be_overlooked() {
    let (_, seen) = get(Action::IgnoreRange).await;
    assert_eq!((seen.status(), seen.header("content-range"), seen.body().len()), (200, None, SIZE));
}

#[tokio::test]
async fn a_content_range_may_lie() {
    let (_, seen) = get(Action::ShiftContentRange(5)).await;
    assert_eq!(seen.header("content-range").as_deref(), Some("bytes 105-200004/400000"));
    assert_eq!(seen.body(), bytes(SIZE)[100..200_000]);
    let (_, seen) = get(Action::ShiftTotal(-1)).await;
    assert_eq!(seen.header("content-range").as_deref(), Some("bytes 100-199999/399999"));
}

#[tokio::test]
async fn an_answer_may_be_short_but_consistent() {
    let (_, seen) = get(Action::Shorten(1)).await;
    assert_eq!(seen.header("content-length").as_deref(), Some("199899"));
    assert_eq!(seen.header("content-range").as_deref(), Some("bytes 100-199998/400000"));
    assert_eq!(seen.body(), bytes(SIZE)[100..199_999]);
}

#[tokio::test]
async fn one_bit_may_flip_on_the_way_out() {
    let (_, seen) = get(Action::FlipResponse(150_000)).await;
    let mut expected = bytes(SIZE)[100..200_000].to_vec();
    expected[150_000] ^= 1;
    assert!(seen.body() == expected);
}

#[tokio::test]
async fn a_disk_may_flip_a_bit() {
    let (server, client) = start().await;
    server.direct().put(BUCKET, "k", bytes(SIZE));
    server.direct().flip(BUCKET, "k", 7).unwrap();
    let got = client.get_object().bucket(BUCKET).key("k").send().await.unwrap();
    let checked = got.body.collect().await;
    let error = format!("{:?}", checked.expect_err("the SDK compares with the stored checksum"));
    assert!(error.contains("ChecksumMismatch"), "{error}");
    assert!(server.direct().flip(BUCKET, "k", SIZE as u64).is_err());
}

#[tokio::test]
async fn a_hook_overwrites_the_source_when_a_range_is_read() {
    let (server, client) = start().await;
    let before = server.direct().put(BUCKET, "k", vec![1; 100]).unwrap();
    let action = Action::overwrite(BUCKET, "k", vec![2; 100]);
    server.set_faults(Rule::on("GetObject", action).range_start(50).first(1));
    let read = |range: &'static str| {
        client.get_object().bucket(BUCKET).key("k").range(range).if_match(&before).send()
    };
    read("bytes=0-49").await.unwrap();
    assert_eq!(refusal(read("bytes=50-99").await), (412, "PreconditionFailed".into()));
}

/// Starts an upload and sends part 1 under a fault.
async fn part(
    action: Action,
    algorithm: ChecksumAlgorithm,
) -> (Server, Client, String, Result<CompletedPart, (u16, String)>) {
    let (server, client) = start().await;
    let begun =
        client.create_multipart_upload().bucket(BUCKET).key("k").checksum_algorithm(algorithm.clone());
    let id = begun.send().await.unwrap().upload_id().unwrap().to_owned();
    server.set_faults(Rule::on("UploadPart", action).part(1).first(1));
    let request = client.upload_part().bucket(BUCKET).key("k").upload_id(&id).part_number(1);
    let sent = request.checksum_algorithm(algorithm).body(body(bytes(SIZE))).send().await;
    let outcome = match sent {
        Ok(sent) => Ok(CompletedPart::builder().part_number(1).set_e_tag(sent.e_tag).build()),
        Err(SdkError::ServiceError(_)) => Err(refusal(sent)),
        Err(_) => Err((0, "connection".into())),
    };
    (server, client, id, outcome)
}

#[tokio::test]
async fn one_bit_may_flip_on_the_way_in() {
    let (server, _, _, outcome) = part(Action::FlipRequest(100), ChecksumAlgorithm::Crc64Nvme).await;
    let (status, code) = outcome.unwrap_err();
    assert_eq!(status, 400);
    assert!(["BadDigest", "XAmzContentSHA256Mismatch"].contains(&code.as_str()), "{code}");
    assert!(server.direct().uploads(BUCKET)[0].parts.is_empty());
}

#[tokio::test]
async fn a_flip_in_an_aws_chunked_body_is_a_bad_digest() {
    let (server, client) = start().await;
    server.set_faults(Rule::on("PutObject", Action::FlipRequest(100)).first(1));
    let put = || {
        let chunked = http_body_util::Full::new(bytes::Bytes::from(bytes(SIZE)));
        let stream = aws_sdk_s3::primitives::ByteStream::from_body_1_x(chunked);
        let put = client.put_object().bucket(BUCKET).key("k").content_length(SIZE as i64).body(stream);
        put.checksum_algorithm(ChecksumAlgorithm::Crc32).send()
    };
    assert_eq!(refusal(put().await), (400, "BadDigest".into()));
    put().await.unwrap();
    assert!(server.direct().get(BUCKET, "k").unwrap().bytes().unwrap() == bytes(SIZE));
}

#[tokio::test]
async fn a_request_may_be_reset_within_its_body() {
    let (server, _, _, outcome) = part(Action::ResetRequestAfter(1000), ChecksumAlgorithm::Crc32).await;
    assert_eq!(outcome.unwrap_err().1, "connection");
    assert!(server.direct().uploads(BUCKET)[0].parts.is_empty());
    assert_eq!(server.requests().last().unwrap().bytes_in, 1000);
}

#[tokio::test]
async fn a_request_may_stall_within_its_body() {
    let pause = Some(Duration::from_millis(50));
    let stall = Action::StallRequest { after: 1000, pause };
    let (server, _, _, outcome) = part(stall, ChecksumAlgorithm::Crc32).await;
    outcome.unwrap();
    assert_eq!(server.direct().uploads(BUCKET)[0].parts, [(1, SIZE as u64)]);
}

#[tokio::test]
async fn a_part_may_be_stored_and_its_answer_lost() {
    let (server, _, _, outcome) = part(Action::CommitThenReset, ChecksumAlgorithm::Crc32).await;
    assert_eq!(outcome.unwrap_err().1, "connection");
    assert_eq!(server.direct().uploads(BUCKET)[0].parts, [(1, SIZE as u64)]);
}

#[tokio::test]
async fn a_part_may_be_answered_without_etag() {
    let (server, _, _, outcome) = part(Action::OmitHeader("etag"), ChecksumAlgorithm::Crc32).await;
    assert_eq!(outcome.unwrap().e_tag(), None);
    assert_eq!(server.direct().uploads(BUCKET)[0].parts.len(), 1);
}

/// Completes an upload of one part under a fault; the answer as text, and what the next try says.
async fn complete(action: Action) -> (Server, Result<String, (u16, String)>, Result<(), (u16, String)>) {
    let (server, client, id, sent) = part(Action::Delay(Duration::ZERO), ChecksumAlgorithm::Crc64Nvme).await;
    let list = CompletedMultipartUpload::builder().parts(sent.unwrap()).build();
    server.set_faults(Rule::on("CompleteMultipartUpload", action).first(1));
    let finish = || {
        let request = client.complete_multipart_upload().bucket(BUCKET).key("k").upload_id(&id);
        request.multipart_upload(list.clone()).send()
    };
    let first = match finish().await {
        Ok(done) => Ok(done.e_tag().unwrap_or("none").to_owned()),
        Err(SdkError::DispatchFailure(_)) => Err((0, "connection".into())),
        refused => Err(refusal(refused)),
    };
    let second = match finish().await {
        Ok(done) => done.request_id().map(|_| ()).ok_or((0, "no request id".into())),
        refused => Err(refusal(refused)),
    };
    (server, first, second)
}

fn exists(server: &Server) -> bool {
    server.direct().get(BUCKET, "k").is_some()
}

#[tokio::test]
async fn complete_may_fail_behind_a_200() {
    for code in ["InternalError", "SlowDown"] {
        let (_, first, second) = complete(Action::Answer(Answer::ok_with_error(code))).await;
        assert_eq!(first, Err((200, code.into())));
        assert_eq!(second, Ok(()));
    }
}

#[tokio::test]
async fn complete_may_be_refused() {
    let cases = [
        (Answer::precondition_failed(), 412, "PreconditionFailed"),
        (Answer::conditional_conflict(), 409, "ConditionalRequestConflict"),
        (Answer::invalid_part(), 400, "InvalidPart"),
        (Answer::invalid_part_order(), 400, "InvalidPartOrder"),
        (Answer::entity_too_small(), 400, "EntityTooSmall"),
        (Answer::no_such_upload(), 404, "NoSuchUpload"),
    ];
    for (answer, status, code) in cases {
        let (_, first, second) = complete(Action::Answer(answer)).await;
        assert_eq!((first, second), (Err((status, code.into())), Ok(())));
    }
}

#[tokio::test]
async fn complete_may_commit_and_say_nothing_useful() {
    let (server, first, _) = complete(Action::CommitThenReset).await;
    assert_eq!((first.unwrap_err().1.as_str(), exists(&server)), ("connection", true));
    let (server, first, _) = complete(Action::CommitThenAnswer(Answer::no_such_upload())).await;
    assert_eq!((first, exists(&server)), (Err((404, "NoSuchUpload".into())), true));
    for answer in [Answer::ok_empty(), Answer::ok_html()] {
        let (server, first, _) = complete(Action::CommitThenAnswer(answer)).await;
        assert!(first != Ok("\"x\"".into()) && exists(&server));
    }
}

#[tokio::test]
async fn complete_may_be_answered_in_part() {
    let (server, first, _) = complete(Action::TruncateAnswer(120)).await;
    assert!(exists(&server));
    let whole = format!("\"{}\"", server.direct().get(BUCKET, "k").unwrap().etag);
    assert_ne!(first, Ok(whole), "the answer must be cut before the ETag ends");
    assert_eq!(
        server.requests().iter().find(|r| r.fault.as_deref() == Some("TruncateAnswer")).unwrap().bytes_out,
        120
    );
}

#[tokio::test]
async fn complete_may_be_answered_behind_whitespace() {
    let (server, first, _) = complete(Action::Whitespace(1000)).await;
    assert_eq!(first, Ok(format!("\"{}\"", server.direct().get(BUCKET, "k").unwrap().etag)));
    let sent = server.requests().into_iter().find(|request| request.fault.as_deref() == Some("Whitespace"));
    assert!(sent.unwrap().bytes_out > 1000);
}

#[tokio::test]
async fn an_abort_may_be_answered_and_not_done() {
    let (server, client, id, _) = part(Action::Delay(Duration::ZERO), ChecksumAlgorithm::Crc32).await;
    server.set_faults(Rule::on("AbortMultipartUpload", Action::Answer(Answer::no_content())).first(3));
    let abort = || client.abort_multipart_upload().bucket(BUCKET).key("k").upload_id(&id).send();
    for _ in 0..3 {
        abort().await.unwrap();
        assert_eq!(server.direct().uploads(BUCKET).len(), 1);
    }
    abort().await.unwrap();
    assert!(server.direct().uploads(BUCKET).is_empty());
}

#[tokio::test]
async fn a_storm_hits_the_same_requests_each_time() {
    let storm = async |seed: u64| {
        let (server, client) = start().await;
        server.set_faults(
            FaultPlan::seeded(seed).rule(Rule::always(Action::Answer(Answer::slow_down())).probability(0.3)),
        );
        let mut hit = Vec::new();
        for number in 0..40 {
            let put = client
                .put_object()
                .bucket(BUCKET)
                .key(format!("k{number}"))
                .body(body(bytes(1)))
                .send()
                .await;
            hit.push(put.is_err());
        }
        hit
    };
    let first = storm(1).await;
    assert!(first.iter().any(|hit| *hit) && first.iter().any(|hit| !hit));
    assert_eq!(first, storm(1).await);
    assert_ne!(first, storm(2).await);
}

#[tokio::test]
async fn a_fault_may_end_by_time() {
    let (server, client) = start().await;
    server.set_faults(Rule::always(Action::Answer(Answer::slow_down())).until(Duration::from_millis(200)));
    let put = || client.put_object().bucket(BUCKET).key("k").body(body(bytes(1))).send();
    assert_eq!(refusal(put().await), (503, "SlowDown".into()));
    while put().await.is_err() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
