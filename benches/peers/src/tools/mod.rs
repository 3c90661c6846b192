//! The tools that are compared: how each is told to copy one object.

mod others;
mod transload;
mod trees;

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;

use crate::install::Installed;
use crate::pair::{BUCKET, Pair};
use crate::scratch::Scratch;

/// A copy of one object.
pub(crate) struct Job<'a> {
    pub(crate) scratch: &'a Scratch,
    pub(crate) installed: &'a Installed,
    pub(crate) transload: &'a Path,
    pub(crate) pair: &'a Pair,
    pub(crate) key: &'a str,
    pub(crate) to: &'a str,
    /// Parts' size for transload, its default without it.
    pub(crate) part_size: Option<&'a str>,
}

impl Job<'_> {
    fn source_url(&self) -> String {
        format!("s3://{BUCKET}/{}", self.key)
    }

    fn target_url(&self) -> String {
        format!("s3://{BUCKET}/{}", self.to)
    }

    /// A program in an environment with nothing but this run's credentials.
    fn command(&self, program: impl Into<PathBuf>) -> Command {
        let mut command = Command::new(program.into());
        let path = format!("{}:/usr/local/bin:/usr/bin:/bin", self.installed.bin().display());
        command.env_clear().env("PATH", path).env("HOME", self.scratch.path("home"));
        command.env("AWS_SHARED_CREDENTIALS_FILE", self.scratch.path("credentials"));
        command.env("AWS_CONFIG_FILE", self.scratch.path("config"));
        command.env("AWS_REGION", "us-east-1").env("AWS_EC2_METADATA_DISABLED", "true");
        command
    }
}

pub(crate) use trees::Trees;

/// A tool.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Tool {
    /// Plain sockets, the bound.
    Bare,
    /// transload.
    Transload,
    /// rclone as it comes.
    Rclone,
    /// rclone with flags for this very job.
    RcloneTuned,
    /// s5cmd cat into s5cmd pipe.
    S5cmd,
    /// boto3, streaming.
    Boto3,
    /// The AWS CLI into the AWS CLI.
    AwsCli,
}

impl Tool {
    /// All, in the order of the tables.
    pub(crate) const ALL: [Self; 7] = [
        Self::Bare,
        Self::Transload,
        Self::Rclone,
        Self::RcloneTuned,
        Self::S5cmd,
        Self::Boto3,
        Self::AwsCli,
    ];

    /// As tables name it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Bare => "bare streamer",
            Self::Transload => "transload",
            Self::Rclone => "rclone",
            Self::RcloneTuned => "rclone, tuned",
            Self::S5cmd => "s5cmd, pipe",
            Self::Boto3 => "boto3",
            Self::AwsCli => "AWS CLI, pipe",
        }
    }

    /// A file name for its logs and destinations.
    pub(crate) fn slug(self) -> String {
        self.name().replace(", ", "-").replace(' ', "-").to_lowercase()
    }

    /// Whether it can run here; if not, what is missing.
    pub(crate) fn is_missing(self, installed: &Installed, transload: &Path) -> Option<String> {
        let lacks = |program: &str| installed.program(program).is_none().then(|| program.to_owned());
        match self {
            Self::Bare => None,
            Self::Transload => {
                (!transload.exists()).then(|| format!("{} (build it first)", transload.display()))
            }
            Self::Rclone | Self::RcloneTuned => lacks("rclone"),
            Self::S5cmd => lacks("s5cmd"),
            Self::Boto3 => lacks("python"),
            Self::AwsCli => lacks("aws"),
        }
    }

    /// The command that copies.
    pub(crate) fn command(self, job: &Job<'_>) -> Result<Command> {
        match self {
            Self::Bare => others::bare(job),
            Self::Transload => transload::command(job),
            Self::Rclone => others::rclone(job, &[]),
            Self::RcloneTuned => others::rclone(job, &others::TUNED),
            Self::S5cmd => others::s5cmd(job),
            Self::Boto3 => others::boto3(job),
            Self::AwsCli => others::aws(job),
        }
    }
}
