//! The operations of S3 that clients of a transfer use.

use crc_fast::{CrcAlgorithm, Digest};

use super::http::{Answer, Headers, Request};
use super::multipart::{assemble, crc_text, hex, list};
use super::range::resolve;
use super::state::{Object, Part, State, Upload};

/// The vendor's name of what is asked for.
pub(crate) fn operation(request: &Request) -> &'static str {
    let has = |name| request.parameter(name).is_some();
    match (request.method.as_str(), request.key.is_empty()) {
        ("GET", false) if has("uploadId") => "ListParts",
        ("GET", false) if has("tagging") => "GetObjectTagging",
        ("GET", false) if has("attributes") => "GetObjectAttributes",
        ("GET", false) => "GetObject",
        ("HEAD", false) => "HeadObject",
        ("PUT", false) if has("uploadId") => "UploadPart",
        ("PUT", false) => "PutObject",
        ("POST", false) if has("uploads") => "CreateMultipartUpload",
        ("POST", false) if has("uploadId") => "CompleteMultipartUpload",
        ("DELETE", false) if has("uploadId") => "AbortMultipartUpload",
        ("DELETE", false) => "DeleteObject",
        ("GET", true) if has("location") => "GetBucketLocation",
        ("GET", true) if has("uploads") => "ListMultipartUploads",
        ("GET", true) => "ListObjects",
        ("HEAD", true) => "HeadBucket",
        ("PUT", true) => "CreateBucket",
        _ => "Unknown",
    }
}

/// What was received of a body: its length and CRC64NVME.
pub(crate) struct Received {
    pub(crate) size: u64,
    pub(crate) crc64nvme: u64,
    pub(crate) text: String,
    pub(crate) trailers: Headers,
}

/// Counts a body's bytes and computes their CRC.
pub(crate) struct Counter {
    pub(crate) digest: Digest,
    pub(crate) size: u64,
}

impl Counter {
    pub(crate) fn new() -> Self {
        Self { digest: Digest::new(CrcAlgorithm::Crc64Nvme), size: 0 }
    }

    pub(crate) fn add(&mut self, bytes: &[u8]) {
        self.size += bytes.len() as u64;
        self.digest.update(bytes);
    }
}

fn path(request: &Request) -> String {
    format!("{}/{}", request.bucket, request.key)
}

fn missing(code: &str) -> Answer {
    Answer::error(404, code, "nothing of this name")
}

fn quoted(etag: &str) -> String {
    format!("\"{etag}\"")
}

