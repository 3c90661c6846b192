//! A frozen plan: JSON Lines. The first line is its head, the last its end with the SHA-256 of all that stands before it; between
//! them one line for each object that is to be copied, deleted or left out.

use serde::{Deserialize, Serialize};

use crate::{Doomed, Etag, Found, ObjectKey, SyncRequest, VersionId};

/// The version of plans that is written and read.
pub const PLAN_VERSION: u32 = 1;

/// A plan that stands in the workflow's own bucket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Frozen {
    /// Its name there.
    pub name: String,
    /// The SHA-256 that its last line tells, in hexadecimal: what was approved.
    pub sha256: String,
}

/// A line of a plan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum PlanLine {
    /// The first.
    Plan(Box<PlanHead>),
    /// An object to send.
    Copy(PlanCopy),
    /// An object of the destination to delete.
    Delete(Doomed),
    /// An object that is left out.
    Skip(PlanSkip),
    /// The last.
    End(PlanEnd),
}

/// What a plan is of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PlanHead {
    /// [`PLAN_VERSION`].
    pub version: u32,
    /// When it was made, ISO 8601.
    pub created: String,
    /// What was asked for.
    pub request: SyncRequest,
    /// What was found, with the requests that follow from it.
    pub found: Found,
    /// Name of the table of prices that its estimate was made with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prices: Option<String>,
}

/// An object to send, as it was listed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PlanCopy {
    /// Its whole key at the source.
    pub key: ObjectKey,
    /// Bytes.
    pub size: u64,
    /// ETag: nothing else is sent in its place.
    pub etag: Etag,
    /// Its version, where versions are listed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version_id: Option<VersionId>,
    /// When it was written, ISO 8601; for readers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_modified: Option<String>,
    /// Whether it is in an archive tier, and is to be thawed first.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub archived: bool,
    /// ETag of what it replaces at the destination; null: nothing may be there.
    #[serde(default)]
    pub replaces: Option<Etag>,
}

/// An object that is left out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PlanSkip {
    /// Its whole key at the source.
    pub key: ObjectKey,
    /// Bytes.
    pub size: u64,
    /// Why.
    pub reason: String,
}

/// Ends a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PlanEnd {
    /// Lines before this one.
    pub lines: u64,
    /// SHA-256 of all bytes before this line, in hexadecimal.
    pub sha256: String,
}
