//! Frozen plans and manifests with `--stack`: they are put into the bucket of the workflow's own, where List reads them. The
//! engine of these tests has that bucket as a folder, the operator has it on a server; what is on one is copied to the other.

use std::io::Write;
use std::path::PathBuf;

use flate2::Compression;
use flate2::write::GzEncoder;
use futures::executor::block_on;
use md5::{Digest, Md5};
use serde_json::{Value, json};
use strict_s3::{Action, BucketOptions, FaultPlan, Rule, Server};
use tempfile::TempDir;
use transload_store::work::{DirectoryFiles, WorkFiles, collect};

use super::{Local, SYNC, many, words};
use crate::clients::is_there;

/// The bucket's name on one machine.
const RESULTS: &str = "results";

/// An operator with a folder of its own, and the bucket as a server has it.
struct Operator<'a> {
    local: &'a Local,
    bucket: Server,
    folder: TempDir,
}

impl<'a> Operator<'a> {
    /// With the key that the API takes. A list of files is that of the folder.
    async fn new(local: &'a Local) -> Self {
        let (id, secret) = local.key();
        let builder = Server::builder().credentials(&id, &secret).bucket(RESULTS, BucketOptions::default());
        let operator =
            Self { local, bucket: builder.start().await.unwrap(), folder: tempfile::tempdir().unwrap() };
        let results = operator.results();
        let mirror = Action::hook(move |direct| {
            let files = DirectoryFiles::new(&results, RESULTS);
            for file in block_on(files.list("sync/")).unwrap() {
                let bytes = block_on(async { collect(files.get(&file.name).await.unwrap().unwrap()).await });
                direct.put(RESULTS, &file.name, bytes.unwrap()).unwrap();
            }
        });
        operator.bucket.set_faults(FaultPlan::none().rule(Rule::on("ListObjectsV2", mirror)));
        operator
    }

    fn results(&self) -> PathBuf {
        self.local.folder.path().join("home of mine/results")
    }

    async fn run(&self, args: &[&str]) -> (Option<i32>, String, String) {
        self.local.operator_at(&self.bucket.endpoint(), &self.folder, &arn(self.local), args).await
    }

