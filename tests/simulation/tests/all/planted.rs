//! The judge can find something: guards that are switched off are noticed.

use std::collections::BTreeSet;
use std::sync::Arc;

use async_trait::async_trait;
use simulation::Builder;
use simulation::random::{Scenario, play_with};
use transload_plan::{ByteRange, Limits, PartNumber, Run};
use transload_store::faulty::{BodyFault, Faulty};
use transload_store::{
    Complete, Condition, Created, Deleted, Head, ObjectRef, Opened, PartBody, PartListing, PutBody, Ranged,
    Store, StoreError, StoredPart, Target, UploadRef, Uploads, Verb, Written,
};
use transload_wire::{BucketName, ChecksumAlgorithm, Etag, ObjectKey, Requests, UploadId};

/// A store that says nothing of the checksums of its objects.
struct Blind(Arc<dyn Store>);

#[async_trait]
impl Store for Blind {
    fn limits(&self) -> &Limits {
        self.0.limits()
    }

    fn checksums(&self) -> &[ChecksumAlgorithm] {
        self.0.checksums()
    }

    fn conditional_writes(&self) -> bool {
        self.0.conditional_writes()
    }

    fn etags_are_md5(&self) -> bool {
        self.0.etags_are_md5()
    }

    fn partition(&self) -> Option<&str> {
        self.0.partition()
    }

    fn requests(&self) -> Requests {
        self.0.requests()
    }

    async fn head(&self, object: &ObjectRef) -> Result<Head, StoreError> {
        self.0.head(object).await.map(|head| Head { checksum: None, ..head })
    }

    async fn tags(
        &self,
        object: &ObjectRef,
    ) -> Result<std::collections::BTreeMap<String, String>, StoreError> {
        self.0.tags(object).await
    }

    async fn source_parts(&self, object: &ObjectRef, head: &Head) -> Result<Option<Vec<Run>>, StoreError> {
        self.0.source_parts(object, head).await
    }

    async fn get_range(
        &self,
        object: &ObjectRef,
        etag: &Etag,
        range: ByteRange,
        total: u64,
    ) -> Result<Ranged, StoreError> {
        self.0.get_range(object, etag, range, total).await
    }

    async fn open(&self, object: &ObjectRef, etag: &Etag, total: u64) -> Result<Opened, StoreError> {
        let opened = self.0.open(object, etag, total).await?;
        Ok(Opened { head: Head { checksum: None, ..opened.head }, ..opened })
    }

    async fn delete_object(&self, object: &ObjectRef, etag: &Etag) -> Result<Deleted, StoreError> {
        self.0.delete_object(object, etag).await
    }

    async fn put(
        &self,
        target: &Target,
        body: PutBody,
        condition: &Condition,
    ) -> Result<Written, StoreError> {
        self.0.put(target, body, condition).await
    }

    async fn create_upload(&self, target: &Target) -> Result<Created, StoreError> {
        self.0.create_upload(target).await
    }

    async fn upload_part(
        &self,
        upload: &UploadRef,
        part: PartNumber,
        body: PartBody,
    ) -> Result<StoredPart, StoreError> {
        self.0.upload_part(upload, part, body).await
    }

    async fn list_parts(&self, upload: &UploadRef, after: u32) -> Result<PartListing, StoreError> {
        self.0.list_parts(upload, after).await
    }

    async fn complete_upload(&self, upload: &UploadRef, complete: &Complete) -> Result<Written, StoreError> {
        self.0.complete_upload(upload, complete).await
    }

    async fn abort_upload(&self, upload: &UploadRef) -> Result<(), StoreError> {
        self.0.abort_upload(upload).await
    }

    async fn list_uploads(
        &self,
        bucket: &BucketName,
        prefix: &str,
        after: Option<&(ObjectKey, UploadId)>,
    ) -> Result<Uploads, StoreError> {
        self.0.list_uploads(bucket, prefix, after).await
    }
}

/// Which invariants the first of the seeds, with bits that flip in memory or without, breaks when this is changed.
fn broken(rotten: bool, change: impl Fn(Builder) -> Builder) -> BTreeSet<&'static str> {
    let mut found = BTreeSet::new();
    for seed in (0..400).filter(|seed| Scenario::draw(*seed).is_rotten() == rotten) {
        let played = play_with(seed, &change).unwrap_or_else(|error| panic!("seed {seed}: {error}"));
        found.extend(played.violations.iter().map(|violation| violation.invariant));
        if !found.is_empty() {
            break;
        }
    }
    found
}

/// A bit of what the source sends is flipped behind its own checks.
fn flipping(place: &str, store: Arc<dyn Store>) -> Arc<dyn Store> {
    if place != "source" {
        return store;
    }
    let faulty = Faulty::over(store);
    faulty.spoil(Verb::GetObject, 1..=1, BodyFault::Flip(0));
    Arc::new(faulty)
}

#[test]
fn without_the_sources_checksum_wrong_bytes_arrive() {
    let found = broken(true, |builder| {
        builder.also(|place, store| match place {
            "source" => Arc::new(Blind(flipping(place, store))),
            _ => store,
        })
    });
    assert!(found.contains("I1"), "{found:?}");
    for seed in (0..40).filter(|seed| Scenario::draw(*seed).is_rotten()) {
        let mut violations = play_with(seed, |builder| builder.also(flipping)).unwrap().violations;
        // The judge replays what was given in, and bits flip then too: a transfer that fails by them is right to.
        violations.retain(|violation| {
            !(violation.invariant == "I6" && violation.what.contains("ChecksumMismatch"))
        });
        assert_eq!(violations, [], "{seed}");
    }
}

#[test]
fn without_the_janitor_uploads_stay() {
    assert!(broken(false, |builder| builder.janitor(false)).contains("I3"));
}

#[test]
fn without_the_abort_state_uploads_stay() {
    let found = broken(false, |builder| {
        builder
            .amend("object", |text| text.replace("\"FunctionName\": \"abort\"", "\"FunctionName\": \"none\""))
    });
    assert!(found.contains("I3"), "{found:?}");
}

#[test]
fn a_transfer_that_can_not_be_completed_is_noticed() {
    let found = broken(false, |builder| {
        builder.amend("object", |text| {
            text.replace("\"FunctionName\": \"complete\"", "\"FunctionName\": \"none\"")
        })
    });
    assert!(!found.is_empty(), "{found:?}");
}
