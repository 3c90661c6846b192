//! Checksums: declared ones validated and stored, default ones computed, those of parts combined.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a helper that fails is a test that fails")]

mod common;

use aws_sdk_s3::Client;
use aws_sdk_s3::operation::head_object::HeadObjectOutput;
use aws_sdk_s3::types::{
    ChecksumAlgorithm as Sdk, ChecksumMode, ChecksumType, CompletedMultipartUpload, CompletedPart,
    ObjectAttributes,
};
use base64::Engine as _;
use common::{BUCKET, PART, body, builder, bytes, client, refusal, start};
use strict_s3::{Algorithm, Capabilities};

const PAIRS: [(Sdk, Algorithm); 5] = [
    (Sdk::Crc64Nvme, Algorithm::Crc64Nvme),
    (Sdk::Crc32, Algorithm::Crc32),
    (Sdk::Crc32C, Algorithm::Crc32C),
    (Sdk::Sha1, Algorithm::Sha1),
    (Sdk::Sha256, Algorithm::Sha256),
];

fn base64(raw: &[u8]) -> String {
    base64::engine::general_purpose::STANDARD.encode(raw)
}

fn value(head: &HeadObjectOutput, algorithm: Algorithm) -> Option<&str> {
    match algorithm {
        Algorithm::Crc64Nvme => head.checksum_crc64_nvme(),
        Algorithm::Crc32 => head.checksum_crc32(),
        Algorithm::Crc32C => head.checksum_crc32_c(),
        Algorithm::Sha1 => head.checksum_sha1(),
        Algorithm::Sha256 => head.checksum_sha256(),
    }
}

async fn head(client: &Client, key: &str) -> HeadObjectOutput {
    client.head_object().bucket(BUCKET).key(key).checksum_mode(ChecksumMode::Enabled).send().await.unwrap()
}

#[tokio::test]
async fn a_declared_checksum_is_stored_and_returned_on_request() {
    let (_server, client) = start().await;
    for (sdk, algorithm) in PAIRS {
        let data = bytes(1000);
        let put =
            client.put_object().bucket(BUCKET).key("k").checksum_algorithm(sdk).body(body(data.clone()));
        put.send().await.unwrap();
        let expected = base64(&algorithm.digest(&data));
        let head = head(&client, "k").await;
        assert_eq!(value(&head, algorithm), Some(expected.as_str()), "{algorithm:?}");
        assert_eq!(head.checksum_type(), Some(&ChecksumType::FullObject));
        let silent = client.head_object().bucket(BUCKET).key("k").send().await.unwrap();
        assert_eq!(value(&silent, algorithm), None);
    }
}

/// Puts `data` with a checksum header of its own making and nothing else.
async fn put_raw(client: &Client, name: &'static str, sum: &str, data: Vec<u8>) -> (u16, String) {
    let sum = sum.to_owned();
    let put = client.put_object().bucket(BUCKET).key("raw").body(body(data)).customize();
    let put = put.mutate_request(move |request| {
        request.headers_mut().insert(name, sum.clone());
    });
    let off = aws_sdk_s3::config::Config::builder()
        .request_checksum_calculation(aws_sdk_s3::config::RequestChecksumCalculation::WhenRequired);
    match put.config_override(off).send().await {
        Ok(_) => (200, String::new()),
        refused => refusal(refused),
    }
}

#[tokio::test]
async fn a_wrong_checksum_is_refused_and_nothing_stored() {
    let (server, client) = start().await;
    let data = bytes(64);
    for (_, algorithm) in PAIRS {
        let name: &'static str = Box::leak(algorithm.header().as_str().to_owned().into_boxed_str());
        let right = base64(&algorithm.digest(&data));
        let wrong = base64(&algorithm.digest(b"something else"));
        assert_eq!(put_raw(&client, name, &wrong, data.clone()).await, (400, "BadDigest".into()), "{name}");
        assert!(server.direct().get(BUCKET, "raw").is_none());
        assert_eq!(
            put_raw(&client, name, "short", data.clone()).await,
            (400, "InvalidRequest".into()),
            "{name}"
        );
        assert_eq!(put_raw(&client, name, &right, data.clone()).await.0, 200, "{name}");
        server.direct().delete(BUCKET, "raw");
    }
    let md5 = base64(&[0; 16]);
    assert_eq!(put_raw(&client, "content-md5", &md5, data.clone()).await, (400, "BadDigest".into()));
    assert_eq!(put_raw(&client, "content-md5", "AAAA", data).await, (400, "InvalidDigest".into()));
}

#[tokio::test]
async fn without_a_choice_crc64nvme_is_kept() {
    let (server, client) = start().await;
    let data = bytes(500);
    let md5_of_nothing_declared = put_raw(&client, "x-amz-meta-a", "b", data.clone()).await;
    assert_eq!(md5_of_nothing_declared.0, 200);
    let head = head(&client, "raw").await;
    assert_eq!(head.checksum_crc64_nvme(), Some(base64(&Algorithm::Crc64Nvme.digest(&data)).as_str()));
    assert_eq!(server.direct().get(BUCKET, "raw").unwrap().checksum.unwrap().algorithm, Algorithm::Crc64Nvme);
}

