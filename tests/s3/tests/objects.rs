//! Objects outside of multipart: ranges, headers, metadata, tags, versions, archives, encryption, listings, copies.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a helper that fails is a test that fails")]

mod common;

use aws_sdk_s3::types::{
    BucketVersioningStatus, Delete, MetadataDirective, ObjectIdentifier, RestoreRequest,
    ServerSideEncryption, StorageClass, Tag, Tagging, VersioningConfiguration,
};
use base64::Engine as _;
use common::{BUCKET, PART, body, builder, bytes, client, presigning, raw, refusal, start, target_of};
use strict_s3::{BucketOptions, Capabilities, Limits};

#[tokio::test]
async fn ranges() {
    let (server, client) = start().await;
    let data = bytes(100);
    server.direct().put(BUCKET, "k", data.clone());
    server.direct().put(BUCKET, "empty", "");
    let get = async |range: &str| {
        let got = client.get_object().bucket(BUCKET).key("k").range(range).send().await.unwrap();
        (got.content_range().map(ToOwned::to_owned), got.body.collect().await.unwrap().to_vec())
    };
    assert_eq!(get("bytes=10-19").await, (Some("bytes 10-19/100".into()), data[10..20].to_vec()));
    assert_eq!(get("bytes=90-").await, (Some("bytes 90-99/100".into()), data[90..].to_vec()));
    assert_eq!(get("bytes=-5").await, (Some("bytes 95-99/100".into()), data[95..].to_vec()));
    assert_eq!(get("bytes=99-500").await, (Some("bytes 99-99/100".into()), data[99..].to_vec()));
    for (key, range) in [("k", "bytes=100-"), ("k", "bytes=-0"), ("empty", "bytes=0-")] {
        let refused = client.get_object().bucket(BUCKET).key(key).range(range).send().await;
        assert_eq!(refusal(refused), (416, "InvalidRange".into()), "{key} {range}");
    }
    let presigned = client
        .get_object()
        .bucket(BUCKET)
        .key("k")
        .range("bytes=10-19")
        .presigned(presigning())
        .await
        .unwrap();
    let wire = raw(&server, "GET", &target_of(&presigned), &[("range", "bytes=10-19")], b"").await;
    assert_eq!((wire.status(), wire.header("content-length").as_deref()), (206, Some("10")));
    let presigned = client.get_object().bucket(BUCKET).key("k").presigned(presigning()).await.unwrap();
    let wire = raw(&server, "GET", &target_of(&presigned), &[("range", "bytes=200-")], b"").await;
    assert_eq!((wire.status(), wire.header("content-range").as_deref()), (416, Some("bytes */100")));
}

#[tokio::test]
async fn part_number_without_parts_and_with_range() {
    let (server, client) = start().await;
    server.direct().put(BUCKET, "k", "data");
    let get = || client.get_object().bucket(BUCKET).key("k");
    let whole = get().part_number(1).send().await.unwrap();
    assert_eq!((whole.content_length(), whole.parts_count()), (Some(4), None));
    assert_eq!(refusal(get().part_number(2).send().await), (416, "InvalidPartNumber".into()));
    assert_eq!(refusal(get().part_number(1).range("bytes=0-1").send().await), (400, "InvalidRequest".into()));
}

#[tokio::test]
async fn zero_bytes_are_an_object() {
    let (server, client) = start().await;
    client.put_object().bucket(BUCKET).key("k").send().await.unwrap();
    let got = client.get_object().bucket(BUCKET).key("k").send().await.unwrap();
    assert_eq!((got.content_length(), got.e_tag()), (Some(0), Some("\"d41d8cd98f00b204e9800998ecf8427e\"")));
    assert_eq!(server.direct().get(BUCKET, "k").unwrap().size, 0);
}

