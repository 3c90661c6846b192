//! The rules of multipart uploads, case by case, over the SDK.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a helper that fails is a test that fails")]

mod common;

use aws_sdk_s3::Client;
use aws_sdk_s3::operation::complete_multipart_upload::builders::CompleteMultipartUploadFluentBuilder;
use aws_sdk_s3::types::{
    ChecksumAlgorithm, ChecksumType, CompletedMultipartUpload, CompletedPart, ObjectAttributes,
};
use common::{BUCKET, PART, body, builder, bytes, client, refusal, start};
use strict_s3::{Capabilities, Limits};

const KEY: &str = "k";

async fn create(client: &Client) -> String {
    let made = client.create_multipart_upload().bucket(BUCKET).key(KEY);
    let made = made.checksum_algorithm(ChecksumAlgorithm::Crc64Nvme).send().await.unwrap();
    made.upload_id().unwrap().to_owned()
}

async fn part(client: &Client, id: &str, number: i32, data: Vec<u8>) -> CompletedPart {
    let request = client.upload_part().bucket(BUCKET).key(KEY).upload_id(id).part_number(number);
    let sent =
        request.checksum_algorithm(ChecksumAlgorithm::Crc64Nvme).body(body(data)).send().await.unwrap();
    CompletedPart::builder().part_number(number).set_e_tag(sent.e_tag).build()
}

fn complete(client: &Client, id: &str, parts: Vec<CompletedPart>) -> CompleteMultipartUploadFluentBuilder {
    let list = CompletedMultipartUpload::builder().set_parts(Some(parts)).build();
    client.complete_multipart_upload().bucket(BUCKET).key(KEY).upload_id(id).multipart_upload(list)
}

#[tokio::test]
async fn every_part_but_the_last_has_the_minimum_size() {
    let (_server, client) = start().await;
    let id = create(&client).await;
    let small = part(&client, &id, 1, bytes(PART - 1)).await;
    let last = part(&client, &id, 2, bytes(1)).await;
    let refused = complete(&client, &id, vec![small, last.clone()]).send().await;
    assert_eq!(refusal(refused), (400, "EntityTooSmall".into()));
    // The upload is still there: sending the part again mends it.
    let exact = part(&client, &id, 1, bytes(PART)).await;
    complete(&client, &id, vec![exact, last]).send().await.unwrap();
}

#[tokio::test]
async fn the_minimum_is_5_mib_by_default() {
    let server = builder().limits(Limits::default()).start().await.unwrap();
    let client = client(&server);
    let id = create(&client).await;
    let mut parts =
        vec![part(&client, &id, 1, bytes((5 << 20) - 1)).await, part(&client, &id, 2, bytes(1)).await];
    assert_eq!(refusal(complete(&client, &id, parts.clone()).send().await), (400, "EntityTooSmall".into()));
    parts[0] = part(&client, &id, 1, bytes(5 << 20)).await;
    complete(&client, &id, parts).send().await.unwrap();
}

#[tokio::test]
async fn parts_are_listed_in_ascending_order_and_exist() {
    let (_server, client) = start().await;
    let id = create(&client).await;
    let first = part(&client, &id, 1, bytes(PART)).await;
    let second = part(&client, &id, 2, bytes(PART)).await;
    let code = async |parts| refusal(complete(&client, &id, parts).send().await);
    assert_eq!(code(vec![second.clone(), first.clone()]).await, (400, "InvalidPartOrder".into()));
    assert_eq!(code(vec![first.clone(), first.clone()]).await, (400, "InvalidPartOrder".into()));
    let absent =
        CompletedPart::builder().part_number(3).e_tag("\"00000000000000000000000000000000\"").build();
    assert_eq!(code(vec![first.clone(), second, absent]).await, (400, "InvalidPart".into()));
    let other_etag =
        CompletedPart::builder().part_number(2).e_tag(first.e_tag().unwrap().replace('"', "x")).build();
    assert_eq!(code(vec![first, other_etag]).await, (400, "InvalidPart".into()));
    assert_eq!(code(Vec::new()).await, (400, "MalformedXML".into()));
}

#[tokio::test]
async fn part_numbers_run_from_1_to_10000() {
    let (_server, client) = start().await;
    let id = create(&client).await;
    for number in [0, -1, 10_001] {
        let request = client.upload_part().bucket(BUCKET).key(KEY).upload_id(&id).part_number(number);
        assert_eq!(
            refusal(request.body(body(bytes(1))).send().await),
            (400, "InvalidArgument".into()),
            "{number}"
        );
    }
    let last = part(&client, &id, 10_000, bytes(1)).await;
    complete(&client, &id, vec![last]).send().await.unwrap();
}

