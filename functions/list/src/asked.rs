//! The request, checked and made ready before anything is sent.

use std::sync::Arc;

use transload_plan::{Filter, FilterRules, Likeness, Share};
use transload_store::{Ends, Shelf, Store, Stores};
use transload_wire::{
    Archived, Bandwidth, Compare, ErrorName, Failure, ListInput, SyncRequest, Tree, Versions, WhenArchived,
};

use crate::purse::Purse;
use crate::ways::Ways;

/// Longest key of S3 in bytes.
const LONGEST_KEY: usize = 1_024;

/// One side.
#[derive(Clone)]
pub(crate) struct End {
    pub store: Arc<dyn Store>,
    pub shelf: Shelf,
    pub versions: bool,
}

/// What a call works with.
pub(crate) struct Asked {
    pub request: SyncRequest,
    pub source: End,
    pub destination: End,
    pub filter: Filter,
    pub likeness: Likeness,
    pub ways: Ways,
    pub bandwidth: Bandwidth,
    pub purse: Option<Purse>,
    pub listers: usize,
    /// Where the lists stand; ends with `/`.
    pub prefix: String,
}

impl Asked {
    /// # Errors
    /// `InputInvalid` and `DestinationInvalid`, each with the field.
    pub(crate) fn new<S: Stores + ?Sized>(
        ends: &mut Ends<'_, S>,
        input: &ListInput,
    ) -> Result<Self, Failure> {
        let mut request = input.request.clone();
        request.options.check()?;
        request.sync.check()?;
        check_options(&mut request)?;
        let bandwidth = share(&mut request);
        check_prefix("source", &request.source)?;
        check_prefix("destination", &request.destination)?;
        check_apart(&request.source, &request.destination)?;
        let filter = filter(&request)?;
        let source = ends.open("source", &request.source.location)?;
        let destination = ends.open("destination", &request.destination.location)?;
        let shelf = |tree: &Tree, requester_pays| Shelf {
            bucket: tree.bucket.clone(),
            prefix: tree.prefix.clone(),
            requester_pays,
        };
        let ways = Ways::new(&request.options, &request.sync, destination.as_ref());
        let purse = Purse::new(&request, (source.as_ref(), destination.as_ref()), &ways)?;
        Ok(Self {
            ways,
            purse,
            source: End {
                store: source,
                shelf: shelf(&request.source, request.options.requester_pays),
                versions: request.sync.versions == Versions::Listed,
            },
            destination: End {
                store: destination,
                shelf: shelf(&request.destination, false),
                versions: false,
            },
            filter,
            likeness: likeness(request.sync.compare),
            bandwidth,
            listers: usize::try_from(request.sync.listers).unwrap_or(1),
            prefix: prefix(input),
            request,
        })
    }
}

/// What the executions for single objects are told. Deletions are found by comparison here, and counted before the first.
fn check_options(request: &mut SyncRequest) -> Result<(), Failure> {
    if request.options.delete {
        return Err(ErrorName::InputInvalid
            .because("options.delete: expected false (sync.delete says what a run deletes), found true"));
    }
    if request.sync.archived == Archived::Thaw {
        request.options.archived = WhenArchived::Thaw;
    }
    Ok(())
}

/// Seconds in which a batch, and an object of one, has to pass: a batch's worker lives for two minutes.
const BATCH_PASSES: u64 = 60;
const OBJECT_PASSES: u64 = 30;

/// Shares a bandwidth among the workers of batches, and among the executions of large objects: the two come one after the other.
/// What a worker's share can not carry in its time is not given to it.
fn share(request: &mut SyncRequest) -> Bandwidth {
    let Some(bandwidth) = request.options.bandwidth else { return Bandwidth::default() };
    let sync = &mut request.sync;
    let (batch, large) =
        (Share::of(bandwidth, sync.batch_concurrency), Share::of(bandwidth, sync.large_concurrency));
    (sync.batch_concurrency, sync.large_concurrency) = (batch.workers, large.workers);
    sync.batch_bytes = sync.batch_bytes.min(batch.each.saturating_mul(BATCH_PASSES));
    sync.batch_object_limit = sync.batch_object_limit.min(batch.each.saturating_mul(OBJECT_PASSES));
    Bandwidth { batch: Some(batch.each), large: Some(large.each) }
}

fn likeness(compare: Compare) -> Likeness {
    match compare {
        Compare::None => Likeness::None,
        Compare::Size => Likeness::Size,
        Compare::Checksum => Likeness::Checksum,
        Compare::Version => Likeness::Version,
        Compare::Newer => Likeness::Newer,
    }
}

fn filter(request: &SyncRequest) -> Result<Filter, Failure> {
    let sync = &request.sync;
    let rules = FilterRules {
        include: &sync.include,
        exclude: &sync.exclude,
        ignore: &sync.ignore,
        min_size: sync.min_size,
        max_size: sync.max_size,
        modified_after: sync.modified_after.as_deref(),
        modified_before: sync.modified_before.as_deref(),
        storage_classes: &sync.storage_classes,
    };
    Filter::new(&rules).map_err(|error| ErrorName::InputInvalid.because(format!("sync.{error}")))
}

fn check_prefix(field: &str, tree: &Tree) -> Result<(), Failure> {
    if tree.prefix.len() <= LONGEST_KEY && !tree.prefix.contains('\0') {
        return Ok(());
    }
    let found = if tree.prefix.contains('\0') {
        "one with NUL".to_owned()
    } else {
        format!("{} bytes", tree.prefix.len())
    };
    Err(ErrorName::InputInvalid.because(format!(
        "{field}.prefix: expected at most {LONGEST_KEY} bytes of UTF-8 without NUL, found {found}"
    )))
}

/// What is copied into its own source is listed as a source the next time, and copied again, one level deeper.
fn check_apart(source: &Tree, destination: &Tree) -> Result<(), Failure> {
    let one = (&source.location, &source.bucket) == (&destination.location, &destination.bucket);
    let (from, to) = (source.prefix.as_str(), destination.prefix.as_str());
    if !one || !(from.starts_with(to) || to.starts_with(from)) {
        return Ok(());
    }
    Err(ErrorName::InputInvalid.because(format!(
        "destination: expected a prefix apart from the source's in the same bucket, found {destination} for {source}"
    )))
}

/// One run's own: the same for all calls of an execution, redriven ones too.
fn prefix(input: &ListInput) -> String {
    let name = input.execution.id.rsplit(':').next().unwrap_or_default();
    let digits: String = input.execution.start_time.chars().filter(char::is_ascii_digit).collect();
    format!("sync/{name}-{digits}/")
}
