//! The command line: raw arguments, then one file per command.

mod api;
mod archive;
mod bus;
mod children;
mod command;
mod console;
mod control;
mod definition;
mod demo;
mod deployed;
mod doctor;
#[cfg(test)]
mod documents;
mod ended;
mod evidence;
mod exit;
mod follow;
mod home;
mod import;
mod lambda;
mod locations;
mod machine;
mod options;
mod place;
mod places;
mod progress;
mod stack;
mod summary;
mod sync;
mod table;
mod template;
mod thaw;
mod times;
mod units;
mod uploads;
mod url;
mod view;
mod voice;
mod watch;
mod welcome;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand, ValueEnum};

use command::{
    console as console_command, copy, describe, evidence as evidence_command, executions, history, local,
    pack as pack_command, pause, plan as plan_command, redrive, report as report_command, resume, stop,
    sync as sync_command, tune, unpack as unpack_command, uploads as uploads_command, verify, worker,
};
use exit::{CliError, Outcome};
use home::Home;
use transload_browse::{report, story};

/// Moves S3 objects of any size between places that cannot replicate to each other.
#[derive(Parser)]
#[command(name = "transload", version, about, after_help = exit::HELP)]
struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

/// What every command takes.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Everywhere")]
pub(crate) struct Global {
    /// Folder of executions, results and logs [default: ~/.local/share/transload]
    #[arg(long, global = true, env = "TRANSLOAD_HOME", hide_env_values = true, value_name = "FOLDER")]
    home: Option<PathBuf>,
    /// Locations file [default: ./transload.toml, then ~/.config/transload/locations.toml]
    #[arg(
        long,
        global = true,
        env = "TRANSLOAD_LOCATIONS_FILE",
        hide_env_values = true,
        value_name = "FILE"
    )]
    locations: Option<PathBuf>,
    /// The machine of this CloudFormation stack (or of this ARN) instead of this computer's
    #[arg(long, global = true, env = "TRANSLOAD_STACK", hide_env_values = true, value_name = "NAME")]
    stack: Option<String>,
    /// How answers are printed
    #[arg(long, global = true, value_enum, default_value_t = Format::Table, value_name = "FORMAT")]
    output: Format,
}

/// How answers are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people
    Table,
    /// For programs: the API's own shapes where there are any
    Json,
}

impl Global {
    pub(crate) fn home(&self) -> Outcome<Home> {
        Home::resolve(self.home.as_deref())
    }

    pub(crate) fn json(&self) -> bool {
        self.output == Format::Json
    }
}

#[derive(Subcommand)]
enum Command {
    /// Show everything on this machine alone: two S3 servers, one object, one transfer
    Demo(demo::DemoArgs),
    /// Serve S3 places and the Step Functions API on this machine, with a rule that copies what is put
    Local(local::LocalArgs),
    /// Serve a page on this machine that shows transfers and steers them
    Console(console_command::ConsoleArgs),
    /// Copy an object
    Copy(Box<copy::CopyArgs>),
    /// Make one tree of keys like another: what is missing or differs is copied
    Sync(Box<sync_command::SyncArgs>),
    /// Tell what `sync` would do; nothing is written
    Plan(Box<plan_command::PlanArgs>),
    /// Pack a tree of files or objects into one archive: tar, tar.gz or tar.zst
    Pack(Box<pack_command::PackArgs>),
    /// Unpack an archive into files or objects
    Unpack(Box<unpack_command::UnpackArgs>),
    /// List executions
    Executions(executions::ExecutionsArgs),
    /// Tell where an execution stands
    Describe(describe::DescribeArgs),
    /// Show an execution's history
    History(history::HistoryArgs),
    /// Report on a transfer, part by part
    Report(report_command::ReportArgs),
    /// Pack everything that is known of an execution into one file, for an audit
    Evidence(evidence_command::EvidenceArgs),
    /// Check such a pack, and whether the destination still is what it says
    Verify(verify::VerifyArgs),
    /// Go on with a failed execution: only what is missing is sent
    Redrive(redrive::RedriveArgs),
    /// Pause a running execution: what was sent is kept, and `resume` goes on
    Pause(pause::PauseArgs),
    /// Go on with executions that were paused or interrupted
    Resume(resume::ResumeArgs),
    /// Stop a running execution
    Stop(stop::StopArgs),
    /// Change how many children of a running execution work at a time, and how many may fail
    Tune(tune::TuneArgs),
    /// List open uploads, and release those that nobody needs
    Uploads(uploads_command::UploadsArgs),
    /// Look for what would stand in a transfer's way: credentials, rights, Regions, clocks, configurations
    Doctor(doctor::DoctorArgs),
    /// Read settings, keys and the table of the systems before
    Import(import::ImportArgs),
    /// Serve one function's invocations (what the engine starts)
    #[command(hide = true)]
    Worker(worker::WorkerArgs),
}

impl Command {
    /// The name of a command that has no meaning for a deployed machine.
    fn local_only(&self) -> Option<&'static str> {
        match self {
            Self::Demo(_) => Some("demo"),
            Self::Local(_) => Some("local"),
            Self::Console(_) => Some("console"),
            Self::Import(_) => Some("import"),
            _ => None,
        }
    }
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    // A worker has a runtime of its own kind: one thread, as deployed.
    if let Command::Worker(args) = cli.command {
        return worker::run(&args);
    }
    match run(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(error.exit as u8)
        }
    }
}

fn run(cli: Cli) -> Outcome {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|e| CliError::trouble("threads", e))?;
    runtime.block_on(dispatch(cli.command, &cli.global))
}

async fn dispatch(command: Command, global: &Global) -> Outcome {
    if let (Some(_), Some(name)) = (&global.stack, command.local_only()) {
        return Err(CliError::usage(format!("--stack: {name} runs on this computer alone")));
    }
    match command {
        Command::Demo(args) => demo::run(args, global).await,
        Command::Local(args) => local::run(args, global).await,
        Command::Console(args) => console_command::run(args, global).await,
        Command::Copy(args) => copy::run(*args, global).await,
        Command::Sync(args) => sync_command::run(*args, global).await,
        Command::Plan(args) => plan_command::run(*args, global).await,
        Command::Pack(args) => pack_command::run(*args, global).await,
        Command::Unpack(args) => unpack_command::run(*args, global).await,
        Command::Executions(args) => executions::run(args, global).await,
        Command::Describe(args) => describe::run(args, global).await,
        Command::History(args) => history::run(args, global).await,
        Command::Report(args) => report_command::run(args, global).await,
        Command::Evidence(args) => evidence_command::run(args, global).await,
        Command::Verify(args) => verify::run(args, global).await,
        Command::Redrive(args) => redrive::run(args, global).await,
        Command::Pause(args) => pause::run(args, global).await,
        Command::Resume(args) => resume::run(args, global).await,
        Command::Stop(args) => stop::run(args, global).await,
        Command::Tune(args) => tune::run(args, global).await,
        Command::Uploads(args) => uploads_command::run(args, global).await,
        Command::Import(args) => import::run(args, global).await,
        Command::Doctor(args) => doctor::run(args, global).await,
        Command::Worker(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::Cli;
    use clap::CommandFactory;

    #[test]
    fn the_arguments_do_not_contradict_each_other() {
        Cli::command().debug_assert();
    }
}
