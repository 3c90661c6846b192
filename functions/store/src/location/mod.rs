//! Locations: named, deployed configurations of stores. Requests name them; keys and secrets never stand in one.
//!
//! The same type is read from a TOML file and from JSON in a worker's environment:
//!
//! ```
//! let text = r#"
//!     [locations.china]
//!     kind = "s3"
//!     partition = "aws-cn"
//!     region = "cn-north-1"
//!     credentials = { environment = "CHINA" }   # CHINA_ACCESS_KEY_ID, CHINA_SECRET_ACCESS_KEY
//! "#;
//! let stores = transload_store::location::ConfiguredStores::from_toml(text)?;
//! assert_eq!(stores.names().collect::<Vec<_>>(), ["china"]);
//!
//! let refused = text.replace("cn-north-1", "eu-west-1");
//! let refused = transload_store::location::ConfiguredStores::from_toml(&refused).err().unwrap();
//! assert!(refused.message.starts_with("locations.china.region: expected a Region of partition aws-cn"));
//! # Ok::<(), transload_wire::Failure>(())
//! ```

mod check;
mod credentials;
mod files;
mod https;
mod partition;
mod profile;
mod read;
mod stores;

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use transload_wire::{BucketName, ChecksumAlgorithm, LocationName};

pub use crate::keys::Issuer;
pub use credentials::CredentialsConfig;
pub use https::HttpsConfig;
pub use partition::Partition;
pub use profile::Profile;
pub use stores::{ConfiguredStores, LOCATIONS_FILE_VARIABLE, LOCATIONS_VARIABLE};

/// All locations of a deployment.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Locations {
    /// By name.
    #[serde(default)]
    pub locations: BTreeMap<LocationName, Location>,
    /// How URLs are read.
    #[serde(default, skip_serializing_if = "HttpsConfig::is_default")]
    pub https: HttpsConfig,
}

/// What kind of store a location is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LocationKind {
    /// S3, or what speaks its protocol.
    S3,
    /// Directories of the workers: mounted file systems.
    File,
}

/// One location. Everything but the kind has a default.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Location {
    /// The kind of store.
    pub kind: LocationKind,
    /// Partition of AWS; follows from Region and endpoint without it. Absent for other stores.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partition: Option<Partition>,
    /// Region; as the AWS tools find it, without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// Endpoint, `https://host[:port]`; as the AWS tools find it, without it: `AWS_ENDPOINT_URL_S3`, `AWS_ENDPOINT_URL` or
    /// the profile's `endpoint_url`. Such a variable holds for every location without an endpoint of its own, whatever its
    /// partition, and is not checked as this field is: where locations of several partitions meet, leave it unset, set
    /// `AWS_IGNORE_CONFIGURED_ENDPOINT_URLS=true`, or write the endpoint of each.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<String>,
    /// Whether the endpoint may be plain `http`. For loopback and closed networks. Default false.
    #[serde(default, skip_serializing_if = "is_false")]
    pub allow_http: bool,
    /// Whether the bucket stands in the path. Default false.
    #[serde(default, skip_serializing_if = "is_false")]
    pub path_style: bool,
    /// Account (12 digits) that has to own the buckets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected_bucket_owner: Option<String>,
    /// Where credentials are read; the default chain of the AWS tools without it.
    #[serde(default, skip_serializing_if = "CredentialsConfig::is_default")]
    pub credentials: CredentialsConfig,
    /// What the store can do, by name; the fields below override it. Default `aws`.
    #[serde(default)]
    pub profile: Profile,
    /// Limits that differ from the profile's.
    #[serde(default)]
    pub limits: LimitsConfig,
    /// Checksums over whole multipart objects, best first: `CRC64NVME`, `CRC32C`, `CRC32`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checksums: Option<Vec<ChecksumAlgorithm>>,
    /// Whether checksums may follow bodies as trailers (`aws-chunked`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trailers: Option<bool>,
    /// Whether conditions of writes are honoured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conditional_writes: Option<bool>,
    /// Whether ETags of parts are MD5.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub etag_md5: Option<bool>,
    /// How long is waited for what.
    #[serde(default)]
    pub patience: PatienceConfig,
    /// A word for the `User-Agent`, of letters, digits and ``!#$%&'*+-.^_`|~``.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_agent: Option<String>,
    /// Of kind `file`, and as all that follow here: directories that stand for buckets.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub roots: BTreeMap<BucketName, PathBuf>,
    /// Whether each root has to be on another file system than `/`, so that nothing is written where nothing is mounted.
    /// Default false.
    #[serde(default, skip_serializing_if = "is_false")]
    pub mounted: bool,
    /// Mode of files that are written, octal (`"0640"`); without it 0644 as far as the umask lets it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<String>,
    /// Mode of directories that are made; without it 0755 as far as the umask lets it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub directory_mode: Option<String>,
    /// Owner of files that are written, as a number; the worker without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uid: Option<u32>,
    /// Their group, as a number; the worker's without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gid: Option<u32>,
    /// Never accepted: they are here to be refused with more than "unknown field".
    #[serde(default, skip_serializing)]
    #[serde(alias = "aws_access_key_id", alias = "secret_access_key", alias = "aws_secret_access_key")]
    #[serde(alias = "session_token", alias = "aws_session_token")]
    access_key_id: credentials::NoKey,
}

impl Location {
    /// One of S3 of which nothing is said but that.
    fn plain() -> Self {
        Self {
            kind: LocationKind::S3,
            partition: None,
            region: None,
            endpoint: None,
            allow_http: false,
            path_style: false,
            expected_bucket_owner: None,
            credentials: CredentialsConfig::default(),
            profile: Profile::default(),
            limits: LimitsConfig::default(),
            checksums: None,
            trailers: None,
            conditional_writes: None,
            etag_md5: None,
            patience: PatienceConfig::default(),
            user_agent: None,
            roots: BTreeMap::new(),
            mounted: false,
            mode: None,
            directory_mode: None,
            uid: None,
            gid: None,
            access_key_id: credentials::NoKey,
        }
    }
}

/// Limits that differ from a profile's, in bytes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LimitsConfig {
    /// Largest object.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_object: Option<u64>,
    /// Smallest part but for the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_part: Option<u64>,
    /// Largest part.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_part: Option<u64>,
    /// Most parts of one upload.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_parts: Option<u32>,
    /// Part size where nothing else asks for a larger one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_part: Option<u64>,
    /// Whether all parts but the last must have one size.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub equal_parts: Option<bool>,
}

/// Waits that differ from the defaults, in seconds.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PatienceConfig {
    /// For a connection.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connect_seconds: Option<f64>,
    /// For the next byte of a body.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stall_seconds: Option<f64>,
    /// For an answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answer_seconds: Option<f64>,
    /// For the answer to Complete.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub complete_seconds: Option<f64>,
    /// Tries of a small request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tries: Option<u32>,
}

fn is_false(value: &bool) -> bool {
    !value
}

#[cfg(test)]
mod tests;
