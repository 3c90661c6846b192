//! `transload local`: two S3 places, the Step Functions API, and a rule that starts the machine when an object is put; or
//! all of a synthesised template.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use eventbridge_local::{Rule, Rules};
use serde_json::Value;
use stepfunctions_http::{Key, Server};
use stepfunctions_local::{Engine, Notification};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::broadcast::Receiver;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::Global;
use crate::bus::{Bus, Told};
use crate::exit::{CliError, Exit, Outcome};
use crate::home::Home;
use crate::machine::{Machine, WorkerSettings};
use crate::places::{Places, Settings};
use crate::template;
use crate::voice::Voice;
use crate::welcome::{Welcome, default_rule};

/// As in the ARNs of everything here.
pub(crate) const REGION: &str = "us-east-1";
const ACCOUNT: &str = "000000000000";

/// Between two times that the servers forget what was asked of them: they keep it for tests, and this may run for weeks.
const FORGET: Duration = Duration::from_secs(60);

/// Arguments of `local`.
#[derive(Debug, Args)]
pub(crate) struct LocalArgs {
    /// Port of the source's S3 server; the destination's has the next one. 0: any two
    #[arg(long, value_name = "PORT", default_value_t = 9100)]
    pub(crate) s3_port: u16,
    /// Port of the Step Functions API. 0: any
    #[arg(long, value_name = "PORT", default_value_t = 8083)]
    pub(crate) sfn_port: u16,
    /// Rules instead of the one that copies each new object: JSON, [{"Name", "EventPattern", "Targets"}]
    #[arg(long, value_name = "FILE")]
    rules: Option<PathBuf>,
    /// Runs what a template deploys instead: cdk.out/STACK.template.json, with one S3 server for each of its locations
    #[arg(long, value_name = "FILE", conflicts_with = "rules")]
    from_template: Option<PathBuf>,
}

/// Serves until it is interrupted, then ends in order: nothing new, then what runs, which is kept, then the places that it
/// reads and writes.
pub(crate) async fn run(args: LocalArgs, global: &Global) -> Outcome {
    if let Some(file) = &args.from_template {
        return template::run(file, &args, global).await;
    }
    let custom = args.rules.as_deref().map(read_rules).transpose()?;
    let home = global.home()?;
    // The home first: its servers' files are not to be touched while another process serves there.
    let owner = home.own()?;
    let mut stop = Stop::new()?;
    let (sender, events) = unbounded_channel();
    let places = places(&args, &home, sender).await?;
    let own_rule = custom.is_none();
    let rules = custom.map_or_else(|| checked(vec![default_rule(&places)]), Ok)?;
    let settings =
        WorkerSettings { locations: places.locations.clone(), inherit: Vec::new(), env: Vec::new() };
    let machine = Machine::open_in(&home, owner, &settings).await?;
    let news = machine.engine.subscribe();
    let (tell, told) = unbounded_channel();
    let bus = Bus::start(machine.engine.clone(), rules, events, tell);
    let (id, secret) = places.global.key.clone();
    let scene = Scene {
        voice: Voice::new(global.json(), None),
        servers: vec![&places.global.server, &places.china.server],
        key: Key::new(id, secret),
        region: REGION,
        port: args.sfn_port,
    };
    let welcome = |endpoint: &str| {
        let welcome = Welcome::new(&places, endpoint, own_rule);
        (welcome.json(), welcome.text())
    };
    let feed = Feed { news, told, stop: &mut stop };
    let served = serve(scene, machine.engine.clone(), welcome, feed).await;
    let end = async {
        bus.end().await;
        let ended = machine.shutdown().await;
        places.end(true).await;
        served.and(ended)
    };
    tokio::select! {
        ended = end => ended,
        // Whoever asks twice does not want to wait. The database is whole at every moment.
        () = stop.wait() => Err(CliError::new(Exit::Interrupted, "interrupted while it was ending")),
    }
}

