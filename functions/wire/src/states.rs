//! Input and output of each state. State `Part` is `functions/part`, takes [`PartInput`] and gives [`PartOutput`].

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use transload_plan::{Layout, PartSet, Window};

use crate::{
    Attributes, Checksum, ChecksumAlgorithm, Destination, Etag, Options, RouteName, Source, Token,
    TransferRequest, UploadId, Verify, VersionId,
};

/// Requests sent to stores, by operation (`GetObject`, `UploadPart`, ...), retries included.
pub type Requests = BTreeMap<String, u64>;

/// What a state needs to know of its execution, from the context object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ExecutionInfo {
    /// ARN of the execution (`$states.context.Execution.Id`).
    pub id: String,
    /// When it was started (`Execution.StartTime`, ISO 8601); the same after a redrive.
    pub start_time: String,
    /// How often it was redriven (`Execution.RedriveCount`).
    #[serde(default)]
    pub redrive_count: u32,
}

/// The one version of the source that is transferred.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Pinned {
    /// The object; with its version id where the bucket has versions.
    pub object: Source,
    /// Its ETag: every read is conditional on it.
    pub etag: Etag,
    /// Its bytes.
    pub size: u64,
    /// `Last-Modified`, ISO 8601.
    pub last_modified: String,
    /// Its whole-object checksum, if the store has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checksum: Option<Checksum>,
    /// Whether the requester pays for reads.
    #[serde(default)]
    pub requester_pays: bool,
}

/// Input of Head. With `pinned` (state Recheck) the source is only compared with what was pinned before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct HeadInput {
    /// The execution's input, untouched: so that what is wrong with it is told by its own field names.
    pub request: TransferRequest,
    /// The execution.
    pub execution: ExecutionInfo,
    /// What an earlier Head pinned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pinned: Option<Pinned>,
}

/// What is to be done with an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Decision {
    /// The destination holds this version already.
    Skip,
    /// Send it whole.
    Copy,
    /// Send it in parts.
    Parts,
    /// Begin anew with the newest version; only of a source that was pinned before.
    Renew,
    /// Ask it back from its archive tier, and look again then.
    Thaw,
}

/// Output of Head.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct HeadOutput {
    /// What is to be done.
    pub decision: Decision,
    /// Why, in a sentence.
    pub reason: String,
    /// Whether it is skipped because it is none of those that are asked for (the definition reads this field).
    #[serde(default)]
    pub filtered: bool,
    /// The source as it is read from here on.
    pub source: Pinned,
    /// Where it is written, from the request.
    pub destination: Destination,
    /// The request's options with every default filled in.
    pub options: Options,
    /// What the destination will carry.
    pub attributes: Attributes,
    /// Identity of the source's version, for [`SOURCE_METADATA`](crate::SOURCE_METADATA).
    pub identity: Token,
    /// Token of this transfer, for [`TOKEN_METADATA`](crate::TOKEN_METADATA).
    pub token: Token,
    /// The destination's ETag as it was found: Complete replaces that and nothing else. Null: nothing was
    /// there (the definition reads this field, and a JSONata path to nothing is an error).
    #[serde(default)]
    pub replaces: Option<Etag>,
    /// Whether no condition of the write can keep an older version from replacing a newer one, so that the workflow looks at
    /// the source once more after it (the definition reads this field).
    #[serde(default)]
    pub follow: bool,
    /// Token of the transfer that wrote what stands at the destination; null if none did (the definition reads this field).
    #[serde(default)]
    pub standing: Option<Token>,
    /// The request's route; null without one (the definition reads this field).
    #[serde(default)]
    pub route: Option<RouteName>,
    /// The parts; absent unless the decision is `parts`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub layout: Option<Layout>,
    /// Requests sent.
    pub requests: Requests,
}

/// Input of Init.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct InitInput {
    /// The pinned source: the upload is made with the source's own checksum algorithm where the destination has it, so
    /// that the two can be compared.
    pub source: Pinned,
    /// Where to write.
    pub destination: Destination,
    /// The user's options.
    #[serde(default)]
    pub options: Options,
    /// What the destination will carry.
    pub attributes: Attributes,
    /// Identity of the source's version.
    pub identity: Token,
    /// Token of this transfer.
    pub token: Token,
    /// The parts.
    pub layout: Layout,
    /// The execution.
    pub execution: ExecutionInfo,
    /// Number of this round, from 0.
    pub round: u32,
    /// The upload of an earlier round; absent in the first one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upload: Option<Upload>,
    /// The request's route, for metrics.
    #[serde(default)]
    pub route: Option<RouteName>,
}

/// An open upload.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Upload {
    /// The store's id of it.
    pub upload_id: UploadId,
    /// The checksum that every part and the whole object are proven with; absent where the store has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checksum_algorithm: Option<ChecksumAlgorithm>,
}

/// Output of Init.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct InitOutput {
    /// The upload to send parts to.
    pub upload: Upload,
    /// What is missing, as one set of parts per child.
    pub batches: Vec<PartSet>,
    /// Parts that are missing.
    pub parts_missing: u32,
    /// Bytes that are missing.
    pub bytes_missing: u64,
    /// Parts that are there already.
    pub parts_present: u32,
    /// Children at a time.
    pub max_concurrency: u32,
    /// Whether there is one batch, for one worker, and no need of a Map. Histories of an earlier release do not tell.
    #[serde(default)]
    pub one_worker: bool,
    /// Parts that each worker sends at a time.
    #[serde(default)]
    pub parts_in_flight: u32,
    /// Bytes per second of each child; null without a bandwidth (the definition reads this field).
    #[serde(default)]
    pub bandwidth: Option<u64>,
    /// Seconds to wait before the next round, should one be needed.
    pub backoff_seconds: u32,
    /// Requests sent.
    pub requests: Requests,
}

