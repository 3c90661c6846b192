//! The JSON of `pack.asl.json`: what an execution is asked for, and what goes from one call of the function to the next.

use serde::{Deserialize, Serialize};
use transload_plan::Layout;
use transload_runtime::{Facts, Input, Output};
use transload_wire::{
    ArchiveFormat, Destination, Etag, ExecutionInfo, LeftOut, ObjectKey, Options, Pinned, Requests,
    RouteName, Token, Tree, Upload,
};

/// Input of an execution of `pack.asl.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PackRequest {
    /// What to pack: all keys that begin with the prefix.
    pub source: Tree,
    /// The archive. In its key `{date}` stands for the day on which the execution was started (`2026-01-31`), `{time}` for the time
    /// of that day in UTC (`235959`).
    pub destination: Destination,
    /// How it is written: part size, storage class, encryption, metadata, tags, and what may be overwritten. Options of a
    /// copy that mean nothing here are refused.
    #[serde(default)]
    pub options: Options,
    /// How it is packed.
    #[serde(default)]
    pub pack: PackOptions,
    /// The rule that asks for it, for metrics.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub route: Option<RouteName>,
}

/// How a tree is packed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct PackOptions {
    /// ArchiveFormat; without it by the end of the destination's key: `.tar`, `.tar.gz` (`.tgz`) or `.tar.zst` (`.tzst`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub format: Option<ArchiveFormat>,
    /// Level of the compression: 1 to 9 for gzip (default 6), 1 to 19 for Zstandard (default 3).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub level: Option<u32>,
    /// Only keys that match one of these, relative to the prefix: `*` within a name, `**` across names, `?` one character.
    pub include: Vec<String>,
    /// None of the keys that match one of these.
    pub exclude: Vec<String>,
}

/// Input of Pack. The first call begins the upload; the others pack what is left.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PackInput {
    /// The execution's input, untouched.
    pub request: PackRequest,
    /// The execution.
    pub execution: ExecutionInfo,
    /// What the first call began; null in it.
    #[serde(default)]
    pub begun: Option<Begun>,
    /// Where the call before came to; null in the first two.
    #[serde(default)]
    pub left: Option<Left>,
}

/// An archive that is being written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Begun {
    /// Where it will stand, with its date.
    pub destination: Destination,
    /// The request's options with every default filled in.
    pub options: Options,
    /// The upload.
    pub upload: Upload,
    /// Token of this execution's work.
    pub token: Token,
    /// ETag of the object that may be replaced; null: nothing may be there.
    #[serde(default)]
    pub replaces: Option<Etag>,
    /// Its format.
    pub format: ArchiveFormat,
    /// The level of its compression.
    pub level: u32,
    /// Bytes of each part but the last.
    pub part_size: u64,
    /// The request's route; null without one (the definition reads this field).
    #[serde(default)]
    pub route: Option<RouteName>,
}

/// Where a call came to: all that stands in whole parts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Left {
    /// Parts that were sent.
    pub parts: u32,
    /// The last key of which everything was packed; empty at the beginning.
    pub after: String,
    /// The object that a part's end cut.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub midway: Option<Midway>,
    /// Bytes of the archive's end mark that are packed, once all objects are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end: Option<u64>,
    /// Checksum of all parts together, where the upload has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checksum: Option<String>,
    /// What was packed, and what was not.
    pub packed: Packed,
}

/// An object of which some is packed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Midway {
    /// Its key.
    pub key: ObjectKey,
    /// Its ETag: the rest has to be of the same version.
    pub etag: Etag,
    /// Its bytes.
    pub size: u64,
    /// When it was changed, in seconds since 1970.
    pub modified: u64,
    /// Bytes that are packed, its header's included.
    pub at: u64,
}

/// What an archive holds.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Packed {
    /// Objects.
    pub objects: u64,
    /// Their bytes.
    pub bytes: u64,
    /// What was found and is not in it.
    #[serde(default)]
    pub left_out: LeftOut,
}

/// Output of Pack.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PackOutput {
    /// The archive that is being written.
    pub begun: Begun,
    /// What is left; null once all is packed (the definition reads this field).
    pub left: Option<Left>,
    /// The whole, once all is packed; null before (the definition reads this field).
    pub whole: Option<Whole>,
    /// Requests sent.
    pub requests: Requests,
}

/// An archive whose parts were all sent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Whole {
    /// As Complete compares it: size and checksum of what was packed, by the worker's own count. Its object is the tree.
    pub source: Pinned,
    /// Its parts.
    pub layout: Layout,
    /// What it holds.
    pub packed: Packed,
}

impl Input for PackInput {
    fn facts(&self) -> Facts {
        Facts { route: self.request.route.clone(), changed: None, again: false }
    }
}

impl Output for PackOutput {}
