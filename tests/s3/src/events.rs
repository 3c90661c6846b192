//! Events: what S3 tells EventBridge of objects that come and go.

use std::fmt;
use std::sync::Arc;

use s3s::S3Request;
use serde_json::{Value, json};

use crate::storage::Store;
use crate::storage::object::Object;

/// Who is told.
#[derive(Clone)]
pub(crate) struct Subscriber(Arc<dyn Fn(Value) + Send + Sync>);

impl Subscriber {
    pub(crate) fn new(tell: impl Fn(Value) + Send + Sync + 'static) -> Self {
        Self(Arc::new(tell))
    }
}

impl fmt::Debug for Subscriber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Subscriber")
    }
}

/// The id that the answer to a request will have.
#[derive(Debug, Clone)]
pub(crate) struct RequestId(pub String);

pub(crate) fn request_id<T>(request: &S3Request<T>) -> String {
    request.extensions.get::<RequestId>().map(|id| id.0.clone()).unwrap_or_default()
}

/// What every event names.
pub(crate) struct Told<'a> {
    pub bucket: &'a str,
    pub key: &'a str,
    /// Of the bucket; whoever has a key of this server acts as its buckets' owner.
    pub owner: &'a str,
    pub request_id: &'a str,
}

/// The ETag that events give a delete marker: the MD5 of no bytes.
const OF_A_MARKER: &str = "d41d8cd98f00b204e9800998ecf8427e";

/// An object is there. `reason` is the API.
pub(crate) fn created(store: &Store, told: &Told<'_>, object: &Object, version: Option<&str>, reason: &str) {
    let about = json!({"key": told.key, "size": object.content.len(), "etag": object.etag});
    tell(store, told, "Object Created", about, version, json!({"reason": reason}));
}

/// An object, a version or a marker is gone, or a marker is there (then `object` is none).
pub(crate) fn deleted(
    store: &Store,
    told: &Told<'_>,
    object: Option<&Object>,
    version: Option<&str>,
    kind: &str,
) {
    let etag = object.map_or(OF_A_MARKER, |object| &object.etag);
    let about = json!({"key": told.key, "etag": etag});
    tell(
        store,
        told,
        "Object Deleted",
        about,
        version,
        json!({"reason": "DeleteObject", "deletion-type": kind}),
    );
}

/// Called under the index's lock, so that events of a key come in the order of its writes.
fn tell(store: &Store, told: &Told<'_>, kind: &str, mut object: Value, version: Option<&str>, more: Value) {
    let Some(subscriber) = &store.subscriber else { return };
    if let Some(id) = version.filter(|id| *id != crate::storage::state::NULL) {
        object["version-id"] = id.into();
    }
    object["sequencer"] = format!("{:016X}", store.next_in_sequence()).into();
    let mut detail = json!({
        "version": "0",
        "bucket": {"name": told.bucket},
        "object": object,
        "request-id": told.request_id,
        "requester": told.owner,
        // It listens nowhere else.
        "source-ip-address": "127.0.0.1",
    });
    if let (Value::Object(detail), Value::Object(more)) = (&mut detail, more) {
        detail.extend(more);
    }
    let partition = if store.region.starts_with("cn-") { "aws-cn" } else { "aws" };
    subscriber.0(json!({
        "version": "0",
        "id": uuid(store.unique()),
        "detail-type": kind,
        "source": "aws.s3",
        "account": told.owner,
        "time": crate::ops::iso_date(store.now()),
        "region": store.region,
        "resources": [format!("arn:{partition}:s3:::{}", told.bucket)],
        "detail": detail,
    }));
}

/// Random bytes in the form of a UUID of version 4.
fn uuid(mut bytes: [u8; 16]) -> String {
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let hex = crate::storage::hex(&bytes);
    let (parts, _) =
        [8, 4, 4, 4, 12].into_iter().fold((Vec::new(), hex.as_str()), |(mut parts, rest), length| {
            let (part, rest) = rest.split_at(length);
            parts.push(part);
            (parts, rest)
        });
    parts.join("-")
}
