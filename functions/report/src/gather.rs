//! Goes through all results once: sums, rows of the CSV, and what the page shows.

use std::collections::BTreeMap;
use std::sync::Arc;

use transload_store::work::{Lines, WorkFiles};
use transload_wire::{Archived, ErrorName, Failure, ObjectRecord, Outcome, ReportInput, Requests, Tally};

use crate::child::{Kind, is_archived};
use crate::csv;
use crate::page;
use crate::results::Results;
use crate::slowest::{ROWS, Slowest};
use crate::spool::Spool;
use crate::throughput::Throughput;
use crate::time;

/// Objects by outcome, of one Map in one round.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Sums {
    pub(crate) copied: Tally,
    pub(crate) present: Tally,
    pub(crate) skipped: BTreeMap<String, Tally>,
    pub(crate) deleted: Tally,
    pub(crate) failed: Tally,
    /// Those of the failed ones that another round has restored first: a batch can not wait for that.
    pub(crate) to_thaw: Tally,
}

impl Sums {
    /// All objects.
    pub(crate) fn objects(&self) -> u64 {
        let skipped: u64 = self.skipped.values().map(|tally| tally.objects).sum();
        [self.copied, self.present, self.deleted, self.failed].map(|t| t.objects).iter().sum::<u64>()
            + skipped
    }

    fn add(&mut self, record: &ObjectRecord) {
        let tally = match record.outcome {
            Outcome::Copied => &mut self.copied,
            Outcome::Present => &mut self.present,
            Outcome::Deleted => &mut self.deleted,
            Outcome::Failed => &mut self.failed,
            // Only List parks, in lists of its own.
            Outcome::Skipped | Outcome::Parked => self.skipped.entry(reason(record)).or_default(),
        };
        tally.add(record.size);
    }
}

fn reason(record: &ObjectRecord) -> String {
    record.error.clone().unwrap_or_else(|| "unnamed".to_owned())
}

/// What all results say.
#[derive(Debug)]
pub(crate) struct Gathered {
    /// Of each round the sums of each Map, in the order of [`Kind::ALL`].
    pub(crate) rounds: Vec<[Sums; 3]>,
    /// What failed in the last round, by error.
    pub(crate) errors: BTreeMap<String, Tally>,
    /// The first of them.
    pub(crate) failed: Vec<ObjectRecord>,
    pub(crate) slowest: Slowest,
    pub(crate) throughput: Throughput,
    /// Requests that batches and deletions sent.
    pub(crate) requests: Requests,
    /// Lines of the lists of what was left out by List.
    pub(crate) left_out: u64,
    /// And of those of what it parked.
    pub(crate) parked: u64,
}

/// Reads all rounds. With `rows` the CSV is written.
pub(crate) async fn all(
    files: &Arc<dyn WorkFiles>,
    input: &ReportInput,
    rows: bool,
) -> Result<Gathered, Failure> {
    let start = time::millis(&input.execution.start_time).unwrap_or_default();
    let mut gathering = Gathering {
        csv: rows.then(|| Spool::begin(files, page::name(input, page::CSV))),
        gathered: Gathered {
            rounds: Vec::new(),
            errors: BTreeMap::new(),
            failed: Vec::new(),
            slowest: Slowest::default(),
            throughput: Throughput::since(start),
            requests: Requests::new(),
            left_out: 0,
            parked: 0,
        },
    };
    gathering.write(csv::HEADER).await?;
    gathering.gathered.left_out = gathering.settled(files, input, "skipped").await?;
    gathering.gathered.parked = gathering.settled(files, input, "parked").await?;
    for index in 0..input.rounds.len() {
        gathering.round(files, input, index).await?;
    }
    if let Some(csv) = gathering.csv.take() {
        csv.end().await?;
    }
    Ok(gathering.gathered)
}

struct Gathering {
    csv: Option<Spool>,
    gathered: Gathered,
}

impl Gathering {
    async fn write(&mut self, row: &str) -> Result<(), Failure> {
        match &mut self.csv {
            Some(csv) => csv.write(row.as_bytes()).await,
            None => Ok(()),
        }
    }

    /// What List itself settled stands in lists of its own, one record a line: how many there are.
    async fn settled(
        &mut self,
        files: &Arc<dyn WorkFiles>,
        input: &ReportInput,
        folder: &str,
    ) -> Result<u64, Failure> {
        let mut records = 0;
        for file in files.list(&format!("{}{folder}/", input.work.prefix)).await? {
            let Some(body) = files.get(&file.name).await? else { continue };
            let mut lines = Lines::new(&file.name, body);
            while let Some(line) = lines.next().await? {
                let record: ObjectRecord = transload_wire::parse(&line).map_err(|failure| {
                    ErrorName::Internal.because(format!("{}: {}", file.name, failure.message))
                })?;
                records += 1;
                self.write(&csv::row(&record, "list", 0)).await?;
            }
        }
        Ok(records)
    }

    async fn round(
        &mut self,
        files: &Arc<dyn WorkFiles>,
        input: &ReportInput,
        index: usize,
    ) -> Result<(), Failure> {
        let last = index + 1 == input.rounds.len();
        let Some(round) = input.rounds.get(index) else { return Ok(()) };
        let mut sums: [Sums; 3] = Default::default();
        let thaws = input.sync.archived == Archived::Thaw;
        for (kind, sums) in Kind::ALL.into_iter().zip(&mut sums) {
            let mut results = Results::of(files, input, round, kind).await?;
            while let Some(child) = results.next().await? {
                let mut sent = Tally::default();
                for record in &child.records {
                    sums.add(record);
                    if kind == Kind::Batches && thaws && is_archived(record) {
                        sums.to_thaw.add(record.size);
                    }
                    if record.outcome == Outcome::Copied {
                        sent.add(record.size);
                    }
                    self.record(record, kind, index, last).await?;
                }
                self.child(&child.requests, child.stopped, sent);
            }
        }
        self.gathered.rounds.push(sums);
        Ok(())
    }

    fn child(&mut self, requests: &[Requests], stopped: Option<u64>, sent: Tally) {
        for (name, count) in requests.iter().flatten() {
            *self.gathered.requests.entry(name.clone()).or_default() += count;
        }
        if let Some(stopped) = stopped.filter(|_| sent.objects > 0) {
            self.gathered.throughput.add(stopped, sent.bytes, sent.objects);
        }
    }

    /// What failed in a round is a row only if no later round took it up.
    async fn record(
        &mut self,
        record: &ObjectRecord,
        kind: Kind,
        index: usize,
        last: bool,
    ) -> Result<(), Failure> {
        let failed = record.outcome == Outcome::Failed;
        if failed && !last {
            return Ok(());
        }
        if failed {
            self.gathered.errors.entry(reason(record)).or_default().add(record.size);
            if self.gathered.failed.len() < ROWS {
                self.gathered.failed.push(record.clone());
            }
        }
        if record.outcome == Outcome::Copied {
            self.gathered.slowest.add(record);
        }
        self.write(&csv::row(record, kind.folder(), index)).await
    }
}