/// An upload of `data` in parts of `PART`, completed with what the SDK got for each part.
async fn upload(client: &Client, key: &str, sdk: Sdk, kind: ChecksumType, data: &[u8]) -> Upload {
    let begin = client.create_multipart_upload().bucket(BUCKET).key(key);
    let made = begin.checksum_algorithm(sdk.clone()).checksum_type(kind).send().await.unwrap();
    let id = made.upload_id().unwrap().to_owned();
    let mut parts = Vec::new();
    for (number, piece) in (1..).zip(data.chunks(PART)) {
        let request = client.upload_part().bucket(BUCKET).key(key).upload_id(&id).part_number(number);
        let sent = request.checksum_algorithm(sdk.clone()).body(body(piece)).send().await.unwrap();
        let part = CompletedPart::builder().part_number(number).set_e_tag(sent.e_tag);
        let part = part.set_checksum_crc32(sent.checksum_crc32).set_checksum_crc32_c(sent.checksum_crc32_c);
        let part = part.set_checksum_sha1(sent.checksum_sha1).set_checksum_sha256(sent.checksum_sha256);
        parts.push(part.set_checksum_crc64_nvme(sent.checksum_crc64_nvme).build());
    }
    Upload { id, parts }
}

struct Upload {
    id: String,
    parts: Vec<CompletedPart>,
}

impl Upload {
    fn complete(
        &self,
        client: &Client,
        key: &str,
    ) -> aws_sdk_s3::operation::complete_multipart_upload::builders::CompleteMultipartUploadFluentBuilder
    {
        let list = CompletedMultipartUpload::builder().set_parts(Some(self.parts.clone())).build();
        client.complete_multipart_upload().bucket(BUCKET).key(key).upload_id(&self.id).multipart_upload(list)
    }
}

#[tokio::test]
async fn a_full_object_checksum_of_parts_is_that_of_the_bytes() {
    let (_server, client) = start().await;
    let data = bytes(3 * PART + 100);
    for (sdk, algorithm) in PAIRS.into_iter().take(3) {
        let upload = upload(&client, "full", sdk, ChecksumType::FullObject, &data).await;
        upload.complete(&client, "full").send().await.unwrap();
        let head = head(&client, "full").await;
        assert_eq!(value(&head, algorithm), Some(base64(&algorithm.digest(&data)).as_str()), "{algorithm:?}");
        assert_eq!(head.checksum_type(), Some(&ChecksumType::FullObject));
    }
}

#[tokio::test]
async fn a_composite_checksum_is_over_the_parts_digests() {
    let (_server, client) = start().await;
    let data = bytes(3 * PART + 100);
    for (sdk, algorithm) in PAIRS.into_iter().skip(1) {
        let upload = upload(&client, "composite", sdk, ChecksumType::Composite, &data).await;
        upload.complete(&client, "composite").send().await.unwrap();
        let digests: Vec<u8> = data.chunks(PART).flat_map(|piece| algorithm.digest(piece)).collect();
        let expected = format!("{}-4", base64(&algorithm.digest(&digests)));
        let head = head(&client, "composite").await;
        assert_eq!(value(&head, algorithm), Some(expected.as_str()), "{algorithm:?}");
        assert_eq!(head.checksum_type(), Some(&ChecksumType::Composite));
        // A part's own checksum comes with exactly that part.
        let second = client.head_object().bucket(BUCKET).key("composite").part_number(2);
        let second = second.checksum_mode(ChecksumMode::Enabled).send().await.unwrap();
        assert_eq!(
            value(&second, algorithm),
            Some(base64(&algorithm.digest(&data[PART..2 * PART])).as_str())
        );
    }
}

#[tokio::test]
async fn algorithm_and_type_must_fit() {
    let (_server, client) = start().await;
    let cases = [
        (Sdk::Crc64Nvme, ChecksumType::Composite),
        (Sdk::Sha1, ChecksumType::FullObject),
        (Sdk::Sha256, ChecksumType::FullObject),
    ];
    for (algorithm, kind) in cases {
        let begin = client.create_multipart_upload().bucket(BUCKET).key("k");
        let refused = begin.checksum_algorithm(algorithm.clone()).checksum_type(kind).send().await;
        assert_eq!(refusal(refused), (400, "InvalidRequest".into()), "{algorithm}");
    }
}

#[tokio::test]
async fn a_part_has_the_algorithm_of_its_upload() {
    let (_server, client) = start().await;
    let upload = upload(&client, "k", Sdk::Crc64Nvme, ChecksumType::FullObject, &bytes(1)).await;
    let request = client.upload_part().bucket(BUCKET).key("k").upload_id(&upload.id).part_number(2);
    let refused = request.checksum_algorithm(Sdk::Sha256).body(body(bytes(1))).send().await;
    assert_eq!(refusal(refused), (400, "InvalidRequest".into()));
}

