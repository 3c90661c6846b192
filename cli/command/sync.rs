//! `transload sync`: makes one tree of keys like another. `plan` begins the same way.

use std::path::{Path, PathBuf};

use clap::Args;
use transload_store::work::{DirectoryFiles, WorkFiles};
use transload_wire::{Archived, Mode, SyncOptions, SyncRequest, Tree, WhenArchived};

use super::copy::{new_name, read_input};
use super::{interrupted, machine_of, print, print_json};
use crate::Global;
use crate::definition::RESULTS_BUCKET;
use crate::deployed::Deployed;
use crate::exit::{CliError, Exit, Outcome};
use crate::follow::Ended;
use crate::locations::{self, Known};
use crate::machine::Machine;
use crate::options::{OptionFlags, tell_window};
use crate::place::Place;
use crate::progress::Progress;
use crate::sync::chosen::Chosen;
use crate::sync::frozen::{self, Approved};
use crate::sync::inventory::{self, Where};
use crate::sync::manifest;
use crate::sync::{self, Outcomes, SyncFlags, SyncStory, price};
use crate::view::View;
use crate::watch::{self, watch};

/// Arguments of `sync` and of `plan`.
#[derive(Debug, Args)]
pub(crate) struct SyncArgs {
    /// LOCATION:s3://BUCKET/PREFIX to read
    #[arg(required_unless_present_any = ["input", "plan"], value_name = "SOURCE")]
    source: Option<Place>,
    /// LOCATION:s3://BUCKET/PREFIX to make like it
    #[arg(required_unless_present_any = ["input", "plan"], value_name = "DESTINATION")]
    destination: Option<Place>,
    /// An execution's input as JSON instead of places and flags; `-` reads standard input
    #[arg(long, value_name = "FILE", conflicts_with_all = ["source", "destination", "OptionFlags", "ThawFlags", "SyncFlags"])]
    input: Option<PathBuf>,
    /// See only to the objects that this file names: JSON Lines `{"key", "versionId"?}`, or CSV `bucket,key[,versionId]` with
    /// URL-encoded keys
    #[arg(long, value_name = "FILE", conflicts_with_all = ["input", "plan"])]
    manifest: Option<PathBuf>,
    /// See only to the objects of an S3 Inventory of the source's bucket: its manifest.json, as a file or as
    /// LOCATION:s3://BUCKET/KEY. The inventory has to be CSV
    #[arg(long, value_name = "WHERE", conflicts_with_all = ["input", "plan", "manifest", "delete"])]
    inventory: Option<Where>,
    /// Execute a frozen plan, and nothing else: what changed at either end since then fails, object by object
    #[arg(long, value_name = "FILE", conflicts_with_all = ["source", "destination", "input", "OptionFlags", "ThawFlags", "SyncFlags"])]
    plan: Option<PathBuf>,
    /// A table of prices and rates instead of the list prices, for an estimate or --budget-dollars; docs/cost.md has its form
    #[arg(long, value_name = "FILE", conflicts_with_all = ["input", "plan"])]
    pub(crate) prices: Option<PathBuf>,
    /// Name of the execution, behind `sync-` or `plan-` [default: one is made]
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    #[command(flatten)]
    sync: SyncFlags,
    #[command(flatten)]
    options: OptionFlags,
}

/// Starts the execution and follows it.
pub(crate) async fn run(args: SyncArgs, global: &Global) -> Outcome {
    if let Some(stack) = &global.stack {
        let (view, arn) = begin_deployed(args, Mode::Sync, stack, global).await?;
        return see_deployed(&view, &arn, global).await;
    }
    let (machine, arn) = begin(args, Mode::Sync, global).await?;
    see_through(machine, &arn, global).await
}

/// Starts an execution.
pub(crate) async fn begin(args: SyncArgs, mode: Mode, global: &Global) -> Outcome<(Machine, String)> {
    let name = execution_name(&args, mode);
    let known = locations::read(global.locations.as_deref())?;
    let plan = approved(&args, mode).await?;
    let chosen = chosen(&args, &name, global).await?;
    let input = input(args, (plan.as_ref(), chosen.as_ref()), mode, Some(&known))?;
    let machine = machine_of(global, known).await?;
    let files = DirectoryFiles::new(global.home()?.results(), RESULTS_BUCKET);
    upload(&files, plan, chosen).await?;
    let arn = machine.start_sync(&name, input).await?;
    Ok((machine, arn))
}

/// Starts an execution of a deployed machine. Which locations there are, the deployed functions know.
pub(crate) async fn begin_deployed(
    args: SyncArgs,
    mode: Mode,
    stack: &str,
    global: &Global,
) -> Outcome<(View, String)> {
    let name = execution_name(&args, mode);
    let plan = approved(&args, mode).await?;
    let chosen = chosen(&args, &name, global).await?;
    let input = input(args, (plan.as_ref(), chosen.as_ref()), mode, None)?;
    let deployed = Deployed::open(stack).await?;
    if plan.is_some() || chosen.is_some() {
        upload(&deployed.files().await?, plan, chosen).await?;
    }
    let arn = deployed.start_sync(&name, input).await?;
    Ok((View::Deployed(deployed), arn))
}

