//! `transload executions`: what was transferred, newest first.

use clap::{Args, ValueEnum};
use serde_json::{Value, json};
use stepfunctions_local::Status;

use super::{print, print_json};
use crate::Global;
use crate::exit::Outcome;
use crate::table::{Side, Table};
use crate::times;
use crate::view::{View, text};

/// Arguments of `executions`.
#[derive(Debug, Args)]
pub(crate) struct ExecutionsArgs {
    /// Only these
    #[arg(long, value_enum, value_name = "STATUS")]
    status: Option<StatusFlag>,
}

/// Where an execution stands.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum StatusFlag {
    Running,
    Succeeded,
    Failed,
    TimedOut,
    Aborted,
}

impl From<StatusFlag> for Status {
    fn from(flag: StatusFlag) -> Self {
        match flag {
            StatusFlag::Running => Self::Running,
            StatusFlag::Succeeded => Self::Succeeded,
            StatusFlag::Failed => Self::Failed,
            StatusFlag::TimedOut => Self::TimedOut,
            StatusFlag::Aborted => Self::Aborted,
        }
    }
}

/// Lists them.
pub(crate) async fn run(args: ExecutionsArgs, global: &Global) -> Outcome {
    let view = View::open(global).await?;
    let found = view.all_executions(args.status.map(Status::from)).await?;
    if global.json() {
        return print_json(&json!({ "executions": found }));
    }
    print(&render(&found))
}

fn render(found: &[Value]) -> String {
    let mut table = Table::new(&[
        ("name", Side::Left),
        ("status", Side::Left),
        ("started", Side::Left),
        ("took", Side::Right),
        ("redrives", Side::Right),
    ]);
    for execution in found {
        table.row([
            text(execution, "name").to_owned(),
            text(execution, "status").to_owned(),
            times::moment(&execution["startDate"]),
            times::between(&execution["startDate"], &execution["stopDate"]),
            execution["redriveCount"].to_string(),
        ]);
    }
    table.render()
}