#[tokio::test]
async fn complete_checks_the_declared_whole() {
    let (server, client) = start().await;
    let data = bytes(2 * PART);
    let upload = upload(&client, "k", Sdk::Crc64Nvme, ChecksumType::FullObject, &data).await;
    let right = base64(&Algorithm::Crc64Nvme.digest(&data));
    let wrong = base64(&Algorithm::Crc64Nvme.digest(b"other"));
    let finish = || upload.complete(&client, "k");
    assert_eq!(refusal(finish().checksum_crc64_nvme(wrong).send().await), (400, "BadDigest".into()));
    assert_eq!(refusal(finish().mpu_object_size(2047).send().await), (400, "InvalidRequest".into()));
    let other_type = finish().checksum_type(ChecksumType::Composite).send().await;
    assert_eq!(refusal(other_type), (400, "InvalidRequest".into()));
    assert!(server.direct().get(BUCKET, "k").is_none());
    let done =
        finish().checksum_crc64_nvme(&right).checksum_type(ChecksumType::FullObject).mpu_object_size(2048);
    assert_eq!(done.send().await.unwrap().checksum_crc64_nvme(), Some(right.as_str()));
}

#[tokio::test]
async fn complete_checks_the_parts_checksums() {
    let (_server, client) = start().await;
    let mut upload = upload(&client, "k", Sdk::Sha256, ChecksumType::Composite, &bytes(2 * PART)).await;
    let parts = upload.parts.clone();
    upload.parts[0].checksum_sha256 = parts[1].checksum_sha256.clone();
    assert_eq!(refusal(upload.complete(&client, "k").send().await), (400, "InvalidPart".into()));
    upload.parts[0].checksum_sha256 = None;
    assert_eq!(refusal(upload.complete(&client, "k").send().await), (400, "InvalidRequest".into()));
    upload.parts = parts;
    upload.complete(&client, "k").send().await.unwrap();
}

#[tokio::test]
async fn ranges_carry_no_checksum_unless_they_are_a_part() {
    let (_server, client) = start().await;
    let data = bytes(2 * PART);
    let upload = upload(&client, "k", Sdk::Crc32, ChecksumType::FullObject, &data).await;
    upload.complete(&client, "k").send().await.unwrap();
    let get = async |range: &str| {
        let request =
            client.get_object().bucket(BUCKET).key("k").range(range).checksum_mode(ChecksumMode::Enabled);
        request.send().await.unwrap().checksum_crc32().map(ToOwned::to_owned)
    };
    assert_eq!(get("bytes=0-1022").await, None);
    assert_eq!(get("bytes=0-1023").await, Some(base64(&Algorithm::Crc32.digest(&data[..PART]))));
}

#[tokio::test]
async fn attributes_tell_the_checksum_and_the_parts() {
    let (_server, client) = start().await;
    let upload = upload(&client, "k", Sdk::Sha256, ChecksumType::Composite, &bytes(2 * PART + 1)).await;
    upload.complete(&client, "k").send().await.unwrap();
    let wish = client.get_object_attributes().bucket(BUCKET).key("k").max_parts(2);
    let wish =
        wish.object_attributes(ObjectAttributes::Checksum).object_attributes(ObjectAttributes::ObjectParts);
    let with_etag = wish.clone().object_attributes(ObjectAttributes::Etag).send().await.unwrap();
    let etag = with_etag.e_tag().unwrap();
    assert!(
        etag.ends_with("-3") && !etag.contains('"'),
        "{etag}: this operation alone writes it without quotes"
    );
    let got = wish.object_attributes(ObjectAttributes::ObjectSize).send().await.unwrap();
    assert_eq!(got.object_size(), Some(2 * PART as i64 + 1));
    assert_eq!(got.e_tag(), None);
    assert!(got.checksum().unwrap().checksum_sha256().unwrap().ends_with("-3"));
    let parts = got.object_parts().unwrap();
    assert_eq!(
        (parts.parts().len(), parts.is_truncated(), parts.total_parts_count()),
        (2, Some(true), Some(3))
    );
    assert_eq!(parts.parts()[0].checksum_sha256(), upload.parts[0].checksum_sha256());
}

#[tokio::test]
async fn a_store_may_lack_crc64nvme_or_trailers() {
    let without = Capabilities { crc64nvme: false, ..Capabilities::default() };
    let server = builder().capabilities(without).start().await.unwrap();
    let client_ = client(&server);
    let put =
        client_.put_object().bucket(BUCKET).key("k").body(body(bytes(1))).checksum_algorithm(Sdk::Crc64Nvme);
    assert_eq!(refusal(put.send().await), (501, "NotImplemented".into()));
    server.direct().put(BUCKET, "k", "x");
    assert_eq!(server.direct().get(BUCKET, "k").unwrap().checksum, None);

    let without = Capabilities { trailers: false, ..Capabilities::default() };
    let server = builder().capabilities(without).start().await.unwrap();
    let chunked = http_body_util::Full::new(bytes::Bytes::from_static(b"abc"));
    let stream = aws_sdk_s3::primitives::ByteStream::from_body_1_x(chunked);
    let put = client(&server).put_object().bucket(BUCKET).key("k").content_length(3).body(stream);
    assert_eq!(refusal(put.checksum_algorithm(Sdk::Crc32).send().await), (501, "NotImplemented".into()));
}
