//! Flags of `sync` and `plan`, resolved into the options of a comparison.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use transload_wire::{Archived, Budget, Compare, Deletes, Dollars, Mode, SyncOptions, Versions};

use crate::units::parse_size;

/// What is compared, how, and what follows.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Comparison")]
pub(crate) struct SyncFlags {
    /// When an object that stands on both sides is the same
    #[arg(long, value_enum, default_value = "size", value_name = "HOW")]
    compare: CompareFlag,
    /// List versions of the source, and read each object at the version that was listed
    #[arg(long)]
    versions: bool,
    /// Only keys that match, behind the prefix: `*` and `?` stay within a folder, `**` does not; repeatable
    #[arg(long, value_name = "PATTERN")]
    include: Vec<String>,
    /// But no keys that match; repeatable
    #[arg(long, value_name = "PATTERN")]
    exclude: Vec<String>,
    /// An ignore list of the systems before: a `bucket/key` pattern a line, `*` and `?` cross `/`
    #[arg(long, value_name = "FILE")]
    ignore_file: Option<PathBuf>,
    /// Smallest size
    #[arg(long, value_parser = parse_size, value_name = "SIZE")]
    min_size: Option<u64>,
    /// Largest size
    #[arg(long, value_parser = parse_size, value_name = "SIZE")]
    max_size: Option<u64>,
    /// Only what was changed at or after this time
    #[arg(long, value_name = "ISO-8601")]
    modified_after: Option<String>,
    /// Only what was changed before this time
    #[arg(long, value_name = "ISO-8601")]
    modified_before: Option<String>,
    /// Only objects of this storage class; repeatable
    #[arg(long, value_name = "CLASS")]
    only_class: Vec<String>,
    /// Delete at the destination what the source does not have
    #[arg(long)]
    delete: bool,
    /// More deletions than this stop the run before the first [default: 1000]
    #[arg(long, requires = "delete", value_name = "N")]
    max_deletes: Option<u64>,
    /// So does a higher share of the destination's objects [default: 10]
    #[arg(long, requires = "delete", value_name = "PERCENT")]
    max_delete_percent: Option<u8>,
    /// Believe a source without any object
    #[arg(long, requires = "delete")]
    allow_empty_source: bool,
    /// Move at most so many objects, and leave the others to another run
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    budget_objects: Option<u64>,
    /// Move at most so many bytes, by the sizes that are listed, and leave the other objects to another run
    #[arg(long, value_parser = parse_size, value_name = "SIZE")]
    budget_bytes: Option<u64>,
    /// Spend at most so many dollars, as `plan` estimates them, and leave the other objects to another run
    #[arg(long, value_name = "DOLLARS", value_parser = dollars)]
    budget_dollars: Option<Dollars>,
    /// Fail on an object in an archive tier instead of leaving it out
    #[arg(long, conflicts_with = "thaw")]
    fail_on_archived: bool,
    /// Objects up to this size are sent in batches, larger ones by an execution each [default: 64MiB]
    #[arg(long, value_parser = parse_size, value_name = "SIZE")]
    batch_object_limit: Option<u64>,
    /// Most objects of a batch [default: 500]
    #[arg(long, value_name = "N")]
    batch_objects: Option<u32>,
    /// Objects in flight in one worker [default: 64]
    #[arg(long, value_name = "N")]
    in_flight: Option<u32>,
    /// Batches at a time [default: 100; on this machine as many as it has processors]
    #[arg(long, value_name = "N")]
    batch_concurrency: Option<u32>,
    /// Large objects at a time [default: 200; on this machine 2]
    #[arg(long, value_name = "N")]
    large_concurrency: Option<u32>,
    /// Ranges of keys that are listed at a time [default: 16]
    #[arg(long, value_name = "N")]
    listers: Option<u32>,
}

/// When an object is the same.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum CompareFlag {
    /// Never
    None,
    /// If it has as many bytes
    Size,
    /// If bytes and checksum are the same
    Checksum,
    /// If it was made from the source's present version
    Version,
    /// If it has as many bytes and is not older
    Newer,
}

impl From<CompareFlag> for Compare {
    fn from(flag: CompareFlag) -> Self {
        match flag {
            CompareFlag::None => Self::None,
            CompareFlag::Size => Self::Size,
            CompareFlag::Checksum => Self::Checksum,
            CompareFlag::Version => Self::Version,
            CompareFlag::Newer => Self::Newer,
        }
    }
}

impl SyncFlags {
    /// Settled options; `here` says that all of it runs on this machine.
    ///
    /// # Errors
    /// What is wrong with an ignore list, by its file and line.
    pub(crate) fn resolve(self, mode: Mode, here: bool) -> Result<SyncOptions, String> {
        let default = SyncOptions::default();
        // A deployed worker has a processor of its own; here they share one machine's.
        let processors = std::thread::available_parallelism().map_or(2, |n| n.get() as u32);
        let (batches, large) =
            if here { (processors, 2) } else { (default.batch_concurrency, default.large_concurrency) };
        let deletes = |flags: &Self| Deletes {
            max_count: flags.max_deletes.unwrap_or(1_000),
            max_percent: flags.max_delete_percent.unwrap_or(10),
            allow_empty_source: flags.allow_empty_source,
        };
        Ok(SyncOptions {
            mode,
            compare: self.compare.into(),
            versions: if self.versions { Versions::Listed } else { Versions::Off },
            delete: self.delete.then(|| deletes(&self)),
            ignore: self.ignore_file.as_deref().map(ignored).transpose()?.unwrap_or_default(),
            budget: budget(self.budget_objects, self.budget_bytes, self.budget_dollars),
            include: self.include,
            exclude: self.exclude,
            min_size: self.min_size,
            max_size: self.max_size,
            modified_after: self.modified_after,
            modified_before: self.modified_before,
            storage_classes: self.only_class,
            archived: if self.fail_on_archived { Archived::Fail } else { Archived::Skip },
            batch_object_limit: self.batch_object_limit.unwrap_or(default.batch_object_limit),
            batch_objects: self.batch_objects.unwrap_or(default.batch_objects),
            in_flight: self.in_flight.unwrap_or(default.in_flight),
            batch_concurrency: self.batch_concurrency.unwrap_or(batches),
            large_concurrency: self.large_concurrency.unwrap_or(large),
            listers: self.listers.unwrap_or(default.listers),
            ..default
        })
    }
}

fn budget(objects: Option<u64>, bytes: Option<u64>, dollars: Option<Dollars>) -> Option<Budget> {
    let any = objects.is_some() || bytes.is_some() || dollars.is_some();
    any.then_some(Budget { objects, bytes, dollars })
}

fn dollars(text: &str) -> Result<Dollars, String> {
    let refuse = |_| format!("expected dollars such as 12.50, found {text:?}");
    Dollars::try_from(text.parse::<f64>().map_err(refuse)?)
}

/// The patterns of a file, each checked: a bad one is told by its line.
fn ignored(path: &Path) -> Result<Vec<String>, String> {
    let place = path.display();
    let text = std::fs::read_to_string(path).map_err(|error| format!("--ignore-file {place}: {error}"))?;
    transload_plan::IgnoreList::parse(&text).map_err(|error| format!("--ignore-file {place}: {error}"))?;
    Ok(text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect())
}
