//! Names the operation of a request from its form alone, before anything of it is trusted.

use http::{HeaderMap, Method, Uri};

use crate::faults::Target;

/// Query parameters that choose an operation on an object, per method, tried in order.
const OBJECT: [(&str, &str, &str); 14] = [
    ("GET", "attributes", "GetObjectAttributes"),
    ("GET", "tagging", "GetObjectTagging"),
    ("GET", "acl", "GetObjectAcl"),
    ("GET", "retention", "GetObjectRetention"),
    ("GET", "legal-hold", "GetObjectLegalHold"),
    ("GET", "uploadId", "ListParts"),
    ("PUT", "tagging", "PutObjectTagging"),
    ("PUT", "acl", "PutObjectAcl"),
    ("PUT", "uploadId", "UploadPart"),
    ("POST", "uploads", "CreateMultipartUpload"),
    ("POST", "uploadId", "CompleteMultipartUpload"),
    ("POST", "restore", "RestoreObject"),
    ("DELETE", "tagging", "DeleteObjectTagging"),
    ("DELETE", "uploadId", "AbortMultipartUpload"),
];

const BUCKET: [(&str, &str, &str); 13] = [
    ("GET", "uploads", "ListMultipartUploads"),
    ("GET", "versions", "ListObjectVersions"),
    ("GET", "versioning", "GetBucketVersioning"),
    ("GET", "location", "GetBucketLocation"),
    ("GET", "list-type", "ListObjectsV2"),
    ("PUT", "versioning", "PutBucketVersioning"),
    ("GET", "notification", "GetBucketNotificationConfiguration"),
    ("PUT", "notification", "PutBucketNotificationConfiguration"),
    ("GET", "lifecycle", "GetBucketLifecycleConfiguration"),
    ("PUT", "lifecycle", "PutBucketLifecycleConfiguration"),
    ("GET", "encryption", "GetBucketEncryption"),
    ("PUT", "encryption", "PutBucketEncryption"),
    ("POST", "delete", "DeleteObjects"),
];

/// What the request asks for, as far as its line and headers say.
pub(super) fn target(method: &Method, uri: &Uri, headers: &HeaderMap) -> Target {
    let mut path = uri.path().trim_start_matches('/').splitn(2, '/');
    let bucket = path.next().filter(|bucket| !bucket.is_empty()).map(unescape);
    let key = path.next().filter(|key| !key.is_empty()).map(unescape);
    let query = Query::of(uri);
    let copies = headers.contains_key("x-amz-copy-source");
    let operation = match (&bucket, &key) {
        (None, _) => root(method),
        (Some(_), None) => on_bucket(method, &query),
        (Some(_), Some(_)) => with_source(on_object(method, &query), copies),
    };
    Target {
        operation,
        bucket,
        key,
        upload_id: query.get("uploadId"),
        part_number: query.get("partNumber").and_then(|number| number.parse().ok()),
        range: headers.get("range").and_then(|range| range.to_str().ok()).map(ToOwned::to_owned),
    }
}

fn root(method: &Method) -> &'static str {
    if method == Method::GET { "ListBuckets" } else { "Unknown" }
}

fn on_bucket(method: &Method, query: &Query) -> &'static str {
    chosen(&BUCKET, method, query).unwrap_or(match method.as_str() {
        "GET" => "ListObjects",
        "PUT" => "CreateBucket",
        "DELETE" => "DeleteBucket",
        "HEAD" => "HeadBucket",
        _ => "Unknown",
    })
}

fn on_object(method: &Method, query: &Query) -> &'static str {
    chosen(&OBJECT, method, query).unwrap_or(match method.as_str() {
        "GET" => "GetObject",
        "PUT" => "PutObject",
        "DELETE" => "DeleteObject",
        "HEAD" => "HeadObject",
        _ => "Unknown",
    })
}

fn chosen(table: &[(&str, &str, &'static str)], method: &Method, query: &Query) -> Option<&'static str> {
    table.iter().find(|(verb, name, _)| method == verb && query.has(name)).map(|(_, _, operation)| *operation)
}

fn with_source(operation: &'static str, copies: bool) -> &'static str {
    match (operation, copies) {
        ("PutObject", true) => "CopyObject",
        ("UploadPart", true) => "UploadPartCopy",
        (other, _) => other,
    }
}

/// Query parameters, unescaped.
pub(super) struct Query(Vec<(String, String)>);

impl Query {
    pub(super) fn of(uri: &Uri) -> Self {
        let pairs = uri.query().unwrap_or_default().split('&').filter(|pair| !pair.is_empty());
        Self(
            pairs
                .map(|pair| {
                    let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
                    (unescape(name), unescape(value))
                })
                .collect(),
        )
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(have, _)| have == name)
    }

    pub(super) fn get(&self, name: &str) -> Option<String> {
        self.0.iter().find(|(have, _)| have == name).map(|(_, value)| value.clone())
    }
}

/// Resolves `%XX`; a `+` stays, as in S3's paths. What is not UTF-8 is replaced: only records and rules see it.
fn unescape(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let [first, tail @ ..] = rest {
        let escaped =
            tail.get(..2).and_then(|hex| u8::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok());
        match (first, escaped) {
            (b'%', Some(byte)) => {
                out.push(byte);
                rest = &tail[2..];
            }
            _ => {
                out.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn operation(method: Method, uri: &str, source: bool) -> Target {
        let mut headers = HeaderMap::new();
        if source {
            headers.insert("x-amz-copy-source", http::HeaderValue::from_static("b/k"));
        }
        target(&method, &uri.parse().unwrap(), &headers)
    }

    #[test]
    fn names_what_the_request_asks_for() {
        let cases = [
            (Method::GET, "/", false, "ListBuckets"),
            (Method::GET, "/b?list-type=2", false, "ListObjectsV2"),
            (Method::GET, "/b/", false, "ListObjects"),
            (Method::PUT, "/b/k?partNumber=7&uploadId=u", false, "UploadPart"),
            (Method::PUT, "/b/k?partNumber=7&uploadId=u", true, "UploadPartCopy"),
            (Method::PUT, "/b/k?x-id=PutObject", false, "PutObject"),
            (Method::PUT, "/b/k", true, "CopyObject"),
            (Method::POST, "/b/k?uploads", false, "CreateMultipartUpload"),
            (Method::GET, "/b/k?uploadId=u", false, "ListParts"),
            (Method::PATCH, "/b/k", false, "Unknown"),
        ];
        for (method, uri, source, expected) in cases {
            assert_eq!(operation(method, uri, source).operation, expected, "{uri}");
        }
    }

    #[test]
    fn keys_come_unescaped_and_byte_exact() {
        let target = operation(Method::GET, "/b//a%2Fb/c+d%20e?partNumber=3", false);
        assert_eq!(target.bucket.as_deref(), Some("b"));
        assert_eq!(target.key.as_deref(), Some("/a/b/c+d e"));
        assert_eq!(target.part_number, Some(3));
    }
}
