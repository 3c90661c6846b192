//! The shortest way through: put, get, head, a multipart upload.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a helper that fails is a test that fails")]

mod common;

use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart};
use common::{BUCKET, PART, body, bytes, start};

#[tokio::test]
async fn an_object_comes_back_as_it_was_put() {
    let (server, client) = start().await;
    let data = bytes(3 * PART + 5);
    let put =
        client.put_object().bucket(BUCKET).key("a/b c+d").body(body(data.clone())).send().await.unwrap();
    let got = client.get_object().bucket(BUCKET).key("a/b c+d").send().await.unwrap();
    assert_eq!(got.e_tag(), put.e_tag());
    assert_eq!(got.body.collect().await.unwrap().to_vec(), data);
    assert_eq!(server.direct().get(BUCKET, "a/b c+d").unwrap().bytes().unwrap(), data);
    assert_eq!(server.counts()["PutObject"], 1);
    server.shutdown().await;
}

#[tokio::test]
async fn parts_become_one_object() {
    let (server, client) = start().await;
    let data = bytes(2 * PART + 7);
    let upload = client.create_multipart_upload().bucket(BUCKET).key("k").send().await.unwrap();
    let id = upload.upload_id().unwrap();
    let mut parts = Vec::new();
    for (number, piece) in (1..).zip(data.chunks(PART)) {
        let request = client.upload_part().bucket(BUCKET).key("k").upload_id(id).part_number(number);
        let part = request.body(body(piece)).send().await.unwrap();
        parts.push(
            CompletedPart::builder()
                .part_number(number)
                .set_e_tag(part.e_tag)
                .set_checksum_crc32(part.checksum_crc32)
                .set_checksum_crc64_nvme(part.checksum_crc64_nvme)
                .build(),
        );
    }
    let list = CompletedMultipartUpload::builder().set_parts(Some(parts)).build();
    let request =
        client.complete_multipart_upload().bucket(BUCKET).key("k").upload_id(id).multipart_upload(list);
    let done = request.send().await.unwrap();
    assert!(done.e_tag().unwrap().ends_with("-3\""));
    let stored = server.direct().get(BUCKET, "k").unwrap();
    assert_eq!(stored.bytes().unwrap(), data);
    assert_eq!(stored.part_sizes, [1024, 1024, 7]);
}
