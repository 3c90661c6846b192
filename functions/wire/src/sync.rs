//! The JSON of `bucket.asl.json`: makes one tree of keys like another. Nothing per object travels through state: lists of
//! work stand as JSONL in a bucket of the workflow's own, one line a [`Batch`], a [`Large`] or a [`Delete`].

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use transload_plan::cost::{ClassWork, Prices, Run, Sides, SizeClass};

use crate::place::bucket_and_prefix;
use crate::{
    BucketName, ErrorName, Etag, ExecutionInfo, Failure, Frozen, LocationName, Manifest, ObjectKey, Options,
    Requests, RouteName, VersionId,
};

/// All keys of a bucket that begin with a prefix.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", try_from = "TreeFields")]
pub struct Tree {
    /// The configured location that holds the bucket.
    pub location: LocationName,
    /// The bucket.
    pub bucket: BucketName,
    /// What the keys begin with, raw; without it the whole bucket. Ends where it ends: a prefix without `/` at its end also
    /// takes `photos-old/a` for `photos`.
    pub prefix: String,
}

impl Tree {
    /// Whether a key is one of its keys.
    #[must_use]
    pub fn holds(&self, location: &LocationName, bucket: &BucketName, key: &ObjectKey) -> bool {
        self.location == *location && self.bucket == *bucket && key.as_str().starts_with(&self.prefix)
    }
}

/// What may stand in a tree.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct TreeFields {
    location: LocationName,
    bucket: Option<BucketName>,
    prefix: Option<String>,
    path: Option<String>,
}

impl TryFrom<TreeFields> for Tree {
    type Error = String;

    fn try_from(fields: TreeFields) -> Result<Self, String> {
        let (bucket, prefix) = bucket_and_prefix(fields.bucket, fields.prefix, fields.path.as_deref())?;
        Ok(Self { location: fields.location, bucket, prefix })
    }
}

impl fmt::Display for Tree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:s3://{}/{}", self.location, self.bucket, self.prefix)
    }
}

/// Input of an execution of `bucket.asl.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SyncRequest {
    /// What to read.
    pub source: Tree,
    /// What to make like it.
    pub destination: Tree,
    /// Of each object's transfer.
    #[serde(default)]
    pub options: Options,
    /// Of the comparison.
    #[serde(default)]
    pub sync: SyncOptions,
    /// The objects to see to, instead of all that a listing finds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub manifest: Option<Manifest>,
    /// A frozen plan that is executed instead of what a comparison would find.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<Frozen>,
    /// The rule that asks for it, for metrics.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub route: Option<RouteName>,
}

/// How far a run goes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Mode {
    /// Lists, compares and moves. The default.
    #[default]
    Sync,
    /// Lists and compares only: nothing is written to the destination. What would be done is written as lines of a plan
    /// ([`PlanLine`](crate::PlanLine)), below `plan/`, instead of lists of work.
    Plan,
}

/// When an object that stands on both sides is the same.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Compare {
    /// Never: every object is sent.
    None,
    /// If it has as many bytes. The default; needs no request but the listings.
    #[default]
    Size,
    /// If it has as many bytes and the same ETag, or else a HEAD of the destination shows that it was made from these very
    /// bytes: by its checksum of the whole object, or by the source's ETag in its metadata.
    Checksum,
    /// If the destination's metadata names the source's present version: one HEAD for each object on both sides.
    Version,
    /// If it has as many bytes and was changed at the destination no earlier than at the source.
    Newer,
}

/// Whether versions of the source are listed. Reads are pinned by ETag in any case.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Versions {
    /// They are neither listed nor read: for a source whose versions may not be read. The version that is present when it
    /// is read is pinned by its ETag. The default.
    #[default]
    Off,
    /// They are listed, and each object is read at the version that was listed.
    Listed,
}

/// Which keys of the source may be deleted at the destination because the source has them no longer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Deletes {
    /// More deletions than this stop the run before the first of them.
    #[serde(default = "Deletes::default_count")]
    pub max_count: u64,
    /// A higher share of the destination's objects than this stops it too, in percent.
    #[serde(default = "Deletes::default_percent")]
    pub max_percent: u8,
    /// Whether a source without any object is believed. Default false.
    #[serde(default)]
    pub allow_empty_source: bool,
}

impl Deletes {
    const fn default_count() -> u64 {
        1_000
    }

    const fn default_percent() -> u8 {
        10
    }
}

/// How much a run may move: what is beyond is parked, and left to another run. By what was listed, so that a retry of an object
/// is not counted again.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Budget {
    /// Most objects.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub objects: Option<u64>,
    /// Most bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
    /// Most dollars, as `transload plan` estimates them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dollars: Option<Dollars>,
}

/// An amount of money, to the millionth of a dollar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "f64", into = "f64")]
pub struct Dollars(u64);

