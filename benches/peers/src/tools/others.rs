//! Commands of the tools that others wrote, and of the bare streamer.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result};

use super::Job;
use crate::pair::BUCKET;
use crate::scratch::{PROFILES, keys};

/// rclone told to do less and more at once: no checks of its own, four streams a file, four parts at a time.
pub(super) const TUNED: [&str; 13] = [
    "--multi-thread-cutoff",
    "32M",
    "--multi-thread-streams",
    "4",
    "--s3-upload-concurrency",
    "4",
    "--s3-chunk-size",
    "16M",
    "--buffer-size=0",
    "--s3-no-check-bucket",
    "--s3-no-head",
    "--s3-disable-checksum",
    "--ignore-checksum",
];

/// A streaming copy as its documentation shows it: the body of GetObject into upload_fileobj.
const BOTO3: &str = "
import sys, boto3
source, destination, bucket, key, to = sys.argv[1:]
def client(profile, url):
    return boto3.Session(profile_name=profile).client('s3', endpoint_url=url)
found = client('global', source).get_object(Bucket=bucket, Key=key)
client('china', destination).upload_fileobj(found['Body'], bucket, to)
";

pub(super) fn bare(job: &Job<'_>) -> Result<Command> {
    let mut command = job.command(std::env::current_exe()?);
    let [source, destination] = [&job.pair.source, &job.pair.destination];
    command.arg("bare").args([source.address(), keys(source.profile).0, format!("/{BUCKET}/{}", job.key)]);
    command.args([destination.address(), keys(destination.profile).0, format!("/{BUCKET}/{}", job.to)]);
    Ok(command)
}

pub(super) fn program(job: &Job<'_>, name: &str) -> Result<PathBuf> {
    job.installed.program(name).with_context(|| format!("{name} is not installed"))
}

pub(super) fn rclone(job: &Job<'_>, flags: &[&str]) -> Result<Command> {
    let mut command = rclone_of(job)?;
    command.arg("copyto");
    command.args([format!("global:{BUCKET}/{}", job.key), format!("china:{BUCKET}/{}", job.to)]);
    command.args(["--config", "/dev/null", "--retries", "1"]).args(flags);
    Ok(command)
}

/// rclone that knows both endpoints.
pub(super) fn rclone_of(job: &Job<'_>) -> Result<Command> {
    let mut command = job.command(program(job, "rclone")?);
    for (profile, endpoint) in PROFILES.into_iter().zip([&job.pair.source, &job.pair.destination]) {
        let (access_key, secret) = keys(profile);
        let name = profile.to_uppercase();
        for (option, value) in [
            ("TYPE", "s3"),
            ("PROVIDER", "Other"),
            ("ENDPOINT", &endpoint.url()),
            ("ACCESS_KEY_ID", &access_key),
            ("SECRET_ACCESS_KEY", &secret),
            ("REGION", "us-east-1"),
        ] {
            command.env(format!("RCLONE_CONFIG_{name}_{option}"), value);
        }
    }
    Ok(command)
}

/// Both ends of a pipe in one shell, which fails when either does.
fn pipe(job: &Job<'_>, line: &str) -> Command {
    let mut command = job.command("/bin/bash");
    command.args(["-o", "pipefail", "-c", line, "pipe"]);
    command.args([job.pair.source.url(), job.pair.destination.url(), job.source_url(), job.target_url()]);
    command
}

pub(super) fn s5cmd(job: &Job<'_>) -> Result<Command> {
    program(job, "s5cmd")?;
    let file = job.scratch.path("credentials");
    let line = format!(
        "s5cmd --credentials-file {file} --profile global --endpoint-url \"$1\" cat \"$3\" | \
         s5cmd --credentials-file {file} --profile china --endpoint-url \"$2\" pipe \"$4\"",
        file = file.display()
    );
    Ok(pipe(job, &line))
}

pub(super) fn aws(job: &Job<'_>) -> Result<Command> {
    program(job, "aws")?;
    let line = "aws --profile global --endpoint-url \"$1\" s3 cp \"$3\" - | \
                aws --profile china --endpoint-url \"$2\" s3 cp - \"$4\" --expected-size 5368709120";
    Ok(pipe(job, line))
}

pub(super) fn boto3(job: &Job<'_>) -> Result<Command> {
    let mut command = job.command(program(job, "python")?);
    command.args(["-c", BOTO3, &job.pair.source.url(), &job.pair.destination.url(), BUCKET, job.key, job.to]);
    Ok(command)
}
