//! `transload doctor`: what would stand in a transfer's way, found before the first one. Facts are asked for in `ask`, judged in
//! `judge` and `routes`, and shown in `show`.

mod ask;
mod config;
mod facts;
mod files;
mod finding;
mod judge;
mod probe;
mod routes;
mod setup;
mod show;
mod stack;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::Args;
use futures::future::join_all;
use serde_json::json;
use transload_store::account::Account;
use transload_store::location::LocationKind;
use transload_wire::LocationName;

use crate::Global;
use crate::command::{print, print_json};
use crate::exit::{CliError, Exit, Outcome};
use crate::locations;
use crate::place::Place;
use ask::{Asked, Wanted};
use facts::{EndFacts, LocationFacts};
use finding::{Finding, Verdict};
pub(crate) use setup::End;
use setup::{Route, Setup, Spot};

/// Arguments of `doctor`.
#[derive(Debug, Args)]
pub(crate) struct DoctorArgs {
    /// LOCATION:s3://BUCKET[/PREFIX] that is to be read, of this computer's locations
    #[arg(value_name = "SOURCE", requires = "destination", conflicts_with = "config")]
    source: Option<Place>,
    /// LOCATION:s3://BUCKET[/PREFIX] that is to be written
    #[arg(value_name = "DESTINATION")]
    destination: Option<Place>,
    /// A deployment by its config file, before or after it is deployed
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Tries what the store of LOCATION:s3://BUCKET[/PREFIX] can do, with an object of about 30 MB that is taken away again
    #[arg(long, value_name = "PLACE", conflicts_with_all = ["source", "config", "read_only"])]
    probe: Option<Place>,
    /// Tries no upload at the destinations (without this one is begun and given up at once: nothing of it stays)
    #[arg(long)]
    read_only: bool,
}

/// Looks at everything, and fails if something is wrong.
pub(crate) async fn run(args: DoctorArgs, global: &Global) -> Outcome {
    let findings = match &args.probe {
        Some(_) if global.stack.is_some() => {
            return Err(CliError::usage("--stack: expected it alone, found --probe beside it"));
        }
        Some(place) => probe::look(place, &locations::read(global.locations.as_deref())?).await?,
        None => {
            let (setup, mut findings) = read(&args, global).await?;
            findings.extend(routes::judge(&setup.routes));
            findings.extend(look(&setup, !args.read_only).await?);
            findings
        }
    };
    if global.json() {
        print_json(&json!({ "findings": findings }))?;
    } else {
        print(&show::render(&findings, show::in_colour()))?;
    }
    match findings.iter().filter(|finding| finding.verdict == Verdict::Wrong).count() {
        0 => Ok(()),
        1 => Err(CliError::new(Exit::Failed, "1 check found something wrong")),
        wrong => Err(CliError::new(Exit::Failed, format!("{wrong} checks found something wrong"))),
    }
}

/// What is looked at, with what its reading found.
async fn read(args: &DoctorArgs, global: &Global) -> Outcome<(Setup, Vec<Finding>)> {
    match (&global.stack, &args.config) {
        (Some(_), Some(_)) => Err(CliError::usage("--stack: expected it alone, found --config beside it")),
        (Some(_), None) if args.source.is_some() => {
            Err(CliError::usage("--stack: expected it alone, found SOURCE and DESTINATION beside it"))
        }
        (Some(name), None) => {
            let deployment = stack::read(name).await?;
            Ok((deployment.setup, deployment.findings))
        }
        (None, Some(file)) => of_config(file),
        (None, None) => of_locations(args, global),
    }
}

fn of_config(file: &Path) -> Outcome<(Setup, Vec<Finding>)> {
    let place = file.display();
    let text = std::fs::read_to_string(file).map_err(|error| CliError::usage(format!("{place}: {error}")))?;
    let setup = config::read(&text).map_err(|refused| CliError::usage(format!("{place}: {refused}")))?;
    let (locations, routes) = (setup.locations.len(), setup.routes.len());
    let found = Finding::ok(
        "setup",
        "config",
        format!("{} and {} in {place}", many(locations, "location"), many(routes, "route")),
    );
    Ok((setup, vec![found]))
}

fn of_locations(args: &DoctorArgs, global: &Global) -> Outcome<(Setup, Vec<Finding>)> {
    let known = locations::read(global.locations.as_deref())?;
    let found = format!("{} in {}", many(known.all().count(), "location"), known.file.display());
    let found = Finding::ok("setup", "file", found);
    let mut setup = Setup::default();
    for (name, location) in known.all() {
        let spot = Spot { location: location.clone(), own_role: false, buckets: BTreeMap::new() };
        setup.locations.insert(name.clone(), spot);
    }
    if let (Some(source), Some(destination)) = (&args.source, &args.destination) {
        let name = "SOURCE to DESTINATION".to_owned();
        let (source, destination) = (source.end(), destination.end());
        let route = Route { name, source, destination, events: false, ignore: Vec::new(), tags: true };
        setup.routes.push(route);
    }
    Ok((setup, vec![found]))
}

