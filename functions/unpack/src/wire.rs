//! The JSON of `unpack.asl.json`: what an execution is asked for, and what goes from one call of the function to the next.

use serde::{Deserialize, Serialize};
use transload_runtime::{Facts, Input, Output};
use transload_wire::{
    ArchiveFormat, Destination, Etag, ExecutionInfo, LeftOut, ObjectKey, Options, Pinned, Requests,
    RouteName, Source, Token, Tree, Upload,
};

/// Input of an execution of `unpack.asl.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct UnpackRequest {
    /// The archive: in a bucket, on a file system, or at a URL that serves ranges.
    pub source: Source,
    /// Where what it holds is written: each name behind the prefix.
    pub destination: Tree,
    /// How: part size, storage class, encryption, metadata, tags, and what may be overwritten. Options of a copy that mean
    /// nothing here are refused.
    #[serde(default)]
    pub options: Options,
    /// What is unpacked.
    #[serde(default)]
    pub unpack: UnpackOptions,
    /// The rule that asks for it, for metrics.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub route: Option<RouteName>,
}

/// What is unpacked.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct UnpackOptions {
    /// ArchiveFormat of the archive; without it by its first bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub format: Option<ArchiveFormat>,
    /// Only names that match one of these: `*` within a name, `**` across names, `?` one character.
    pub include: Vec<String>,
    /// None of the names that match one of these.
    pub exclude: Vec<String>,
}

/// Input of Unpack. The first call pins the archive; the others unpack what is left.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct UnpackInput {
    /// The execution's input, untouched.
    pub request: UnpackRequest,
    /// The execution.
    pub execution: ExecutionInfo,
    /// What the first call pinned; null in it.
    #[serde(default)]
    pub pinned: Option<Archive>,
    /// Where the call before came to; null in the first two.
    #[serde(default)]
    pub left: Option<Left>,
}

/// The one version of the archive that is read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Archive {
    /// The object.
    pub source: Pinned,
    /// Its format.
    pub format: ArchiveFormat,
}

/// Where a call came to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Left {
    /// Offset in the archive at which a member or a frame begins.
    pub at: u64,
    /// Unpacked bytes from there to what is to be read next.
    pub skip: u64,
    /// Unpacked bytes in front of `at`.
    pub before: u64,
    /// The file of which some is written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub midway: Option<Midway>,
    /// What was written, and what was not.
    pub unpacked: Unpacked,
}

/// A file that goes in parts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Midway {
    /// Where it will stand.
    pub destination: Destination,
    /// Its bytes.
    pub size: u64,
    /// Its upload.
    pub upload: Upload,
    /// Token of this file's transfer.
    pub token: Token,
    /// ETag of the object that may be replaced; null: nothing may be there.
    #[serde(default)]
    pub replaces: Option<Etag>,
    /// Bytes of each part but the last.
    pub part_size: u64,
    /// Parts that were sent.
    pub parts: u32,
    /// Checksum of them together, where the upload has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checksum: Option<String>,
}

impl Midway {
    /// Bytes that were sent.
    #[must_use]
    pub fn sent(&self) -> u64 {
        (u64::from(self.parts) * self.part_size).min(self.size)
    }
}

/// What became of what an archive holds.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Unpacked {
    /// Files that were written.
    pub objects: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Files that stood there already: from this archive, or not to be replaced.
    pub present: u64,
    /// Entries that were not written.
    #[serde(default)]
    pub left_out: LeftOut,
}

/// Output of Unpack.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct UnpackOutput {
    /// The archive that is read.
    pub pinned: Archive,
    /// What is left; null once all is unpacked (the definition reads this field).
    pub left: Option<Left>,
    /// The upload that is open; null where none is (the definition reads this field).
    pub open: Option<Open>,
    /// What was unpacked, once all is; null before.
    pub unpacked: Option<Unpacked>,
    /// Requests sent.
    pub requests: Requests,
}

/// An upload for whoever has to release it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Open {
    /// Where.
    pub destination: Destination,
    /// Which.
    pub upload: Upload,
    /// Whose.
    pub token: Token,
}

impl From<&Midway> for Open {
    fn from(midway: &Midway) -> Self {
        let Midway { destination, upload, token, .. } = midway.clone();
        Self { destination, upload, token }
    }
}

/// A key behind the destination's prefix.
pub(crate) fn destination(tree: &Tree, name: &str) -> Option<Destination> {
    let key: ObjectKey = format!("{}{name}", tree.prefix).parse().ok()?;
    Some(Destination { location: tree.location.clone(), bucket: tree.bucket.clone(), key })
}

impl Input for UnpackInput {
    fn facts(&self) -> Facts {
        Facts { route: self.request.route.clone(), changed: None, again: false }
    }
}

impl Output for UnpackOutput {}
