//! The list of a pack's files, with what is not in it and why.

use serde::{Deserialize, Serialize};

/// What `format` says.
pub(crate) const FORMAT: &str = "transload-evidence";
/// The version of packs that is written and read.
pub(crate) const VERSION: u32 = 1;

/// `manifest.json`.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Manifest {
    /// [`FORMAT`].
    pub(crate) format: String,
    /// [`VERSION`].
    pub(crate) format_version: u32,
    /// Name and version of the program that wrote the pack.
    pub(crate) made_by: String,
    /// The execution.
    pub(crate) execution_arn: String,
    /// How it ended.
    pub(crate) status: String,
    /// What was taken out of the files, in words.
    pub(crate) redacted: Vec<String>,
    /// What belongs to the execution and is not here.
    pub(crate) missing: Vec<Missing>,
    /// All files but this one and `SHA256SUMS`, in their order.
    pub(crate) files: Vec<Listed>,
}

/// Something that is not in a pack.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Missing {
    /// What.
    pub(crate) what: String,
    /// Why.
    pub(crate) why: String,
}

/// A file of a pack.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Listed {
    /// Its name.
    pub(crate) name: String,
    /// Its bytes.
    pub(crate) size: u64,
    /// SHA-256 of them, in hexadecimal.
    pub(crate) sha256: String,
}

impl Listed {
    /// Its line, as `sha256sum` writes it.
    pub(crate) fn line(&self) -> String {
        format!("{}  {}\n", self.sha256, self.name)
    }
}
