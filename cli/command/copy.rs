//! `transload copy`: one object from one place to another.

use std::path::{Path, PathBuf};

use clap::Args;
use stepfunctions_local::{ListExecutions, Status};
use transload_wire::{TransferRequest, VersionId};

use super::{machine_of, see_deployed, see_through};
use crate::Global;
use crate::deployed::Deployed;
use crate::exit::{CliError, Outcome};
use crate::home::Home;
use crate::locations::{self, Known};
use crate::machine::Machine;
use crate::options::{OptionFlags, tell_window};
use crate::place::Place;
use crate::url::{From, Kept, keep, with_query};
use crate::view::{View, machine_arn};

/// Arguments of `copy`.
#[derive(Debug, Args)]
pub(crate) struct CopyArgs {
    /// LOCATION:s3://BUCKET/KEY or https://HOST/PATH to read
    #[arg(required_unless_present = "input", value_name = "SOURCE")]
    source: Option<From>,
    /// LOCATION:s3://BUCKET/KEY to write; without a key, the source's (of a URL: its last name)
    #[arg(required_unless_present = "input", value_name = "DESTINATION")]
    destination: Option<Place>,
    /// Version of the source [default: the newest]
    #[arg(long, value_name = "ID")]
    version_id: Option<VersionId>,
    /// An execution's input as JSON instead of places and flags; `-` reads standard input
    #[arg(long, value_name = "FILE", conflicts_with_all = ["source", "destination", "version_id", "follow_deletions", "OptionFlags", "ThawFlags"])]
    input: Option<PathBuf>,
    /// Name of the execution [default: one is made]
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Delete the destination if the source is gone, and it was copied from there
    #[arg(long, conflicts_with_all = ["version_id", "overwrite"])]
    follow_deletions: bool,
    #[command(flatten)]
    options: OptionFlags,
}

/// Starts the execution and follows it.
pub(crate) async fn run(args: CopyArgs, global: &Global) -> Outcome {
    let name = args.name.clone();
    if let Some(stack) = &global.stack {
        let deployed = Deployed::open(stack).await?;
        // Which locations there are, the deployed functions know.
        let (input, _) = input(args, None)?;
        let arn = deployed.start(&name.unwrap_or_else(|| new_name("copy")), input).await?;
        return see_deployed(&View::Deployed(deployed), &arn, global).await;
    }
    let known = locations::read(global.locations.as_deref())?;
    let (input, kept) = input(args, Some((&known, &global.home()?)))?;
    let machine = machine_of(global, known).await?;
    let arn = match &name {
        Some(name) => machine.start(name, input).await?,
        None => match running(&machine, &input).await? {
            Some(arn) => arn,
            None => machine.start(&new_name("copy"), input).await?,
        },
    };
    see_through(machine, &arn, global).await?;
    // Whatever else an execution ends with can be redriven.
    if let Some(kept) = kept {
        kept.remove();
    }
    Ok(())
}

/// A name that sorts by time: `copy-20261121-110812-3f9a`.
pub(crate) fn new_name(kind: &str) -> String {
    let now = stepfunctions_local::Timestamp::from(std::time::SystemTime::now()).to_rfc3339();
    let digits: String = now.chars().filter(char::is_ascii_digit).take(14).collect();
    let (day, time) = digits.split_at(8.min(digits.len()));
    let random: u16 = rand::random();
    format!("{kind}-{day}-{time}-{random:04x}")
}

/// An execution's input as a file has it; `-` is standard input.
pub(super) fn read_input(path: &Path) -> Outcome<String> {
    let text = match path.to_str() {
        Some("-") => std::io::read_to_string(std::io::stdin()),
        _ => std::fs::read_to_string(path),
    };
    text.map_err(|e| CliError::usage(format!("--input {}: {e}", path.display())))
}

/// The execution's input: the file as it is, or what the arguments say; and where the query of its URL is kept.
fn input(args: CopyArgs, here: Option<(&Known, &Home)>) -> Outcome<(String, Option<Kept>)> {
    if let Some(path) = args.input {
        return Ok((read_input(&path)?, None));
    }
    let missing = || CliError::usage("expected SOURCE and DESTINATION, or --input FILE");
    let mut source = args.source.ok_or_else(missing)?.source(args.version_id).map_err(CliError::usage)?;
    let destination = args.destination.ok_or_else(missing)?.destination(&source).map_err(CliError::usage)?;
    let mut options = args.options.resolve().map_err(CliError::usage)?;
    options.delete = args.follow_deletions;
    tell_window(&options);
    let request = |source| TransferRequest {
        source,
        destination: destination.clone(),
        options: options.clone(),
        expect: None,
        route: None,
        run: None,
        event: None,
    };
    let asked = request(source.clone());
    asked.check()?;
    let Some((known, home)) = here else { return Ok((with_query(&asked)?, None)) };
    if let Some(location) = source.location() {
        known.require(location)?;
    }
    known.require(&destination.location)?;
    let kept = keep(&mut source, home)?;
    let input = serde_json::to_string(&request(source)).map_err(|e| CliError::trouble("input", e))?;
    Ok((input, kept))
}

/// An execution of this very input that an interrupted process left running: the same command goes on with it.
async fn running(machine: &Machine, input: &str) -> Outcome<Option<String>> {
    let list = ListExecutions {
        state_machine_arn: Some(machine_arn()),
        status_filter: Some(Status::Running),
        max_results: Some(1_000),
        ..ListExecutions::default()
    };
    for found in machine.engine.list_executions(list).await?.items {
        let described = machine.engine.describe_execution(&found.execution_arn).await?;
        if described.input == input {
            eprintln!("going on with {}, which was interrupted", found.name);
            return Ok(Some(found.execution_arn));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::new_name;

    #[test]
    fn names_keep_to_what_executions_allow() {
        let name = new_name("copy");
        assert_eq!(name.len(), "copy-20261121-110812-3f9a".len());
        assert!(name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-'), "{name}");
    }
}
