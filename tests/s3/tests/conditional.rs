//! Conditional requests: on reads by ETag and date, on writes by existence and ETag.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a helper that fails is a test that fails")]

mod common;

use std::time::{Duration, SystemTime};

use aws_sdk_s3::primitives::DateTime;
use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart};
use common::{BUCKET, body, builder, bytes, client, presigning, refusal, start, target_of};
use strict_s3::Capabilities;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

const OTHER: &str = "\"00000000000000000000000000000000\"";

#[tokio::test]
async fn a_read_may_name_the_etag() {
    let (server, client) = start().await;
    let etag = format!("\"{}\"", server.direct().put(BUCKET, "k", "data").unwrap());
    let get = || client.get_object().bucket(BUCKET).key("k");
    let head = || client.head_object().bucket(BUCKET).key("k");
    get().if_match(&etag).send().await.unwrap();
    get().if_match(etag.trim_matches('"')).send().await.unwrap();
    assert_eq!(refusal(get().if_match(OTHER).send().await), (412, "PreconditionFailed".into()));
    assert_eq!(refusal(head().if_match(OTHER).send().await).0, 412);
    get().if_none_match(OTHER).send().await.unwrap();
    assert_eq!(refusal(get().if_none_match(&etag).send().await).0, 304);
    assert_eq!(refusal(head().if_none_match(&etag).send().await).0, 304);
}

#[tokio::test]
async fn a_read_may_name_a_date() {
    let (server, client) = start().await;
    let etag = format!("\"{}\"", server.direct().put(BUCKET, "k", "data").unwrap());
    let date = |time: SystemTime| DateTime::from(time);
    let (before, after) = (
        date(SystemTime::now() - Duration::from_secs(60)),
        date(SystemTime::now() + Duration::from_secs(60)),
    );
    let get = || client.get_object().bucket(BUCKET).key("k");
    get().if_unmodified_since(after).send().await.unwrap();
    assert_eq!(refusal(get().if_unmodified_since(before).send().await), (412, "PreconditionFailed".into()));
    get().if_modified_since(before).send().await.unwrap();
    assert_eq!(refusal(get().if_modified_since(after).send().await).0, 304);
    // An ETag that matches outweighs the date, and one that does not, too.
    get().if_match(&etag).if_unmodified_since(before).send().await.unwrap();
    get().if_none_match(OTHER).if_modified_since(after).send().await.unwrap();
}

#[tokio::test]
async fn put_if_absent_and_if_match() {
    let (server, client) = start().await;
    let put = || client.put_object().bucket(BUCKET).key("k").body(body(bytes(3)));
    assert_eq!(refusal(put().if_match(OTHER).send().await), (404, "NoSuchKey".into()));
    let first = put().if_none_match("*").send().await.unwrap();
    assert_eq!(refusal(put().if_none_match("*").send().await), (412, "PreconditionFailed".into()));
    assert_eq!(refusal(put().if_match(OTHER).send().await), (412, "PreconditionFailed".into()));
    assert_eq!(refusal(put().if_none_match(OTHER).send().await), (501, "NotImplemented".into()));
    put().if_match(first.e_tag().unwrap()).send().await.unwrap();
    server.direct().delete(BUCKET, "k");
    put().if_none_match("*").send().await.unwrap();
}

#[tokio::test]
async fn complete_if_absent_and_if_match() {
    let (server, client) = start().await;
    let begun = client.create_multipart_upload().bucket(BUCKET).key("k").send().await.unwrap();
    let id = begun.upload_id().unwrap();
    let part = client.upload_part().bucket(BUCKET).key("k").upload_id(id).part_number(1).body(body(bytes(9)));
    let sent = part.send().await.unwrap();
    let listed =
        CompletedPart::builder().part_number(1).set_e_tag(sent.e_tag).set_checksum_crc32(sent.checksum_crc32);
    let list = CompletedMultipartUpload::builder().parts(listed.build()).build();
    let finish = || {
        client
            .complete_multipart_upload()
            .bucket(BUCKET)
            .key("k")
            .upload_id(id)
            .multipart_upload(list.clone())
    };
    assert_eq!(refusal(finish().if_match(OTHER).send().await), (404, "NoSuchKey".into()));
    let etag = format!("\"{}\"", server.direct().put(BUCKET, "k", "in the way").unwrap());
    assert_eq!(refusal(finish().if_none_match("*").send().await), (412, "PreconditionFailed".into()));
    assert_eq!(refusal(finish().if_match(OTHER).send().await), (412, "PreconditionFailed".into()));
    assert_eq!(server.direct().get(BUCKET, "k").unwrap().bytes().unwrap(), "in the way");
    assert_eq!(server.direct().uploads(BUCKET).len(), 1, "a refused Complete keeps the upload");
    finish().if_match(etag).send().await.unwrap();
    assert_eq!(server.direct().get(BUCKET, "k").unwrap().size, 9);
}

/// Begins a conditional put, does `meanwhile` while its body is under way, and tells the status it ended with.
async fn overlapped(meanwhile: impl AsyncFnOnce(&strict_s3::Server)) -> u16 {
    let (server, client) = start().await;
    let put = client.put_object().bucket(BUCKET).key("k").presigned(presigning()).await.unwrap();
    let head = format!(
        "PUT {} HTTP/1.1\r\nhost: {}\r\nif-none-match: *\r\ncontent-length: 12\r\nconnection: close\r\n\r\nfirst ",
        target_of(&put),
        server.address()
    );
    let mut stream = TcpStream::connect(server.address()).await.unwrap();
    stream.write_all(head.as_bytes()).await.unwrap();
    while server.requests().iter().all(|request| request.bytes_in == 0) {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    meanwhile(&server).await;
    stream.write_all(b"second").await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer.split(' ').nth(1).unwrap().parse().unwrap()
}

#[tokio::test]
async fn of_two_conditional_writes_the_first_to_finish_wins() {
    let lost = overlapped(async |server| {
        client(server)
            .put_object()
            .bucket(BUCKET)
            .key("k")
            .body(body(bytes(1)))
            .if_none_match("*")
            .send()
            .await
            .unwrap();
    });
    assert_eq!(lost.await, 412);
}

#[tokio::test]
async fn a_delete_during_a_conditional_write_is_a_conflict() {
    let lost = overlapped(async |server| {
        client(server).delete_object().bucket(BUCKET).key("k").send().await.unwrap();
    });
    assert_eq!(lost.await, 409);
    assert_eq!(overlapped(async |_| {}).await, 200);
}

#[tokio::test]
async fn a_store_may_lack_conditional_writes() {
    let without = Capabilities { conditional_writes: false, ..Capabilities::default() };
    let server = builder().capabilities(without).start().await.unwrap();
    let put = client(&server).put_object().bucket(BUCKET).key("k").body(body(bytes(3))).if_none_match("*");
    assert_eq!(refusal(put.send().await), (501, "NotImplemented".into()));
}

#[tokio::test]
async fn a_copy_may_name_its_source() {
    let (server, client) = start().await;
    let etag = server.direct().put(BUCKET, "from", "data").unwrap();
    let copy = || client.copy_object().bucket(BUCKET).key("to").copy_source(format!("{BUCKET}/from"));
    assert_eq!(refusal(copy().copy_source_if_match(OTHER).send().await), (412, "PreconditionFailed".into()));
    assert_eq!(
        refusal(copy().copy_source_if_none_match(&etag).send().await),
        (412, "PreconditionFailed".into())
    );
    copy().copy_source_if_match(&etag).send().await.unwrap();
    assert_eq!(server.direct().get(BUCKET, "to").unwrap().etag, etag);
}