/// Input of Part: one child's work.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PartInput {
    /// The pinned source.
    pub source: Pinned,
    /// Where to write.
    pub destination: Destination,
    /// The upload.
    pub upload: Upload,
    /// The parts of the whole object.
    pub layout: Layout,
    /// The parts to send.
    pub parts: PartSet,
    /// How many parts at a time.
    pub parts_in_flight: u32,
    /// Whether a source without a checksum is read twice.
    #[serde(default)]
    pub verify: Verify,
    /// Bytes per second that it may read; as many as it can without.
    #[serde(default)]
    pub bandwidth: Option<u64>,
    /// When bytes may begin to move; at any time without it.
    #[serde(default)]
    pub window: Option<Window>,
    /// When the state was entered (`$states.context.State.EnteredTime`), in milliseconds since 1970: the service's clock decides
    /// whether the window is open, for it is the one that waits.
    #[serde(default)]
    pub entered: Option<u64>,
    /// How often this child was tried before (`$states.context.State.RetryCount`): above 0, what an earlier try left is
    /// listed and not sent again.
    #[serde(default)]
    pub retry_count: u32,
    /// The request's route, for metrics.
    #[serde(default)]
    pub route: Option<RouteName>,
}

/// What became of one part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PartRecord {
    /// Number of the part.
    pub part_number: u32,
    /// Its bytes.
    pub size: u64,
    /// ETag that the destination gave.
    pub etag: Etag,
    /// Checksum of the bytes sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checksum: Option<Checksum>,
    /// PUTs until it was there; 0 if an earlier try had left it.
    pub attempts: u32,
    /// GETs until all of its bytes were read.
    pub reads: u32,
    /// Milliseconds from the first GET to the answer of the PUT.
    pub duration_ms: u64,
}

/// Output of Part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PartOutput {
    /// One record a part, ascending.
    pub parts: Vec<PartRecord>,
    /// Requests sent.
    pub requests: Requests,
}

/// Input of Complete.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CompleteInput {
    /// The pinned source.
    pub source: Pinned,
    /// Where to write.
    pub destination: Destination,
    /// The user's options.
    #[serde(default)]
    pub options: Options,
    /// The upload.
    pub upload: Upload,
    /// The parts.
    pub layout: Layout,
    /// Token of this transfer.
    pub token: Token,
    /// What the worker said of the parts that it sent, where one worker sent them and the store does not list their checksums.
    #[serde(default)]
    pub sent: Option<Vec<PartRecord>>,
    /// ETag of the object that may be replaced; null: nothing may be there.
    #[serde(default)]
    pub replaces: Option<Etag>,
    /// The request's route, for metrics.
    #[serde(default)]
    pub route: Option<RouteName>,
}

/// How the destination's bytes are known to be the source's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Proof {
    /// The source's own whole-object checksum equals the destination's.
    SourceChecksum,
    /// The source has no whole-object checksum that could be compared: every byte read under one ETag was proven by the
    /// destination's checksum. A flip before the bytes reached the worker's checksum would not be seen.
    TransitChecksum,
    /// The same, and every byte was read twice: a flip in one of the reads would have been seen.
    ReadTwice,
    /// The destination has no checksums: parts were compared by MD5, the ETag of each part.
    PartEtags,
}

/// Output of Complete and of Copy: the transfer's record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CompleteOutput {
    /// ETag of the destination.
    pub etag: Etag,
    /// Version of the destination, where its bucket has versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version_id: Option<VersionId>,
    /// Bytes.
    pub size: u64,
    /// Parts; 0 if it was sent whole.
    pub parts: u32,
    /// Checksum of the destination.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checksum: Option<Checksum>,
    /// How it was proven.
    pub proof: Proof,
    /// Whether an uncertain answer had to be settled by reading the destination's metadata.
    #[serde(default)]
    pub reconciled: bool,
    /// Requests sent.
    pub requests: Requests,
}

/// Input of Copy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CopyInput {
    /// The pinned source.
    pub source: Pinned,
    /// Where to write.
    pub destination: Destination,
    /// The user's options.
    #[serde(default)]
    pub options: Options,
    /// What the destination will carry.
    pub attributes: Attributes,
    /// Identity of the source's version.
    pub identity: Token,
    /// Token of this transfer.
    pub token: Token,
    /// ETag of the object that may be replaced; null: nothing may be there.
    #[serde(default)]
    pub replaces: Option<Etag>,
    /// When the state was entered, in milliseconds since 1970.
    #[serde(default)]
    pub entered: Option<u64>,
    /// The request's route, for metrics.
    #[serde(default)]
    pub route: Option<RouteName>,
}

/// Input of Abort.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AbortInput {
    /// Where the upload was made.
    pub destination: Destination,
    /// The upload; absent if the failure came before one was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upload: Option<Upload>,
    /// Token of the transfer: a finished object that bears it is left alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<Token>,
    /// The request's route, for metrics.
    #[serde(default)]
    pub route: Option<RouteName>,
}

/// Output of Abort.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AbortOutput {
    /// Whether an open upload was released; false if there was none (any more).
    pub aborted: bool,
    /// Whether the destination bears the transfer's token: it was finished after all, and was left alone.
    #[serde(default)]
    pub finished: bool,
    /// Requests sent.
    pub requests: Requests,
}