#[tokio::test]
async fn an_upload_belongs_to_its_key() {
    let (_server, client) = start().await;
    let id = create(&client).await;
    let done = part(&client, &id, 1, bytes(1)).await;
    let other =
        client.upload_part().bucket(BUCKET).key("other").upload_id(&id).part_number(1).body(body(bytes(1)));
    assert_eq!(refusal(other.send().await), (404, "NoSuchUpload".into()));
    let list = client.list_parts().bucket(BUCKET).key("other").upload_id(&id).send().await;
    assert_eq!(refusal(list), (404, "NoSuchUpload".into()));
    let abort = client.abort_multipart_upload().bucket(BUCKET).key("other").upload_id(&id).send().await;
    assert_eq!(refusal(abort), (404, "NoSuchUpload".into()));
    let finish = complete(&client, &id, vec![done]).key("other").send().await;
    assert_eq!(refusal(finish), (404, "NoSuchUpload".into()));
}

#[tokio::test]
async fn an_aborted_upload_is_gone() {
    let (server, client) = start().await;
    let id = create(&client).await;
    let done = part(&client, &id, 1, bytes(PART)).await;
    client.abort_multipart_upload().bucket(BUCKET).key(KEY).upload_id(&id).send().await.unwrap();
    assert!(server.direct().uploads(BUCKET).is_empty());
    let late =
        client.upload_part().bucket(BUCKET).key(KEY).upload_id(&id).part_number(2).body(body(bytes(1)));
    assert_eq!(refusal(late.send().await), (404, "NoSuchUpload".into()));
    assert_eq!(refusal(complete(&client, &id, vec![done]).send().await), (404, "NoSuchUpload".into()));
    let again = client.abort_multipart_upload().bucket(BUCKET).key(KEY).upload_id(&id).send().await;
    assert_eq!(refusal(again), (404, "NoSuchUpload".into()));
    assert!(server.direct().get(BUCKET, KEY).is_none());
}

#[tokio::test]
async fn completing_twice_answers_the_same_and_keeps_a_newer_object() {
    let (server, client) = start().await;
    let id = create(&client).await;
    let parts = vec![part(&client, &id, 1, bytes(PART)).await];
    let first = complete(&client, &id, parts.clone()).send().await.unwrap();
    client.put_object().bucket(BUCKET).key(KEY).body(body("newer".as_bytes())).send().await.unwrap();
    let second = complete(&client, &id, parts).send().await.unwrap();
    assert_eq!(first.e_tag(), second.e_tag());
    assert_eq!(server.direct().get(BUCKET, KEY).unwrap().bytes().unwrap(), "newer");
}

#[tokio::test]
async fn a_compatible_store_forgets_a_completed_upload() {
    let quirks = Capabilities { no_such_upload_after_complete: true, ..Capabilities::default() };
    let server = builder().capabilities(quirks).start().await.unwrap();
    let client = client(&server);
    let id = create(&client).await;
    let parts = vec![part(&client, &id, 1, bytes(PART)).await];
    complete(&client, &id, parts.clone()).send().await.unwrap();
    assert_eq!(refusal(complete(&client, &id, parts).send().await), (404, "NoSuchUpload".into()));
}

#[tokio::test]
async fn a_store_may_want_equal_parts() {
    let quirks = Capabilities { equal_parts: true, ..Capabilities::default() };
    let server = builder().capabilities(quirks).start().await.unwrap();
    let client = client(&server);
    let id = create(&client).await;
    let mut parts =
        vec![part(&client, &id, 1, bytes(PART)).await, part(&client, &id, 2, bytes(PART + 1)).await];
    parts.push(part(&client, &id, 3, bytes(1)).await);
    assert_eq!(refusal(complete(&client, &id, parts.clone()).send().await), (400, "InvalidPart".into()));
    parts[1] = part(&client, &id, 2, bytes(PART)).await;
    complete(&client, &id, parts).send().await.unwrap();
}

#[tokio::test]
async fn a_part_sent_again_replaces_the_first() {
    let (server, client) = start().await;
    let id = create(&client).await;
    let old = part(&client, &id, 1, vec![1; PART]).await;
    let new = part(&client, &id, 1, vec![2; PART]).await;
    assert_eq!(refusal(complete(&client, &id, vec![old]).send().await), (400, "InvalidPart".into()));
    complete(&client, &id, vec![new]).send().await.unwrap();
    assert_eq!(server.direct().get(BUCKET, KEY).unwrap().bytes().unwrap(), vec![2; PART]);
}

