//! What a page needs to show and to steer transfers, as JSON over HTTP: executions, their histories, parts and reports by
//! the Step Functions API; trees of buckets and of mounted file systems.
//!
//! `handle` answers plain requests: behind API Gateway when deployed, behind `transload console` on one machine. It
//! authorises nobody: whoever serves it does.

mod act;
pub mod answer;
mod children;
mod filelist;
mod gateway;
mod http;
mod look;
mod mount;
mod notes;
mod ours;
pub mod page;
pub mod report;
mod states;
pub mod story;
mod tree;

use std::sync::Arc;

use serde_json::{Value, json};
use transload_store::Stores;

pub use gateway::{answer as answer_gateway, serve};
pub use http::{Refusal, Request, Response};
pub use mount::Mounts;
pub use notes::Notes;
pub use ours::{Kind, Machine};
pub use states::States;

/// What requests are answered with.
#[derive(Clone)]
pub struct World {
    /// Step Functions.
    pub states: States,
    /// The machines that may be looked at and started.
    pub machines: Vec<Machine>,
    /// Opens locations.
    pub stores: Arc<dyn Stores + Send + Sync>,
    /// Their names.
    pub locations: Vec<String>,
    /// File systems whose trees may be looked at.
    pub mounts: Mounts,
    /// Where notes on executions are kept.
    pub notes: Notes,
}

/// Answers a request, whatever it is.
pub async fn handle(world: &World, request: &Request) -> Response {
    match route(world, request).await {
        Ok(body) => Response { status: 200, body },
        Err(refusal) => refusal.response(),
    }
}

async fn route(world: &World, request: &Request) -> Result<Value, Refusal> {
    match (request.method.as_str(), request.path.as_str()) {
        ("GET", "/filelist") => filelist::list(world, request).await,
        ("GET", "/api/places") => Ok(places(world)),
        ("GET", "/api/executions") => look::executions(world, request).await,
        ("GET", "/api/execution") => look::execution(world, request).await,
        ("GET", "/api/history") => look::history(world, request).await,
        ("GET", "/api/definition") => look::definition(world, request).await,
        ("GET", "/api/report") => look::report(world, request).await,
        ("GET", "/api/map-runs") => children::map_runs(world, request).await,
        ("GET", "/api/children") => children::list(world, request).await,
        ("GET", "/api/parts") => children::parts(world, request).await,
        ("GET", "/api/notes") => notes::list(world, request).await,
        ("POST", "/api/notes") => notes::add(world, request).await,
        ("DELETE", "/api/notes") => notes::delete(world, request).await,
        ("POST", "/api/start") => act::start(world, request).await,
        ("POST", "/api/stop") => act::stop(world, request).await,
        ("POST", "/api/redrive") => act::redrive(world, request).await,
        ("POST", "/api/concurrency") => act::concurrency(world, request).await,
        (method, path) => Err(Refusal::new(404, "NoSuchPath", format!("{method} {path}: there is nothing"))),
    }
}

fn places(world: &World) -> Value {
    let machine = |machine: &Machine| json!({"arn": machine.arn, "kind": machine.kind.to_string()});
    json!({
        "locations": world.locations,
        "mounts": world.mounts.names().collect::<Vec<_>>(),
        "notes": world.notes.are_kept(),
        "machines": world.machines.iter().map(machine).collect::<Vec<_>>(),
    })
}