/// Puts what the run is to read where it reads it.
async fn upload(files: &dyn WorkFiles, plan: Option<Approved>, chosen: Option<Chosen>) -> Outcome {
    if let Some(plan) = plan {
        plan.upload(files).await?;
    }
    if let Some(chosen) = chosen {
        chosen.upload(files).await?;
    }
    Ok(())
}

fn execution_name(args: &SyncArgs, mode: Mode) -> String {
    let kind = if mode == Mode::Plan { "plan" } else { "sync" };
    args.name.clone().map_or_else(|| new_name(kind), |name| named(kind, name))
}

async fn chosen(args: &SyncArgs, name: &str, global: &Global) -> Outcome<Option<Chosen>> {
    let Some(source) = args.source.as_ref().map(tree) else { return Ok(None) };
    Ok(match (&args.manifest, &args.inventory) {
        (Some(path), _) => Some(Chosen::Lines(manifest::read(path, &source, name)?)),
        (None, Some(place)) => {
            // Also for a deployed machine: the inventory is read from here.
            let known = || locations::read(global.locations.as_deref());
            Some(Chosen::Inventory(Box::new(inventory::read(place, &source, name, known).await?)))
        }
        (None, None) => None,
    })
}

async fn approved(args: &SyncArgs, mode: Mode) -> Outcome<Option<Approved>> {
    match (&args.plan, mode) {
        (None, _) => Ok(None),
        (Some(path), Mode::Sync) => frozen::read(path).await.map(Some),
        (Some(_), Mode::Plan) => {
            Err(CliError::usage("--plan: a frozen plan is executed by `transload sync`, not planned again"))
        }
    }
}

fn named(kind: &str, name: String) -> String {
    if sync::is_name(&name) { name } else { format!("{kind}-{name}") }
}

fn input(
    args: SyncArgs,
    (plan, chosen): (Option<&Approved>, Option<&Chosen>),
    mode: Mode,
    known: Option<&Known>,
) -> Outcome<String> {
    if let Some(path) = args.input {
        return read_input(&path);
    }
    if let Some(plan) = plan {
        return text(&plan.request(), known);
    }
    let missing = || CliError::usage("expected SOURCE and DESTINATION, or --input FILE");
    let options = args.options.resolve().map_err(CliError::usage)?;
    let mut sync = comparison(args.sync, args.prices.as_deref(), mode, known.is_some())?;
    if options.archived == WhenArchived::Thaw {
        sync.archived = Archived::Thaw;
    }
    let request = SyncRequest {
        source: tree(&args.source.ok_or_else(missing)?),
        destination: tree(&args.destination.ok_or_else(missing)?),
        options,
        sync,
        manifest: chosen.map(|chosen| chosen.manifest().clone()),
        plan: None,
        route: None,
    };
    if mode == Mode::Sync {
        tell_window(&request.options);
    }
    text(&request, known)
}

/// The comparison, with the prices that a budget is counted by.
fn comparison(flags: SyncFlags, prices: Option<&Path>, mode: Mode, here: bool) -> Outcome<SyncOptions> {
    let mut sync = flags.resolve(mode, here).map_err(CliError::usage)?;
    let counted = sync.budget.is_some_and(|budget| budget.dollars.is_some());
    match prices {
        Some(path) if counted => sync.prices = Some(Box::new(price::table(Some(path))?)),
        Some(_) if mode == Mode::Sync => {
            return Err(CliError::usage("--prices: expected --budget-dollars beside it, found none"));
        }
        _ => {}
    }
    Ok(sync)
}

fn text(request: &SyncRequest, known: Option<&Known>) -> Outcome<String> {
    request.options.check()?;
    request.sync.check()?;
    if let Some(known) = known {
        known.require(&request.source.location)?;
        known.require(&request.destination.location)?;
    }
    serde_json::to_string(request).map_err(|e| CliError::trouble("input", e))
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
    let outcomes = watched(view, arn, global).await?;
    shown(&outcomes, global)?;
    verdict(&outcomes)
}

/// Follows a run of a deployed machine to its end.
pub(crate) async fn watched(view: &View, arn: &str, global: &Global) -> Outcome<Outcomes> {
    let name = arn.rsplit(':').next().unwrap_or(arn);
    eprintln!("{name}");
    let mut progress = Progress::new(false);
    if let Ended::Interrupted = watch::<SyncStory>(view, arn, watch::LOOK, &mut progress).await? {
        let message = format!("{name} goes on without being watched");
        return Err(CliError::new(Exit::Interrupted, message)
            .hint(format!("look at it with: transload report {name}")));
    }
    reported(view, arn, global).await
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

/// Success or the run's failure.
pub(crate) fn verdict(outcomes: &Outcomes) -> Outcome {
    super::alone::verdict(&outcomes.ended, "run")
}
