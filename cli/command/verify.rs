//! `transload verify`: whether a pack holds, and whether the destination still is what it says.

use std::path::PathBuf;

use clap::Args;

use super::{print, print_json};
use crate::Global;
use crate::evidence::{Judgement, Look, Verdict, verify};
use crate::exit::{CliError, Exit, Outcome};
use crate::locations;
use crate::table::{Side, Table};

/// Arguments of `verify`.
#[derive(Debug, Args)]
pub(crate) struct VerifyArgs {
    /// File that `transload evidence` wrote
    #[arg(value_name = "PACK")]
    pack: PathBuf,
    /// Do not look at the destination
    #[arg(long)]
    offline: bool,
    /// Read every byte of what stands at the destination, where the pack tells a checksum of it
    #[arg(long, conflicts_with = "offline")]
    read: bool,
    /// Fail unless every object stands at the destination as it was written
    #[arg(long, conflicts_with = "offline")]
    same: bool,
}

/// Judges the pack.
pub(crate) async fn run(args: VerifyArgs, global: &Global) -> Outcome {
    if let Err(error) = args.pack.metadata() {
        return Err(CliError::usage(format!("{}: {error}", args.pack.display())));
    }
    let judgement = verify(&args.pack, look(&args, global)?).await?;
    if global.json() {
        print_json(&judgement)?;
    } else {
        print(&render(&judgement))?;
    }
    let file = args.pack.display();
    if !judgement.holds {
        return Err(CliError::new(Exit::Failed, format!("{file}: it does not hold")));
    }
    let all_same = judgement.destination.as_ref().is_some_and(|found| found.replaced + found.gone == 0);
    if args.same && !all_same {
        return Err(CliError::new(Exit::Failed, format!("{file}: the destination is not as it was written")));
    }
    Ok(())
}

/// With the locations that were named; without any file of them the look is left out, and said so.
fn look(args: &VerifyArgs, global: &Global) -> Outcome<Look> {
    if args.offline {
        return Ok(Look::Not("--offline".to_owned()));
    }
    match locations::read(global.locations.as_deref()) {
        Ok(known) => Ok(Look::At { locations: known.file, read: args.read }),
        Err(error) if global.locations.is_some() || args.read || args.same => Err(error),
        Err(error) => Ok(Look::Not(error.to_string().replace('\n', ";"))),
    }
}

fn render(judgement: &Judgement) -> String {
    let mut table = Table::new(&[("check", Side::Left), ("", Side::Left), ("found", Side::Left)]);
    for check in &judgement.checks {
        let verdict = match check.verdict {
            Verdict::Ok => "ok",
            Verdict::Failed => "FAILED",
            Verdict::NotChecked => "not checked",
        };
        table.row([check.check.to_owned(), verdict.to_owned(), check.detail.clone()]);
    }
    for missing in &judgement.missing {
        table.row([
            "missing".to_owned(),
            "not in it".to_owned(),
            format!("{}: {}", missing.what, missing.why),
        ]);
    }
    let sha256 = judgement.sha256.as_deref().map(|sha256| format!("SHA-256  {sha256}\n")).unwrap_or_default();
    format!("{}\n{sha256}", table.render())
}
