//! Who is let in: signatures in headers and in URLs, keys, Regions, clocks, owners.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a helper that fails is a test that fails")]

mod common;

use aws_sdk_s3::config::Region;
use aws_sdk_s3::presigning::PresigningConfig;
use common::{
    BUCKET, body, builder, bytes, client, client_with, config, presigning, raw, refusal, start, target_of,
};
use strict_s3::{BucketOptions, DEFAULT_OWNER, Server};

#[tokio::test]
async fn only_known_keys_with_their_secrets() {
    let server = builder().credentials("AKIDOTHER", "other").start().await.unwrap();
    let head = async |key: &str, secret: &str| {
        client_with(&server, key, secret).list_objects_v2().bucket(BUCKET).send().await
    };
    assert!(head("AKIDEXAMPLE", "secret").await.is_ok());
    assert!(head("AKIDOTHER", "other").await.is_ok());
    assert_eq!(refusal(head("AKIDOTHER", "secret").await), (403, "SignatureDoesNotMatch".into()));
    assert_eq!(refusal(head("AKIDNOBODY", "secret").await), (403, "InvalidAccessKeyId".into()));
}

#[tokio::test]
async fn unsigned_and_old_signatures_are_refused() {
    let (server, _) = start().await;
    let plain = raw(&server, "GET", "/bucket/k", &[], b"").await;
    assert_eq!((plain.status(), plain.text().contains("AccessDenied")), (403, true));
    let old = raw(&server, "GET", "/bucket/k", &[("authorization", "AWS AKIDEXAMPLE:c2ln")], b"").await;
    assert_eq!((old.status(), old.text().contains("AWS4-HMAC-SHA256")), (400, true));
    let old =
        raw(&server, "GET", "/bucket/k?AWSAccessKeyId=AKIDEXAMPLE&Signature=x&Expires=1", &[], b"").await;
    assert_eq!(old.status(), 400);
}

#[tokio::test]
async fn the_region_is_under_the_signature() {
    let server = builder().region("cn-north-1").start().await.unwrap();
    client(&server).head_bucket().bucket(BUCKET).send().await.unwrap();
    let elsewhere = config(&server, "AKIDEXAMPLE", "secret").region(Region::new("us-east-1")).build();
    let elsewhere = aws_sdk_s3::Client::from_conf(elsewhere);
    let refused = elsewhere.list_objects_v2().bucket(BUCKET).send().await;
    let told = refused.as_ref().err().and_then(|error| error.raw_response());
    let told = told.and_then(|answer| answer.headers().get("x-amz-bucket-region")).map(ToOwned::to_owned);
    assert_eq!(told.as_deref(), Some("cn-north-1"), "it is how clients learn the Region");
    assert_eq!(refusal(refused), (400, "AuthorizationHeaderMalformed".into()));
}

#[tokio::test]
async fn the_clock_may_be_off_by_15_minutes() {
    let (server, _) = start().await;
    for (skew, allowed) in
        [(0, true), (14 * 60, true), (-14 * 60, true), (16 * 60, false), (-16 * 60, false), (86_400, false)]
    {
        server.set_clock_skew(skew);
        // A client of its own for each: it corrects its clock by the dates of the answers it gets.
        match client(&server).list_objects_v2().bucket(BUCKET).send().await {
            Ok(_) => assert!(allowed, "{skew}"),
            refused => {
                assert_eq!(
                    (refusal(refused), allowed),
                    ((403, "RequestTimeTooSkewed".into()), false),
                    "{skew}"
                );
            }
        }
    }
}

#[tokio::test]
async fn a_client_can_correct_its_clock_by_the_date_of_the_refusal() {
    let (server, _) = start().await;
    server.set_clock_skew(86_400);
    let retrying = config(&server, "AKIDEXAMPLE", "secret")
        .retry_config(aws_sdk_s3::config::retry::RetryConfig::standard());
    aws_sdk_s3::Client::from_conf(retrying.build()).list_objects_v2().bucket(BUCKET).send().await.unwrap();
    let statuses: Vec<_> = server.requests().iter().map(|request| request.status).collect();
    assert_eq!(statuses, [Some(403), Some(200)]);
}

