//! What a store can do is found by trying it, and nothing stays of that.

use strict_s3::{Answer, Capabilities as Has, FaultPlan, Rule};
use transload_wire::ChecksumAlgorithm;

use super::{builder, object, settings};
use crate::StoreErrorKind as Kind;
use crate::s3::inspect::Probed;
use crate::s3::{Capabilities, S3Store};

/// What is found of a server that can do so much.
async fn probed(has: Has) -> Probed {
    let server = builder().capabilities(has).start().await.unwrap();
    let store = S3Store::new(settings(&server));
    let object = object("own").stored().unwrap().clone();
    let probed = store.inspector().probe(&object).await.unwrap();
    assert_eq!((server.direct().keys("photos"), server.direct().uploads("photos")), (vec![], vec![]));
    assert_eq!(probed.left, Vec::<String>::new());
    probed
}

fn told<'a>(probed: &'a Probed, capability: &str) -> &'a str {
    &probed.trials.iter().find(|trial| trial.capability == capability).unwrap().told
}

#[tokio::test]
async fn all_that_s3_can_do_is_found() {
    let found = probed(Has::default()).await;
    let all = Capabilities { limits: super::limits(), etag_md5: true, ..Capabilities::default() };
    assert_eq!(found.capabilities, all, "{:#?}", found.trials);
    let opaque = probed(Has { md5_etags: false, ..Has::default() }).await;
    assert_eq!(opaque.capabilities, Capabilities { etag_md5: false, ..all });
}

#[tokio::test]
async fn what_is_refused_is_not_there() {
    let has = Has {
        crc64nvme: false,
        checksums: false,
        trailers: false,
        conditional_writes: false,
        equal_parts: true,
        no_such_upload_after_complete: true,
        ..Has::default()
    };
    let found = probed(has).await;
    let capabilities = &found.capabilities;
    assert!(capabilities.limits.equal_parts && capabilities.etag_md5, "{:#?}", found.trials);
    assert!(!capabilities.trailers && !capabilities.conditional_writes && capabilities.checksums.is_empty());
    assert!(told(&found, "CRC32C").contains("501"), "{:#?}", found.trials);

    let one = probed(Has { crc64nvme: false, trailers: false, ..Has::default() }).await;
    let rest = [ChecksumAlgorithm::Crc32c, ChecksumAlgorithm::Crc32];
    assert_eq!(one.capabilities.checksums, rest, "{:#?}", one.trials);
    assert!(!one.capabilities.trailers && one.capabilities.conditional_writes);
}

#[tokio::test]
async fn a_checksum_that_is_only_told_is_found_where_there_is_no_other() {
    let has = Has { crc64nvme: false, checksums: false, trailers: false, crc64ecma: true, ..Has::default() };
    let found = probed(has).await;
    assert_eq!(found.capabilities.checksums, [ChecksumAlgorithm::Crc64Xz], "{:#?}", found.trials);
    assert!(!found.capabilities.trailers);
    let both = probed(Has { crc64ecma: true, ..Has::default() }).await;
    assert!(!both.capabilities.checksums.contains(&ChecksumAlgorithm::Crc64Xz), "{:#?}", both.trials);
}

/// Such a store would let an older version be written over a newer one.
#[tokio::test]
async fn what_is_taken_and_not_heeded_is_not_there() {
    let found = probed(Has { conditions_unheeded: true, ..Has::default() }).await;
    assert!(!found.capabilities.conditional_writes, "{:#?}", found.trials);
    assert!(told(&found, "conditional_writes").contains("not heeded"), "{:#?}", found.trials);
}

/// Other readers would see the framing as the object's encoding.
#[tokio::test]
async fn framing_that_is_kept_as_an_encoding_is_seen() {
    let found = probed(Has { framing_kept: true, ..Has::default() }).await;
    assert!(!found.capabilities.trailers, "{:#?}", found.trials);
    assert!(told(&found, "trailers").contains("Content-Encoding: aws-chunked"), "{:#?}", found.trials);
    assert!(!found.capabilities.checksums.is_empty() && found.capabilities.conditional_writes);
}

/// What says nothing of the store ends the trial, and even then nothing stays that could be taken away.
#[tokio::test]
async fn what_could_not_be_tried_is_an_error() {
    let server = builder().start().await.unwrap();
    let store = S3Store::new(settings(&server));
    let object = object("own").stored().unwrap().clone();
    let slow = strict_s3::Action::Answer(Answer::slow_down());
    server.set_faults(FaultPlan::none().rule(Rule::on("CompleteMultipartUpload", slow)));
    let error = store.inspector().probe(&object).await.unwrap_err();
    assert_eq!(error.kind, Kind::Throttled, "{error}");
    assert_eq!((server.direct().keys("photos"), server.direct().uploads("photos")), (vec![], vec![]));
}