#[tokio::test]
async fn headers_and_metadata_come_back_and_have_limits() {
    let (_server, client) = start().await;
    let put = || client.put_object().bucket(BUCKET).key("k").body(body(bytes(1)));
    let full =
        put().content_type("a/b").content_encoding("gzip").content_language("de").cache_control("no-store");
    let full = full.content_disposition("attachment; filename=\"x\"").website_redirect_location("/y");
    full.metadata("Name", "v a l").send().await.unwrap();
    let head = client.head_object().bucket(BUCKET).key("k").send().await.unwrap();
    assert_eq!((head.content_type(), head.content_encoding()), (Some("a/b"), Some("gzip")));
    assert_eq!((head.content_language(), head.cache_control()), (Some("de"), Some("no-store")));
    assert_eq!(head.content_disposition(), Some("attachment; filename=\"x\""));
    assert_eq!(head.website_redirect_location(), Some("/y"));
    assert_eq!(head.metadata().unwrap()["name"], "v a l");
    assert_eq!(head.server_side_encryption(), Some(&ServerSideEncryption::Aes256));
    put().metadata("k", "x".repeat(2047)).send().await.unwrap();
    let refused = put().metadata("k", "x".repeat(2048)).send().await;
    assert_eq!(refusal(refused), (400, "MetadataTooLarge".into()));
    let overridden =
        client.get_object().bucket(BUCKET).key("k").response_content_type("c/d").send().await.unwrap();
    assert_eq!(overridden.content_type(), Some("c/d"));
}

#[tokio::test]
async fn tags_and_their_limits() {
    let (server, client) = start().await;
    let put =
        |tags: String| client.put_object().bucket(BUCKET).key("k").body(body(bytes(1))).tagging(tags).send();
    put("a%2Bb=c%20d&e=".into()).await.unwrap();
    assert_eq!(
        server.direct().get(BUCKET, "k").unwrap().tags,
        [("a+b".into(), "c d".into()), ("e".into(), String::new())]
    );
    assert_eq!(client.get_object().bucket(BUCKET).key("k").send().await.unwrap().tag_count(), Some(2));
    let many = |n: usize| (0..n).map(|i| format!("k{i}=v")).collect::<Vec<_>>().join("&");
    put(many(10)).await.unwrap();
    assert_eq!(refusal(put(many(11)).await), (400, "BadRequest".into()));
    for bad in ["aws:x=1", "=v", "a=1&a=2", "a%3Cb=1"] {
        assert_eq!(refusal(put(bad.into()).await), (400, "InvalidTag".into()), "{bad}");
    }
    put(format!("{}={}", "k".repeat(128), "v".repeat(256))).await.unwrap();
    assert_eq!(refusal(put(format!("{}=v", "k".repeat(129))).await), (400, "InvalidTag".into()));
    assert_eq!(refusal(put(format!("k={}", "v".repeat(257))).await), (400, "InvalidTag".into()));
    let tag = Tag::builder().key("x").value("y").build().unwrap();
    let set = Tagging::builder().tag_set(tag).build().unwrap();
    client.put_object_tagging().bucket(BUCKET).key("k").tagging(set).send().await.unwrap();
    let got = client.get_object_tagging().bucket(BUCKET).key("k").send().await.unwrap();
    assert_eq!((got.tag_set()[0].key(), got.tag_set().len()), ("x", 1));
    client.delete_object_tagging().bucket(BUCKET).key("k").send().await.unwrap();
    assert!(server.direct().get(BUCKET, "k").unwrap().tags.is_empty());
}

#[tokio::test]
async fn versions_and_delete_markers() {
    let server = builder().bucket("versioned", BucketOptions::versioned()).start().await.unwrap();
    let client = client(&server);
    let put =
        |text: &str| client.put_object().bucket("versioned").key("k").body(body(text.as_bytes())).send();
    let first = put("one").await.unwrap().version_id().unwrap().to_owned();
    let second = put("two").await.unwrap().version_id().unwrap().to_owned();
    let get = || client.get_object().bucket("versioned").key("k");
    assert_eq!(get().send().await.unwrap().version_id(), Some(second.as_str()));
    let old = get().version_id(&first).send().await.unwrap().body.collect().await.unwrap().to_vec();
    assert_eq!(old, b"one");
    let delete = client.delete_object().bucket("versioned").key("k").send().await.unwrap();
    assert_eq!(delete.delete_marker(), Some(true));
    let marker = delete.version_id().unwrap();
    let hidden = get().send().await.unwrap_err();
    assert_eq!(hidden.raw_response().unwrap().headers().get("x-amz-delete-marker"), Some("true"));
    assert_eq!(refusal::<(), _>(Err(hidden)), (404, "NoSuchKey".into()));
    assert_eq!(refusal(get().version_id(marker).send().await), (405, "MethodNotAllowed".into()));
    assert_eq!(refusal(get().version_id("0".repeat(32)).send().await), (404, "NoSuchVersion".into()));
    let list = client.list_object_versions().bucket("versioned").send().await.unwrap();
    let ids: Vec<_> = list.versions().iter().filter_map(|version| version.version_id()).collect();
    assert_eq!(ids, [second.as_str(), first.as_str()]);
    assert_eq!(list.delete_markers()[0].is_latest(), Some(true));
    client.delete_object().bucket("versioned").key("k").version_id(marker).send().await.unwrap();
    assert_eq!(get().send().await.unwrap().version_id(), Some(second.as_str()));
    client.delete_object().bucket("versioned").key("k").version_id(&second).send().await.unwrap();
    assert_eq!(get().send().await.unwrap().version_id(), Some(first.as_str()));
}

