//! `transload unpack`: what an archive holds, as files or objects.

use std::path::PathBuf;

use clap::Args;
use transload_unpack::{UnpackOptions, UnpackRequest};
use transload_wire::{Tree, VersionId};

use super::alone;
use super::copy::read_input;
use crate::Global;
use crate::archive::Unpacking;
use crate::exit::{CliError, Outcome};
use crate::locations::Known;
use crate::options::OptionFlags;
use crate::place::Place;

/// Arguments of `unpack`.
#[derive(Debug, Args)]
pub(crate) struct UnpackArgs {
    /// LOCATION:s3://BUCKET/KEY of a tar, plain or compressed with gzip or Zstandard
    #[arg(required_unless_present = "input", value_name = "ARCHIVE")]
    source: Option<Place>,
    /// LOCATION:s3://BUCKET/PREFIX or LOCATION:ROOT/PREFIX to write into: names stand behind the prefix as they are
    #[arg(required_unless_present = "input", value_name = "DESTINATION")]
    destination: Option<Place>,
    /// Version of the archive [default: the newest]
    #[arg(long, value_name = "ID")]
    version_id: Option<VersionId>,
    /// An execution's input as JSON instead of places and flags; `-` reads standard input
    #[arg(long, value_name = "FILE", conflicts_with_all = ["source", "destination", "version_id", "include", "exclude", "OptionFlags", "ThawFlags"])]
    input: Option<PathBuf>,
    /// Name of the execution, behind `unpack-` [default: one is made]
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Only names that match, with `*`, `**` and `?`; may be repeated
    #[arg(long, value_name = "PATTERN")]
    include: Vec<String>,
    /// No names that match; may be repeated
    #[arg(long, value_name = "PATTERN")]
    exclude: Vec<String>,
    #[command(flatten)]
    options: OptionFlags,
}

/// Starts the execution and follows it.
pub(crate) async fn run(args: UnpackArgs, global: &Global) -> Outcome {
    let name = args.name.clone();
    alone::run::<Unpacking>(name, |known| input(args, known), global).await
}

fn input(args: UnpackArgs, known: Option<&Known>) -> Outcome<String> {
    if let Some(path) = args.input {
        return read_input(&path);
    }
    let missing = || CliError::usage("expected ARCHIVE and DESTINATION, or --input FILE");
    let source = args.source.ok_or_else(missing)?.source(args.version_id).map_err(CliError::usage)?;
    let destination = args.destination.ok_or_else(missing)?;
    let (location, bucket) = destination.bucket();
    let request = UnpackRequest {
        source,
        destination: Tree { location, bucket, prefix: destination.end().prefix },
        options: args.options.resolve().map_err(CliError::usage)?,
        unpack: UnpackOptions { format: None, include: args.include, exclude: args.exclude },
        route: None,
    };
    if let Some(known) = known {
        if let Some(location) = request.source.location() {
            known.require(location)?;
        }
        known.require(&request.destination.location)?;
    }
    serde_json::to_string(&request).map_err(|e| CliError::trouble("input", e))
}
