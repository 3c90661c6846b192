//! Many objects: the first run into nothing, and a second one that has nothing to do.

use std::collections::BTreeMap;

use anyhow::{Result, ensure};

use super::World;
use super::throughput::{last_line, sum};
use crate::measure::{Cost, measure};
use crate::pair::Pair;
use crate::statistics::{median, spread};
use crate::table::markdown;
use crate::tools::{Job, Trees};

/// How many objects of how many bytes.
const WORKLOADS: [(u64, u64); 4] = [(2_000, 64 << 10), (200, 4 << 20), (20, 128 << 20), (20_000, 4 << 10)];

const SOURCE: &str = "tree/";

/// What one run cost.
struct Run {
    cost: Cost,
    requests: BTreeMap<String, u64>,
}

/// First and second runs of one tool.
#[derive(Default)]
struct Runs([Vec<Run>; 2]);

/// Measures all workloads, the tools in turns.
pub(super) fn run(world: &World) -> Result<()> {
    for (objects, size) in WORKLOADS {
        if world.options.objects.is_some_and(|most| objects > most) {
            continue;
        }
        let source = world.scratch.path("source");
        for number in 0..objects {
            let name = format!("source/bucket/{SOURCE}{number:06}");
            world.scratch.object(&name, size, objects * size + number)?;
        }
        let pair = Pair::null(&world.scratch, &source, false)?;
        println!("### {objects} objects of {} KiB\n", size >> 10);
        workload(world, &pair, objects)?;
        std::fs::remove_dir_all(source)?;
    }
    Ok(())
}

fn workload(world: &World, pair: &Pair, objects: u64) -> Result<()> {
    let mut all: Vec<(Trees, Runs)> = Trees::ALL.map(|tool| (tool, Runs::default())).into();
    for round in 0..world.options.runs {
        for (tool, runs) in &mut all {
            eprintln!("{} {}", tool.name(), round + 1);
            let to = format!("{}-{round}/", tool.slug());
            for (again, done) in runs.0.iter_mut().enumerate() {
                match once(world, pair, *tool, &to, again) {
                    Ok(run) => done.push(run),
                    Err(error) => println!("{} failed in round {}: {error:#}", tool.name(), round + 1),
                }
            }
            let _ = std::fs::remove_dir_all(world.scratch.path("s5cmd"));
        }
    }
    for (again, what) in ["First run:", "Second run, nothing to do:"].into_iter().enumerate() {
        let rows = all.iter().filter(|(_, runs)| !runs.0[again].is_empty());
        let rows: Vec<_> = rows.map(|(tool, runs)| row(*tool, &runs.0[again], objects)).collect();
        println!("{what}\n\n{}", markdown(&HEAD, &rows));
        for (tool, runs) in &all {
            let Some(run) = runs.0[again].last() else { continue };
            let counts: Vec<_> = run.requests.iter().map(|(name, count)| format!("{name} {count}")).collect();
            println!("{}: {}", tool.name(), counts.join(", "));
        }
        println!();
    }
    Ok(())
}

fn once(world: &World, pair: &Pair, tool: Trees, to: &str, again: usize) -> Result<Run> {
    let job = Job {
        scratch: &world.scratch,
        installed: &world.installed,
        transload: &world.transload,
        pair,
        key: SOURCE,
        to,
        part_size: None,
    };
    let command = tool.command(&job)?;
    for end in [&pair.source, &pair.destination] {
        end.seen(true)?;
    }
    let log = world.scratch.log(&format!("{}-{again}", to.trim_end_matches('/')));
    let cost = measure(&command, &log)?;
    ensure!(cost.exit == 0, "exit code {}: {}", cost.exit, last_line(&log));
    let requests = sum(&[pair.source.seen(false)?, pair.destination.seen(false)?]);
    let (expected, found) = (pair.source.tree(SOURCE)?, pair.destination.tree(to)?);
    ensure!(expected == found, "expected the tree {expected:?}, found {found:?}");
    Ok(Run { cost, requests })
}

const HEAD: [&str; 7] =
    ["tool", "seconds", "least-most", "objects/s", "CPU-s", "memory MiB", "requests an object"];

fn row(tool: Trees, runs: &[Run], objects: u64) -> Vec<String> {
    let of = |value: &dyn Fn(&Run) -> f64| runs.iter().map(value).collect::<Vec<_>>();
    let seconds = of(&|run| run.cost.wall);
    let (least, most) = spread(&seconds);
    let requests = median(&of(&|run| run.requests.values().sum::<u64>() as f64));
    vec![
        tool.name().to_owned(),
        format!("{:.2}", median(&seconds)),
        format!("{least:.2}-{most:.2}"),
        format!("{:.0}", objects as f64 / median(&seconds)),
        format!("{:.2}", median(&of(&|run| run.cost.cpu))),
        format!("{:.0}", median(&of(&|run| run.cost.memory_sum as f64 / f64::from(1 << 20)))),
        format!("{:.2}", requests / objects as f64),
    ]
}
