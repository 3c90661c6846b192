//! The same tools, told to make one tree of keys like another.

use std::process::Command;

use anyhow::Result;

use super::{Job, others, transload};
use crate::pair::BUCKET;

/// A tool for trees. `key` and `to` of its jobs are prefixes that end with a slash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trees {
    /// transload sync.
    Transload,
    /// rclone copy as it comes.
    Rclone,
    /// rclone told to do less and more at once.
    RcloneTuned,
    /// s5cmd sync into a folder and from there: it knows one endpoint at a time.
    S5cmd,
}

/// Sixty-four objects at a time as in transload's workers, whole listings, sizes alone compared, no checks of its own.
const TUNED: [&str; 13] = [
    "--transfers=64",
    "--checkers=64",
    "--fast-list",
    "--size-only",
    "--buffer-size=0",
    "--s3-no-check-bucket",
    "--s3-no-head",
    "--s3-disable-checksum",
    "--ignore-checksum",
    "--multi-thread-cutoff=32M",
    "--multi-thread-streams=4",
    "--s3-upload-concurrency=4",
    "--s3-chunk-size=16M",
];

impl Trees {
    /// All, in the order of the tables.
    pub(crate) const ALL: [Self; 4] = [Self::Transload, Self::Rclone, Self::RcloneTuned, Self::S5cmd];

    /// As tables name it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Transload => "transload",
            Self::Rclone => "rclone",
            Self::RcloneTuned => "rclone, tuned",
            Self::S5cmd => "s5cmd, by a folder",
        }
    }

    /// A part of its destinations' names.
    pub(crate) const fn slug(self) -> &'static str {
        match self {
            Self::Transload => "transload",
            Self::Rclone => "rclone",
            Self::RcloneTuned => "rclone-tuned",
            Self::S5cmd => "s5cmd",
        }
    }

    /// The command that makes the trees alike.
    pub(crate) fn command(self, job: &Job<'_>) -> Result<Command> {
        match self {
            Self::Transload => {
                let mut command = transload::program(job)?;
                command.arg("sync");
                command.args([
                    format!("global:s3://{BUCKET}/{}", job.key),
                    format!("china:s3://{BUCKET}/{}", job.to),
                ]);
                Ok(command)
            }
            Self::Rclone => rclone(job, &[]),
            Self::RcloneTuned => rclone(job, &TUNED),
            Self::S5cmd => s5cmd(job),
        }
    }
}

fn rclone(job: &Job<'_>, flags: &[&str]) -> Result<Command> {
    let mut command = others::rclone_of(job)?;
    command.args(["copy", &format!("global:{BUCKET}/{}", job.key), &format!("china:{BUCKET}/{}", job.to)]);
    command.args(["--config", "/dev/null", "--retries", "1"]).args(flags);
    Ok(command)
}

fn s5cmd(job: &Job<'_>) -> Result<Command> {
    others::program(job, "s5cmd")?;
    let folder = job.scratch.path("s5cmd").join(job.to);
    std::fs::create_dir_all(&folder)?;
    let file = job.scratch.path("credentials");
    let line = format!(
        "s5cmd --credentials-file {file} --profile global --endpoint-url \"$1\" sync --size-only \"$3*\" \"$5/\" && \
         s5cmd --credentials-file {file} --profile china --endpoint-url \"$2\" sync --size-only \"$5/\" \"$4\"",
        file = file.display()
    );
    let mut command = job.command("/bin/bash");
    command.args(["-c", &line, "s5cmd", &job.pair.source.url(), &job.pair.destination.url()]);
    command.args([job.source_url(), job.target_url()]).arg(folder);
    Ok(command)
}
