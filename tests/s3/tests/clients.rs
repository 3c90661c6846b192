//! boto3 and the AWS CLI as clients: `clients.py` does the talking.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a helper that fails is a test that fails")]

mod common;

use std::process::Command;

use common::BUCKET;
use strict_s3::{BucketOptions, Server, Storage};

const ACCESS_KEY: &str = "AKIDPYTHON";
const SECRET: &str = "python secret/+";

#[tokio::test(flavor = "multi_thread")]
async fn boto3_and_the_aws_command_line() {
    let import = Command::new("python3").args(["-c", "import boto3, awscli"]).output();
    if !import.is_ok_and(|ran| ran.status.success()) {
        println!("SKIPPED: python3 with boto3 and awscli is not installed (pip install boto3 awscli)");
        return;
    }
    let scratch = tempfile::tempdir().unwrap();
    let server = Server::builder().credentials(ACCESS_KEY, SECRET).region("eu-central-1");
    let server = server.bucket(BUCKET, BucketOptions::default());
    let server = server.storage(Storage::Directory(scratch.path().join("blobs"))).start().await.unwrap();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/clients.py");
    let mut python = tokio::process::Command::new("python3");
    python
        .args([script, &server.endpoint(), ACCESS_KEY, SECRET, server.region(), BUCKET])
        .arg(scratch.path());
    let ran = python.output().await.unwrap();
    let (out, err) = (String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
    assert!(ran.status.success() && out.ends_with("done\n"), "{out}\n{err}\n{:#?}", server.requests().last());
}
