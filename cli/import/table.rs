//! The old table of files, read once: what was done, and what was not. Asked to, it looks whether what was done is there.

mod read;

use std::io::Write;
use std::path::PathBuf;

use clap::Args;
use futures::StreamExt;
use serde::Serialize;
use transload_store::location::ConfiguredStores;
use transload_store::{ObjectRef, Store, StoreErrorKind, StoredRef, Stores};
use transload_wire::LocationName;

use crate::Global;
use crate::exit::{CliError, Exit, Outcome};
use crate::locations;
use read::Row;

/// Questions to the destination at a time.
const AT_ONCE: usize = 32;

/// Arguments of `import table`.
#[derive(Debug, Args)]
pub(crate) struct TableArgs {
    /// What `aws dynamodb scan --output json` printed, or the lines of an export to S3
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Asks this location for each object that was done: is it there, with its size?
    #[arg(long, value_name = "LOCATION")]
    check: Option<LocationName>,
}

/// What is told of an object, one line of JSON each.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Line {
    #[serde(flatten)]
    row: Row,
    /// What the destination says; absent where it was not asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    there: Option<There>,
}

/// What the destination says of an object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
enum There {
    Same,
    OtherSize(u64),
    Missing,
    Unknown(String),
}

/// How many of what.
#[derive(Debug, Default)]
struct Count {
    done: u64,
    not_done: u64,
    same: u64,
    other_size: u64,
    missing: u64,
    unknown: u64,
}

/// Lists the table's entries.
pub(super) async fn run(args: TableArgs, global: &Global) -> Outcome {
    let place = args.file.display().to_string();
    let file =
        std::fs::File::open(&args.file).map_err(|error| CliError::usage(format!("{place}: {error}")))?;
    let store = match &args.check {
        None => None,
        Some(name) => {
            let known = locations::read(global.locations.as_deref())?;
            known.require(name)?;
            Some(ConfiguredStores::from_file(&known.file)?.open(name)?)
        }
    };
    let (rows, wrong) = read::rows(file);
    let mut lines = futures::stream::iter(rows.map(|row| line(row, store.clone()))).buffered(AT_ONCE);
    let (mut count, mut out) = (Count::default(), std::io::BufWriter::new(std::io::stdout().lock()));
    while let Some(line) = lines.next().await {
        count.add(&line);
        let text = serde_json::to_string(&line).map_err(|error| CliError::trouble("output", error))?;
        match writeln!(out, "{text}") {
            // Whoever reads has enough.
            Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => return Ok(()),
            written => written.map_err(|error| CliError::trouble("output", error))?,
        }
    }
    drop(lines);
    out.flush().map_err(|error| CliError::trouble("output", error))?;
    drop(out);
    end(&place, &count, args.check.is_some(), wrong.join())
}

/// What the whole of it says.
fn end(place: &str, count: &Count, checked: bool, wrong: Result<(), String>) -> Outcome {
    eprintln!("{} done, {} not done", count.done, count.not_done);
    if checked {
        eprintln!(
            "of those done: {} there, {} missing, {} of another size, {} unknown",
            count.same, count.missing, count.other_size, count.unknown
        );
    }
    wrong.map_err(|wrong| {
        CliError::usage(format!("{place}: {wrong}")).hint("what stands before it was listed")
    })?;
    match count.missing + count.other_size + count.unknown {
        0 => Ok(()),
        amiss => Err(CliError::new(
            Exit::Failed,
            format!("{amiss} objects that were done are not there as they were"),
        )),
    }
}

async fn line(row: Row, store: Option<std::sync::Arc<dyn Store>>) -> Line {
    let there = match store {
        Some(store) if row.done => Some(there(&*store, &row).await),
        _ => None,
    };
    Line { row, there }
}

async fn there(store: &dyn Store, row: &Row) -> There {
    let (Ok(bucket), Ok(key)) = (row.destination.bucket.parse(), row.destination.key.parse()) else {
        return There::Unknown("no bucket or key of S3".to_owned());
    };
    match store.head(&ObjectRef::from(StoredRef { bucket, key, version: None, requester_pays: false })).await
    {
        Ok(head) if head.size == row.size => There::Same,
        Ok(head) => There::OtherSize(head.size),
        Err(error) if matches!(error.kind, StoreErrorKind::NotFound | StoreErrorKind::DeleteMarker) => {
            There::Missing
        }
        Err(error) => There::Unknown(error.to_string()),
    }
}

impl Count {
    fn add(&mut self, line: &Line) {
        match line.row.done {
            true => self.done += 1,
            false => self.not_done += 1,
        }
        match &line.there {
            None => {}
            Some(There::Same) => self.same += 1,
            Some(There::OtherSize(_)) => self.other_size += 1,
            Some(There::Missing) => self.missing += 1,
            Some(There::Unknown(_)) => self.unknown += 1,
        }
    }
}
