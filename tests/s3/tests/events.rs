//! The events that S3 sends to EventBridge: what each write and delete tells, in which order, and what tells nothing.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a helper that fails is a test that fails")]

mod common;

use std::sync::{Arc, Mutex};

use aws_sdk_s3::Client;
use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart, Delete, ObjectIdentifier};
use common::{BUCKET, PART, body, builder, bytes, client};
use serde_json::{Value, json};
use strict_s3::{BucketOptions, Server, Versioning};

/// A server, its client, and the events so far.
struct Told {
    server: Server,
    client: Client,
    events: Arc<Mutex<Vec<Value>>>,
}

impl Told {
    async fn start(versioning: Versioning) -> Self {
        let events: Arc<Mutex<Vec<Value>>> = Arc::default();
        let kept = events.clone();
        let server = builder()
            .bucket(BUCKET, BucketOptions { versioning, ..BucketOptions::default() })
            .on_event(move |event| kept.lock().unwrap().push(event))
            .start()
            .await
            .unwrap();
        Self { client: client(&server), server, events }
    }

    /// The events since the last call.
    fn take(&self) -> Vec<Value> {
        std::mem::take(&mut self.events.lock().unwrap())
    }

    fn one(&self) -> Value {
        let mut events = self.take();
        assert_eq!(events.len(), 1, "{events:#?}");
        events.remove(0)
    }

    async fn put(&self, key: &str, text: &str) {
        self.client.put_object().bucket(BUCKET).key(key).body(body(text)).send().await.unwrap();
    }
}

#[tokio::test]
async fn an_event_has_the_form_that_the_vendor_documents() {
    let told = Told::start(Versioning::Off).await;
    told.put("a key/+ü", "hello").await;
    let event = told.one();
    let object = &event["detail"]["object"];
    assert_eq!(
        object,
        &json!({"key": "a key/+ü", "size": 5, "etag": "5d41402abc4b2a76b9719d911017c592", "sequencer": object["sequencer"]}),
        "the key is raw, and without versioning there is no version"
    );
    assert_eq!((&event["source"], &event["detail-type"]), (&json!("aws.s3"), &json!("Object Created")));
    assert_eq!(event["resources"], json!([format!("arn:aws:s3:::{BUCKET}")]));
    assert_eq!(
        (&event["region"], &event["account"]),
        (&json!("us-east-1"), &json!(strict_s3::DEFAULT_OWNER))
    );
    let detail = &event["detail"];
    assert_eq!((&detail["bucket"]["name"], &detail["reason"]), (&json!(BUCKET), &json!("PutObject")));
    let (id, time) = (event["id"].as_str().unwrap(), event["time"].as_str().unwrap());
    assert_eq!((id.len(), &id[14..15], time.len(), &time[19..]), (36, "4", 20, "Z"));
    assert_eq!(detail["request-id"].as_str().map(str::len), Some(32));
}

#[tokio::test]
async fn every_way_to_make_an_object_has_its_reason() {
    let told = Told::start(Versioning::Enabled).await;
    told.put("a", "hello").await;
    let first = told.one();
    told.client
        .copy_object()
        .bucket(BUCKET)
        .key("b")
        .copy_source(format!("{BUCKET}/a"))
        .send()
        .await
        .unwrap();
    let copied = told.one();
    assert_eq!(copied["detail"]["reason"], "CopyObject");
    assert_eq!(copied["detail"]["object"]["etag"], first["detail"]["object"]["etag"]);

    let upload = told
        .client
        .create_multipart_upload()
        .bucket(BUCKET)
        .key("c")
        .send()
        .await
        .unwrap()
        .upload_id
        .unwrap();
    let part = told.client.upload_part().bucket(BUCKET).key("c").upload_id(&upload).part_number(1);
    let etag = part.body(body(bytes(PART))).send().await.unwrap().e_tag.unwrap();
    assert!(told.take().is_empty(), "parts are no objects");
    let parts = CompletedMultipartUpload::builder()
        .parts(CompletedPart::builder().part_number(1).e_tag(etag).build());
    let complete = told.client.complete_multipart_upload().bucket(BUCKET).key("c").upload_id(&upload);
    let complete = complete.multipart_upload(parts.build());
    let done = complete.clone().send().await.unwrap();
    let event = told.one();
    assert_eq!(event["detail"]["reason"], "CompleteMultipartUpload");
    let object = &event["detail"]["object"];
    assert_eq!(
        (object["size"].as_u64(), object["version-id"].as_str()),
        (Some(PART as u64), done.version_id())
    );
    complete.send().await.unwrap();
    assert!(told.take().is_empty(), "the same answer again makes no other object");
}

