//! `transload import`: what the systems before knew, read once: their settings, their keys, their table.

mod credentials;
mod ignore;
mod ini;
mod settings;
mod table;

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::Global;
use crate::command::print;
use crate::exit::{CliError, Exit, Outcome};
use settings::{Given, Imported, Old};

/// Arguments of `import`.
#[derive(Debug, Args)]
pub(crate) struct ImportArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Make a deployment's config of a list of buckets, settings, and an ignore list
    Settings(SettingsArgs),
    /// Put the keys of the other account into a secret
    Credentials(credentials::CredentialsArgs),
    /// List what the old table says was done, and was not
    Table(table::TableArgs),
}

/// Arguments of `import settings`.
#[derive(Debug, Args)]
struct SettingsArgs {
    /// The old files, in any order: what each is shows in what it holds
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Region that is deployed to, where the own account's buckets are
    #[arg(long, value_name = "REGION")]
    region: String,
    /// Region of the other account's buckets [default: as the file of its keys says]
    #[arg(long, value_name = "REGION")]
    other_region: Option<String>,
    /// Name of the secret with the other account's keys
    #[arg(long, value_name = "NAME", default_value = "transload/other")]
    secret: String,
    /// Writes the config here [default: standard output]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Leaves out what routes can not do, instead of refusing all of it
    #[arg(long)]
    leave_out: bool,
}

/// Imports.
pub(crate) async fn run(args: ImportArgs, global: &Global) -> Outcome {
    match args.what {
        What::Settings(args) => import_settings(&args),
        What::Credentials(args) => credentials::run(args, global).await,
        What::Table(args) => table::run(args, global).await,
    }
}

fn import_settings(args: &SettingsArgs) -> Outcome {
    let mut old = Old::default();
    for file in &args.files {
        let place = file.display().to_string();
        let text =
            std::fs::read_to_string(file).map_err(|error| CliError::usage(format!("{place}: {error}")))?;
        old.add(&place, &text).map_err(CliError::usage)?;
    }
    let given =
        Given { region: &args.region, other_region: args.other_region.as_deref(), secret: &args.secret };
    let Imported { config, notes, left_out } = old.import(&given).map_err(CliError::usage)?;
    notes.iter().for_each(|note| eprintln!("not carried over: {note}"));
    left_out.iter().for_each(|one| eprintln!("left out: {one}"));
    if !left_out.is_empty() && !args.leave_out {
        let message = format!("{} settings have no place in routes; nothing was written", left_out.len());
        return Err(CliError::new(Exit::Usage, message).hint("--leave-out writes the rest"));
    }
    let text = serde_json::to_string_pretty(&config).map_err(|error| CliError::trouble("output", error))?;
    write(args, &format!("{text}\n"))
}

/// A file that is there is somebody's work.
fn write(args: &SettingsArgs, text: &str) -> Outcome {
    let Some(file) = &args.out else { return print(text) };
    let created = std::fs::OpenOptions::new().write(true).create_new(true).open(file);
    let mut created =
        created.map_err(|error| CliError::usage(format!("--out {}: {error}", file.display())))?;
    std::io::Write::write_all(&mut created, text.as_bytes())
        .map_err(|error| CliError::trouble(file.display(), error))
}
