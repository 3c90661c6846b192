//! `transload console`: a page on this machine that shows transfers and steers them.

use std::sync::Arc;

use clap::Args;
use serde_json::json;
use stepfunctions_http::{Key, Server};
use transload_browse::{Kind, Machine as Steered, Mounts, Notes, States, World};
use transload_store::location::ConfiguredStores;

use super::local::{REGION, Stop};
use super::machine_of;
use crate::exit::{CliError, Exit, Outcome};
use crate::machine::Machine;
use crate::places::keys;
use crate::voice::Voice;
use crate::{Global, console, locations, view};

/// Arguments of `console`.
#[derive(Debug, Args)]
pub(crate) struct ConsoleArgs {
    /// Port of the page. 0: any
    #[arg(long, value_name = "PORT", default_value_t = 8084)]
    port: u16,
}

/// Serves until it is interrupted. What runs is kept, and goes on when the home is opened again.
pub(crate) async fn run(args: ConsoleArgs, global: &Global) -> Outcome {
    let known = locations::read(global.locations.as_deref())?;
    let stores = ConfiguredStores::from_file(&known.file)?;
    let mut stop = Stop::new()?;
    let machine = machine_of(global, known).await?;
    let served = serve(&args, global, &machine, stores, &mut stop).await;
    tokio::select! {
        ended = machine.shutdown() => served.and(ended),
        () = stop.wait() => Err(CliError::new(Exit::Interrupted, "interrupted while it was ending")),
    }
}

async fn serve(
    args: &ConsoleArgs,
    global: &Global,
    machine: &Machine,
    stores: ConfiguredStores,
    stop: &mut Stop,
) -> Outcome {
    let mounts = std::env::var("TRANSLOAD_MOUNTS").unwrap_or_default();
    let mounts = Mounts::parse(&mounts).map_err(|refusal| CliError::usage(refusal.message))?;
    // The page's API speaks to the engine as it does to the service, with a key that lives as long as this process.
    let key = keys();
    let api = Server::builder(machine.engine.clone()).key(Key::new(&*key.0, &*key.1)).region(REGION).start();
    let api = api.await.map_err(|error| CliError::trouble("Step Functions API", error))?;
    let world = World {
        states: States::at(&api.endpoint(), REGION, key),
        machines: vec![
            Steered { arn: view::machine_arn(), kind: Kind::Object },
            Steered { arn: view::bucket_machine_arn(), kind: Kind::Bucket },
        ],
        locations: stores.names().map(str::to_owned).collect(),
        stores: Arc::new(stores),
        mounts,
        notes: notes(global)?,
    };
    let (page, url) = console::serve(world, args.port).await?;
    let text =
        || format!("{url}\n\nThe page is for whoever has this URL, on this machine alone, until Ctrl-C.\n");
    let shown = Voice::new(global.json(), None).say(&json!({"url": url}), text);
    if shown.is_ok() {
        stop.wait().await;
    }
    page.shutdown().await;
    api.shutdown().await;
    shown
}

/// Beside the database, unless a directory is named that others share.
fn notes(global: &Global) -> Outcome<Notes> {
    let named = std::env::var("TRANSLOAD_NOTES").ok();
    let named = Notes::parse(named.as_deref()).map_err(|refusal| CliError::usage(refusal.message))?;
    if named.are_kept() {
        return Ok(named);
    }
    let directory = global.home()?.notes();
    std::fs::create_dir_all(&directory).map_err(|error| CliError::trouble(directory.display(), error))?;
    Ok(Notes::in_directory(directory))
}
