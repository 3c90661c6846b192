//! Runs one command and says what it and all its descendants cost.
//!
//! The command runs under a process of its own, which adopts what the command leaves behind, so that workers whose
//! parent ended are counted too.

mod tree;

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use rustix::process::{Pid, WaitOptions};
use serde::{Deserialize, Serialize};

use self::tree::Peak;

/// Between two looks at the tree. A process that lives shorter may be missed in the memory columns, never in the CPU's.
const SAMPLE: Duration = Duration::from_millis(20);

/// The kernel's unit of processor time in /proc: USER_HZ, 100 on every Linux that Rust runs on.
const TICK: Duration = Duration::from_millis(10);

/// What a command cost.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Cost {
    /// Exit code; 128 + signal when it was killed, as a shell says it.
    pub(crate) exit: i32,
    /// Seconds from its start to its exit.
    pub(crate) wall: f64,
    /// CPU-seconds, user and system, of it and all descendants.
    pub(crate) cpu: f64,
    /// Largest sum over the living processes of their resident peaks (`VmHWM`), bytes.
    pub(crate) memory_sum: u64,
    /// Largest resident peak of one process, bytes.
    pub(crate) memory_max: u64,
    /// Largest resident peaks by the processes' last argument, bytes.
    pub(crate) by_argument: BTreeMap<String, u64>,
}

/// The largest resident peak of the processes whose last argument is `argument`, bytes.
pub(crate) fn largest_of(cost: &Cost, argument: &str) -> u64 {
    cost.by_argument.get(argument).copied().unwrap_or(0)
}

/// Arguments of the hidden subcommand.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Inner {
    /// Where the cost is written, as JSON.
    #[arg(long)]
    out: PathBuf,
    /// The command and its arguments.
    #[arg(last = true, required = true)]
    command: Vec<String>,
}

/// Runs `command` and measures it. Its output goes to `log`.
pub(crate) fn measure(command: &Command, log: &Path) -> Result<Cost> {
    let out = log.with_extension("cost.json");
    let mut outer = Command::new(std::env::current_exe()?);
    outer.args(["measure", "--out"]).arg(&out).arg("--").arg(command.get_program()).args(command.get_args());
    outer.env_clear().envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let file = fs::File::create(log)?;
    outer.stdin(Stdio::null()).stdout(file.try_clone()?).stderr(file);
    let status = outer.status().context("measure")?;
    let text =
        fs::read_to_string(&out).with_context(|| format!("measure: {status}, see {}", log.display()))?;
    Ok(serde_json::from_str(&text)?)
}

/// The process between the benchmark and the command.
pub(crate) fn inner(arguments: &Inner) -> Result<()> {
    let own = rustix::process::getpid();
    rustix::process::set_child_subreaper(Some(own))?;
    let done = AtomicBool::new(false);
    let (cost, peak) = thread::scope(|scope| {
        let sampler = scope.spawn(|| sample(own, &done));
        let cost = run(&arguments.command);
        done.store(true, Ordering::Relaxed);
        (cost, sampler.join().unwrap_or_default())
    });
    let mut cost = cost?;
    (cost.memory_sum, cost.memory_max) = (peak.sum, peak.max);
    cost.by_argument = peak.by_argument;
    Ok(fs::write(&arguments.out, serde_json::to_vec(&cost)?)?)
}

fn run(command: &[String]) -> Result<Cost> {
    let (program, arguments) = command.split_first().context("no command")?;
    let start = Instant::now();
    let mut child =
        Command::new(program).args(arguments).process_group(0).spawn().context(program.clone())?;
    let status = child.wait()?;
    let wall = start.elapsed().as_secs_f64();
    adopt_the_rest()?;
    let cpu = waited_for()?.as_secs_f64();
    Ok(Cost { exit: code(status), wall, cpu, ..Cost::default() })
}

fn code(status: ExitStatus) -> i32 {
    status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or_default())
}

/// Waits for every descendant that outlived the command: they are ours now.
fn adopt_the_rest() -> Result<()> {
    loop {
        match rustix::process::wait(WaitOptions::empty()) {
            Ok(_) => {}
            Err(rustix::io::Errno::CHILD) => return Ok(()),
            Err(error) => return Err(error.into()),
        }
    }
}

fn sample(own: Pid, done: &AtomicBool) -> Peak {
    let mut peak = Peak::default();
    while !done.load(Ordering::Relaxed) {
        peak.look(own.as_raw_nonzero().get());
        thread::sleep(SAMPLE);
    }
    peak
}

/// Processor time of all descendants that were waited for: fields 16 and 17 of /proc/self/stat.
fn waited_for() -> Result<Duration> {
    ticks(&fs::read_to_string("/proc/self/stat")?, 15, 16)
}

/// Processor time that a living process has used so far.
pub(crate) fn used_by(pid: u32) -> Result<Duration> {
    ticks(&fs::read_to_string(format!("/proc/{pid}/stat"))?, 13, 14)
}

/// Sum of two fields of a stat line, counted from 0.
fn ticks(line: &str, first: usize, second: usize) -> Result<Duration> {
    // The name may hold blanks and parentheses; behind its last parenthesis comes field 2.
    let (_, rest) = line.rsplit_once(')').context("stat: no parenthesis")?;
    let fields: Vec<&str> = rest.split_whitespace().collect();
    let field = |index: usize| -> Result<u32> {
        Ok(fields.get(index - 2).with_context(|| format!("stat: no field {index}"))?.parse()?)
    };
    Ok(TICK * (field(first)? + field(second)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &str = "7 (a (b) c) S 1 2 3 4 5 6 7 8 9 10 111 22 333 44 20 0 1";

    #[test]
    fn ticks_are_found_behind_any_name() {
        assert_eq!(ticks(LINE, 13, 14).unwrap(), Duration::from_millis(1_330));
        assert_eq!(ticks(LINE, 15, 16).unwrap(), Duration::from_millis(3_770));
        assert!(ticks(LINE, 13, 99).is_err());
        assert!(ticks("7 a S 1", 13, 14).is_err());
    }
}