    /// Hands what was uploaded on to the engine, under the name that the next run has for it; its bytes.
    async fn hand_on(&self, name: &str, next: &str) -> Vec<u8> {
        let bytes = self.bucket.direct().get(RESULTS, name).expect("it was uploaded").bytes().unwrap();
        DirectoryFiles::new(self.results(), RESULTS).put(next, bytes.clone()).await.unwrap();
        bytes.to_vec()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_of_a_deployed_machine_is_frozen_and_executed_by_it() {
    if !is_there("aws", &["--version"]).await {
        return;
    }
    let local = Local::start(&[]).await;
    many(&local).await;
    let operator = Operator::new(&local).await;
    let flags = ["--out", "frozen.jsonl", "--output", "json"];
    let (code, planned, said) = operator.run(&[&["plan"][..], &SYNC, &flags].concat()).await;
    assert_eq!(code, Some(0), "{planned} {said}");
    let planned: Value = serde_json::from_str(&planned).unwrap();
    let frozen = std::fs::read(operator.folder.path().join("frozen.jsonl")).unwrap();
    // Head, 21 objects to copy and one to delete, end.
    assert_eq!(frozen.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).count(), 24);

    // The engine does not have it yet: it says so, and so what was uploaded can be looked at.
    let (code, _, said) = operator.run(&["sync", "--plan", "frozen.jsonl", "--name", "exact"]).await;
    assert!(
        code == Some(1) && said.contains("plan.name: expected a file of bucket results"),
        "{code:?} {said}"
    );
    let name = format!("plans/{}.jsonl", planned["sha256"].as_str().unwrap());
    assert_eq!(operator.hand_on(&name, &name).await, frozen);
    let (code, done, said) = operator.run(&["sync", "--plan", "frozen.jsonl"]).await;
    assert_eq!(code, Some(0), "{done} {said}");
    assert!(words(&done).contains("copied 21 3.00 MiB") && words(&done).contains("deleted 1 "), "{done}");
    local.interrupt().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_manifest_is_handed_to_a_deployed_machine() {
    if !is_there("aws", &["--version"]).await {
        return;
    }
    let local = Local::start(&[]).await;
    many(&local).await;
    let operator = Operator::new(&local).await;
    let lines = "{\"key\": \"in/3 b+c\"}\n{\"key\": \"in/large\"}\n";
    std::fs::write(operator.folder.path().join("mine.jsonl"), lines).unwrap();
    let sync = ["sync", SYNC[0], SYNC[1], "--manifest", "mine.jsonl", "--name", "mine"];
    let (code, _, said) = operator.run(&sync).await;
    assert!(code == Some(1) && said.contains("found none called manifests/sync-mine"), "{code:?} {said}");
    assert_eq!(operator.hand_on("manifests/sync-mine", "manifests/sync-again").await, lines.as_bytes());
    let (code, done, said) = operator.run(&[&sync[..6], &["again"]].concat()).await;
    assert_eq!(code, Some(0), "{done} {said}");
    assert!(words(&done).contains("copied 2 3.00 MiB"), "{done}");

    // Who may not write there starts nothing.
    let (code, _, said) =
        local.operator(&operator.folder, &arn(&local), &[&sync[..6], &["none"]].concat()).await;
    assert!(
        code == Some(2) && said.contains("PutObject s3://results/manifests/sync-none"),
        "{code:?} {said}"
    );
    assert_eq!(operator.run(&["describe", "sync-none"]).await.0, Some(3));
    local.interrupt().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_inventory_is_handed_to_a_deployed_machine() {
    if !is_there("aws", &["--version"]).await {
        return;
    }
    let local = Local::start(&[]).await;
    many(&local).await;
    let operator = Operator::new(&local).await;
    let facts = r#""size":3145728,"etag":"e","lastModified":"2026-11-20T01:00:00Z""#;
    let rows = "quiet,in/3+b%2Bc,8,2026-11-20T01:00:00.000Z,e,STANDARD\nquiet,in/large,3145728,2026-11-20T01:00:00.000Z,e,STANDARD\n";
    let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
    gzip.write_all(rows.as_bytes()).unwrap();
    let data = gzip.finish().unwrap();
    let sum: String = Md5::digest(&data).iter().map(|byte| format!("{byte:02x}")).collect();
    let document = json!({
        "sourceBucket": "quiet", "destinationBucket": "arn:aws:s3:::lists", "fileFormat": "CSV",
        "fileSchema": "Bucket, Key, Size, LastModifiedDate, ETag, StorageClass",
        "files": [{"key": "x/data/0.csv.gz", "size": data.len(), "MD5checksum": sum}],
    });
    std::fs::write(operator.folder.path().join("0.csv.gz"), data).unwrap();
    std::fs::write(operator.folder.path().join("manifest.json"), document.to_string()).unwrap();
    let sync = ["sync", SYNC[0], SYNC[1], "--inventory", "manifest.json", "--name"];
    let (code, _, said) = operator.run(&[&sync[..], &["mine"]].concat()).await;
    assert!(code == Some(1) && said.contains("found none called manifests/sync-mine"), "{code:?} {said}");
    let lines = operator.hand_on("manifests/sync-mine", "manifests/sync-again").await;
    let lines = String::from_utf8(lines).unwrap();
    assert!(lines.ends_with(&format!("\n{{\"key\":\"in/large\",{facts}}}\n")), "{lines}");
    // Its facts are not true any more: both are sent as they are.
    let (code, done, said) = operator.run(&[&sync[..], &["again"]].concat()).await;
    assert_eq!(code, Some(0), "{done} {said}");
    assert!(words(&done).contains("copied 2 3.00 MiB"), "{done}");
    local.interrupt().await;
}

fn arn(local: &Local) -> String {
    local.welcome["stepFunctions"]["stateMachineArn"].as_str().unwrap().to_owned()
}
