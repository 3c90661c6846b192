//! The S3 calls of the SDK integration that definitions here use.
use super::scope::Scope;
use super::{Failure, Trouble};
use crate::asl::State;
use crate::clock::Timestamp;
use crate::objects::{ObjectFacts, ObjectSummary, ObjectsError};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde_json::{Map, Value, json};

/// The type that S3 gives to what was put without one.
const UNTYPED: &str = "binary/octet-stream";

/// The actions, and the parameters that each of them takes here.
const ACTIONS: [(&str, &[&str]); 6] = [
    ("getObject", &["Bucket", "Key"]),
    ("headObject", &["Bucket", "Key"]),
    ("putObject", &["Bucket", "Key", "Body", "ContentType", "Metadata"]),
    ("listObjects", &["Bucket", "Prefix"]),
    ("listObjectsV2", &["Bucket", "Prefix", "ContinuationToken"]),
    ("listBuckets", &[]),
];

/// The action of that name, if there is one.
pub(crate) fn action(name: &str) -> Option<&'static str> {
    ACTIONS.iter().find(|(known, _)| *known == name).map(|(known, _)| *known)
}

impl Scope {
    /// Makes the call that the Resource names.
    pub(super) async fn s3(&self, state: &State, action: &str, arguments: &Value) -> Result<Value, Trouble> {
        let objects = &self.run.engine.objects;
        let text = |name: &str| arguments.get(name).and_then(Value::as_str);
        let view = self.view(state, arguments);
        if let Some(name) = unknown(action, arguments) {
            let cause = format!("The parameter '{name}' of s3:{action} is not supported by this engine");
            return Err(view.runtime(cause).into());
        }
        let required = |name: &str| {
            text(name).ok_or_else(|| view.runtime(format!("The field '{name}' is required but was missing")))
        };
        if action == "listBuckets" {
            let names = objects.buckets().await.map_err(failed)?;
            let buckets: Vec<Value> = names.into_iter().map(|name| json!({"Name": name})).collect();
            return Ok(json!({"Buckets": buckets}));
        }
        let bucket = required("Bucket")?;
        match action {
            "getObject" | "headObject" => {
                let key = required("Key")?;
                let head = objects.head(bucket, key).await.map_err(failed)?;
                let mut answer = described(&head, objects.facts(bucket, key).await.map_err(failed)?);
                if action == "getObject" {
                    let body = objects.get(bucket, key).await.map_err(failed)?;
                    answer.insert("Body".to_owned(), json!(String::from_utf8_lossy(&body)));
                }
                Ok(Value::Object(answer))
            }
            "putObject" => {
                let key = required("Key")?;
                // As recorded: a body is written as JSON, a text with its quotation marks.
                let body = Bytes::from(arguments.get("Body").map(Value::to_string).unwrap_or_default());
                let facts = facts(arguments).map_err(|cause| view.runtime(cause))?;
                objects.put_with(bucket, key, body.clone(), facts).await.map_err(failed)?;
                let head = objects.head(bucket, key).await.map_err(failed)?;
                Ok(json!({"ChecksumCRC32": crc32(&body), "ChecksumType": "FULL_OBJECT", "ETag": head.etag,
                    "ServerSideEncryption": "AES256"}))
            }
            _ => {
                let prefix = text("Prefix").unwrap_or_default();
                let page = objects.list(bucket, prefix, text("ContinuationToken")).await.map_err(failed)?;
                Ok(listed(action, bucket, prefix, &page))
            }
        }
    }
}

fn unknown<'a>(action: &str, arguments: &'a Value) -> Option<&'a String> {
    let known = ACTIONS.iter().find(|(name, _)| *name == action).map_or(&[][..], |(_, known)| *known);
    arguments.as_object().into_iter().flat_map(Map::keys).find(|name| !known.contains(&name.as_str()))
}

fn facts(arguments: &Value) -> Result<ObjectFacts, String> {
    let content_type = match arguments.get("ContentType") {
        None => None,
        Some(Value::String(found)) => Some(found.clone()),
        Some(other) => return Err(format!("ContentType: expected a text, found {other}")),
    };
    let metadata = match arguments.get("Metadata") {
        None => Ok(Default::default()),
        Some(found) => serde_json::from_value(found.clone()),
    };
    let metadata = metadata.map_err(|e| format!("Metadata: expected texts by name: {e}"))?;
    Ok(ObjectFacts { content_type, metadata })
}

fn described(head: &ObjectSummary, facts: ObjectFacts) -> Map<String, Value> {
    let mut answer = Map::new();
    let mut put = |name: &str, value: Value| answer.insert(name.to_owned(), value);
    put("AcceptRanges", json!("bytes"));
    put("ContentLength", json!(head.size));
    put("ContentType", json!(facts.content_type.as_deref().unwrap_or(UNTYPED)));
    put("ETag", json!(head.etag));
    put("LastModified", json!(modified(head)));
    put("Metadata", json!(facts.metadata));
    put("ServerSideEncryption", json!("AES256"));
    answer
}

/// S3's times are whole seconds.
fn modified(object: &ObjectSummary) -> String {
    Timestamp::from_millis(object.last_modified * 1000).to_rfc3339().replace(".000Z", "Z")
}

fn listed(action: &str, bucket: &str, prefix: &str, page: &crate::objects::Listing) -> Value {
    let summary = |o: &ObjectSummary| json!({"ETag": o.etag, "Key": o.key, "LastModified": modified(o), "Size": o.size, "StorageClass": "STANDARD"});
    let contents: Vec<Value> = page.objects.iter().map(summary).collect();
    let mut answer =
        json!({"IsTruncated": page.next.is_some(), "MaxKeys": 1000, "Name": bucket, "Prefix": prefix});
    if action == "listObjectsV2" {
        answer["KeyCount"] = json!(contents.len());
        if let Some(next) = &page.next {
            answer["NextContinuationToken"] = json!(next);
        }
    }
    answer["Contents"] = Value::Array(contents);
    answer
}

fn crc32(body: &[u8]) -> String {
    let mut sum = flate2::Crc::new();
    sum.update(body);
    STANDARD.encode(sum.sum().to_be_bytes())
}

fn failed(error: ObjectsError) -> Failure {
    let cause =
        format!("{} (Service: S3, Status Code: 404, Request ID: 0, Extended Request ID: 0)", error.message);
    Failure::new(format!("S3.{}Exception", error.code), cause)
}
