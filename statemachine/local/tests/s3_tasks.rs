//! Tasks that call S3 through the SDK integration: what they store, what they answer, what they refuse.
#![allow(clippy::unwrap_used, clippy::expect_used)] // helpers of tests may panic as tests do
mod common;
use common::*;
use serde_json::{Value, json};
use std::sync::Arc;
use stepfunctions_local::*;

fn s3(action: &str, arguments: Value) -> Value {
    let resource = format!("arn:aws:states:::aws-sdk:s3:{action}");
    machine("S3", json!({"S3": {"Type": "Task", "Resource": resource, "Arguments": arguments, "End": true}}))
}

/// The result of one call after `keys` were put.
async fn call(world: &World, action: &str, arguments: Value) -> Result<Value, (String, String)> {
    let request = CreateStateMachine {
        name: action.into(),
        definition: s3(action, arguments).to_string(),
        ..Default::default()
    };
    let machine = world.engine.create_state_machine(request).await.unwrap().state_machine_arn;
    let arn = world.start(&machine, &json!({})).await;
    let ended = world.engine.wait(&arn).await.unwrap();
    match ended.status {
        Status::Succeeded => Ok(parse(ended.output.as_ref())),
        _ => Err((ended.error.unwrap_or_default(), ended.cause.unwrap_or_default())),
    }
}

#[tokio::test]
async fn what_was_put_is_described_and_given_back() {
    let world = World::new(|_, event| Ok(event)).await;
    let arguments = json!({"Bucket": "results", "Key": "k", "Body": {"a": [1]}, "ContentType": "application/json",
        "Metadata": {"made-by": "a test"}});
    let put = call(&world, "putObject", arguments).await.unwrap();
    let body = r#"{"a":[1]}"#;
    assert_eq!(world.objects.get("results", "k").await.unwrap(), body);
    // By `python3 -c 'import zlib, base64; print(base64.b64encode(zlib.crc32(b"{\"a\":[1]}").to_bytes(4, "big")))'`.
    assert_eq!((&put["ChecksumCRC32"], &put["ChecksumType"]), (&json!("u5xGWg=="), &json!("FULL_OBJECT")));
    let head = call(&world, "headObject", json!({"Bucket": "results", "Key": "k"})).await.unwrap();
    assert_eq!((&head["ContentLength"], &head["ContentType"]), (&json!(9), &json!("application/json")));
    assert_eq!((&head["ETag"], &head["Metadata"]), (&put["ETag"], &json!({"made-by": "a test"})));
    assert!(head["LastModified"].as_str().unwrap().ends_with('Z') && head.get("Body").is_none());
    let got = call(&world, "getObject", json!({"Bucket": "results", "Key": "k"})).await.unwrap();
    assert_eq!((&got["Body"], &got["ETag"]), (&json!(body), &head["ETag"]));
}

#[tokio::test]
async fn a_text_is_stored_as_json_and_what_has_no_type_has_s3s() {
    let world = World::new(|_, event| Ok(event)).await;
    call(&world, "putObject", json!({"Bucket": "results", "Key": "k", "Body": "text"})).await.unwrap();
    let got = call(&world, "getObject", json!({"Bucket": "results", "Key": "k"})).await.unwrap();
    assert_eq!((&got["Body"], &got["ContentType"]), (&json!("\"text\""), &json!("binary/octet-stream")));
    assert_eq!(got["Metadata"], json!({}));
}

#[tokio::test]
async fn listings_have_the_members_of_their_version() {
    let world = World::new(|_, event| Ok(event)).await;
    for key in ["a/1", "a/2", "b"] {
        world.objects.put("results", key, key.into()).await.unwrap();
    }
    let two = call(&world, "listObjectsV2", json!({"Bucket": "results", "Prefix": "a/"})).await.unwrap();
    assert_eq!(
        (&two["KeyCount"], &two["IsTruncated"], &two["Contents"][1]["Key"]),
        (&json!(2), &json!(false), &json!("a/2"))
    );
    assert!(two.get("NextContinuationToken").is_none());
    let one = call(&world, "listObjects", json!({"Bucket": "results"})).await.unwrap();
    assert_eq!((one["Contents"].as_array().unwrap().len(), one.get("KeyCount")), (3, None));
    let buckets = call(&world, "listBuckets", json!({})).await.unwrap();
    assert_eq!(buckets, json!({"Buckets": [{"Name": "results"}]}));
}

#[tokio::test]
async fn what_is_missing_or_not_supported_is_an_error() {
    let world = World::new(|_, event| Ok(event)).await;
    let missing = call(&world, "getObject", json!({"Bucket": "results", "Key": "no"})).await.unwrap_err();
    assert_eq!(missing.0, "S3.NoSuchKeyException");
    let range = json!({"Bucket": "results", "Key": "no", "Range": "bytes=0-1"});
    let refused = call(&World::new(|_, e| Ok(e)).await, "getObject", range).await.unwrap_err();
    assert!(refused.0 == "States.Runtime" && refused.1.contains("'Range' of s3:getObject"), "{refused:?}");
    let metadata = json!({"Bucket": "results", "Key": "no", "Metadata": {"n": 1}});
    let refused = call(&world, "putObject", metadata).await.unwrap_err();
    assert!(refused.1.contains("Metadata"), "{refused:?}");
    let request = CreateStateMachine {
        name: "delete".into(),
        definition: s3("deleteObject", json!({"Bucket": "b"})).to_string(),
        ..Default::default()
    };
    assert_eq!(world.engine.create_state_machine(request).await.unwrap_err().code, "InvalidDefinition");
}

#[tokio::test]
async fn both_stores_keep_facts_and_drop_them_with_the_object() {
    let folder = tempfile::tempdir().unwrap();
    let stores: [Arc<dyn Objects>; 2] =
        [Arc::new(MemoryObjects::new()), Arc::new(DirectoryObjects::new(folder.path()))];
    for store in stores {
        let facts = ObjectFacts {
            content_type: Some("text/plain".into()),
            metadata: [("a".to_owned(), "b".to_owned())].into(),
        };
        store.put_with("bucket", "k/é", "x".into(), facts.clone()).await.unwrap();
        store.put("bucket", "plain", "x".into()).await.unwrap();
        assert_eq!(store.facts("bucket", "k/é").await.unwrap(), facts);
        assert_eq!(store.facts("bucket", "plain").await.unwrap(), ObjectFacts::default());
        let listed = store.list("bucket", "", None).await.unwrap().objects;
        assert_eq!(listed.iter().map(|o| o.key.as_str()).collect::<Vec<_>>(), ["k/é", "plain"]);
        store.put("bucket", "k/é", "y".into()).await.unwrap();
        assert_eq!(store.facts("bucket", "k/é").await.unwrap(), ObjectFacts::default());
        assert_eq!(store.buckets().await.unwrap(), ["bucket"]);
    }
}
