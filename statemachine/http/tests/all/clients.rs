//! boto3 and the AWS CLI as clients: `clients.py` does the talking.
use crate::support::{ID, SECRET, server};
use std::process::Command;

#[tokio::test(flavor = "multi_thread")]
async fn boto3_and_the_aws_command_line() {
    let import = Command::new("python3").args(["-c", "import boto3, awscli"]).output();
    if !import.is_ok_and(|ran| ran.status.success()) {
        println!("SKIPPED: python3 with boto3 and awscli is not installed (pip install boto3 awscli)");
        return;
    }
    let (server, scratch) = (server().await, tempfile::tempdir().unwrap());
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/all/clients.py");
    let mut python = tokio::process::Command::new("python3");
    python
        .args([script, &server.endpoint(), ID, SECRET])
        .env("HOME", scratch.path())
        .env_remove("AWS_PROFILE");
    let ran = python.output().await.unwrap();
    let (out, err) = (String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
    assert!(ran.status.success() && out.ends_with("done\n"), "{out}\n{err}");
}
