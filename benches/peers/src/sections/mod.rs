//! The sections of a run, and what they share.

mod checks;
mod engine;
mod throughput;
mod trees;
mod worker;

use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::install::{Installed, install, target};
use crate::pair::Pair;
use crate::scratch::Scratch;
use crate::tools::Tool;

/// Options of a run.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Options {
    /// Sizes of the object, such as 1GiB.
    #[arg(long, value_delimiter = ',', default_value = "1GiB,5GiB", value_parser = bytes)]
    size: Vec<u64>,
    /// Runs of each tool; the tools take turns.
    #[arg(long, default_value_t = 5)]
    runs: usize,
    /// Only trees of at most so many objects.
    #[arg(long)]
    objects: Option<u64>,
    /// Only these sections.
    #[arg(long, value_delimiter = ',', value_enum)]
    only: Vec<Section>,
    /// Only these tools.
    #[arg(long, value_delimiter = ',', value_enum)]
    tools: Vec<Tool>,
    /// The Python that makes the folder for the other tools.
    #[arg(long, default_value = "python3")]
    python: String,
    /// The transload to measure; the one beside this program without it.
    #[arg(long)]
    transload: Option<PathBuf>,
}

/// A section of the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Section {
    /// Throughput on the null pair.
    Null,
    /// Throughput on the null pair that answers after 30 ms and sends 90 MB/s a connection.
    Slow,
    /// Throughput on SeaweedFS, which has little headroom on few cores.
    Real,
    /// What happens when things go wrong.
    Checks,
    /// transload's Part worker.
    Worker,
    /// Children with an empty task.
    Engine,
    /// Many objects on the null pair, and a second run.
    Trees,
}

impl Section {
    const ALL: [Self; 7] =
        [Self::Null, Self::Slow, Self::Real, Self::Checks, Self::Worker, Self::Engine, Self::Trees];
}

/// What every section needs.
struct World {
    options: Options,
    installed: Installed,
    transload: PathBuf,
    tools: Vec<Tool>,
    scratch: Scratch,
}

/// Runs the sections that were asked for, and prints their tables.
pub(crate) fn run(options: &Options) -> Result<()> {
    let world = world(options)?;
    println!("{}\n", machine());
    for section in Section::ALL {
        if options.only.is_empty() || options.only.contains(&section) {
            world.section(section)?;
        }
    }
    Ok(())
}

fn world(options: &Options) -> Result<World> {
    let installed = install(&options.python)?;
    let beside = || Ok::<_, anyhow::Error>(target()?.join("release/transload"));
    let transload = options.transload.clone().map_or_else(beside, Ok)?;
    let wanted = |tool: &Tool| options.tools.is_empty() || options.tools.contains(tool);
    let mut tools = Vec::new();
    for tool in Tool::ALL.into_iter().filter(wanted) {
        match tool.is_missing(&installed, &transload) {
            Some(what) => println!("{} is left out: no {what}", tool.name()),
            None => tools.push(tool),
        }
    }
    Ok(World { options: options.clone(), installed, transload, tools, scratch: Scratch::new()? })
}

impl World {
    fn section(&self, section: Section) -> Result<()> {
        match section {
            Section::Null | Section::Slow => self.null(section == Section::Slow),
            Section::Real => self.real(),
            Section::Checks => checks::run(self),
            Section::Worker => worker::run(self),
            Section::Engine => engine::run(self),
            Section::Trees => trees::run(self),
        }
    }

    fn null(&self, slow: bool) -> Result<()> {
        for &size in &self.options.size {
            let key = format!("{}MiB", size >> 20);
            self.scratch.object(&format!("source/bucket/{key}"), size, size)?;
            let pair = Pair::null(&self.scratch, &self.scratch.path("source"), slow)?;
            println!("### {} pair, {}\n", if slow { "Slow null" } else { "Null" }, human(size));
            throughput::run(self, &pair, &key, size)?;
            std::fs::remove_dir_all(self.scratch.path("source"))?;
        }
        Ok(())
    }

    fn real(&self) -> Result<()> {
        let Some(weed) = self.installed.program("weed") else {
            println!("The real pair is left out: SeaweedFS is not installed.\n");
            return Ok(());
        };
        // Other tools have to be able to finish: SeaweedFS keeps every copy.
        let size = self.options.size.iter().copied().min().context("no size")?;
        let file = self.scratch.object("real", size, size)?;
        let pair = Pair::seaweed(&self.scratch, &weed)?;
        pair.fill(&self.scratch, &self.installed, &file)?;
        println!("### SeaweedFS to SeaweedFS, {}\n", human(size));
        throughput::run(self, &pair, "real", size)
    }
}

/// What the machine is, as far as it shapes figures.
fn machine() -> String {
    let cpu = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpu.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or("unknown");
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    format!("{cores} cores, {}, Linux {}", model.trim_start_matches(['\t', ' ', ':']), kernel.trim())
}

/// Bytes from text such as 64MiB or 1GiB.
fn bytes(text: &str) -> Result<u64> {
    let split = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let shift = match unit {
        "" | "B" => 0,
        "KiB" => 10,
        "MiB" => 20,
        "GiB" => 30,
        other => anyhow::bail!("expected B, KiB, MiB or GiB, found {other:?}"),
    };
    Ok(number.parse::<u64>().with_context(|| format!("expected a number, found {number:?}"))? << shift)
}

/// Bytes for people.
fn human(bytes: u64) -> String {
    if bytes.is_multiple_of(1 << 30) {
        format!("{} GiB", bytes >> 30)
    } else {
        format!("{} MiB", bytes >> 20)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_units() {
        assert_eq!(bytes("64MiB").unwrap(), 64 << 20);
        assert_eq!(bytes("17").unwrap(), 17);
        assert!(bytes("1GB").is_err());
        assert!(bytes("GiB").is_err());
        assert_eq!((human(1 << 30), human(512 << 20)), ("1 GiB".into(), "512 MiB".into()));
    }
}
