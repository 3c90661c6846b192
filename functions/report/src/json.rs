//! The report as JSON: what programs read.

use serde::Serialize;
use transload_wire::{
    Counts, ErrorName, ExecutionInfo, Failure, Found, ObjectRecord, ReportInput, Requests, SyncRequest, Tally,
};

use crate::gather::Gathered;
use crate::page;
use crate::throughput::Bin;

/// Rows of each kind in this document: it is to be read at once.
const ROWS: usize = 20;

/// The document. Fields may be added; none changes its meaning.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Document<'a> {
    version: u32,
    status: &'static str,
    /// Sums that do not agree; absent if all do.
    #[serde(skip_serializing_if = "Option::is_none")]
    differs: Option<&'a str>,
    execution: &'a ExecutionInfo,
    request: &'a SyncRequest,
    rounds: usize,
    found: &'a Found,
    counts: &'a Counts,
    errors: &'a std::collections::BTreeMap<String, Tally>,
    requests: &'a Requests,
    throughput: Intervals<'a>,
    slowest: Vec<&'a ObjectRecord>,
    failed: Vec<&'a ObjectRecord>,
    csv: String,
    page: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Intervals<'a> {
    seconds: u64,
    intervals: &'a [Bin],
}

/// The document's text.
pub(crate) fn document(
    input: &ReportInput,
    counts: &Counts,
    gathered: &Gathered,
    accounted: &Result<(), Failure>,
) -> Result<Vec<u8>, Failure> {
    let document = Document {
        version: 1,
        status: status(counts, accounted),
        differs: accounted.as_ref().err().map(|failure| failure.message.as_str()),
        execution: &input.execution,
        request: &input.request,
        rounds: input.rounds.len(),
        found: &input.found,
        counts,
        errors: &gathered.errors,
        requests: &gathered.requests,
        throughput: Intervals {
            seconds: gathered.throughput.seconds(),
            intervals: gathered.throughput.bins(),
        },
        slowest: gathered.slowest.rows().take(ROWS).collect(),
        failed: gathered.failed.iter().take(ROWS).collect(),
        csv: page::name(input, page::CSV),
        page: page::name(input, page::HTML),
    };
    serde_json::to_vec_pretty(&document)
        .map_err(|error| ErrorName::Internal.because(format!("report: {error}")))
}

/// How the run ended.
pub(crate) fn status(counts: &Counts, accounted: &Result<(), Failure>) -> &'static str {
    match accounted {
        Err(_) => "accountingDiffers",
        Ok(()) if counts.failed.objects + counts.undeleted.objects > 0 => "objectsFailed",
        Ok(()) if counts.parked.objects > 0 => "parked",
        Ok(()) => "synced",
    }
}
