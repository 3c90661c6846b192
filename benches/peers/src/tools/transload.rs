//! The command of transload, with the locations file that it needs.

use std::process::Command;

use anyhow::Result;

use super::Job;
use crate::pair::BUCKET;

pub(super) fn command(job: &Job<'_>) -> Result<Command> {
    let mut command = program(job)?;
    command.arg("copy");
    command.args([format!("global:s3://{BUCKET}/{}", job.key), format!("china:s3://{BUCKET}/{}", job.to)]);
    if let Some(size) = job.part_size {
        command.args(["--part-size", size]);
    }
    Ok(command)
}

/// With its home and its locations.
pub(super) fn program(job: &Job<'_>) -> Result<Command> {
    let locations = job.scratch.path("locations.toml");
    std::fs::write(&locations, toml(job))?;
    let mut command = job.command(job.transload);
    command.arg("--home").arg(job.scratch.path("transload-home"));
    command.arg("--locations").arg(locations);
    Ok(command)
}

fn toml(job: &Job<'_>) -> String {
    let endpoints = [&job.pair.source, &job.pair.destination];
    let profile = if job.pair.only_etags { "profile = \"generic\"\netag_md5 = true\n" } else { "" };
    let locations = endpoints.map(|endpoint| {
        format!(
            "[locations.{}]\nkind = \"s3\"\nregion = \"us-east-1\"\nendpoint = \"{}\"\nallow_http = true\n\
             path_style = true\ncredentials = {{ profile = \"{}\" }}\n{profile}",
            endpoint.profile,
            endpoint.url(),
            endpoint.profile,
        )
    });
    locations.join("\n")
}
