//! `transload uploads`: open uploads at destinations, and the sweep of those that nobody needs.

use std::time::{Duration, SystemTime};

use clap::Args;
use serde_json::json;
use stepfunctions_local::Timestamp;
use transload_store::location::ConfiguredStores;

use super::{print, print_json};
use crate::Global;
use crate::exit::{CliError, Outcome};
use crate::locations;
use crate::place::Place;
use crate::table::{Side, Table};
use crate::units::{count, parse_age};
use crate::uploads::{self, Open, Standing, seconds_text};
use crate::view::View;

/// Arguments of `uploads`.
#[derive(Debug, Args)]
pub(crate) struct UploadsArgs {
    /// Where to look [default: all buckets that executions wrote to]
    #[arg(value_name = "LOCATION:s3://BUCKET/PREFIX")]
    place: Option<Place>,
    /// Only uploads that were begun longer ago
    #[arg(long, value_parser = parse_age, value_name = "AGE")]
    older_than: Option<Duration>,
    /// Release those that no execution will go on with
    #[arg(long)]
    abort: bool,
    /// Release parked ones too: their executions, if they are redriven, begin with new uploads
    #[arg(long, requires = "abort")]
    parked: bool,
}

/// Lists them, and releases what it is asked to.
pub(crate) async fn run(args: UploadsArgs, global: &Global) -> Outcome {
    let known = locations::read(global.locations.as_deref())?;
    let stores = ConfiguredStores::from_file(&known.file)?;
    let view = View::open(global).await?;
    let mut open = uploads::find(&view, &stores, args.place.as_ref()).await?;
    if let Some(age) = args.older_than {
        let now = Timestamp::from(SystemTime::now()).plus_seconds(-age.as_secs_f64());
        let before = seconds_text(now.millis() as f64 / 1000.0);
        open.retain(|upload| upload.initiated < before);
    }
    let failures = if args.abort { sweep(&view, &stores, &mut open, args.parked).await } else { Vec::new() };
    if global.json() {
        print_json(&json!({ "uploads": open }))?;
    } else {
        print(&render(&open, args.abort))?;
    }
    match failures.first() {
        None => Ok(()),
        Some(first) => Err(CliError::trouble(
            format!("{} could not be released", count(failures.len() as u64, "upload", "uploads")),
            first,
        )),
    }
}

/// Releases what nobody needs. One that can not be released keeps the others from nothing.
async fn sweep(view: &View, stores: &ConfiguredStores, open: &mut [Open], parked: bool) -> Vec<String> {
    let mut failures = Vec::new();
    for upload in open {
        let wanted = match upload.standing {
            Standing::Left => true,
            Standing::Parked { .. } => parked,
            Standing::Running | Standing::Unknown => false,
        };
        if !wanted {
            continue;
        }
        match uploads::abort(view, stores, upload).await {
            Ok(aborted) => upload.aborted = aborted,
            Err(error) => failures.push(format!("{} ({}): {error}", upload.destination, upload.upload_id)),
        }
    }
    failures
}

fn render(open: &[Open], swept: bool) -> String {
    if open.is_empty() {
        return "no open uploads\n".to_owned();
    }
    let columns = ["destination", "begun", "standing", "execution"];
    let mut table = Table::new(&columns.map(|name| (name, Side::Left)));
    for upload in open {
        let name = upload.execution.as_deref().and_then(|arn| arn.rsplit(':').next());
        table.row([
            upload.destination.to_string(),
            upload.initiated.get(..19).unwrap_or(&upload.initiated).replace('T', " "),
            if upload.aborted { "released".to_owned() } else { upload.standing.shown() },
            name.unwrap_or_default().to_owned(),
        ]);
    }
    let left = open.iter().filter(|upload| upload.standing == Standing::Left).count();
    let hint = if !swept && left > 0 {
        format!(
            "\n{} nobody will go on with; release with --abort\n",
            count(left as u64, "upload that", "uploads that")
        )
    } else {
        String::new()
    };
    table.render() + &hint
}
