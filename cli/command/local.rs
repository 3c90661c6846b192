//! `transload local`: two S3 places, the Step Functions API, and a rule that starts the machine when an object is put.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use eventbridge_local::{Rule, Rules};
use serde_json::{Value, json};
use stepfunctions_http::{Key, Server};
use stepfunctions_local::{Engine, Notification, Status};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::broadcast::Receiver;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::print;
use crate::Global;
use crate::bus::{Bus, Told};
use crate::exit::{CliError, Exit, Outcome};
use crate::home::Home;
use crate::machine::{Machine, WorkerSettings};
use crate::places::{Places, Settings};
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
    s3_port: u16,
    /// Port of the Step Functions API. 0: any
    #[arg(long, value_name = "PORT", default_value_t = 8083)]
    sfn_port: u16,
    /// Rules instead of the one that copies each new object: JSON, [{"Name", "EventPattern", "Targets"}]
    #[arg(long, value_name = "FILE")]
    rules: Option<PathBuf>,
}

/// Serves until it is interrupted, then ends in order: nothing new, then what runs, which is kept, then the places that it
/// reads and writes.
pub(crate) async fn run(args: LocalArgs, global: &Global) -> Outcome {
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
    let scene = Scene { places: &places, own_rule, json: global.json() };
    let served = serve(&args, &scene, machine.engine.clone(), Feed { news, told, stop: &mut stop }).await;
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

/// What is shown, and how.
struct Scene<'a> {
    places: &'a Places,
    own_rule: bool,
    json: bool,
}

/// What happens meanwhile.
struct Feed<'a> {
    news: Receiver<Notification>,
    told: UnboundedReceiver<Told>,
    stop: &'a mut Stop,
}

/// Serves the API, and says what happens, until it is time to stop.
async fn serve(args: &LocalArgs, scene: &Scene<'_>, engine: Engine, mut feed: Feed<'_>) -> Outcome {
    let (id, secret) = scene.places.global.key.clone();
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, args.sfn_port));
    let api = Server::builder(engine).key(Key::new(id, secret)).region(REGION).address(address).start().await;
    let api = api.map_err(|error| {
        CliError::trouble("Step Functions API", error).hint("choose a port with --sfn-port, or 0 for any")
    })?;
    let welcome = Welcome::new(scene.places, &api.endpoint(), scene.own_rule);
    let mut shown = scene.say(welcome.json(), || welcome.text());
    let mut forget = tokio::time::interval(FORGET);
    while shown.is_ok() {
        shown = tokio::select! {
            () = feed.stop.wait() => break,
            Some(told) = feed.told.recv() => scene.say(told.json(), || format!("{told}\n")),
            news = feed.news.recv() => news.map_or(Ok(()), |news| scene.tell(&news)),
            _ = forget.tick() => {
                scene.places.global.server.clear_requests();
                scene.places.china.server.clear_requests();
                Ok(())
            }
        };
    }
    api.shutdown().await;
    shown
}

impl Scene<'_> {
    fn say(&self, json: Value, text: impl FnOnce() -> String) -> Outcome {
        if self.json { print(&format!("{json}\n")) } else { print(&text()) }
    }

    /// Children of Map Runs are not told of: there may be thousands.
    fn tell(&self, news: &Notification) -> Outcome {
        if news.map_run_arn.is_some() {
            return Ok(());
        }
        let (arn, status) = (&news.execution_arn, news.status);
        self.say(json!({"executionArn": arn, "status": status, "error": news.error}), || {
            let name = arn.rsplit(':').next().unwrap_or(arn);
            let error = news.error.as_ref().map(|error| format!(" {error}")).unwrap_or_default();
            let hint = if status == Status::Failed {
                format!("  (transload history {name})")
            } else {
                String::new()
            };
            format!("{name} {}{error}{hint}\n", status.as_str())
        })
    }
}

/// Ctrl-C, or a service manager's request. Listened for from the start on, so that none comes too early.
struct Stop {
    interrupt: Signal,
    terminate: Signal,
}

impl Stop {
    fn new() -> Outcome<Self> {
        let on = |kind| signal(kind).map_err(|e| CliError::trouble("signals", e));
        Ok(Self { interrupt: on(SignalKind::interrupt())?, terminate: on(SignalKind::terminate())? })
    }

    async fn wait(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}