#[tokio::test]
async fn list_parts_pages_with_sizes_and_checksums() {
    let (_server, client) = start().await;
    let id = create(&client).await;
    for number in 1..=5 {
        part(&client, &id, number, bytes(PART + number as usize)).await;
    }
    let list = client.list_parts().bucket(BUCKET).key(KEY).upload_id(&id);
    let page = list.clone().max_parts(2).send().await.unwrap();
    let numbers = |page: &[aws_sdk_s3::types::Part]| {
        page.iter().filter_map(|part| part.part_number()).collect::<Vec<_>>()
    };
    assert_eq!((numbers(page.parts()), page.is_truncated()), (vec![1, 2], Some(true)));
    assert_eq!(page.next_part_number_marker(), Some("2"));
    let rest = list.clone().part_number_marker("2").send().await.unwrap();
    assert_eq!((numbers(rest.parts()), rest.is_truncated()), (vec![3, 4, 5], Some(false)));
    assert_eq!(rest.checksum_algorithm(), Some(&ChecksumAlgorithm::Crc64Nvme));
    assert_eq!(rest.checksum_type(), Some(&ChecksumType::FullObject));
    let third = &rest.parts()[0];
    assert_eq!(third.size(), Some(PART as i64 + 3));
    assert_eq!(third.checksum_crc64_nvme().map(str::len), Some(12));
    // 1,000 parts is a page's most, whatever is asked for.
    assert_eq!(list.max_parts(5000).send().await.unwrap().max_parts(), Some(1000));
}

#[tokio::test]
async fn uploads_are_listed_by_key_and_beginning() {
    let (_server, client) = start().await;
    let begin = async |key: &str| {
        let made = client.create_multipart_upload().bucket(BUCKET).key(key).send().await.unwrap();
        made.upload_id().unwrap().to_owned()
    };
    let (b1, a, b2, d) = (begin("b").await, begin("a").await, begin("b").await, begin("d/x").await);
    let list = client.list_multipart_uploads().bucket(BUCKET);
    let ids = |page: &aws_sdk_s3::operation::list_multipart_uploads::ListMultipartUploadsOutput| {
        page.uploads().iter().map(|upload| upload.upload_id().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let all = list.clone().send().await.unwrap();
    assert_eq!(ids(&all), [a.clone(), b1.clone(), b2.clone(), d.clone()]);
    let page = list.clone().max_uploads(2).send().await.unwrap();
    assert_eq!((ids(&page), page.is_truncated()), (vec![a, b1.clone()], Some(true)));
    let next = list.clone().key_marker(page.next_key_marker().unwrap());
    let next = next.upload_id_marker(page.next_upload_id_marker().unwrap()).send().await.unwrap();
    assert_eq!(ids(&next), [b2, d.clone()]);
    assert_eq!(ids(&list.clone().prefix("d/").send().await.unwrap()), [d]);
    let rolled = list.delimiter("/").send().await.unwrap();
    assert_eq!(rolled.common_prefixes()[0].prefix(), Some("d/"));
}

#[tokio::test]
async fn what_was_said_at_the_beginning_is_on_the_object() {
    let (server, client) = start().await;
    let begin =
        client.create_multipart_upload().bucket(BUCKET).key(KEY).metadata("owner", "me").tagging("a=1&b=2");
    let id = begin
        .content_type("text/x")
        .storage_class(aws_sdk_s3::types::StorageClass::StandardIa)
        .send()
        .await
        .unwrap();
    let id = id.upload_id().unwrap();
    let data = bytes(PART + 1);
    let sent = [
        part(&client, id, 3, data[..PART].to_vec()).await,
        part(&client, id, 7, data[PART..].to_vec()).await,
    ];
    complete(&client, id, sent.to_vec()).send().await.unwrap();
    let stored = server.direct().get(BUCKET, KEY).unwrap();
    assert_eq!(stored.bytes().unwrap(), data);
    assert_eq!(
        (stored.header("x-amz-meta-owner"), stored.header("content-type")),
        (Some("me"), Some("text/x"))
    );
    assert_eq!(stored.tags, [("a".into(), "1".into()), ("b".into(), "2".into())]);
    // Numbers of a finished object's parts count from 1.
    let second = client.get_object().bucket(BUCKET).key(KEY).part_number(2).send().await.unwrap();
    assert_eq!((second.content_length(), second.parts_count()), (Some(1), Some(2)));
    let wish = client.get_object_attributes().bucket(BUCKET).key(KEY);
    let wish = wish
        .object_attributes(ObjectAttributes::ObjectParts)
        .object_attributes(ObjectAttributes::StorageClass);
    let attributes = wish.send().await.unwrap();
    assert_eq!(attributes.object_parts().unwrap().total_parts_count(), Some(2));
    assert_eq!(attributes.storage_class().map(|class| class.as_str()), Some("STANDARD_IA"));
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_parts_complete_without_copying() {
    let server = builder().limits(Limits { min_part: 1, ..Limits::default() }).start().await.unwrap();
    let client = client(&server);
    let id = create(&client).await;
    let mut parts = Vec::new();
    for number in 1..=10_000 {
        parts.push(part(&client, &id, number, vec![number as u8]).await);
    }
    let done = complete(&client, &id, parts).mpu_object_size(10_000).send().await.unwrap();
    assert!(done.e_tag().unwrap().ends_with("-10000\""));
    let stored = server.direct().get(BUCKET, KEY).unwrap();
    assert_eq!(
        done.checksum_crc64_nvme(),
        Some(stored.compute(strict_s3::Algorithm::Crc64Nvme).unwrap().as_str())
    );
    assert_eq!(stored.size, 10_000);
}