impl Dollars {
    /// The amount.
    #[must_use]
    pub fn amount(self) -> f64 {
        self.0 as f64 / 1e6
    }
}

impl TryFrom<f64> for Dollars {
    type Error = String;

    fn try_from(amount: f64) -> Result<Self, String> {
        if (0.000_001..=1e9).contains(&amount) {
            return Ok(Self((amount * 1e6).round() as u64));
        }
        Err(format!("expected dollars from 0.000001 to 1000000000, found {amount}"))
    }
}

impl From<Dollars> for f64 {
    fn from(dollars: Dollars) -> Self {
        dollars.amount()
    }
}

impl Budget {
    /// Whether one more object may be moved behind these.
    #[must_use]
    pub fn has_room(&self, moved: Tally, size: u64) -> bool {
        self.objects.is_none_or(|most| moved.objects < most)
            && self.bytes.is_none_or(|most| moved.bytes.checked_add(size).is_some_and(|sum| sum <= most))
    }

    fn check(&self) -> Result<(), Failure> {
        let refuse = |what: &str| Err(ErrorName::InputInvalid.because(format!("sync.budget{what}")));
        match (self.objects, self.bytes) {
            (None, None) if self.dollars.is_none() => {
                refuse(": expected objects, bytes or dollars, found none")
            }
            (Some(0), _) => refuse(".objects: expected a number from 1, found 0"),
            (_, Some(0)) => refuse(".bytes: expected a number from 1, found 0"),
            _ => Ok(()),
        }
    }
}

/// What is done about objects in an archive tier.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Archived {
    /// They are skipped, with the reason in the report. The default.
    #[default]
    Skip,
    /// The run fails before anything is written.
    Fail,
    /// Each is asked back and copied by an execution of its own, as `options.thaw` says.
    Thaw,
}

/// What is compared, how, and what follows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct SyncOptions {
    /// How far to go.
    pub mode: Mode,
    /// When an object that stands on both sides is the same.
    pub compare: Compare,
    /// Whether versions are listed.
    pub versions: Versions,
    /// Only keys that match one of these, behind the source's prefix; all of them without any. `*` and `?` do not cross
    /// `/`, `**` does.
    pub include: Vec<String>,
    /// But no keys that match one of these.
    pub exclude: Vec<String>,
    /// Nor those that match `bucket/key` patterns of an ignore list, where `*` and `?` cross `/`.
    pub ignore: Vec<String>,
    /// Smallest size in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_size: Option<u64>,
    /// Largest size in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_size: Option<u64>,
    /// Only what was changed at or after this time, ISO 8601 in UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub modified_after: Option<String>,
    /// Only what was changed before this time, ISO 8601 in UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub modified_before: Option<String>,
    /// Only objects of these storage classes; all without any.
    pub storage_classes: Vec<String>,
    /// What is deleted at the destination; nothing without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delete: Option<Deletes>,
    /// How much may be moved; all without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub budget: Option<Budget>,
    /// The table of prices that a budget of dollars is counted by; the list prices of this release without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prices: Option<Box<Prices>>,
    /// What is done about objects in an archive tier.
    pub archived: Archived,
    /// Objects up to this size are sent in batches by one worker; larger ones by an execution each. 1 byte to 5 GiB.
    pub batch_object_limit: u64,
    /// Most objects of a batch, 1 to 1,000.
    pub batch_objects: u32,
    /// Most bytes of a batch, unless one object alone has more.
    pub batch_bytes: u64,
    /// Objects in flight in one worker, 1 to 256.
    pub in_flight: u32,
    /// Batches at a time, 1 to 10,000.
    pub batch_concurrency: u32,
    /// Large objects at a time, each of them a Map Run: 1 to 900, for an account has 1,000.
    pub large_concurrency: u32,
    /// Ranges of keys that are listed at a time, 1 to 64.
    pub listers: u32,
}

impl Default for SyncOptions {
    fn default() -> Self {
        Self {
            mode: Mode::default(),
            compare: Compare::default(),
            versions: Versions::default(),
            include: Vec::new(),
            exclude: Vec::new(),
            ignore: Vec::new(),
            min_size: None,
            max_size: None,
            modified_after: None,
            modified_before: None,
            storage_classes: Vec::new(),
            delete: None,
            budget: None,
            prices: None,
            archived: Archived::default(),
            batch_object_limit: 64 << 20,
            batch_objects: 500,
            batch_bytes: 256 << 20,
            in_flight: 64,
            batch_concurrency: 100,
            large_concurrency: 200,
            listers: 16,
        }
    }
}

