//! What was found out by asking. Judged elsewhere.

use transload_store::location::Partition;
use transload_store::s3::inspect::{Caller, DefaultEncryption, Look, Refusal, UploadLifetime, UploadProbe};

use super::setup::Declared;

/// Of a location.
#[derive(Debug)]
pub(crate) struct LocationFacts {
    /// Its name.
    pub(crate) name: String,
    /// Its partition; none for a store that is not of AWS.
    pub(crate) partition: Option<Partition>,
    /// Where credentials are read, in words.
    pub(crate) source: String,
    /// Whether the functions' own roles stand there, which were not asked.
    pub(crate) own_role: bool,
    /// Whether there are credentials.
    pub(crate) credentials: Result<(), Refusal>,
    /// Whether the secret is there, where only its value may not be read.
    pub(crate) kept: Option<Kept>,
    /// Who we are there; none where nobody can be asked.
    pub(crate) caller: Option<Result<Caller, Refusal>>,
    /// Seconds by which its clock is ahead; none where nothing was answered.
    pub(crate) clock: Option<i64>,
}

/// Whether a secret is there, as far as we may know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kept {
    /// It is.
    There,
    /// It is not.
    Missing,
    /// We may not ask.
    Unknown,
}

/// Of a bucket with a prefix, at one end of routes.
#[derive(Debug)]
pub(crate) struct EndFacts {
    /// `location: bucket/prefix`.
    pub(crate) subject: String,
    /// The location's name.
    pub(crate) location: String,
    /// The bucket.
    pub(crate) bucket: String,
    /// The prefix.
    pub(crate) prefix: String,
    /// Its location's partition; none for a store that is not of AWS.
    pub(crate) partition: Option<Partition>,
    /// Region that requests are signed for.
    pub(crate) region: Option<String>,
    /// What the config says of the bucket.
    pub(crate) declared: Option<Declared>,
    /// Whether the functions' own roles are used.
    pub(crate) own_role: bool,
    /// HeadBucket.
    pub(crate) head: Look<()>,
    /// What was asked of a bucket that is there.
    pub(crate) inside: Option<Inside>,
}

/// Of a bucket that is there.
#[derive(Debug)]
pub(crate) struct Inside {
    /// GetBucketVersioning.
    pub(crate) versioning: Look<Option<String>>,
    /// GetBucketEncryption; not asked of other stores.
    pub(crate) encryption: Option<Look<Option<DefaultEncryption>>>,
    /// ListObjectsV2: the first key.
    pub(crate) list: Look<Option<String>>,
    /// GetObject of one byte.
    pub(crate) read: Look<Option<String>>,
    /// The same by version id, where there is one.
    pub(crate) read_version: Option<Look<Option<String>>>,
    /// GetObjectTagging, where tags are copied.
    pub(crate) tags: Option<Look<()>>,
    /// What only a source is asked.
    pub(crate) events: Option<Look<bool>>,
    /// What only a destination is asked.
    pub(crate) written: Option<Written>,
}

/// What a destination is asked.
#[derive(Debug)]
pub(crate) struct Written {
    /// An upload that was made and given up; none with `--read-only`.
    pub(crate) upload: Option<UploadProbe>,
    /// GetBucketLifecycleConfiguration.
    pub(crate) lifetimes: Look<Vec<UploadLifetime>>,
}

/// Of the account that functions run in.
#[derive(Debug)]
pub(crate) struct AccountFacts {
    /// Its Region.
    pub(crate) region: String,
    /// The account of the config, if it is written.
    pub(crate) expected: Option<String>,
    /// Who asked.
    pub(crate) caller: Result<Caller, Refusal>,
    /// Invocations at a time that no function has reserved.
    pub(crate) concurrency: Result<u64, Refusal>,
    /// Map runs that may be open at a time; none where the service knows no such quota.
    pub(crate) map_runs: Result<Option<u64>, Refusal>,
}