#[tokio::test]
async fn suspended_versioning_writes_the_null_version() {
    let server = builder().bucket("versioned", BucketOptions::versioned()).start().await.unwrap();
    let client = client(&server);
    let put =
        |text: &str| client.put_object().bucket("versioned").key("k").body(body(text.as_bytes())).send();
    put("kept").await.unwrap();
    let suspended = VersioningConfiguration::builder().status(BucketVersioningStatus::Suspended).build();
    client
        .put_bucket_versioning()
        .bucket("versioned")
        .versioning_configuration(suspended)
        .send()
        .await
        .unwrap();
    put("null one").await.unwrap();
    assert_eq!(put("null two").await.unwrap().version_id(), None);
    let got = client.get_object().bucket("versioned").key("k").send().await.unwrap();
    assert_eq!(got.version_id(), Some("null"));
    let kept: Vec<_> =
        server.direct().versions("versioned", "k").iter().map(|version| version.bytes().unwrap()).collect();
    assert_eq!(kept, ["kept", "null two"]);
}

#[tokio::test]
async fn archived_objects_are_restored_first() {
    let server = builder().restore_takes(std::time::Duration::from_secs(3600)).start().await.unwrap();
    let client = client(&server);
    let put = |class: StorageClass| {
        client.put_object().bucket(BUCKET).key("k").body(body(bytes(1))).storage_class(class).send()
    };
    assert_eq!(refusal(put("COLD".into()).await), (400, "InvalidStorageClass".into()));
    put(StorageClass::Glacier).await.unwrap();
    let get = || client.get_object().bucket(BUCKET).key("k").send();
    let head = async || client.head_object().bucket(BUCKET).key("k").send().await.unwrap();
    assert_eq!(refusal(get().await), (403, "InvalidObjectState".into()));
    assert_eq!(head().await.storage_class(), Some(&StorageClass::Glacier));
    let restore = || {
        let wish = RestoreRequest::builder().days(2).build();
        client.restore_object().bucket(BUCKET).key("k").restore_request(wish).send()
    };
    restore().await.unwrap();
    assert_eq!(server.requests().last().unwrap().status, Some(202));
    assert_eq!(head().await.restore(), Some("ongoing-request=\"true\""));
    assert_eq!(refusal(restore().await), (409, "RestoreAlreadyInProgress".into()));
    assert_eq!(refusal(get().await), (403, "InvalidObjectState".into()));
    server.set_clock_skew(3601);
    let presigned = client.get_object().bucket(BUCKET).key("k").presigned(presigning()).await.unwrap();
    let read = raw(&server, "GET", &target_of(&presigned), &[], b"").await;
    assert_eq!(read.status(), 200);
    assert!(read.header("x-amz-restore").unwrap().starts_with("ongoing-request=\"false\", expiry-date="));
    server.set_clock_skew(3601 + 2 * 86_400);
    assert_eq!(raw(&server, "GET", &target_of(&presigned), &[], b"").await.status(), 403);
}

