//! `transload sync` and `transload plan`: make one tree of keys like another, or tell what that would take.

use std::path::PathBuf;

use clap::Args;
use transload_wire::{Mode, SyncRequest, Tree};

use super::copy::{new_name, read_input};
use super::{interrupted, machine_of, print, print_json};
use crate::Global;
use crate::deployed::Deployed;
use crate::exit::{CliError, Exit, Outcome};
use crate::follow::Ended;
use crate::locations::{self, Known};
use crate::machine::Machine;
use crate::options::OptionFlags;
use crate::place::Place;
use crate::progress::Progress;
use crate::summary::message;
use crate::sync::{self, Outcomes, SyncFlags};
use crate::view::View;

/// Arguments of `sync` and of `plan`.
#[derive(Debug, Args)]
pub(crate) struct SyncArgs {
    /// LOCATION:s3://BUCKET/PREFIX to read
    #[arg(required_unless_present = "input", value_name = "SOURCE")]
    source: Option<Place>,
    /// LOCATION:s3://BUCKET/PREFIX to make like it
    #[arg(required_unless_present = "input", value_name = "DESTINATION")]
    destination: Option<Place>,
    /// An execution's input as JSON instead of places and flags; `-` reads standard input
    #[arg(long, value_name = "FILE", conflicts_with_all = ["source", "destination", "OptionFlags", "SyncFlags"])]
    input: Option<PathBuf>,
    /// Name of the execution, behind `sync-` or `plan-` [default: one is made]
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    #[command(flatten)]
    sync: SyncFlags,
    #[command(flatten)]
    options: OptionFlags,
}

/// Starts the execution and follows it.
pub(crate) async fn run(args: SyncArgs, mode: Mode, global: &Global) -> Outcome {
    let kind = if mode == Mode::Plan { "plan" } else { "sync" };
    let name = args.name.clone().map_or_else(|| new_name(kind), |name| named(kind, name));
    if let Some(stack) = &global.stack {
        let deployed = Deployed::open(stack).await?;
        // Which locations there are, the deployed functions know.
        let input = input(args, mode, None)?;
        let arn = deployed.start_sync(&name, input).await?;
        return see_deployed(&View::Deployed(deployed), &arn, global).await;
    }
    let known = locations::read(global.locations.as_deref())?;
    let input = input(args, mode, Some(&known))?;
    let machine = machine_of(global, known).await?;
    let arn = machine.start_sync(&name, input).await?;
    see_through(machine, &arn, global).await
}

fn named(kind: &str, name: String) -> String {
    if sync::is_name(&name) { name } else { format!("{kind}-{name}") }
}

fn input(args: SyncArgs, mode: Mode, known: Option<&Known>) -> Outcome<String> {
    if let Some(path) = args.input {
        return read_input(&path);
    }
    let missing = || CliError::usage("expected SOURCE and DESTINATION, or --input FILE");
    let request = SyncRequest {
        source: tree(&args.source.ok_or_else(missing)?),
        destination: tree(&args.destination.ok_or_else(missing)?),
        options: args.options.resolve().map_err(CliError::usage)?,
        sync: args.sync.resolve(mode, known.is_some()).map_err(CliError::usage)?,
        route: None,
    };
    request.options.check()?;
    request.sync.check()?;
    if let Some(known) = known {
        known.require(&request.source.location)?;
        known.require(&request.destination.location)?;
    }
    serde_json::to_string(&request).map_err(|e| CliError::trouble("input", e))
}

fn tree(place: &Place) -> Tree {
    let (location, bucket) = place.bucket();
    Tree { location, bucket, prefix: place.end().prefix }
}

/// Follows a run, ends the machine, and prints how it went.
pub(crate) async fn see_through(machine: Machine, arn: &str, global: &Global) -> Outcome {
    let mut progress = Progress::new(false);
    if let Ended::Interrupted = sync::follow(&machine, arn, &mut progress).await? {
        return interrupted(machine, arn).await;
    }
    let view = View::of(&machine.engine);
    let outcomes = reported(&view, arn, global).await?;
    machine.shutdown().await?;
    shown(&outcomes, global)?;
    verdict(&outcomes)
}

/// Follows a run of a deployed machine, and prints how it went.
pub(crate) async fn see_deployed(view: &View, arn: &str, global: &Global) -> Outcome {
    let name = arn.rsplit(':').next().unwrap_or(arn);
    eprintln!("{name}");
    let mut progress = Progress::new(false);
    if let Ended::Interrupted = sync::watch(view, arn, &mut progress).await? {
        let message = format!("{name} goes on without being watched");
        return Err(CliError::new(Exit::Interrupted, message)
            .hint(format!("look at it with: transload report {name}")));
    }
    let outcomes = reported(view, arn, global).await?;
    shown(&outcomes, global)?;
    verdict(&outcomes)
}

/// How a run went, with its report in a folder of its own.
pub(crate) async fn reported(view: &View, arn: &str, global: &Global) -> Outcome<Outcomes> {
    let mut outcomes = Outcomes::read(view, arn).await?;
    let home = global.home()?;
    let files = sync::results(view, &home, &outcomes)?;
    sync::export(files, &home.reports(), &mut outcomes).await?;
    Ok(outcomes)
}

/// Prints how a run went, or stands.
pub(crate) fn shown(outcomes: &Outcomes, global: &Global) -> Outcome {
    if global.json() { print_json(outcomes) } else { print(&sync::lines(outcomes)) }
}

fn verdict(outcomes: &Outcomes) -> Outcome {
    if outcomes.status == "SUCCEEDED" {
        return Ok(());
    }
    let error = outcomes.error.clone().unwrap_or_else(|| outcomes.status.clone());
    let cause = message(outcomes.cause.as_deref().unwrap_or_default());
    let next = if outcomes.redrivable {
        format!("transload redrive {}", outcomes.name)
    } else {
        "the same command again; this execution is over".to_owned()
    };
    Err(CliError::new(Exit::Failed, format!("the run failed: {error}: {cause}"))
        .hint(format!("what happened: transload history {}\n  once it is mended:  {next}", outcomes.name)))
}