impl SyncOptions {
    /// What the types alone do not refuse.
    ///
    /// # Errors
    /// [`ErrorName::InputInvalid`] with the field, what was expected and what was found.
    pub fn check(&self) -> Result<(), Failure> {
        let within = |field: &str, value: u64, low: u64, high: u64| {
            if (low..=high).contains(&value) {
                return Ok(());
            }
            Err(ErrorName::InputInvalid
                .because(format!("sync.{field}: expected a number from {low} to {high}, found {value}")))
        };
        within("batchObjectLimit", self.batch_object_limit, 1, 5 << 30)?;
        within("batchObjects", self.batch_objects.into(), 1, 1_000)?;
        within("batchBytes", self.batch_bytes, 1, 1 << 40)?;
        within("inFlight", self.in_flight.into(), 1, 256)?;
        within("batchConcurrency", self.batch_concurrency.into(), 1, 10_000)?;
        within("largeConcurrency", self.large_concurrency.into(), 1, 900)?;
        within("listers", self.listers.into(), 1, 64)?;
        self.budget.map_or(Ok(()), |budget| budget.check())?;
        self.check_prices()?;
        match &self.delete {
            Some(delete) => within("delete.maxPercent", delete.max_percent.into(), 0, 100),
            None => Ok(()),
        }
    }
}

impl SyncOptions {
    fn check_prices(&self) -> Result<(), Failure> {
        let Some(prices) = &self.prices else { return Ok(()) };
        if self.budget.is_none_or(|budget| budget.dollars.is_none()) {
            return Err(ErrorName::InputInvalid
                .because("sync.prices: expected sync.budget.dollars beside them, found none"));
        }
        prices.check().map_err(|error| ErrorName::InputInvalid.because(format!("sync.prices.{error}")))
    }
}

/// Objects and their bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Tally {
    /// Objects.
    pub objects: u64,
    /// Bytes.
    pub bytes: u64,
}

impl Tally {
    /// Counts one more object.
    pub fn add(&mut self, bytes: u64) {
        self.objects += 1;
        self.bytes += bytes;
    }
}

/// An object that is to be sent, as it was listed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Item {
    /// Its whole key at the source.
    pub key: ObjectKey,
    /// Bytes.
    pub size: u64,
    /// ETag: what is read has to have it.
    pub etag: Etag,
    /// Its version, where versions are listed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version_id: Option<VersionId>,
    /// ETag of what stands at the destination and may be replaced; null: nothing may be there.
    #[serde(default)]
    pub replaces: Option<Etag>,
}

/// A line of the list of small objects: one worker's work.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Batch {
    /// The objects.
    pub objects: Vec<Item>,
}

/// A line of the list of large objects: one execution's work.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Large {
    /// Its whole key at the source.
    pub key: ObjectKey,
    /// Its whole key at the destination.
    pub destination_key: ObjectKey,
    /// Bytes.
    pub size: u64,
    /// Its version, where versions are listed; null otherwise (the definition reads this field).
    #[serde(default)]
    pub version_id: Option<VersionId>,
    /// ETag as it was listed; null in lists of an earlier release. Only an execution of a frozen plan insists on it.
    #[serde(default)]
    pub etag: Option<Etag>,
    /// ETag of what stood at the destination; null: nothing did. Only an execution of a frozen plan insists on it.
    #[serde(default)]
    pub replaces: Option<Etag>,
}

/// A line of the list of deletions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Delete {
    /// Objects of the destination, as they were listed.
    pub objects: Vec<Doomed>,
}

/// An object of the destination that the source does not have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Doomed {
    /// Its whole key at the destination.
    pub key: ObjectKey,
    /// Its whole key at the source, where it must not be.
    pub source_key: ObjectKey,
    /// Bytes.
    pub size: u64,
    /// ETag: another object is not deleted.
    pub etag: Etag,
}

/// Where the lists of one run stand, in the bucket of the workflow's own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct WorkPlace {
    /// The bucket.
    pub bucket: String,
    /// Below this prefix, which ends with `/`: `batches/`, `large/`, `deletes/`, `skipped/` (JSONL) and `report/`.
    pub prefix: String,
}

/// A range of keys, behind both prefixes, that is still to be listed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct KeyRange {
    /// Behind this key; from the first if it is empty.
    #[serde(default)]
    pub after: String,
    /// Up to and with this key; to the last without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
}

/// What was found so far.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Found {
    /// Objects of the source.
    pub listed: Tally,
    /// Objects of the destination.
    pub destination: Tally,
    /// Those that the destination has already.
    pub present: Tally,
    /// Those that are left out, by reason.
    pub skipped: BTreeMap<String, Tally>,
    /// Those that are to be sent and are beyond the budget.
    pub parked: Tally,
    /// To be sent in batches.
    pub small: Tally,
    /// Batches of them.
    pub batches: u64,
    /// To be sent by an execution each.
    pub large: Tally,
    /// To be deleted.
    pub deletes: Tally,
    /// What is to be sent, by class of size, with the requests that it takes if nothing fails.
    pub classes: BTreeMap<SizeClass, ClassWork>,
    /// Requests of batches and deletions that belong to no class of size.
    pub beside: Sides,
    /// Bytes to be sent of each storage class but the standard one.
    pub retrieved: BTreeMap<String, u64>,
    /// Requests that listing and comparing took.
    pub listing: Sides,
    /// Calls of List.
    pub calls: u64,
    /// Lines of the list of deletions: calls of Delete.
    pub deletions: u64,
    /// Files of lists.
    pub files: u64,
}

