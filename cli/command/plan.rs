//! `transload plan`: what a run would take, priced, and frozen for a run that does exactly that.

use std::path::{Path, PathBuf};

use clap::Args;
use serde::Serialize;
use serde_json::Value;
use transload_plan::cost::{Estimate, Prices};
use transload_store::location::Location;
use transload_store::work::WorkFiles;
use transload_wire::{LocationName, Mode, PLAN_VERSION, PlanHead, SyncRequest};

use super::sync::{SyncArgs, begin, begin_deployed, verdict, watched};
use super::{interrupted, print, print_json};
use crate::Global;
use crate::exit::{CliError, Outcome};
use crate::follow::Ended;
use crate::locations;
use crate::progress::Progress;
use crate::sync::{self, Outcomes, frozen, price};
use crate::times;
use crate::view::View;

/// Arguments of `plan`.
#[derive(Debug, Args)]
pub(crate) struct PlanArgs {
    #[command(flatten)]
    sync: SyncArgs,
    /// Freeze the plan in this file: `transload sync --plan FILE` does exactly what it says
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// The answer, in the shape of `--output json`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Planned<'a> {
    #[serde(flatten)]
    outcomes: &'a Outcomes,
    #[serde(skip_serializing_if = "Option::is_none")]
    estimate: Option<&'a Estimate>,
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<&'a Path>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sha256: Option<&'a str>,
}

/// Plans, prices and freezes.
pub(crate) async fn run(args: PlanArgs, global: &Global) -> Outcome {
    let prices = price::table(args.sync.prices.as_deref())?;
    if let Some(path) = &args.out {
        frozen::free(path)?;
    }
    if let Some(stack) = &global.stack {
        return deployed(args, stack, &prices, global).await;
    }
    let known = price::places(&locations::read(global.locations.as_deref())?);
    let (machine, arn) = begin(args.sync, Mode::Plan, global).await?;
    let mut progress = Progress::new(false);
    if let Ended::Interrupted = sync::follow(&machine, &arn, &mut progress).await? {
        return interrupted(machine, &arn).await;
    }
    let view = View::of(&machine.engine);
    let outcomes = Outcomes::read(&view, &arn).await?;
    let described = view.describe(&arn).await?;
    machine.shutdown().await?;
    if outcomes.ended.status != "SUCCEEDED" {
        super::sync::shown(&outcomes, global)?;
        return verdict(&outcomes);
    }
    priced(&view, &described, &outcomes, (args.out.as_deref(), &known, &prices), global).await
}

/// Of a deployed machine. Its locations are priced as far as a locations file here knows them.
async fn deployed(args: PlanArgs, stack: &str, prices: &Prices, global: &Global) -> Outcome {
    let known =
        locations::read(global.locations.as_deref()).map(|known| price::places(&known)).unwrap_or_default();
    let (view, arn) = begin_deployed(args.sync, Mode::Plan, stack, global).await?;
    let outcomes = watched(&view, &arn, global).await?;
    if outcomes.ended.status != "SUCCEEDED" {
        super::sync::shown(&outcomes, global)?;
        return verdict(&outcomes);
    }
    let described = view.describe(&arn).await?;
    priced(&view, &described, &outcomes, (args.out.as_deref(), &known, prices), global).await
}

/// Prices what was planned, freezes it if asked to, and shows both.
async fn priced(
    view: &View,
    described: &Value,
    outcomes: &Outcomes,
    (out, known, prices): (Option<&Path>, &[(LocationName, Location)], &Prices),
    global: &Global,
) -> Outcome {
    let request = price::request(described)?;
    let estimate = price::priced(&outcomes.found, &request, known, prices)?;
    let sha256 = match out {
        None => None,
        Some(path) => {
            let created = times::whole(&described["startDate"]);
            let files = sync::results(view, &global.home()?, outcomes)?;
            Some(freeze(path, (files, outcomes), request, (created, prices)).await?)
        }
    };
    show(outcomes, &estimate, out.zip(sha256.as_deref()), global)
}

async fn freeze(
    path: &Path,
    (files, outcomes): (Option<Box<dyn WorkFiles>>, &Outcomes),
    request: SyncRequest,
    (created, prices): (String, &Prices),
) -> Outcome<String> {
    let (Some(files), Some(work)) = (files, &outcomes.work) else {
        return Err(CliError::trouble("plan", "the execution does not tell where its lists are"));
    };
    let found = outcomes.found.clone();
    let prices = Some(prices.name.clone());
    let head = PlanHead { version: PLAN_VERSION, created, request, found, prices };
    frozen::write(files.as_ref(), work, head, path).await
}

fn show(outcomes: &Outcomes, estimate: &Estimate, file: Option<(&Path, &str)>, global: &Global) -> Outcome {
    let (path, sha256) = file.unzip();
    if global.json() {
        return print_json(&Planned { outcomes, estimate: Some(estimate), file: path, sha256 });
    }
    print(&format!("{}\n{}", sync::lines(outcomes), price::lines(estimate)))?;
    match file {
        None => Ok(()),
        Some((path, sha256)) => {
            let path = path.display();
            print(&format!("\nfrozen       {path}\n             SHA-256 {sha256}\n"))?;
            print(&format!("execute it   transload sync --plan {path}\n"))
        }
    }
}
