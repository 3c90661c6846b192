//! The report as text.

use std::time::Duration;

use transload_wire::{Checksum, Proof, Requests};

use crate::report::Report;
use crate::table::{Side, Table, cut, pairs};
use crate::units;

/// The few lines that say how a transfer went.
pub(crate) fn lines(report: &Report) -> String {
    let mut rows = vec![("execution", format!("{}  {}", report.name, report.status))];
    if let Some(error) = &report.error {
        rows.push((
            "error",
            format!("{error}: {}", cut(&message(report.cause.as_deref().unwrap_or_default()), 200)),
        ));
    }
    rows.extend(report.source.clone().map(|source| ("source", source)));
    rows.extend(report.destination.clone().map(|destination| ("destination", destination)));
    if let Some(reason) = report.decision.as_ref().filter(|decision| decision.starts_with("skip")) {
        rows.push(("skipped", reason.trim_start_matches("skip: ").to_owned()));
    }
    rows.extend(size(report));
    rows.push(("time", time(report)));
    rows.push(("requests", counts(&report.requests)));
    rows.push(("retries", retries(report)));
    if let Some(result) = &report.result {
        rows.extend(result.checksum.as_ref().map(|found| ("checksum", checksum(found))));
        rows.push(("proof", proof(result.proof).to_owned()));
    }
    pairs(&rows)
}

/// The text in a cause: functions give `{"errorMessage": ...}`.
pub(crate) fn message(cause: &str) -> String {
    let parsed = serde_json::from_str::<serde_json::Value>(cause).ok();
    parsed
        .and_then(|cause| Some(cause["errorMessage"].as_str()?.to_owned()))
        .unwrap_or_else(|| cause.to_owned())
}

fn size(report: &Report) -> Option<(&'static str, String)> {
    let size = units::size(report.size?);
    let cut = match report.part_size {
        Some(part) => {
            format!(" in {} of {}", units::count(report.parts.into(), "part", "parts"), units::size(part))
        }
        None => " in one piece".to_owned(),
    };
    Some(("size", size + &cut))
}

fn time(report: &Report) -> String {
    let time = Duration::from_secs_f64(report.seconds);
    let moved = report.size.filter(|_| report.status == "SUCCEEDED" && report.result.is_some());
    let rate = moved.map(|size| format!("  {}", units::rate(size, time))).unwrap_or_default();
    let redrives = match report.redrives {
        0 => String::new(),
        n => format!("  ({} included)", units::count(n, "redrive", "redrives")),
    };
    format!("{}{rate}{redrives}", units::time(time))
}

/// `GetObject 128, UploadPart 128`.
pub(crate) fn counts(counts: &Requests) -> String {
    if counts.is_empty() {
        return "none".to_owned();
    }
    counts.iter().map(|(name, count)| format!("{name} {count}")).collect::<Vec<_>>().join(", ")
}

/// What was tried again, inside workers and by the workflow.
fn retries(report: &Report) -> String {
    let inside = format!("{} PUT and {} GET again by workers", report.repeated_puts, report.repeated_gets);
    match report.failed_attempts.is_empty() {
        true => inside,
        false => format!("{inside}; failed attempts: {}", counts(&report.failed_attempts)),
    }
}

/// `CRC64NVME abc=`.
pub(crate) fn checksum(checksum: &Checksum) -> String {
    format!("{} {}", checksum.algorithm.as_str(), checksum.value)
}

fn proof(proof: Proof) -> &'static str {
    match proof {
        Proof::SourceChecksum => "the source's own checksum equals the destination's",
        Proof::TransitChecksum => {
            "the destination's checksum equals that of the bytes read (the source has none to compare)"
        }
        Proof::ReadTwice => {
            "the destination's checksum equals that of the bytes read, twice (the source has none to compare)"
        }
        Proof::PartEtags => "each part's ETag (the destination has no checksums)",
    }
}

/// One line a part.
pub(crate) fn parts(report: &Report) -> String {
    let mut table = Table::new(&[
        ("part", Side::Right),
        ("bytes", Side::Right),
        ("puts", Side::Right),
        ("gets", Side::Right),
        ("ms", Side::Right),
        ("etag", Side::Left),
        ("checksum", Side::Left),
    ]);
    for part in &report.part_records {
        table.row([
            part.part_number.to_string(),
            part.size.to_string(),
            part.attempts.to_string(),
            part.reads.to_string(),
            part.duration_ms.to_string(),
            part.etag.to_string(),
            part.checksum.as_ref().map(checksum).unwrap_or_default(),
        ]);
    }
    table.render()
}
