//! A bucket of the workflow's own.

use bytes::Bytes;
use strict_s3::{Action, FaultPlan, Rule};
use transload_wire::ErrorName;

use super::strict;
use crate::work::{S3Files, WorkFiles, collect, tests::behaves};

#[tokio::test]
async fn a_bucket_keeps_files() {
    let (_server, store) = strict().await;
    behaves(&S3Files::new(store, "photos".parse().unwrap())).await;
}

#[tokio::test]
async fn a_bucket_that_is_not_there_has_to_be_mended() {
    let (_server, store) = strict().await;
    let files = S3Files::new(store, "not-there".parse().unwrap());
    let failures = [files.put("a", Bytes::new()).await.unwrap_err(), files.list("").await.unwrap_err()];
    for failure in failures {
        assert_eq!(failure.name, ErrorName::WorkDenied, "{failure}");
        assert!(failure.message.contains("not-there"), "{failure}");
    }
}

#[tokio::test]
async fn a_file_whose_reads_break_is_read_to_its_end() {
    let (server, store) = strict().await;
    let files = S3Files::new(store, "photos".parse().unwrap());
    files.put("a", super::content()).await.unwrap();
    server.set_faults(
        FaultPlan::none().rule(Rule::on("GetObject", Action::CloseResponseAfter(40_000)).first(2)),
    );
    assert_eq!(collect(files.get("a").await.unwrap().unwrap()).await.unwrap(), super::content());
}