/// Headers that are kept with an object.
fn kept(headers: &Headers) -> Vec<(String, String)> {
    const CONTENT: [&str; 7] = [
        "content-type",
        "content-language",
        "content-disposition",
        "cache-control",
        "expires",
        "x-amz-server-side-encryption",
        "x-amz-website-redirect-location",
    ];
    let keep = headers.iter().filter(|(name, _)| name.starts_with("x-amz-meta-") || CONTENT.contains(name));
    keep.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// GET and HEAD: the answer, and offset and length of the bytes that follow it.
pub(crate) fn read(state: &State, request: &Request) -> (Answer, Object, u64, u64) {
    let none = |answer| (answer, Object::default(), 0, 0);
    let Some(object) = state.objects.get(&path(request)) else { return none(missing("NoSuchKey")) };
    let pinned = request.headers.get("if-match").map(|etag| etag.trim_matches('"'));
    if pinned.is_some_and(|pinned| pinned != object.etag) {
        return none(Answer::error(412, "PreconditionFailed", "If-Match"));
    }
    let range = match request.headers.get("range").map(|header| resolve(header, object.size)) {
        Some(Err(())) => return none(Answer::error(416, "InvalidRange", "Range")),
        Some(Ok(range)) => Some(range),
        None => None,
    };
    let mut answer = facts(object, if range.is_some() { 206 } else { 200 });
    let (offset, length) = range.unwrap_or((0, object.size));
    if range.is_some() {
        let last = offset + length - 1;
        answer = answer.header("Content-Range", format!("bytes {offset}-{last}/{}", object.size));
    } else if request.headers.get("x-amz-checksum-mode").is_some() {
        answer = checksum(answer, object.crc64nvme);
    }
    answer.length = Some(length);
    (answer, object.clone(), offset, length)
}

fn facts(object: &Object, status: u16) -> Answer {
    let mut answer = Answer::new(status)
        .header("ETag", quoted(&object.etag))
        .header("Last-Modified", "Sat, 01 Aug 2026 00:00:00 GMT")
        .header("Accept-Ranges", "bytes");
    for (name, value) in &object.headers {
        answer = answer.header(name.clone(), value.clone());
    }
    if !object.tagging.is_empty() {
        answer = answer.header("x-amz-tagging-count", object.tagging.split('&').count().to_string());
    }
    answer
}

fn checksum(answer: Answer, crc: u64) -> Answer {
    answer.header("x-amz-checksum-crc64nvme", crc_text(crc)).header("x-amz-checksum-type", "FULL_OBJECT")
}

/// Whether a checksum that the client named differs from the bytes'.
fn is_bad(request: &Request, received: &Received) -> bool {
    let name = "x-amz-checksum-crc64nvme";
    let named = request.headers.get(name).or_else(|| received.trailers.get(name));
    named.is_some_and(|named| named != crc_text(received.crc64nvme))
}

fn part_of(request: &Request, received: &Received) -> Part {
    let md5 = request.headers.get("content-md5").and_then(decode_md5);
    Part {
        size: received.size,
        etag: md5.map_or_else(
            || format!("{:016x}{:016x}", received.crc64nvme, received.size ^ 0x5eed),
            |md5| hex(&md5),
        ),
        md5,
        crc64nvme: received.crc64nvme,
    }
}

fn decode_md5(text: &str) -> Option<[u8; 16]> {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.decode(text).ok()?.try_into().ok()
}

/// PutObject and UploadPart, once the body was received.
pub(crate) fn write(state: &mut State, request: &Request, received: &Received) -> Answer {
    if is_bad(request, received) {
        return Answer::error(400, "BadDigest", "x-amz-checksum-crc64nvme is not that of the bytes");
    }
    let part = part_of(request, received);
    let answer = Answer::new(200).header("ETag", quoted(&part.etag));
    let answer = answer.header("x-amz-checksum-crc64nvme", crc_text(part.crc64nvme));
    if let Some(id) = request.parameter("uploadId") {
        let number = request.parameter("partNumber").and_then(|number| number.parse().ok()).unwrap_or(0);
        let Some(upload) = state.uploads.get_mut(id) else { return missing("NoSuchUpload") };
        upload.parts.insert(number, part);
        return answer;
    }
    if request.headers.get("if-none-match").is_some() && state.objects.contains_key(&path(request)) {
        return Answer::error(412, "PreconditionFailed", "If-None-Match");
    }
    let tagging = request.headers.get("x-amz-tagging").unwrap_or_default().to_owned();
    let Part { size, etag, crc64nvme, .. } = part;
    let headers = kept(&request.headers);
    state.objects.insert(path(request), Object { size, etag, crc64nvme, headers, tagging, file: None });
    answer.header("x-amz-checksum-type", "FULL_OBJECT")
}

/// Every operation whose bodies are small.
pub(crate) fn small(state: &mut State, request: &Request, body: &str) -> Answer {
    match operation(request) {
        "CreateMultipartUpload" => create(state, request),
        "CompleteMultipartUpload" => complete(state, request, body),
        "AbortMultipartUpload" => {
            let id = request.parameter("uploadId").unwrap_or_default();
            state.uploads.remove(id).map_or_else(|| missing("NoSuchUpload"), |_| Answer::new(204))
        }
        "ListParts" => parts(state, request),
        "GetObjectTagging" => tags(state, request),
        "DeleteObject" => {
            state.objects.remove(&path(request));
            Answer::new(204)
        }
        "GetBucketLocation" => Answer::new(200).xml("<LocationConstraint/>".to_owned()),
        "ListMultipartUploads" => Answer::new(200).xml(
            "<ListMultipartUploadsResult><IsTruncated>false</IsTruncated></ListMultipartUploadsResult>"
                .into(),
        ),
        "ListObjects" => objects(state, request),
        "HeadBucket" | "CreateBucket" => Answer::new(200),
        other => Answer::error(501, "NotImplemented", other),
    }
}

fn create(state: &mut State, request: &Request) -> Answer {
    state.next += 1;
    let id = format!("upload-{}", state.next);
    let upload = Upload {
        path: path(request),
        headers: kept(&request.headers),
        tagging: request.headers.get("x-amz-tagging").unwrap_or_default().to_owned(),
        ..Upload::default()
    };
    state.uploads.insert(id.clone(), upload);
    let mut answer = Answer::new(200).xml(format!(
        "<InitiateMultipartUploadResult><Bucket>{}</Bucket><Key>{}</Key><UploadId>{id}</UploadId>\
         </InitiateMultipartUploadResult>",
        request.bucket, request.key
    ));
    for name in ["x-amz-checksum-algorithm", "x-amz-checksum-type"] {
        if let Some(value) = request.headers.get(name) {
            answer = answer.header(name, value);
        }
    }
    answer
}

fn complete(state: &mut State, request: &Request, body: &str) -> Answer {
    let id = request.parameter("uploadId").unwrap_or_default();
    let Some(upload) = state.uploads.get(id) else { return missing("NoSuchUpload") };
    if request.headers.get("if-none-match").is_some() && state.objects.contains_key(&upload.path) {
        return Answer::error(412, "PreconditionFailed", "If-None-Match");
    }
    let whole = match assemble(upload, body, request.headers.get("x-amz-mp-object-size")) {
        Ok(whole) => whole,
        Err(answer) => return answer,
    };
    let crc = crc_text(whole.crc64nvme);
    if request.headers.get("x-amz-checksum-crc64nvme").is_some_and(|named| named != crc) {
        return Answer::error(400, "BadDigest", "the parts' CRC64NVME is another");
    }
    let answer = Answer::new(200).xml(format!(
        "<CompleteMultipartUploadResult><Location>http://null/{path}</Location><Bucket>{}</Bucket>\
         <Key>{}</Key><ETag>&quot;{}&quot;</ETag><ChecksumCRC64NVME>{crc}</ChecksumCRC64NVME>\
         <ChecksumType>FULL_OBJECT</ChecksumType></CompleteMultipartUploadResult>",
        request.bucket,
        request.key,
        whole.etag,
        path = upload.path,
    ));
    let path = upload.path.clone();
    state.uploads.remove(id);
    state.objects.insert(path, whole);
    answer
}

fn parts(state: &State, request: &Request) -> Answer {
    let number = |name| request.parameter(name).and_then(|text| text.parse::<u32>().ok());
    let id = request.parameter("uploadId").unwrap_or_default();
    let page = number("max-parts").map(|page| page as usize);
    state.uploads.get(id).map_or_else(
        || missing("NoSuchUpload"),
        |upload| list(upload, id, number("part-number-marker").unwrap_or(0), page),
    )
}

fn tags(state: &State, request: &Request) -> Answer {
    let Some(object) = state.objects.get(&path(request)) else { return missing("NoSuchKey") };
    let tags = object.tagging.split('&').filter_map(|pair| pair.split_once('='));
    let tags: String =
        tags.map(|(key, value)| format!("<Tag><Key>{key}</Key><Value>{value}</Value></Tag>")).collect();
    Answer::new(200).xml(format!("<Tagging><TagSet>{tags}</TagSet></Tagging>"))
}

/// Pages of ListObjectsV2 (`start-after`, `continuation-token`) and of ListObjects (`marker`): all of them keys here. Keys
/// need no escaping and there are no folders below a prefix: the trees that are measured are flat.
fn objects(state: &State, request: &Request) -> Answer {
    let prefix = request.parameter("prefix").unwrap_or_default();
    let path = format!("{}/{prefix}", request.bucket);
    let after =
        ["continuation-token", "start-after", "marker"].iter().find_map(|name| request.parameter(name));
    let after = after.and_then(|key| key.strip_prefix(prefix)).unwrap_or_default();
    let most = request.parameter("max-keys").and_then(|text| text.parse().ok()).unwrap_or(1_000).min(1_000);
    let mut found = state.below(&path, after);
    let page: Vec<_> = found.by_ref().take(most).collect();
    let more = found.next().is_some();
    let contents: String = page
        .iter()
        .map(|(key, object)| {
            format!(
                "<Contents><Key>{prefix}{key}</Key><LastModified>2026-08-01T00:00:00.000Z</LastModified>\
                 <ETag>&quot;{}&quot;</ETag><Size>{}</Size><StorageClass>STANDARD</StorageClass></Contents>",
                object.etag, object.size
            )
        })
        .collect();
    let next = page.last().filter(|_| more).map_or_else(String::new, |(key, _)| {
        let token = format!("{prefix}{key}");
        format!("<NextContinuationToken>{token}</NextContinuationToken><NextMarker>{token}</NextMarker>")
    });
    Answer::new(200).xml(format!(
        "<ListBucketResult><Name>{}</Name><Prefix>{prefix}</Prefix><KeyCount>{}</KeyCount>\
         <IsTruncated>{more}</IsTruncated>{next}{contents}</ListBucketResult>",
        request.bucket,
        page.len()
    ))
}
