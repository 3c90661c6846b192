//! A run over many objects: its counts add up, its rows are as many as they say, and its end tells the same.

use std::collections::BTreeMap;

use serde_json::Value;
use transload_wire::{Counts, Found, Tally};

use super::Check;
use super::csv::Table;
use super::lines::document;
use crate::evidence::archive::Pack;
use crate::evidence::manifest::Manifest;
use crate::evidence::name;
use crate::story::text;
use crate::sync;

/// The report's files in a pack.
const REPORT: &str = "work/report/report.json";
pub(super) const ROWS: &str = "work/report/objects.csv";

/// None for the transfer of one object.
pub(super) fn check(pack: &Pack, manifest: &Manifest) -> Option<Check> {
    if !sync::is_arn(&manifest.execution_arn) {
        return None;
    }
    if pack.find(REPORT).is_none() || pack.find(ROWS).is_none() {
        return Some(Check::not_checked(
            "counts",
            "the pack has no report: a plan has none, nor a run that ended before it",
        ));
    }
    Some(Check::of("counts", counts(pack)))
}

fn counts(pack: &Pack) -> Result<String, String> {
    let mut report: Value = document(pack, REPORT)?;
    let counts: Counts =
        serde_json::from_value(report["counts"].take()).map_err(|e| format!("{REPORT}: counts: {e}"))?;
    let found: Found =
        serde_json::from_value(report["found"].take()).map_err(|e| format!("{REPORT}: found: {e}"))?;
    let skipped: u64 = counts.skipped.values().map(|tally| tally.objects).sum();
    let sum = [counts.present, counts.parked, counts.copied, counts.failed]
        .map(|tally| tally.objects)
        .iter()
        .sum::<u64>()
        + skipped;
    if sum != counts.listed.objects {
        return Err(format!(
            "{REPORT}: expected {} objects as listed, found {sum} accounted for",
            counts.listed.objects
        ));
    }
    rows(pack, &counts, &found)?;
    ended(pack, &counts)?;
    Ok(format!(
        "listed {} = copied {} + there already {} + skipped {skipped} + parked {} + failed {}; as many rows",
        counts.listed.objects,
        counts.copied.objects,
        counts.present.objects,
        counts.parked.objects,
        counts.failed.objects
    ))
}

/// Rows by what became of them; deletions apart.
fn rows(pack: &Pack, counts: &Counts, found: &Found) -> Result<(), String> {
    let inside = pack.find(ROWS).ok_or_else(|| format!("{ROWS}: expected a file, found none"))?;
    let mut table = Table::of(pack.read(inside)).map_err(|why| format!("{ROWS}, {why}"))?;
    let mut rows: BTreeMap<(bool, String), Tally> = BTreeMap::new();
    while let Some(row) = table.next().map_err(|why| format!("{ROWS}, {why}"))? {
        rows.entry((row.list == "deletes", row.outcome)).or_default().add(row.size);
    }
    let there =
        |deletes: bool, outcome: &str| rows.get(&(deletes, outcome.to_owned())).copied().unwrap_or_default();
    let skipped: u64 = counts.skipped.values().map(|tally| tally.objects).sum();
    let present = counts.present.objects.checked_sub(found.present.objects).unwrap_or(u64::MAX);
    for (deletes, outcome, expected) in [
        (false, "copied", counts.copied.objects),
        (false, "failed", counts.failed.objects),
        (false, "parked", counts.parked.objects),
        (false, "skipped", skipped),
        (false, "present", present),
        (true, "deleted", counts.deleted.objects),
        (true, "failed", counts.undeleted.objects),
        (true, "skipped", counts.kept.objects),
    ] {
        let found = there(deletes, outcome).objects;
        if found != expected {
            let of = if deletes { " of deletions" } else { "" };
            return Err(format!(
                "{ROWS}: expected {expected} rows{of} with outcome {outcome}, found {found}"
            ));
        }
    }
    let (told, added) = (counts.copied.bytes, there(false, "copied").bytes);
    if told != added {
        return Err(format!("{ROWS}: expected {told} bytes copied, found {added}"));
    }
    Ok(())
}

/// The output of a run that succeeded tells the counts, too.
fn ended(pack: &Pack, counts: &Counts) -> Result<(), String> {
    let execution: Value = document(pack, name::EXECUTION)?;
    let output: Value = serde_json::from_str(text(&execution, "output")).unwrap_or_default();
    let told: Option<Counts> = serde_json::from_value(output["counts"].clone()).ok();
    match told {
        Some(told) if told != *counts => {
            Err(format!("{REPORT}: its counts are not those of the execution's output"))
        }
        _ => Ok(()),
    }
}