fn read_rules(path: &std::path::Path) -> Outcome<Rules> {
    let refuse = |why: String| CliError::usage(format!("--rules {}: {why}", path.display()));
    let text = std::fs::read_to_string(path).map_err(|e| refuse(e.to_string()))?;
    let rules: Vec<Rule> = serde_json::from_str(&text).map_err(|e| refuse(e.to_string()))?;
    let machine = |arn: &str| arn.starts_with("arn:aws:states:") && arn.contains(":stateMachine:");
    if let Some(target) = rules.iter().flat_map(|rule| &rule.targets).find(|target| !machine(&target.arn)) {
        return Err(refuse(format!("Arn: expected a state machine's, found {}", target.arn)));
    }
    checked(rules).map_err(|error| refuse(error.to_string()))
}

fn checked(rules: Vec<Rule>) -> Outcome<Rules> {
    Rules::new(rules, REGION, ACCOUNT).map_err(|error| CliError::usage(error.to_string()))
}

async fn places(args: &LocalArgs, home: &Home, sender: UnboundedSender<Value>) -> Outcome<Places> {
    let second = if args.s3_port == 0 { Some(0) } else { args.s3_port.checked_add(1) };
    let second =
        second.ok_or_else(|| CliError::usage("--s3-port: expected a port with another one behind it"))?;
    let folder = home.path().join("local");
    std::fs::create_dir_all(&folder).map_err(|e| CliError::trouble(folder.display(), e))?;
    // The bus may be gone before the servers.
    let tell = move |event| drop(sender.send(event));
    let settings = Settings { ports: [args.s3_port, second], subscriber: Some(Arc::new(tell)) };
    Places::start_in(&folder, &settings)
        .await
        .map_err(|error| error.hint("choose a port with --s3-port, or 0 for any"))
}

/// What is served, and how it is told of.
pub(crate) struct Scene<'a> {
    pub(crate) voice: Voice,
    /// The S3 servers.
    pub(crate) servers: Vec<&'a strict_s3::Server>,
    /// Of the Step Functions API.
    pub(crate) key: Key,
    /// Of the Step Functions API.
    pub(crate) region: &'a str,
    /// Of the Step Functions API.
    pub(crate) port: u16,
}

/// What happens meanwhile.
pub(crate) struct Feed<'a> {
    pub(crate) news: Receiver<Notification>,
    pub(crate) told: UnboundedReceiver<Told>,
    pub(crate) stop: &'a mut Stop,
}

/// Serves the API, and says what happens, until it is time to stop. The welcome is made with the API's URL.
pub(crate) async fn serve(
    scene: Scene<'_>,
    engine: Engine,
    welcome: impl FnOnce(&str) -> (Value, String),
    mut feed: Feed<'_>,
) -> Outcome {
    let Scene { voice, servers, key, region, port } = scene;
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let api = Server::builder(engine).key(key).region(region).address(address).start().await;
    let api = api.map_err(|error| {
        CliError::trouble("Step Functions API", error).hint("choose a port with --sfn-port, or 0 for any")
    })?;
    let (json, text) = welcome(&api.endpoint());
    let mut shown = voice.say(&json, || text);
    let mut forget = tokio::time::interval(FORGET);
    while shown.is_ok() {
        shown = tokio::select! {
            () = feed.stop.wait() => break,
            Some(told) = feed.told.recv() => voice.say(&told.json(), || format!("{told}\n")),
            news = feed.news.recv() => news.map_or(Ok(()), |news| voice.tell(&news)),
            _ = forget.tick() => {
                servers.iter().for_each(|server| server.clear_requests());
                Ok(())
            }
        };
    }
    api.shutdown().await;
    shown
}

/// Ctrl-C, or a service manager's request. Listened for from the start on, so that none comes too early.
pub(crate) struct Stop {
    interrupt: Signal,
    terminate: Signal,
}

impl Stop {
    pub(crate) fn new() -> Outcome<Self> {
        let on = |kind| signal(kind).map_err(|e| CliError::trouble("signals", e));
        Ok(Self { interrupt: on(SignalKind::interrupt())?, terminate: on(SignalKind::terminate())? })
    }

    pub(crate) async fn wait(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}
