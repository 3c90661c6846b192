//! `transload describe`: where an execution stands, with its input and output.

use clap::Args;
use serde_json::Value;

use super::{print, print_json};
use crate::Global;
use crate::exit::Outcome;
use crate::summary::message;
use crate::table::pairs;
use crate::times;
use crate::view::{View, text};

/// Arguments of `describe`.
#[derive(Debug, Args)]
pub(crate) struct DescribeArgs {
    /// Name or ARN of the execution
    #[arg(value_name = "EXECUTION")]
    execution: String,
}

/// Describes it.
pub(crate) async fn run(args: DescribeArgs, global: &Global) -> Outcome {
    let view = View::open(global).await?;
    let described = view.describe(&view.execution_arn(&args.execution).await?).await?;
    if global.json() {
        return print_json(&described);
    }
    print(&render(&described))
}

fn render(described: &Value) -> String {
    let mut rows = vec![
        ("execution", text(described, "executionArn").to_owned()),
        ("status", text(described, "status").to_owned()),
        ("started", times::moment(&described["startDate"])),
        ("ended", times::moment(&described["stopDate"])),
        ("took", times::between(&described["startDate"], &described["stopDate"])),
        ("redrives", described["redriveCount"].to_string()),
        ("redrive", redrive(described)),
        ("error", text(described, "error").to_owned()),
        ("cause", message(text(described, "cause"))),
        ("input", text(described, "input").to_owned()),
        ("output", text(described, "output").to_owned()),
    ];
    rows.retain(|(_, value)| !value.is_empty());
    pairs(&rows)
}

fn redrive(described: &Value) -> String {
    let reason = text(described, "redriveStatusReason");
    let status = text(described, "redriveStatus");
    if reason.is_empty() { status.to_owned() } else { format!("{status}: {reason}") }
}