#[tokio::test]
async fn encryption_is_echoed_and_customer_keys_are_needed() {
    use md5::Digest as _;
    let (server, client) = start().await;
    let put = || client.put_object().bucket(BUCKET).key("k").body(body(bytes(1)));
    let kms =
        put().server_side_encryption(ServerSideEncryption::AwsKms).ssekms_key_id("abc").send().await.unwrap();
    assert_eq!(kms.ssekms_key_id(), Some("arn:aws:kms:us-east-1:123456789012:key/abc"));
    let etag = server.direct().get(BUCKET, "k").unwrap().etag;
    let md5: String = md5::Md5::digest(bytes(1)).iter().map(|byte| format!("{byte:02x}")).collect();
    assert_ne!(etag, md5, "under KMS an ETag says nothing of the bytes");
    let foreign = put()
        .server_side_encryption(ServerSideEncryption::AwsKms)
        .ssekms_key_id("arn:aws-cn:kms:cn-north-1:1:key/x");
    assert_eq!(refusal(foreign.send().await), (400, "KMS.NotFoundException".into()));
    assert_eq!(
        refusal(put().server_side_encryption("none".into()).send().await),
        (400, "InvalidArgument".into())
    );
    let base64 = |raw: &[u8]| base64::engine::general_purpose::STANDARD.encode(raw);
    let (key, sum) = (base64(&[7; 32]), base64(&md5::Md5::digest([7; 32])));
    put()
        .sse_customer_algorithm("AES256")
        .sse_customer_key(&key)
        .sse_customer_key_md5(&sum)
        .send()
        .await
        .unwrap();
    let head = || client.head_object().bucket(BUCKET).key("k");
    assert_eq!(refusal(head().send().await).0, 400);
    head()
        .sse_customer_algorithm("AES256")
        .sse_customer_key(&key)
        .sse_customer_key_md5(&sum)
        .send()
        .await
        .unwrap();
    let (key, sum) = (base64(&[8; 32]), base64(&md5::Md5::digest([8; 32])));
    let wrong = head()
        .sse_customer_algorithm("AES256")
        .sse_customer_key(&key)
        .sse_customer_key_md5(&sum)
        .send()
        .await;
    assert_eq!(refusal(wrong).0, 403);
}

#[tokio::test]
async fn names_of_buckets_and_keys() {
    let (server, client) = start().await;
    for name in ["Upper", "a_b", "ab", "1.2.3.4", "a..b", &"x".repeat(64)] {
        let presigned = client.get_object().bucket(BUCKET).key("k").presigned(presigning()).await.unwrap();
        let elsewhere = target_of(&presigned).replacen(BUCKET, name, 1);
        let refused = raw(&server, "GET", &elsewhere, &[], b"").await;
        assert!(refused.text().contains("InvalidBucketName"), "{name}: {}", refused.text());
    }
    let put = |key: String| client.put_object().bucket(BUCKET).key(key).body(body(bytes(1))).send();
    put("k".repeat(1024)).await.unwrap();
    assert_eq!(refusal(put("k".repeat(1025)).await), (400, "KeyTooLongError".into()));
    let odd =
        ["/x", "x//y", "a%2Fb", "a+b c", "e\u{301}", "\u{e9}", "🦀", "dir/", "../up", "soap", "a?b#c&d=e"];
    for key in odd {
        put(key.to_owned()).await.unwrap();
        let got = client.get_object().bucket(BUCKET).key(key).send().await.unwrap();
        assert_eq!(got.content_length(), Some(1), "{key}");
    }
    let keys = server.direct().keys(BUCKET);
    assert!(odd.iter().all(|key| keys.iter().any(|have| have == key)), "{keys:?}");
    let absent = client.get_object().bucket("no-such-bucket").key("k").send().await;
    assert_eq!(refusal(absent), (404, "NoSuchBucket".into()));
}

#[tokio::test]
async fn listings_are_in_byte_order_and_page() {
    let (server, client) = start().await;
    for key in ["b", "a/1", "a/2", "a", "B", "é", "z&<", "c/d/e"] {
        server.direct().put(BUCKET, key, "x");
    }
    let list = || client.list_objects_v2().bucket(BUCKET);
    let keys = |page: &aws_sdk_s3::operation::list_objects_v2::ListObjectsV2Output| {
        page.contents().iter().filter_map(|object| object.key().map(ToOwned::to_owned)).collect::<Vec<_>>()
    };
    assert_eq!(keys(&list().send().await.unwrap()), ["B", "a", "a/1", "a/2", "b", "c/d/e", "z&<", "é"]);
    let rolled = list().delimiter("/").send().await.unwrap();
    assert_eq!(keys(&rolled), ["B", "a", "b", "z&<", "é"]);
    let prefixes: Vec<_> = rolled.common_prefixes().iter().filter_map(|one| one.prefix()).collect();
    assert_eq!((prefixes, rolled.key_count()), (vec!["a/", "c/"], Some(7)));
    assert_eq!(keys(&list().prefix("a/").start_after("a/1").send().await.unwrap()), ["a/2"]);
    let (mut all, mut token) = (Vec::new(), None);
    loop {
        let page = list().delimiter("/").max_keys(2).set_continuation_token(token).send().await.unwrap();
        all.extend(keys(&page));
        all.extend(page.common_prefixes().iter().filter_map(|one| one.prefix().map(ToOwned::to_owned)));
        token = page.next_continuation_token().map(ToOwned::to_owned);
        if token.is_none() {
            break;
        }
    }
    // Within a page keys come before prefixes.
    assert_eq!(all, ["B", "a", "b", "a/", "z&<", "c/", "é"]);
    let escaped = list().prefix("z").encoding_type("url".into()).send().await.unwrap();
    assert_eq!(keys(&escaped), ["z%26%3C"]);
}

