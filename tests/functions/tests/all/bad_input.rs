//! Every bad input, with the error's name and the field in the message, and no write anywhere.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use transload_function_tests::{States, World};
use transload_plan::{ByteRange, Limits, PartNumber, Run};
use transload_store::{
    Complete, Condition, Created, Deadline, Deleted, Head, ObjectRef, Opened, PartBody, PartListing, PutBody,
    Ranged, Store, StoreError, StoredPart, Stores, Target, UploadRef, Uploads, Written,
};
use transload_wire::{
    BucketName, ChecksumAlgorithm, ErrorName, Etag, Failure, HeadInput, LocationName, ObjectKey, PartInput,
    Requests, UploadId, parse,
};

use ErrorName::{DestinationExists, DestinationInvalid, InputInvalid, PlanInvalid};

/// A request in which `{}` stands for what is wrong.
const REQUEST: &str = r#"{"source": {"location": "global", "bucket": "photos", "key": "a/b c+d"},
    "destination": {"location": "china", "bucket": "photos-cn", "key": "a"}, "options": {}}"#;

/// What a test does to its world.
type Spoil = fn(&World);

/// What is put in the place of what, the name, and what the message has to hold.
type Row = (&'static str, String, ErrorName, &'static str);

fn options(json: &str) -> (&'static str, String) {
    (r#""options": {}"#, format!(r#""options": {json}"#))
}

fn option(json: &str, name: ErrorName, field: &'static str) -> Row {
    let (place, with) = options(json);
    (place, with, name, field)
}

fn place(with: &str, name: ErrorName, field: &'static str) -> Row {
    (r#""bucket": "photos-cn""#, with.to_owned(), name, field)
}

fn key(key: &str, field: &'static str) -> Row {
    (r#""key": "a"}"#, format!(r#""key": {key}}}"#), InputInvalid, field)
}

fn rows() -> Vec<Row> {
    let tags = |n: usize| (0..n).map(|i| format!(r#""t{i}": "v""#)).collect::<Vec<_>>().join(",");
    let long = |n: usize| "x".repeat(n);
    let mut rows = vec![
        (REQUEST, "{}".to_owned(), InputInvalid, "source"),
        (REQUEST, "null".to_owned(), InputInvalid, "request: "),
        (REQUEST, "[]".to_owned(), InputInvalid, "request"),
        (REQUEST, format!("{REQUEST}{REQUEST}"), InputInvalid, "expected"),
        place(r#""bucket": "photos-cn", "colour": 1"#, InputInvalid, "destination.colour"),
        place(r#""bucket": "photos-cn", "bucket": "photos-cn""#, InputInvalid, "bucket"),
        place(r#""bucket": 7"#, InputInvalid, "destination.bucket"),
        ("photos-cn", "photos".to_owned(), InputInvalid, "destination: "),
        ("\"china\"", "\"nowhere\"".to_owned(), InputInvalid, "destination.location"),
        ("\"global\"", "\"nowhere\"".to_owned(), InputInvalid, "source.location"),
        ("\"china\"", "\"a b\"".to_owned(), InputInvalid, "destination.location"),
        key(&format!("\"{}\"", long(1025)), "destination.key"),
        key("\"\"", "destination.key"),
        key(r#""a\u0000b""#, "destination.key"),
        key(r#""\ud800""#, "destination.key"),
        key(r#""\udc00x""#, "destination.key"),
        option(r#"{"partSize": 8, "partSize": 8}"#, InputInvalid, "partSize"),
        option(r#"{"colour": 1}"#, InputInvalid, "options.colour"),
        option(r#"{"maxConcurrency": 0}"#, InputInvalid, "options.maxConcurrency"),
        option(r#"{"maxConcurrency": 10001}"#, InputInvalid, "options.maxConcurrency"),
        option(r#"{"partsInFlight": 17}"#, InputInvalid, "options.partsInFlight"),
        option(r#"{"rounds": 0}"#, InputInvalid, "options.rounds"),
        option(r#"{"backoffSeconds": 0}"#, InputInvalid, "options.backoffSeconds"),
        option(r#"{"overwrite": "maybe"}"#, InputInvalid, "options.overwrite"),
        option(r#"{"secretAccessKey": "x"}"#, InputInvalid, "options.secretAccessKey"),
        option(r#"{"metadata": {"a": "1", "a": "2"}}"#, InputInvalid, "options.metadata"),
        option(r#"{"lockUntil": "2001-01-01T00:00:00Z"}"#, InputInvalid, "options.lockUntil"),
        option(&format!(r#"{{"tags": {{{}}}}}"#, tags(11)), DestinationInvalid, "options.tags"),
        option(&format!(r#"{{"tags": {{"{}": "v"}}}}"#, long(129)), DestinationInvalid, "options.tags"),
        option(&format!(r#"{{"tags": {{"t": "{}"}}}}"#, long(257)), DestinationInvalid, "options.tags"),
        option(r#"{"tags": {"aws:x": "v"}}"#, DestinationInvalid, "options.tags"),
        option(&format!(r#"{{"metadata": {{"m": "{}"}}}}"#, long(2_048)), DestinationInvalid, "2049"),
        // Below S3's limit alone, above it with our own entries.
        option(&format!(r#"{{"metadata": {{"m": "{}"}}}}"#, long(2_000)), DestinationInvalid, "found 2001"),
        option(r#"{"metadata": {"m": "a\r\nb"}}"#, DestinationInvalid, "options.metadata"),
        option(r#"{"metadata": {"a b": "v"}}"#, DestinationInvalid, "options.metadata"),
        option(r#"{"metadata": {"transload-token": "v"}}"#, DestinationInvalid, "options.metadata"),
        option(r#"{"metadata": {"Transload-Source": "v"}}"#, DestinationInvalid, "options.metadata"),
        option(r#"{"storageClass": "FROZEN"}"#, DestinationInvalid, "options.storageClass"),
        option(
            r#"{"encryption": {"type": "aws:kms", "keyId": "arn:aws-cn:kms:cn-north-1:123456789012:key/k"}}"#,
            DestinationInvalid,
            "options.encryption.keyId",
        ),
        option(
            r#"{"encryption": {"type": "aws:kms", "keyId": "arn:aws:kms:cn-north-1:123456789012:key/k"}}"#,
            InputInvalid,
            "options.encryption.keyId",
        ),
        option(
            r#"{"encryption": {"type": "aws:kms", "keyId": "arn:aws:s3:us-east-1:123456789012:key/k"}}"#,
            InputInvalid,
            "options.encryption.keyId",
        ),
        option(r#"{"partSize": 3}"#, PlanInvalid, "options.partSize"),
        option(r#"{"partSize": 65}"#, PlanInvalid, "options.partSize"),
    ];
    for size in [r#""12""#, "1.5", "-1", "18446744073709551616", "true", "null1"] {
        rows.push(option(&format!(r#"{{"wholeObjectLimit": {size}}}"#), InputInvalid, ""));
    }
    for bucket in ["", "ab", "Photos", "a_b", "a..b", "192.168.0.1", "-ab", "a b", &long(64)] {
        let with = format!(r#""bucket": "{bucket}""#);
        rows.push(place(&with, InputInvalid, "destination.bucket"));
    }
    rows
}

async fn head(world: &World, request: &str) -> Result<(), Failure> {
    let execution = r#"{"id": "e", "startTime": "t", "redriveCount": 0}"#;
    let input: HeadInput =
        parse(format!(r#"{{"request": {request}, "execution": {execution}}}"#).as_bytes())?;
    let stores = InPartition(world);
    transload_head::handle(&stores, Deadline::NONE, input).await.map(|_| ())
}

fn assert_nothing_written(world: &World, what: &str) {
    for faulty in [&world.from, &world.to] {
        let writes: Vec<_> = faulty.calls().into_iter().filter(|call| call.verb.writes()).collect();
        assert!(writes.is_empty(), "{what}: {writes:?}");
    }
}

#[tokio::test]
async fn bad_requests_are_refused_by_name_and_field_before_any_write() {
    head(&World::new(10), REQUEST).await.unwrap();
    for (from, to, name, field) in rows() {
        let world = World::new(10);
        assert!(REQUEST.contains(from), "{from}");
        let request = if from == "photos-cn" {
            // Source and destination are one object.
            REQUEST
                .replace("photos-cn", "photos")
                .replace("china", "global")
                .replace(r#""key": "a"}"#, r#""key": "a/b c+d"}"#)
        } else {
            REQUEST.replace(from, &to)
        };
        let shown: String = to.chars().take(100).collect();
        let failure = head(&world, &request).await.expect_err(&shown);
        assert_eq!(failure.name, name, "{shown}: {failure}");
        assert!(failure.message.contains(field), "{shown}: expected {field:?} in {failure}");
        assert!(failure.message.len() < 1_000, "{shown}: {} bytes", failure.message.len());
        assert_nothing_written(&world, &shown);
    }
}

#[tokio::test]
async fn sources_that_can_not_be_read_are_refused_by_name() {
    let rows: [(Spoil, ErrorName, &str); 7] = [
        (|w| w.source.delete("photos", "a/b c+d"), ErrorName::SourceNotFound, "source"),
        (
            |w| {
                w.from.refuse(
                    transload_store::Verb::HeadObject,
                    ..,
                    transload_store::StoreErrorKind::NoSuchBucket,
                )
            },
            ErrorName::SourceNotFound,
            "source",
        ),
        (
            |w| {
                let _ = w.source.clone().with_versions("photos");
                w.source.delete("photos", "a/b c+d");
            },
            ErrorName::SourceDeleteMarker,
            "source",
        ),
        (|w| w.source.set_archived("photos", "a/b c+d", true), ErrorName::SourceArchived, "source"),
        (|w| w.source.set_customer_key("photos", "a/b c+d"), ErrorName::SourceNeedsSseC, "source"),
        (
            |w| {
                w.from.refuse(
                    transload_store::Verb::HeadObject,
                    ..,
                    transload_store::StoreErrorKind::AccessDenied,
                )
            },
            ErrorName::SourceAccessDenied,
            "source",
        ),
        (
            |w| drop(w.source.clone().with_requester_pays("photos")),
            ErrorName::SourceAccessDenied,
            "options.requesterPays",
        ),
    ];
    for (spoil, name, field) in rows {
        let world = World::new(10);
        spoil(&world);
        let failure = head(&world, REQUEST).await.unwrap_err();
        assert_eq!(failure.name, name, "{failure}");
        assert!(failure.message.contains(field), "{failure}");
        assert_nothing_written(&world, name.as_str());
    }
    let world = World::with(10, World::config(), |options| options.requester_pays = true);
    let _ = world.source.clone().with_requester_pays("photos");
    States::new(&world, "run").run().await.unwrap();
}

#[tokio::test]
async fn sizes_at_the_limits_of_the_plan() {
    // One above: 64 parts of 64 bytes hold 4,096.
    let rows = [
        (4_096, None, Ok(())),
        (4_097, None, Err(PlanInvalid)),
        (4_096, Some(63), Err(PlanInvalid)),
        (60, Some(4), Ok(())),
    ];
    for (size, part_size, expected) in rows {
        let world = World::with(size, World::config(), |options| options.part_size = part_size);
        assert_eq!(crate::name(States::new(&world, "run").head().await), expected, "{size}, {part_size:?}");
        assert_nothing_written(&world, "plan");
    }
    for (size, parts) in [(17, 3), (24, 3), (25, 4)] {
        let world = World::new(size);
        let head = States::new(&world, "run").head().await.unwrap();
        assert_eq!(head.layout.unwrap().count(), parts, "{size}");
    }
}

#[tokio::test]
async fn destinations_that_can_not_be_written_are_refused() {
    let world = World::new(10);
    world.intrude();
    let (place, with) = options(r#"{"overwrite": "never"}"#);
    let failure = head(&world, &REQUEST.replace(place, &with)).await.unwrap_err();
    assert_eq!(failure.name, DestinationExists);
    let world = World::new(10);
    let failure = head(&world, &REQUEST.replace("photos-cn", "photos-xx")).await.unwrap_err();
    assert_eq!(failure.name, ErrorName::DestinationNotFound, "{failure}");
    assert_nothing_written(&world, "destination");
}

#[tokio::test]
async fn uploads_and_parts_that_are_not_of_this_transfer_are_refused() {
    let world = World::new(40);
    let states = States::new(&world, "run");
    let head = states.head().await.unwrap();
    let init = states.init(&head, 0, None).await.unwrap();
    let good = states.part_inputs(&head, &init).remove(0);
    let json = transload_function_tests::json(&good);
    let send = async |from: &str, to: &str| {
        assert!(json.contains(from), "{from} in {json}");
        let input: PartInput = parse(json.replace(from, to).as_bytes())?;
        transload_part::handle(&world.stores, Deadline::NONE, input).await.map(|_| ())
    };
    let id = init.upload.upload_id.as_str();
    let rows = [
        (r#""parts":"1-2""#, r#""parts":"0""#, ErrorName::InputInvalid, "parts"),
        (r#""parts":"1-2""#, r#""parts":"10001""#, ErrorName::InputInvalid, "parts"),
        (r#""parts":"1-2""#, r#""parts":"""#, ErrorName::InputInvalid, "parts"),
        (r#""parts":"1-2""#, r#""parts":"2,1""#, ErrorName::InputInvalid, "parts"),
        (r#""parts":"1-2""#, r#""parts":"6""#, ErrorName::UploadInvalid, "6"),
        (r#""size":40"#, r#""size":39"#, ErrorName::UploadInvalid, "layout"),
        (r#""partsInFlight":2"#, r#""partsInFlight":0"#, ErrorName::InputInvalid, "partsInFlight"),
        (r#""size":40"#, r#""size":"40""#, ErrorName::InputInvalid, "source.size"),
        (r#""size":40"#, r#""size":-40"#, ErrorName::InputInvalid, "source.size"),
        (id, "of-another-key", ErrorName::UploadGone, "part"),
    ];
    for (from, to, name, field) in rows {
        let failure = send(from, to).await.unwrap_err();
        assert_eq!(failure.name, name, "{to}: {failure}");
        assert!(failure.message.contains(field), "{to}: {failure}");
        let held: usize =
            world.destination.open_uploads("photos-cn").iter().map(|(_, _, parts)| parts.len()).sum();
        assert_eq!(held, 0, "{to}");
    }
    send(id, id).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn odd_but_legal_keys_are_copied_byte_exact() {
    let most = "k".repeat(1024);
    for key in [&most, "/x", "x//y", "..", "%2F", "a+b c", "e\u{301}", "\u{e9}", "\u{1f680}", "soap", "dir/"]
    {
        let mut world = World::new(10);
        world.request.destination.key = key.parse().unwrap();
        States::new(&world, "run").run().await.unwrap();
        assert_eq!(world.destination.read("photos-cn", key).unwrap(), world.bytes, "{key}");
        assert_eq!(world.destination.keys("photos-cn").len(), 1);
    }
}

/// The world's stores, the destination in partition `aws`.
struct InPartition<'a>(&'a World);

impl Stores for InPartition<'_> {
    fn open(&self, location: &LocationName) -> Result<Arc<dyn Store>, Failure> {
        let inner = self.0.stores.open(location)?;
        Ok(Arc::new(Profile { inner, partition: Some("aws"), blind: false }))
    }
}

/// A store of another profile than the one it wraps.
pub(crate) struct Profile {
    pub(crate) inner: Arc<dyn Store>,
    pub(crate) partition: Option<&'static str>,
    /// Whether it has neither checksums nor MD5s as ETags.
    pub(crate) blind: bool,
}

#[async_trait]
impl Store for Profile {
    fn limits(&self) -> &Limits {
        self.inner.limits()
    }
    fn checksums(&self) -> &[ChecksumAlgorithm] {
        if self.blind { &[] } else { self.inner.checksums() }
    }
    fn conditional_writes(&self) -> bool {
        self.inner.conditional_writes()
    }
    fn etags_are_md5(&self) -> bool {
        !self.blind && self.inner.etags_are_md5()
    }
    fn partition(&self) -> Option<&str> {
        self.partition
    }
    fn requests(&self) -> Requests {
        self.inner.requests()
    }
    async fn head(&self, object: &ObjectRef) -> Result<Head, StoreError> {
        self.inner.head(object).await
    }
    async fn tags(&self, object: &ObjectRef) -> Result<BTreeMap<String, String>, StoreError> {
        self.inner.tags(object).await
    }
    async fn source_parts(&self, object: &ObjectRef, head: &Head) -> Result<Option<Vec<Run>>, StoreError> {
        self.inner.source_parts(object, head).await
    }
    async fn get_range(
        &self,
        object: &ObjectRef,
        etag: &Etag,
        range: ByteRange,
        total: u64,
    ) -> Result<Ranged, StoreError> {
        self.inner.get_range(object, etag, range, total).await
    }

    async fn open(&self, object: &ObjectRef, etag: &Etag, total: u64) -> Result<Opened, StoreError> {
        self.inner.open(object, etag, total).await
    }

    async fn delete_object(&self, object: &ObjectRef, etag: &Etag) -> Result<Deleted, StoreError> {
        self.inner.delete_object(object, etag).await
    }
    async fn put(
        &self,
        target: &Target,
        body: PutBody,
        condition: &Condition,
    ) -> Result<Written, StoreError> {
        self.inner.put(target, body, condition).await
    }
    async fn create_upload(&self, target: &Target) -> Result<Created, StoreError> {
        self.inner.create_upload(target).await
    }
    async fn upload_part(
        &self,
        upload: &UploadRef,
        part: PartNumber,
        body: PartBody,
    ) -> Result<StoredPart, StoreError> {
        self.inner.upload_part(upload, part, body).await
    }
    async fn list_parts(&self, upload: &UploadRef, after: u32) -> Result<PartListing, StoreError> {
        self.inner.list_parts(upload, after).await
    }
    async fn complete_upload(&self, upload: &UploadRef, complete: &Complete) -> Result<Written, StoreError> {
        self.inner.complete_upload(upload, complete).await
    }
    async fn abort_upload(&self, upload: &UploadRef) -> Result<(), StoreError> {
        self.inner.abort_upload(upload).await
    }
    async fn list_uploads(
        &self,
        bucket: &BucketName,
        prefix: &str,
        after: Option<&(ObjectKey, UploadId)>,
    ) -> Result<Uploads, StoreError> {
        self.inner.list_uploads(bucket, prefix, after).await
    }
}
