//! Measures transload beside other tools: one command, `cargo run --release -p peers`.
//!
//! Two pairs of endpoints: a null pair, written for this, that costs next to nothing and shows what a client costs; and
//! a real pair that others wrote. See docs/performance.md for what the figures mean.

mod bare;
mod children;
mod install;
mod measure;
mod null;
mod pair;
mod scratch;
mod sections;
mod statistics;
mod table;
mod tools;

use anyhow::Result;
use clap::{Parser, Subcommand};

/// Measures transload beside other tools.
#[derive(Debug, Parser)]
#[command(name = "peers")]
struct Arguments {
    #[command(subcommand)]
    hidden: Option<Hidden>,
    #[command(flatten)]
    options: sections::Options,
}

/// What this program starts itself again for.
#[derive(Debug, Subcommand)]
enum Hidden {
    /// One server of the null pair.
    #[command(hide = true)]
    Null(null::Config),
    /// The bare streamer.
    #[command(hide = true)]
    Bare(bare::Job),
    /// Engine and workers.
    #[command(hide = true)]
    Children(children::Job),
    /// The worker with the empty task.
    #[command(hide = true)]
    Empty,
    /// Runs a command and measures it.
    #[command(hide = true)]
    Measure(measure::Inner),
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    match arguments.hidden {
        Some(Hidden::Null(config)) => null::serve(config),
        Some(Hidden::Bare(job)) => bare::copy(&job),
        Some(Hidden::Children(job)) => children::run(&job),
        Some(Hidden::Empty) => children::empty(),
        Some(Hidden::Measure(inner)) => measure::inner(&inner),
        None => sections::run(&arguments.options),
    }
}