#[tokio::test]
async fn copies_share_bytes_and_choose_metadata() {
    let (server, client) = start().await;
    let put = client
        .put_object()
        .bucket(BUCKET)
        .key("from")
        .body(body(bytes(50)))
        .metadata("a", "b")
        .tagging("t=1");
    put.send().await.unwrap();
    let copy = || client.copy_object().bucket(BUCKET).key("to").copy_source(format!("{BUCKET}/from"));
    copy().send().await.unwrap();
    let kept = server.direct().get(BUCKET, "to").unwrap();
    assert_eq!((kept.header("x-amz-meta-a"), kept.tags.len(), kept.size), (Some("b"), 1, 50));
    copy().metadata_directive(MetadataDirective::Replace).metadata("c", "d").send().await.unwrap();
    let replaced = server.direct().get(BUCKET, "to").unwrap();
    assert_eq!((replaced.header("x-amz-meta-a"), replaced.header("x-amz-meta-c")), (None, Some("d")));
    assert_eq!(refusal(copy().key("from").send().await), (400, "InvalidRequest".into()));
    let absent =
        client.copy_object().bucket(BUCKET).key("to").copy_source(format!("{BUCKET}/none")).send().await;
    assert_eq!(refusal(absent), (404, "NoSuchKey".into()));
}

#[tokio::test]
async fn a_part_may_be_copied_from_a_range() {
    let (server, client) = start().await;
    let data = bytes(3 * PART);
    server.direct().put(BUCKET, "from", data.clone());
    let begun = client.create_multipart_upload().bucket(BUCKET).key("to").send().await.unwrap();
    let id = begun.upload_id().unwrap();
    let copy = |number: i32, range: String| {
        let request = client.upload_part_copy().bucket(BUCKET).key("to").upload_id(id).part_number(number);
        request.copy_source(format!("{BUCKET}/from")).copy_source_range(range).send()
    };
    assert_eq!(refusal(copy(1, "bytes=0-3072".into()).await), (416, "InvalidRange".into()));
    assert_eq!(refusal(copy(1, "bytes=5-".into()).await), (400, "InvalidArgument".into()));
    let mut parts = Vec::new();
    for (number, range) in [(1, "bytes=1024-2047"), (2, "bytes=0-9")] {
        let done = copy(number, range.into()).await.unwrap();
        let result = done.copy_part_result().unwrap();
        let part =
            aws_sdk_s3::types::CompletedPart::builder().part_number(number).set_e_tag(result.e_tag.clone());
        parts.push(part.set_checksum_crc32(result.checksum_crc32.clone()).build());
    }
    let list = aws_sdk_s3::types::CompletedMultipartUpload::builder().set_parts(Some(parts)).build();
    let finish =
        client.complete_multipart_upload().bucket(BUCKET).key("to").upload_id(id).multipart_upload(list);
    finish.send().await.unwrap();
    let joined = server.direct().get(BUCKET, "to").unwrap().bytes().unwrap();
    assert_eq!(joined, [&data[1024..2048], &data[..10]].concat());
}

#[tokio::test]
async fn many_are_deleted_at_once() {
    let (server, client) = start().await;
    server.direct().put(BUCKET, "a", "1");
    server.direct().put(BUCKET, "b", "2");
    let key = |name: &str| ObjectIdentifier::builder().key(name).build().unwrap();
    let list = Delete::builder().objects(key("a")).objects(key("absent")).build().unwrap();
    let gone = client.delete_objects().bucket(BUCKET).delete(list).send().await.unwrap();
    assert_eq!((gone.deleted().len(), gone.errors().len()), (2, 0));
    assert_eq!(server.direct().keys(BUCKET), ["b"]);
}

