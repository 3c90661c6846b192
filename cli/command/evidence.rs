//! `transload evidence`: everything that is known of an execution, in one file.

use std::path::PathBuf;

use clap::Args;

use super::{print, print_json};
use crate::Global;
use crate::evidence::{Packed, pack};
use crate::exit::Outcome;
use crate::table::pairs;
use crate::units;
use crate::view::View;

/// Arguments of `evidence`.
#[derive(Debug, Args)]
pub(crate) struct EvidenceArgs {
    /// Name or ARN of an execution that is over
    #[arg(value_name = "EXECUTION")]
    execution: String,
    /// File to write; nothing may be there [default: ./NAME.evidence.tar]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// Makes the pack.
pub(crate) async fn run(args: EvidenceArgs, global: &Global) -> Outcome {
    let view = View::open(global).await?;
    let arn = view.execution_arn(&args.execution).await?;
    let name = arn.rsplit(':').next().unwrap_or(&arn);
    let out = args.out.unwrap_or_else(|| PathBuf::from(format!("{name}.evidence.tar")));
    let packed = pack(&view, &global.home()?, &arn, &out).await?;
    if global.json() { print_json(&packed) } else { print(&render(&packed)) }
}

fn render(packed: &Packed) -> String {
    let files = units::count(packed.files as u64, "file", "files");
    let mut rows = vec![
        ("pack", packed.pack.clone()),
        ("execution", format!("{}  {}", packed.execution_arn, packed.status)),
        ("holds", format!("{files}, {}", units::size(packed.size))),
    ];
    rows.extend(
        packed.missing.iter().map(|missing| ("without", format!("{}: {}", missing.what, missing.why))),
    );
    rows.push(("SHA-256", packed.sha256.clone()));
    pairs(&rows)
}