impl Found {
    /// As an estimate takes it.
    #[must_use]
    pub fn run(&self) -> Run {
        Run {
            classes: self.classes.clone(),
            retrieved: self.retrieved.clone(),
            listing: self.listing.clone(),
            calls: self.calls,
            listed: self.listed.objects.max(self.destination.objects),
            batches: self.batches,
            deletions: self.deletions,
            beside: self.beside.clone(),
            files: self.files,
        }
    }
}

/// Input of List.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ListInput {
    /// The execution's input, untouched.
    pub request: SyncRequest,
    /// The execution.
    pub execution: ExecutionInfo,
    /// What an earlier call left; null in the first.
    #[serde(default)]
    pub left: Option<Left>,
}

/// What one call of List leaves to the next.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Left {
    /// What is still to be listed.
    pub ranges: Vec<KeyRange>,
    /// What was found in all else.
    pub found: Found,
    /// Lines of a manifest that were seen to.
    #[serde(default)]
    pub line: u64,
    /// How many calls there were: the names of their lists begin with their numbers.
    pub calls: u32,
    /// Names of the lists that stand, behind the prefix: what else is there was left by a call that failed.
    pub lists: Vec<String>,
}

/// Output of List.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ListOutput {
    /// What is left for another call; null if all is listed.
    #[serde(default)]
    pub left: Option<Left>,
    /// What was found so far.
    pub found: Found,
    /// Where the lists stand.
    pub work: WorkPlace,
    /// The request's comparison with every default filled in.
    pub sync: SyncOptions,
    /// The request's options of a transfer with every default filled in.
    pub options: Options,
    /// The request's bandwidth, shared.
    #[serde(default)]
    pub bandwidth: Bandwidth,
    /// Requests sent.
    pub requests: Requests,
}

/// Bytes per second of each worker and each execution; null without a bandwidth (the definition reads these fields).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Bandwidth {
    /// Of a worker that sends a batch.
    #[serde(default)]
    pub batch: Option<u64>,
    /// Of an execution that sends a large object.
    #[serde(default)]
    pub large: Option<u64>,
}

/// Input of Batch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BatchInput {
    /// What to read.
    pub source: Tree,
    /// What to make like it.
    pub destination: Tree,
    /// Of each object's transfer.
    #[serde(default)]
    pub options: Options,
    /// Objects in flight.
    pub in_flight: u32,
    /// The objects.
    pub objects: Vec<Item>,
    /// The execution of `bucket.asl.json`.
    pub execution: ExecutionInfo,
    /// When the state was entered, in milliseconds since 1970.
    #[serde(default)]
    pub entered: Option<u64>,
    /// How often these objects were tried before: above 0, what stands at the destination is looked at first.
    #[serde(default)]
    pub tries: u32,
    /// Whether only what was listed may be sent, and only onto what was listed: an object that has changed at either end
    /// since fails. So frozen plans are executed.
    #[serde(default)]
    pub exact: bool,
    /// The request's route, for metrics.
    #[serde(default)]
    pub route: Option<RouteName>,
}

/// What became of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Outcome {
    /// It was sent and proven.
    Copied,
    /// It was there already.
    Present,
    /// It was left out, for a reason.
    Skipped,
    /// It is left to another run: this one has no budget for it.
    Parked,
    /// It was deleted at the destination.
    Deleted,
    /// It was not sent.
    Failed,
}

/// What became of one object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ObjectRecord {
    /// Its whole key at the source; of a deletion, at the destination.
    pub key: ObjectKey,
    /// What became of it.
    pub outcome: Outcome,
    /// Bytes.
    pub size: u64,
    /// ETag at the destination.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub etag: Option<Etag>,
    /// Milliseconds it took.
    #[serde(default)]
    pub duration_ms: u64,
    /// Name of what went wrong, or why it was left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// The same in a sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<String>,
}

/// An object that a call did not finish, and may be tried again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Unfinished {
    /// The object.
    pub item: Item,
    /// Name of what went wrong.
    pub error: String,
    /// The same in a sentence.
    pub cause: String,
}

/// Output of Batch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BatchOutput {
    /// What became of those that are done with, well or not.
    pub records: Vec<ObjectRecord>,
    /// Those that may be tried again.
    pub left: Vec<Unfinished>,
    /// Requests sent.
    pub requests: Requests,
}
