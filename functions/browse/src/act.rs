//! Starts, stops, redrives, and changes what runs.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use transload_wire::{LocationName, SyncRequest, TransferRequest};

use crate::http::{Refusal, Request};
use crate::ours::Kind;
use crate::{World, ours};

/// Most children at a time that a Map Run takes.
const MOST_CHILDREN: i64 = 10_000;

/// Longest cause of a stop.
const LONGEST_CAUSE: usize = 1_024;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Start {
    machine: String,
    #[serde(default)]
    name: Option<String>,
    input: Value,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Stop {
    arn: String,
    #[serde(default)]
    cause: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Redrive {
    arn: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Concurrency {
    map_run: String,
    max_concurrency: i64,
}

fn body<T: DeserializeOwned>(request: &Request) -> Result<T, Refusal> {
    Ok(transload_wire::parse(&request.body)?)
}

/// Starts an execution, if its input would not be refused by the first state.
pub(crate) async fn start(world: &World, request: &Request) -> Result<Value, Refusal> {
    let Start { machine, name, input } = body(request)?;
    let machine = ours::machine(&world.machines, "machine", &machine)?;
    let input = input.to_string();
    match machine.kind {
        Kind::Object => {
            let request: TransferRequest = transload_wire::parse(input.as_bytes())?;
            request.check()?;
            if let Some(location) = request.source.location() {
                known(world, "source.location", location)?;
            }
            known(world, "destination.location", &request.destination.location)?;
        }
        Kind::Bucket => {
            let request: SyncRequest = transload_wire::parse(input.as_bytes())?;
            request.options.check()?;
            request.sync.check()?;
            known(world, "source.location", &request.source.location)?;
            known(world, "destination.location", &request.destination.location)?;
        }
    }
    world.states.start(&machine.arn, name, input).await
}

fn known(world: &World, field: &str, location: &LocationName) -> Result<(), Refusal> {
    if world.locations.iter().any(|known| known == location.as_str()) {
        return Ok(());
    }
    Err(Refusal::field(field, format!("one of {}", world.locations.join(", ")), location.as_str()))
}

/// Stops an execution.
pub(crate) async fn stop(world: &World, request: &Request) -> Result<Value, Refusal> {
    let Stop { arn, cause } = body(request)?;
    let cause = cause.unwrap_or_else(|| "stopped on the console page".to_owned());
    if cause.len() > LONGEST_CAUSE {
        let found = format!("{} bytes", cause.len());
        return Err(Refusal::field("cause", format!("at most {LONGEST_CAUSE} bytes"), found));
    }
    world.states.stop(ours::execution(&world.machines, "arn", &arn)?, &cause).await
}

/// Goes on with an execution that failed or was stopped.
pub(crate) async fn redrive(world: &World, request: &Request) -> Result<Value, Refusal> {
    let Redrive { arn } = body(request)?;
    world.states.redrive(ours::execution(&world.machines, "arn", &arn)?).await
}

/// Changes how many children of a Map Run work at a time.
pub(crate) async fn concurrency(world: &World, request: &Request) -> Result<Value, Refusal> {
    let Concurrency { map_run, max_concurrency } = body(request)?;
    let within = Some(max_concurrency).filter(|most| (1..=MOST_CHILDREN).contains(most));
    let most = within.and_then(|most| i32::try_from(most).ok()).ok_or_else(|| {
        let expected = format!("a whole number from 1 to {MOST_CHILDREN}");
        Refusal::field("maxConcurrency", expected, max_concurrency.to_string())
    })?;
    world.states.set_concurrency(ours::map_run(&world.machines, "mapRun", &map_run)?, most).await
}
