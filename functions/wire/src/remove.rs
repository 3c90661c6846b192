//! Input and output of state Remove.

use serde::{Deserialize, Serialize};

use crate::{Destination, Options, Requests, RouteName, Source};

/// Input of Remove.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RemoveInput {
    /// The source, from the request: without a version.
    pub source: Source,
    /// Where its copy is.
    pub destination: Destination,
    /// The request's options; they have to allow to delete.
    #[serde(default)]
    pub options: Options,
    /// The request's route, for metrics.
    #[serde(default)]
    pub route: Option<RouteName>,
}

/// What Remove found or did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Removal {
    /// The object is deleted, and the source was still absent afterwards.
    Deleted,
    /// Nothing is to be done, or nothing may be: the reason says which.
    Kept,
    /// The two differ, and only a new look at both can say what is to be done.
    Again,
}

/// Output of Remove.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RemoveOutput {
    /// What was found or done.
    pub outcome: Removal,
    /// Why, in a sentence.
    pub reason: String,
    /// Requests sent.
    pub requests: Requests,
}
