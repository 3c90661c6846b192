//! What an S3 location is, resolved: where it is, who we are there, what it can do.

use std::fmt;
use std::time::Duration;

use transload_plan::Limits;
use transload_wire::ChecksumAlgorithm;

use super::credentials::CredentialsSource;
use crate::location::Partition;

/// Where, as whom, and what the store there can do.
#[derive(Debug, Clone)]
pub struct S3Settings {
    /// The location's name, for messages.
    pub name: String,
    /// Partition that keys named in requests must belong to; absent for stores that are not of AWS, and where only the
    /// environment knows.
    pub partition: Option<Partition>,
    /// Region that requests are signed for; absent: as `aws-config` finds it.
    pub region: Option<String>,
    /// Endpoint; absent: as `aws-config` finds it, else the partition's own.
    pub endpoint: Option<String>,
    /// Whether the bucket stands in the path instead of the host's name.
    pub path_style: bool,
    /// Account that has to own every bucket.
    pub expected_bucket_owner: Option<String>,
    /// Where credentials are read.
    pub credentials: CredentialsSource,
    /// What the store can do.
    pub capabilities: Capabilities,
    /// How long is waited for what.
    pub patience: Patience,
    /// A word for the `User-Agent`.
    pub user_agent: Option<String>,
}

/// What a store can do. [`Capabilities::default`] is Amazon S3.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Capabilities {
    /// Limits of objects and parts.
    pub limits: Limits,
    /// Checksums over whole multipart objects, best first. Empty: none.
    pub checksums: Vec<ChecksumAlgorithm>,
    /// Whether a checksum may follow a body as a trailer (`aws-chunked`).
    pub trailers: bool,
    /// Whether `If-Match` and `If-None-Match` are honoured on writes.
    pub conditional_writes: bool,
    /// Whether the ETag of a part, and of an object put whole, is the MD5 of its bytes. Used where there is no checksum.
    pub etag_md5: bool,
}

impl Default for Capabilities {
    fn default() -> Self {
        Self {
            limits: Limits::default(),
            checksums: ChecksumAlgorithm::COMBINABLE.to_vec(),
            trailers: true,
            conditional_writes: true,
            etag_md5: false,
        }
    }
}

/// How long is waited for what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// For a connection. Default 3.1 s: past one retransmission of a lost SYN (1 s, then 2 s).
    pub connect: Duration,
    /// For the next byte of a body, in either direction. Default 6 s.
    pub stall: Duration,
    /// For the answer to a small request, and to a body once it is sent. Default 30 s.
    pub answer: Duration,
    /// For the answer to Complete, which S3 may take minutes for. Default 5 min.
    pub complete: Duration,
    /// Tries of a small request by the SDK. Default 3. Bodies are never repeated.
    pub tries: u32,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            connect: Duration::from_millis(3_100),
            stall: Duration::from_secs(6),
            answer: Duration::from_secs(30),
            complete: Duration::from_secs(300),
            tries: 3,
        }
    }
}

impl fmt::Display for S3Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let region = self.region.as_deref().unwrap_or("default region");
        let endpoint = self.endpoint.as_deref().unwrap_or("default endpoint");
        write!(f, "location {} ({region}, {endpoint})", self.name)
    }
}