#[tokio::test]
async fn a_changed_body_breaks_its_hash() {
    let (server, client) = start().await;
    let put = client.put_object().bucket(BUCKET).key("k").presigned(presigning()).await.unwrap();
    let zeros = "0".repeat(64);
    let refused = raw(&server, "PUT", &target_of(&put), &[("x-amz-content-sha256", &zeros)], b"data").await;
    assert_eq!((refused.status(), refused.text().contains("XAmzContentSHA256Mismatch")), (400, true));
    assert!(server.direct().get(BUCKET, "k").is_none());
}

#[tokio::test]
async fn every_amz_header_is_signed() {
    let (server, client) = start().await;
    let presigned = client.get_object().bucket(BUCKET).key("k").presigned(presigning()).await.unwrap();
    server.direct().put(BUCKET, "k", "data");
    assert_eq!(raw(&server, "GET", &target_of(&presigned), &[], b"").await.status(), 200);
    let fields = "Credential=AKIDEXAMPLE/20260101/us-east-1/s3/aws4_request,SignedHeaders=host;x-amz-date,Signature=00";
    let authorization = format!("AWS4-HMAC-SHA256 {fields}");
    let headers = [
        ("authorization", authorization.as_str()),
        ("x-amz-date", "20260101T000000Z"),
        ("x-amz-meta-a", "b"),
    ];
    let refused = raw(&server, "PUT", "/bucket/k", &headers, b"x").await;
    assert_eq!(
        (refused.status(), refused.text().contains("x-amz-meta-a")),
        (403, true),
        "{}",
        refused.text()
    );
}

#[tokio::test]
async fn presigned_urls_work_until_they_expire() {
    let (server, client) = start().await;
    let put = client.put_object().bucket(BUCKET).key("k e+y").presigned(presigning()).await.unwrap();
    let sent = raw(&server, "PUT", &target_of(&put), &[], b"hello").await;
    assert_eq!(sent.status(), 200, "{}", sent.text());
    let get = client.get_object().bucket(BUCKET).key("k e+y").presigned(presigning()).await.unwrap();
    assert_eq!(raw(&server, "GET", &target_of(&get), &[], b"").await.body(), b"hello");
    let elsewhere = target_of(&get).replace("k%20e", "k%20f");
    assert_eq!(raw(&server, "GET", &elsewhere, &[], b"").await.status(), 403);
    let hour_ago = std::time::SystemTime::now() - std::time::Duration::from_secs(3600);
    let old = PresigningConfig::builder()
        .start_time(hour_ago)
        .expires_in(std::time::Duration::from_secs(60))
        .build();
    let old = client.get_object().bucket(BUCKET).key("k e+y").presigned(old.unwrap()).await.unwrap();
    let expired = raw(&server, "GET", &target_of(&old), &[], b"").await;
    assert_eq!((expired.status(), expired.text().contains("AccessDenied")), (403, true));
}

#[tokio::test]
async fn a_bucket_has_the_expected_owner() {
    let server =
        Server::builder().credentials("AKIDEXAMPLE", "secret").bucket(BUCKET, BucketOptions::default());
    let other = BucketOptions { owner: "999999999999".into(), ..BucketOptions::default() };
    let server = server.bucket("theirs", other).start().await.unwrap();
    let client = client(&server);
    let put = |bucket: &str, owner: &str| {
        client.put_object().bucket(bucket).key("k").body(body(bytes(1))).expected_bucket_owner(owner).send()
    };
    put(BUCKET, DEFAULT_OWNER).await.unwrap();
    assert_eq!(refusal(put("theirs", DEFAULT_OWNER).await), (403, "AccessDenied".into()));
    put("theirs", "999999999999").await.unwrap();
    let copy = client.copy_object().bucket(BUCKET).key("c").copy_source("theirs/k");
    let refused = copy.expected_source_bucket_owner(DEFAULT_OWNER).send().await;
    assert_eq!(refusal(refused), (403, "AccessDenied".into()));
}