fn many(count: usize, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}

/// All that has to be asked for, locations first, then the ends of routes.
async fn look(setup: &Setup, write: bool) -> Outcome<Vec<Finding>> {
    let account = account(setup).await?;
    let asked: Vec<Asked> = setup
        .locations
        .iter()
        .filter(|(_, spot)| spot.location.kind == LocationKind::S3)
        .map(|(name, spot)| Asked::new(name.as_str(), spot, setup))
        .collect::<Outcome<_>>()?;
    let mut locations = join_all(asked.iter().map(|location| location.location(account.as_ref()))).await;
    let (ends, mut findings) = ends(setup, &asked, &locations, write).await;
    tell_clocks(&mut locations, &ends);
    let mut all = Vec::new();
    if let (true, Some(account)) = (setup.deployed, &account) {
        all.extend(judge::account::judge(&ask::account(account, setup.account.as_deref()).await));
    }
    all.extend(locations.iter().flat_map(judge::location::judge));
    all.extend(files::look(setup, write));
    all.append(&mut findings);
    all.extend(ends.iter().flat_map(judge::bucket::judge));
    if setup.routes.is_empty() {
        all.push(Finding::skipped(
            "buckets",
            "rights",
            "none are named: transload doctor SOURCE DESTINATION looks at two",
        ));
    }
    Ok(all)
}

/// Who asks the services of a deployment. A setup of this computer needs nobody, but may keep keys in AWS.
async fn account(setup: &Setup) -> Outcome<Option<Account>> {
    match Account::of_process(setup.region.as_deref()).await {
        Ok(None) if setup.deployed => {
            Err(CliError::usage("region: expected the Region of the deployment, found none")
                .hint("write it into the config, or set AWS_REGION"))
        }
        Ok(account) => Ok(account),
        Err(refused) if setup.deployed => Err(CliError::usage(refused.to_string())),
        Err(_) => Ok(None),
    }
}

/// Both ends of each route, each asked once. Where there are no credentials nothing is asked.
async fn ends(
    setup: &Setup,
    asked: &[Asked<'_>],
    locations: &[LocationFacts],
    write: bool,
) -> (Vec<EndFacts>, Vec<Finding>) {
    let (mut questions, mut findings) = (Vec::new(), Vec::new());
    for wanted in wanted(&setup.routes, write) {
        let name = &wanted.end.location;
        let at = asked.iter().position(|location| location.name() == name);
        match at {
            // Its roots are looked at by themselves.
            None if is_of_files(setup, name) => {}
            None => findings.push(
                Finding::wrong(name, "location", "none of this name")
                    .expected(names(setup))
                    .advice("correct the route"),
            ),
            Some(at) if locations[at].credentials.is_err() => {
                let subject = format!("{name}: {}", wanted.end.bucket);
                findings.push(Finding::skipped(&subject, "rights", "not looked at without credentials"));
            }
            Some(at) => questions.push((at, wanted)),
        }
    }
    (join_all(questions.iter().map(|(at, wanted)| asked[*at].end(wanted))).await, findings)
}

fn is_of_files(setup: &Setup, name: &str) -> bool {
    let found = setup.locations.iter().find(|(known, _)| known.as_str() == name);
    found.is_some_and(|(_, spot)| spot.location.kind == LocationKind::File)
}

fn names(setup: &Setup) -> String {
    let names: Vec<&str> = setup.locations.keys().map(LocationName::as_str).collect();
    format!("one of {}", names.join(", "))
}

/// The ends of routes, each once.
fn wanted(routes: &[Route], write: bool) -> Vec<Wanted> {
    let mut all: Vec<Wanted> = Vec::new();
    for route in routes {
        for (end, source) in [(&route.source, true), (&route.destination, false)] {
            match all.iter_mut().find(|wanted| wanted.end == *end && wanted.source == source) {
                Some(wanted) => {
                    wanted.events |= route.events;
                    wanted.tags |= route.tags;
                }
                None => all.push(Wanted {
                    end: end.clone(),
                    source,
                    events: route.events,
                    tags: route.tags,
                    write,
                }),
            }
        }
    }
    all
}

/// What buckets told of the clock holds for their location.
fn tell_clocks(locations: &mut [LocationFacts], ends: &[EndFacts]) {
    for location in locations {
        let of_location = ends.iter().filter(|end| end.location == location.name);
        location.clock = of_location.filter_map(|end| end.head.clock).next();
    }
}
