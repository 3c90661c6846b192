//! The S3 calls of the SDK integration that definitions here use: getObject, putObject, listObjects, listObjectsV2.
use super::scope::Scope;
use super::{Failure, Trouble};
use crate::asl::State;
use crate::objects::{ObjectSummary, ObjectsError};
use bytes::Bytes;
use serde_json::{Value, json};

impl Scope {
    /// Makes the call that the Resource names.
    pub(super) async fn s3(&self, state: &State, action: &str, arguments: &Value) -> Result<Value, Trouble> {
        let objects = &self.run.engine.objects;
        let text = |name: &str| arguments.get(name).and_then(Value::as_str);
        let view = self.view(state, arguments);
        let required = |name: &str| {
            text(name).ok_or_else(|| view.runtime(format!("The field '{name}' is required but was missing")))
        };
        let bucket = required("Bucket")?;
        match action {
            "getObject" => {
                let key = required("Key")?;
                let (body, head) = (
                    objects.get(bucket, key).await.map_err(failed)?,
                    objects.head(bucket, key).await.map_err(failed)?,
                );
                Ok(object(&body, &head))
            }
            "putObject" => {
                let key = required("Key")?;
                let body = match arguments.get("Body") {
                    Some(Value::String(text)) => text.clone(),
                    Some(other) => other.to_string(),
                    None => String::new(),
                };
                objects.put(bucket, key, Bytes::from(body)).await.map_err(failed)?;
                let head = objects.head(bucket, key).await.map_err(failed)?;
                Ok(json!({"ETag": head.etag}))
            }
            _ => {
                let prefix = text("Prefix").unwrap_or_default();
                let page = objects.list(bucket, prefix, text("ContinuationToken")).await.map_err(failed)?;
                let contents: Vec<Value> = page.objects.iter().map(summary).collect();
                let count = contents.len();
                Ok(json!({"Contents": contents, "IsTruncated": page.next.is_some(), "KeyCount": count,
                    "MaxKeys": 1000, "Name": bucket, "Prefix": prefix, "NextContinuationToken": page.next}))
            }
        }
    }
}

fn object(body: &Bytes, head: &ObjectSummary) -> Value {
    json!({"Body": String::from_utf8_lossy(body), "ContentLength": head.size, "ETag": head.etag, "AcceptRanges": "bytes"})
}

fn summary(object: &ObjectSummary) -> Value {
    json!({"ETag": object.etag, "Key": object.key, "Size": object.size, "LastModified": object.last_modified, "StorageClass": "STANDARD"})
}

fn failed(error: ObjectsError) -> Failure {
    let cause =
        format!("{} (Service: S3, Status Code: 404, Request ID: 0, Extended Request ID: 0)", error.message);
    Failure::new(format!("S3.{}Exception", error.code), cause)
}
