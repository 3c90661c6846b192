//! The engine alone: a Distributed Map whose children have one empty task each, over worker processes.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};

use super::World;
use crate::children::{FILE, answer_of, definition};
use crate::install::target;
use crate::measure::{largest_of, measure};
use crate::pair::free_ports;
use crate::statistics::median;
use crate::table::markdown;

/// Children of a Map Run, and whether its items are in the input.
const CASES: [(u64, bool); 4] = [(1_000, false), (10_000, false), (100_000, false), (10_000, true)];

/// Drives MiniStack, which reads no items from files.
const MINISTACK: &str = include_str!("../ministack.py");

const HEAD: [&str; 7] = [
    "children",
    "seconds",
    "children/s",
    "CPU-s per 1,000",
    "largest process, MiB",
    "worker's peak MiB",
    "worker's start, ms",
];

/// A Map Run of each length; what takes long runs once.
pub(super) fn run(world: &World) -> Result<()> {
    println!("### Engine, empty task, worker processes, database on disk\n");
    let mut rows = Vec::new();
    for (children, inline) in CASES {
        let runs = if children > 10_000 { 1 } else { world.options.runs };
        let name = format!("{children}{}", if inline { ", items in the input" } else { "" });
        rows.push(row(world, name, children, runs, &|home| ours(children, inline, home))?);
    }
    match ministack(world) {
        Ok(row) => rows.push(row),
        Err(error) => println!("MiniStack is left out: {error:#}\n"),
    }
    println!("{}", markdown(&HEAD, &rows));
    Ok(())
}

fn ours(children: u64, inline: bool, home: &Path) -> Result<Command> {
    let mut command = Command::new(std::env::current_exe()?);
    command.arg("children").arg(children.to_string()).arg(home.join(FILE));
    if inline {
        command.arg("--inline");
    }
    Ok(command)
}

fn ministack(world: &World) -> Result<Vec<String>> {
    const CHILDREN: u64 = 10_000;
    let program = |name| world.installed.program(name).with_context(|| format!("no {name}"));
    let (python, server) = (program("python")?, program("ministack")?);
    let [port] = free_ports::<1>()?;
    let name = format!("MiniStack: {CHILDREN}, items in the input");
    row(world, name, CHILDREN, 1, &|home| {
        let mut command = Command::new(&python);
        command.args(["-c", MINISTACK]).arg(&server);
        command.args([port.to_string(), definition(true).to_string(), CHILDREN.to_string()]);
        command.env("PATH", "/usr/local/bin:/usr/bin:/bin").env("HOME", home).env("TMPDIR", home);
        command.env("GATEWAY_PORT", port.to_string()).env("BIND_HOST", "127.0.0.1");
        command.env("AWS_ACCESS_KEY_ID", "peers").env("AWS_SECRET_ACCESS_KEY", "peers");
        Ok(command)
    })
}

fn row(
    world: &World,
    name: String,
    children: u64,
    runs: usize,
    command: &dyn Fn(&Path) -> Result<Command>,
) -> Result<Vec<String>> {
    let (mut seconds, mut cpu, mut largest, mut worker, mut start) = (vec![], vec![], vec![], vec![], vec![]);
    for run in 0..runs {
        eprintln!("{name} {}", run + 1);
        let home = tempfile::tempdir_in(target()?)?;
        let log = world.scratch.log(&format!("engine-{}-{run}", name.replace([' ', ':', ','], "-")));
        let cost = measure(&command(home.path())?, &log)?;
        let text = std::fs::read_to_string(&log)?;
        ensure!(cost.exit == 0, "exit code {}: {text}", cost.exit);
        let answer = answer_of(&text)?;
        let mib = |bytes: u64| bytes as f64 / f64::from(1 << 20);
        seconds.push(answer.seconds);
        cpu.push(cost.cpu * 1_000.0 / children as f64);
        largest.push(mib(cost.memory_max));
        worker.push(mib(largest_of(&cost, "empty")));
        start.push(answer.start * 1_000.0);
    }
    Ok(vec![
        name,
        format!("{:.2}", median(&seconds)),
        format!("{:.0}", children as f64 / median(&seconds)),
        format!("{:.3}", median(&cpu)),
        format!("{:.1}", median(&largest)),
        known(median(&worker)),
        known(median(&start)),
    ])
}

fn known(value: f64) -> String {
    if value > 0.0 { format!("{value:.1}") } else { "-".to_owned() }
}
