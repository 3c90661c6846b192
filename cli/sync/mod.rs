//! Executions of `bucket.asl.json`: their input, their story, their report.

pub(crate) mod chosen;
mod flags;
mod follow;
pub(crate) mod frozen;
pub(crate) mod inventory;
pub(crate) mod manifest;
mod outcome;
pub(crate) mod price;
mod story;
mod watch;

pub(crate) use flags::SyncFlags;
pub(crate) use follow::follow;
pub(crate) use outcome::{Outcomes, export, lines, results};
pub(crate) use story::SyncStory;

/// What names of these executions begin with, so that a name says which machine it belongs to.
pub(crate) const PREFIXES: [&str; 2] = ["sync-", "plan-"];

/// Whether an execution's name is that of one of these.
pub(crate) fn is_name(name: &str) -> bool {
    PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}

/// Whether an ARN is that of one of these: by the machine's name, which a stack begins with its own.
pub(crate) fn is_arn(arn: &str) -> bool {
    arn.rsplit(':').nth(1).is_some_and(|machine| machine.ends_with("-bucket"))
}
