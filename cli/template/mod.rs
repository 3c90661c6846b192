//! `transload local --from-template`: a synthesised template with its own definitions, functions, rules and names, on one
//! machine: what is deployed is what runs here.

mod assets;
mod locations;
mod names;
mod node;
mod resolve;
mod running;
mod servers;
mod stack;
mod status;
mod welcome;

use std::path::Path;

use eventbridge_local::Rules;
use stepfunctions_http::Key;
use tokio::sync::mpsc::unbounded_channel;

use crate::Global;
use crate::bus::Bus;
use crate::command::local::{Feed, LocalArgs, Scene, Stop, serve};
use crate::exit::{CliError, Exit, Outcome};
use crate::voice::Voice;
use running::Running;
use servers::Servers;
use stack::Stack;
use welcome::Welcome;

/// Serves until it is interrupted, then ends in order, as `local` does.
pub(crate) async fn run(file: &Path, args: &LocalArgs, global: &Global) -> Outcome {
    let home = global.home()?;
    let scratch = tempfile::tempdir().map_err(|error| CliError::trouble("scratch folder", error))?;
    // Everything is read and checked before the home is taken and anything is written there.
    let stack = Stack::read(file, scratch.path())?;
    let sites = locations::of(&stack)?;
    let rules = Rules::new(stack.rules.clone(), &stack.site.region, &stack.site.account);
    let rules = rules.map_err(|error| CliError::usage(format!("{}: {error}", file.display())))?;
    let home = home.of_stack(&stack.site.stack);
    let owner = home.own()?;
    let mut stop = Stop::new()?;
    let (sender, events) = unbounded_channel();
    let servers = Servers::start(&sites, &stack, &home, args.s3_port, &sender).await?;
    let running = Running::start(&stack, &servers, &home, owner).await?;
    let news = running.engine.subscribe();
    let status = tokio::spawn(status::tell(running.engine.clone(), running.engine.subscribe(), sender));
    let (tell, told) = unbounded_channel();
    let bus = Bus::start(running.engine.clone(), rules, events, tell);
    let scene = Scene {
        voice: Voice::new(global.json(), Some(stack.site.stack.clone())),
        servers: servers.all.iter().map(|one| &one.server).collect(),
        key: Key::new(servers.key.0.clone(), servers.key.1.clone()),
        region: &stack.site.region,
        port: args.sfn_port,
    };
    let welcome = |endpoint: &str| {
        let welcome = Welcome { stack: &stack, servers: &servers, running: &running, api: endpoint };
        (welcome.json(), welcome.text())
    };
    let served = serve(scene, running.engine.clone(), welcome, Feed { news, told, stop: &mut stop }).await;
    let end = async {
        status.abort();
        bus.end().await;
        let ended = running.shutdown().await;
        servers.end().await;
        served.and(ended)
    };
    tokio::select! {
        ended = end => ended,
        () = stop.wait() => Err(CliError::new(Exit::Interrupted, "interrupted while it was ending")),
    }
}
