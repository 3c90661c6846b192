//! `transload report`: what a transfer took, part by part.

use clap::Args;

use super::sync::{reported, shown};
use super::{alone, print, print_json};
use crate::Global;
use crate::archive::{self, Packing, Unpacking};
use crate::exit::Outcome;
use crate::report;
use crate::summary;
use crate::sync;
use crate::view::View;

/// Arguments of `report`.
#[derive(Debug, Args)]
pub(crate) struct ReportArgs {
    /// Name or ARN of the execution
    #[arg(value_name = "EXECUTION")]
    execution: String,
    /// Without the lines of the parts
    #[arg(long)]
    summary: bool,
}

/// Reports.
pub(crate) async fn run(args: ReportArgs, global: &Global) -> Outcome {
    let view = View::open(global).await?;
    let arn = view.execution_arn(&args.execution).await?;
    if sync::is_arn(&arn) {
        return shown(&reported(&view, &arn, global).await?, global);
    }
    if archive::is_packing(&arn) {
        return alone::report::<Packing>(&view, &arn, global).await;
    }
    if archive::is_unpacking(&arn) {
        return alone::report::<Unpacking>(&view, &arn, global).await;
    }
    let report = report::read(&view, &arn).await?;
    if global.json() {
        return print_json(&report);
    }
    let mut text = summary::lines(&report);
    if !args.summary && !report.part_records.is_empty() {
        text.push('\n');
        text.push_str(&summary::parts(&report));
    }
    print(&text)
}