#[tokio::test]
async fn buckets_are_made_and_deleted() {
    let (server, client) = start().await;
    client.create_bucket().bucket("new-one").send().await.unwrap();
    assert_eq!(
        refusal(client.create_bucket().bucket("new-one").send().await),
        (409, "BucketAlreadyOwnedByYou".into())
    );
    let names: Vec<_> = client
        .list_buckets()
        .send()
        .await
        .unwrap()
        .buckets()
        .iter()
        .map(|b| b.name().unwrap().to_owned())
        .collect();
    assert_eq!(names, [BUCKET, "new-one"]);
    server.direct().put("new-one", "k", "x");
    assert_eq!(
        refusal(client.delete_bucket().bucket("new-one").send().await),
        (409, "BucketNotEmpty".into())
    );
    server.direct().delete("new-one", "k");
    client.delete_bucket().bucket("new-one").send().await.unwrap();
    assert_eq!(refusal(client.head_bucket().bucket("new-one").send().await).0, 404);
}

#[tokio::test]
async fn an_object_put_at_once_has_a_limit() {
    let server = builder().limits(Limits { max_part: 100, ..Limits::default() }).start().await.unwrap();
    let put = |length| client(&server).put_object().bucket(BUCKET).key("k").body(body(bytes(length))).send();
    put(100).await.unwrap();
    assert_eq!(refusal(put(101).await), (400, "EntityTooLarge".into()));
}

#[tokio::test]
async fn etags_may_be_opaque() {
    let opaque = Capabilities { md5_etags: false, ..Capabilities::default() };
    let server = builder().capabilities(opaque).start().await.unwrap();
    let put = || client(&server).put_object().bucket(BUCKET).key("k").body(body(bytes(1))).send();
    let (first, second) = (put().await.unwrap(), put().await.unwrap());
    assert_ne!(first.e_tag(), second.e_tag());
}

#[tokio::test]
async fn what_is_configured_of_a_bucket_is_kept_and_given_back() {
    use aws_sdk_s3::types as t;
    let (_server, client) = start().await;
    let none = client.get_bucket_lifecycle_configuration().bucket(BUCKET).send().await;
    assert_eq!(refusal(none), (404, "NoSuchLifecycleConfiguration".into()));
    let none = client.get_bucket_encryption().bucket(BUCKET).send().await;
    assert_eq!(refusal(none), (404, "ServerSideEncryptionConfigurationNotFoundError".into()));
    let told = client.get_bucket_notification_configuration().bucket(BUCKET).send().await.unwrap();
    assert!(told.event_bridge_configuration.is_none(), "nobody is told");

    let old = t::AbortIncompleteMultipartUpload::builder().days_after_initiation(14).build();
    let filter = t::LifecycleRuleFilter::builder().prefix("a/").build();
    let rule = t::LifecycleRule::builder().status(t::ExpirationStatus::Enabled).filter(filter);
    let rule = rule.abort_incomplete_multipart_upload(old).build().unwrap();
    let rules = t::BucketLifecycleConfiguration::builder().rules(rule.clone()).build().unwrap();
    client
        .put_bucket_lifecycle_configuration()
        .bucket(BUCKET)
        .lifecycle_configuration(rules)
        .send()
        .await
        .unwrap();
    let key = t::ServerSideEncryptionByDefault::builder().sse_algorithm(t::ServerSideEncryption::AwsKms);
    let key = key.kms_master_key_id("arn:aws:kms:us-east-1:123456789012:key/a").build().unwrap();
    let encrypted =
        t::ServerSideEncryptionRule::builder().apply_server_side_encryption_by_default(key.clone()).build();
    let encrypted = t::ServerSideEncryptionConfiguration::builder().rules(encrypted).build().unwrap();
    let put = client.put_bucket_encryption().bucket(BUCKET).server_side_encryption_configuration(encrypted);
    put.send().await.unwrap();
    let bridge = t::EventBridgeConfiguration::builder().build();
    let bridge = t::NotificationConfiguration::builder().event_bridge_configuration(bridge).build();
    let put =
        client.put_bucket_notification_configuration().bucket(BUCKET).notification_configuration(bridge);
    put.send().await.unwrap();

    let found = client.get_bucket_lifecycle_configuration().bucket(BUCKET).send().await.unwrap();
    assert_eq!(found.rules(), [rule]);
    let found = client.get_bucket_encryption().bucket(BUCKET).send().await.unwrap();
    let found = found.server_side_encryption_configuration.unwrap().rules.remove(0);
    assert_eq!(found.apply_server_side_encryption_by_default, Some(key));
    let told = client.get_bucket_notification_configuration().bucket(BUCKET).send().await.unwrap();
    assert!(told.event_bridge_configuration.is_some());
}
