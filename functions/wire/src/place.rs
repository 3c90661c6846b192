//! Where an object is read and where it is written, and the execution's input.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{BucketName, ErrorName, Failure, LocationName, ObjectKey, Options, RouteName, VersionId};

/// An object to read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Source {
    /// The configured location that holds the bucket.
    pub location: LocationName,
    /// The bucket.
    pub bucket: BucketName,
    /// The key, raw (not URL-encoded).
    pub key: ObjectKey,
    /// A version to read; without it the newest one is read and pinned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version_id: Option<VersionId>,
}

/// An object to write.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Destination {
    /// The configured location that holds the bucket.
    pub location: LocationName,
    /// The bucket.
    pub bucket: BucketName,
    /// The key, raw.
    pub key: ObjectKey,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:s3://{}/{}", self.location, self.bucket, self.key)
    }
}

impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:s3://{}/{}", self.location, self.bucket, self.key)
    }
}

/// Input of an execution of `object.asl.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TransferRequest {
    /// What to read.
    pub source: Source,
    /// Where to write it.
    pub destination: Destination,
    /// How; every option has a default.
    #[serde(default)]
    pub options: Options,
    /// The rule that asks for it, for metrics.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub route: Option<RouteName>,
}

impl TransferRequest {
    /// What the types alone do not refuse.
    ///
    /// # Errors
    /// [`ErrorName::InputInvalid`] if source and destination are one object; [`ErrorName::DestinationInvalid`] for
    /// options that no destination accepts.
    pub fn check(&self) -> Result<(), Failure> {
        let (s, d) = (&self.source, &self.destination);
        if (&s.location, &s.bucket, &s.key) == (&d.location, &d.bucket, &d.key) {
            return Err(ErrorName::InputInvalid.because(format!(
                "destination: expected another object than the source, found {d} in both"
            )));
        }
        self.options.check()
    }
}
