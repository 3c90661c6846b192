//! transload alone: the Part worker's memory at small and large parts, and the requests that it takes.

use anyhow::{Context, Result, ensure};

use super::{World, human};
use crate::measure::{largest_of, measure};
use crate::pair::Pair;
use crate::table::markdown;
use crate::tools::{Job, Tool};

/// Part sizes and the objects cut into them. Objects of many GiB are sparse files.
const CASES: [(&str, u64); 3] = [("8MiB", 1 << 30), ("512MiB", 4 << 30), ("5GiB", 10 << 30)];

const HEAD: [&str; 7] = [
    "parts of",
    "object",
    "parts",
    "Part worker's peak MiB",
    "requests",
    "of them not GET or PUT of a part",
    "MB/s",
];

/// One transfer for each part size.
pub(super) fn run(world: &World) -> Result<()> {
    if !world.tools.contains(&Tool::Transload) {
        return Ok(());
    }
    println!("### Part worker\n");
    let rows = CASES.iter().map(|(part, size)| case(world, part, *size)).collect::<Result<Vec<_>>>()?;
    println!("{}", markdown(&HEAD, &rows));
    Ok(())
}

fn case(world: &World, part: &str, size: u64) -> Result<Vec<String>> {
    let key = format!("sparse-{part}");
    world.scratch.sparse(&format!("source/bucket/{key}"), size)?;
    let pair = Pair::null(&world.scratch, &world.scratch.path("source"), false)?;
    let job = Job {
        scratch: &world.scratch,
        installed: &world.installed,
        transload: &world.transload,
        pair: &pair,
        key: &key,
        to: &key,
        part_size: Some(part),
    };
    let cost = measure(&Tool::Transload.command(&job)?, &world.scratch.log(&key))?;
    let log = std::fs::read_to_string(world.scratch.log(&key)).unwrap_or_default();
    ensure!(cost.exit == 0, "exit code {}: {}", cost.exit, log.lines().last().unwrap_or_default());
    let seen = [pair.source.seen(false)?, pair.destination.seen(false)?];
    let count = |operation| seen.iter().filter_map(|seen| seen.requests.get(operation)).sum::<u64>();
    let total: u64 = seen.iter().flat_map(|seen| seen.requests.values()).sum();
    std::fs::remove_dir_all(world.scratch.path("source")).context("source")?;
    Ok(vec![
        part.to_owned(),
        human(size),
        count("UploadPart").to_string(),
        format!("{:.1}", largest_of(&cost, "Part") as f64 / f64::from(1 << 20)),
        total.to_string(),
        (total - count("UploadPart") - count("GetObject")).to_string(),
        format!("{:.0}", size as f64 / 1e6 / cost.wall),
    ])
}
