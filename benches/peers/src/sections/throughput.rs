//! Speed, CPU, memory and requests of each tool, interleaved, medians.

use std::collections::BTreeMap;

use anyhow::{Result, ensure};

use super::World;
use crate::measure::{Cost, measure};
use crate::null::Seen;
use crate::pair::{BUCKET, Endpoint, Pair};
use crate::statistics::{median, spread};
use crate::table::markdown;
use crate::tools::{Job, Tool};

/// One run of one tool.
struct Run {
    cost: Cost,
    /// CPU-seconds of both servers.
    servers: f64,
    /// Requests that both servers saw.
    requests: Option<BTreeMap<String, u64>>,
}

/// Lets the tools take turns and prints the table. A tool that fails is reported and left out from then on.
pub(super) fn run(world: &World, pair: &Pair, key: &str, size: u64) -> Result<()> {
    // The bare streamer signs nothing, which only null servers take.
    let tools = world.tools.iter().filter(|tool| pair.is_null || **tool != Tool::Bare);
    let mut runs: Vec<(Tool, Vec<Run>)> = tools.map(|tool| (*tool, Vec::new())).collect();
    let mut failed = Vec::new();
    for round in 0..world.options.runs {
        for (tool, done) in &mut runs {
            if failed.contains(tool) {
                continue;
            }
            eprintln!("{} {}", tool.name(), round + 1);
            match once(world, pair, *tool, key, round) {
                Ok(run) => done.push(run),
                Err(error) => {
                    println!("{} failed in round {}: {error:#}", tool.name(), round + 1);
                    failed.push(*tool);
                }
            }
        }
    }
    let rows: Vec<_> =
        runs.iter().filter(|(_, done)| !done.is_empty()).map(|(tool, done)| row(*tool, done, size)).collect();
    println!("{}", markdown(&HEAD, &rows));
    runs.iter().for_each(|(tool, done)| print_requests(*tool, done));
    println!();
    Ok(())
}

fn once(world: &World, pair: &Pair, tool: Tool, key: &str, round: usize) -> Result<Run> {
    let to = format!("{key}-{}-{round}", tool.slug());
    let job = Job {
        scratch: &world.scratch,
        installed: &world.installed,
        transload: &world.transload,
        pair,
        key,
        to: &to,
        part_size: None,
    };
    let command = tool.command(&job)?;
    let ends = [&pair.source, &pair.destination];
    if pair.is_null {
        for end in ends {
            end.seen(true)?;
        }
    }
    let before: f64 = ends.iter().map(|end| end.cpu().as_secs_f64()).sum();
    let log = world.scratch.log(&to);
    let cost = measure(&command, &log)?;
    let servers = ends.iter().map(|end| end.cpu().as_secs_f64()).sum::<f64>() - before;
    ensure!(cost.exit == 0, "exit code {}: {}", cost.exit, last_line(&log));
    let requests = if pair.is_null { Some(verify(pair, key, &to)?) } else { None };
    Ok(Run { cost, servers, requests })
}

pub(super) fn last_line(log: &std::path::Path) -> String {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    text.lines().last().unwrap_or_default().to_owned()
}

/// The copy must have the source's size and CRC64NVME, which the destination computed over what it received.
fn verify(pair: &Pair, key: &str, to: &str) -> Result<BTreeMap<String, u64>> {
    let requests = sum(&[pair.source.seen(false)?, pair.destination.seen(false)?]);
    let facts = |end: &Endpoint, key: &str| -> Result<[Option<String>; 2]> {
        let head = end.wire()?.head(&format!("/{BUCKET}/{key}"))?;
        Ok(["content-length", "x-amz-checksum-crc64nvme"].map(|name| head.get(name).map(str::to_owned)))
    };
    let (expected, found) = (facts(&pair.source, key)?, facts(&pair.destination, to)?);
    ensure!(expected == found, "expected size and CRC64NVME {expected:?}, found {found:?}");
    Ok(requests)
}

pub(super) fn sum(seen: &[Seen]) -> BTreeMap<String, u64> {
    let all = seen.iter().flat_map(|seen| &seen.requests);
    all.fold(BTreeMap::new(), |mut sum, (operation, count)| {
        *sum.entry(operation.clone()).or_default() += count;
        sum
    })
}

const HEAD: [&str; 8] = [
    "tool",
    "MB/s",
    "least-most",
    "CPU-s/GiB",
    "memory MiB",
    "largest process",
    "requests",
    "servers' CPU-s/GiB",
];

fn row(tool: Tool, runs: &[Run], size: u64) -> Vec<String> {
    let of = |value: &dyn Fn(&Run) -> f64| runs.iter().map(value).collect::<Vec<_>>();
    let gib = size as f64 / f64::from(1 << 30);
    let mib = f64::from(1 << 20);
    let speeds = of(&|run| size as f64 / 1e6 / run.cost.wall);
    let (least, most) = spread(&speeds);
    let requests = of(&|run| run.requests.as_ref().map_or(f64::NAN, |all| all.values().sum::<u64>() as f64));
    let requests = median(&requests);
    vec![
        tool.name().to_owned(),
        format!("{:.0}", median(&speeds)),
        format!("{least:.0}-{most:.0}"),
        format!("{:.2}", median(&of(&|run| run.cost.cpu / gib))),
        format!("{:.0}", median(&of(&|run| run.cost.memory_sum as f64 / mib))),
        format!("{:.0}", median(&of(&|run| run.cost.memory_max as f64 / mib))),
        if requests.is_nan() { "-".to_owned() } else { format!("{requests:.0}") },
        format!("{:.2}", median(&of(&|run| run.servers / gib))),
    ]
}

fn print_requests(tool: Tool, runs: &[Run]) {
    let Some(requests) = runs.last().and_then(|run| run.requests.as_ref()) else { return };
    let all: Vec<String> = requests.iter().map(|(operation, count)| format!("{operation} {count}")).collect();
    println!("{}: {}", tool.name(), all.join(", "));
}
