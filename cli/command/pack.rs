//! `transload pack`: a tree of files or objects in one archive.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use transload_pack::{PackOptions, PackRequest};
use transload_wire::{ArchiveFormat, Destination, ObjectKey, Tree};

use super::alone;
use super::copy::read_input;
use crate::Global;
use crate::archive::Packing;
use crate::exit::{CliError, Outcome};
use crate::locations::Known;
use crate::options::OptionFlags;
use crate::place::Place;

/// Arguments of `pack`.
#[derive(Debug, Args)]
pub(crate) struct PackArgs {
    /// LOCATION:s3://BUCKET/PREFIX or LOCATION:ROOT/PREFIX to pack
    #[arg(required_unless_present = "input", value_name = "SOURCE")]
    source: Option<Place>,
    /// LOCATION:s3://BUCKET/KEY to write; `{date}` and `{time}` in the key stand for the start, in UTC
    #[arg(required_unless_present = "input", value_name = "ARCHIVE")]
    destination: Option<Place>,
    /// An execution's input as JSON instead of places and flags; `-` reads standard input
    #[arg(long, value_name = "FILE", conflicts_with_all = ["source", "destination", "format", "level", "include", "exclude", "OptionFlags", "ThawFlags"])]
    input: Option<PathBuf>,
    /// Name of the execution, behind `pack-` [default: one is made]
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// What is written [default: by the end of the archive's key: .tar, .tar.gz or .tar.zst]
    #[arg(long, value_enum, value_name = "FORMAT")]
    format: Option<FormatFlag>,
    /// Level of the compression: 1 to 9 for gzip [default: 6], 1 to 19 for Zstandard [default: 3]
    #[arg(long, value_name = "N")]
    level: Option<u32>,
    /// Only keys that match, relative to the prefix, with `*`, `**` and `?`; may be repeated
    #[arg(long, value_name = "PATTERN")]
    include: Vec<String>,
    /// No keys that match; may be repeated
    #[arg(long, value_name = "PATTERN")]
    exclude: Vec<String>,
    #[command(flatten)]
    options: OptionFlags,
}

/// What is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum FormatFlag {
    /// Not compressed
    Tar,
    /// gzip
    #[value(name = "tar.gz")]
    Gzip,
    /// Zstandard
    #[value(name = "tar.zst")]
    Zstd,
}

/// Starts the execution and follows it.
pub(crate) async fn run(args: PackArgs, global: &Global) -> Outcome {
    let name = args.name.clone();
    alone::run::<Packing>(name, |known| input(args, known), global).await
}

fn input(args: PackArgs, known: Option<&Known>) -> Outcome<String> {
    if let Some(path) = args.input {
        return read_input(&path);
    }
    let missing = || CliError::usage("expected SOURCE and ARCHIVE, or --input FILE");
    let (source, destination) = (args.source.ok_or_else(missing)?, args.destination.ok_or_else(missing)?);
    let (location, bucket) = source.bucket();
    let request = PackRequest {
        source: Tree { location, bucket, prefix: source.end().prefix },
        destination: archive(&destination)?,
        options: args.options.resolve().map_err(CliError::usage)?,
        pack: PackOptions {
            format: args.format.map(FormatFlag::resolve),
            level: args.level,
            include: args.include,
            exclude: args.exclude,
        },
        route: None,
    };
    if let Some(known) = known {
        known.require(&request.source.location)?;
        known.require(&request.destination.location)?;
    }
    serde_json::to_string(&request).map_err(|e| CliError::trouble("input", e))
}

fn archive(place: &Place) -> Outcome<Destination> {
    let (location, bucket) = place.bucket();
    let key: ObjectKey = place.end().prefix.parse().map_err(|_| {
        CliError::usage(format!(
            "ARCHIVE: expected LOCATION:s3://BUCKET/KEY, found no key behind bucket {bucket}"
        ))
    })?;
    Ok(Destination { location, bucket, key })
}

impl FormatFlag {
    const fn resolve(self) -> ArchiveFormat {
        match self {
            Self::Tar => ArchiveFormat::Tar,
            Self::Gzip => ArchiveFormat::Gzip,
            Self::Zstd => ArchiveFormat::Zstd,
        }
    }
}
