//! Input and output of the states behind the lists: Delete and Report.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{
    Doomed, ExecutionInfo, Found, ObjectRecord, Options, Requests, RouteName, SyncOptions, SyncRequest,
    Tally, Tree, WorkPlace,
};

/// Input of Delete.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DeleteInput {
    /// Where the objects must not be.
    pub source: Tree,
    /// Where they are deleted.
    pub destination: Tree,
    /// Of each object's transfer: who pays for requests to the source.
    #[serde(default)]
    pub options: Options,
    /// Objects in flight.
    pub in_flight: u32,
    /// The objects.
    pub objects: Vec<Doomed>,
    /// The execution of `bucket.asl.json`.
    pub execution: ExecutionInfo,
    /// The request's route, for metrics.
    #[serde(default)]
    pub route: Option<RouteName>,
}

/// Output of Delete.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DeleteOutput {
    /// What became of each object.
    pub records: Vec<ObjectRecord>,
    /// Requests sent.
    pub requests: Requests,
}

/// One pass over lists of work: the first over what List found, later ones over what failed before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Round {
    /// What the names of its lists and results begin with.
    pub prefix: String,
    /// How often the execution had been redriven when it began.
    pub redrive_count: u32,
    /// Name of the manifest of the results of each Map; null if it had nothing to do.
    #[serde(default)]
    pub batches: Option<String>,
    /// The same of the large objects.
    #[serde(default)]
    pub large: Option<String>,
    /// The same of the deletions.
    #[serde(default)]
    pub deletes: Option<String>,
}

/// Input of Report.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ReportInput {
    /// The execution's input.
    pub request: SyncRequest,
    /// The execution.
    pub execution: ExecutionInfo,
    /// Where lists, results and report stand.
    pub work: WorkPlace,
    /// What List found.
    pub found: Found,
    /// The request's comparison with every default filled in.
    pub sync: SyncOptions,
    /// All rounds, the last one at the end.
    pub rounds: Vec<Round>,
    /// When the state was entered, in milliseconds since 1970.
    #[serde(default)]
    pub entered: Option<u64>,
}

/// Items of each kind that are to be done: batches, large objects, deletions.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Todo {
    /// Batches.
    pub batches: u64,
    /// Large objects.
    pub large: u64,
    /// Deletions.
    pub deletes: u64,
}

/// What became of everything that was listed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Counts {
    /// Objects of the source.
    pub listed: Tally,
    /// Those that were there already.
    pub present: Tally,
    /// Those that were left out, by reason.
    pub skipped: BTreeMap<String, Tally>,
    /// Those that are left to another run, beyond this one's budget.
    #[serde(default)]
    pub parked: Tally,
    /// Those that were sent.
    pub copied: Tally,
    /// Those that were not.
    pub failed: Tally,
    /// Objects that were deleted at the destination.
    pub deleted: Tally,
    /// Deletions that were not done, since the source has the object again, or the destination another.
    pub kept: Tally,
    /// Deletions that failed.
    pub undeleted: Tally,
}

/// Output of Report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ReportOutput {
    /// Whether what failed was written as new lists, for another round.
    pub again: bool,
    /// What the names of those lists begin with; null without them.
    #[serde(default)]
    pub prefix: Option<String>,
    /// Seconds until that round may begin, where the window closed on the last one; null else (the definition reads this field).
    #[serde(default)]
    pub opens_in: Option<u64>,
    /// What they hold.
    pub todo: Todo,
    /// What became of everything.
    pub counts: Counts,
    /// Name of the report, in the work place's bucket.
    pub report: String,
}