#[tokio::test]
async fn deletes_tell_what_they_did() {
    let told = Told::start(Versioning::Off).await;
    told.put("a", "hello").await;
    let etag = told.one()["detail"]["object"]["etag"].clone();
    told.client.delete_object().bucket(BUCKET).key("a").send().await.unwrap();
    let event = told.one();
    assert_eq!(
        (&event["detail-type"], &event["detail"]["reason"]),
        (&json!("Object Deleted"), &json!("DeleteObject"))
    );
    assert_eq!(event["detail"]["deletion-type"], "Permanently Deleted");
    assert_eq!(event["detail"]["object"]["etag"], etag);
    told.client.delete_object().bucket(BUCKET).key("a").send().await.unwrap();
    assert!(told.take().is_empty(), "there was nothing");
}

#[tokio::test]
async fn with_versions_a_delete_makes_a_marker_and_by_id_it_is_for_good() {
    let told = Told::start(Versioning::Enabled).await;
    told.put("a", "one").await;
    told.put("a", "two").await;
    let first = told.take()[0]["detail"]["object"]["version-id"].as_str().unwrap().to_owned();
    let gone = |id: Option<&str>| {
        ObjectIdentifier::builder().key("a").set_version_id(id.map(Into::into)).build().unwrap()
    };
    let delete = Delete::builder().objects(gone(None)).objects(gone(Some(&first))).build().unwrap();
    told.client.delete_objects().bucket(BUCKET).delete(delete).send().await.unwrap();
    let events = told.take();
    let types: Vec<_> =
        events.iter().map(|event| event["detail"]["deletion-type"].as_str().unwrap()).collect();
    assert_eq!(types, ["Delete Marker Created", "Permanently Deleted"]);
    assert_eq!(events[1]["detail"]["object"]["version-id"], first);
}

#[tokio::test]
async fn sequencers_grow_with_each_write_of_a_key() {
    let told = Told::start(Versioning::Off).await;
    let writes = (0..20).map(|i| {
        let (client, text) = (told.client.clone(), format!("{i}"));
        async move { client.put_object().bucket(BUCKET).key("a").body(body(text)).send().await.unwrap() }
    });
    futures::future::join_all(writes).await;
    let events = told.take();
    let sequencers: Vec<_> =
        events.iter().map(|event| event["detail"]["object"]["sequencer"].as_str().unwrap()).collect();
    assert_eq!(events.len(), 20);
    assert!(sequencers.is_sorted_by(|one, other| one < other && one.len() == other.len()), "{sequencers:?}");
    let last = told.server.direct().get(BUCKET, "a").unwrap();
    assert_eq!(events[19]["detail"]["object"]["etag"], last.etag, "the last event tells of what is there");
}

#[tokio::test]
async fn refused_writes_tell_nothing() {
    let told = Told::start(Versioning::Off).await;
    told.put("a", "hello").await;
    told.take();
    told.client
        .put_object()
        .bucket(BUCKET)
        .key("a")
        .if_none_match("*")
        .body(body("x"))
        .send()
        .await
        .unwrap_err();
    assert!(told.take().is_empty());
}
