//! Executions that are told by their own history alone: followed, and reported.

use std::time::Duration;

use super::{interrupted, print, print_json};
use crate::Global;
use crate::archive::{Alone, read};
use crate::exit::{CliError, Exit, Outcome};
use crate::follow;
use crate::machine::Machine;
use crate::progress::Progress;
use crate::summary::message;
use crate::view::View;
use crate::watch::{self, watch};

/// Between two looks at a machine of this process.
const LOOK: Duration = Duration::from_millis(200);

/// Follows an execution, ends the machine, and prints how it went.
pub(super) async fn see_through<A: Alone>(machine: Machine, arn: &str, global: &Global) -> Outcome {
    let view = View::of(&machine.engine);
    let mut progress = Progress::new(false);
    if let follow::Ended::Interrupted = watch::<A::Story>(&view, arn, LOOK, &mut progress).await? {
        return interrupted(machine, arn).await;
    }
    let found: A = read(&view, arn).await?;
    machine.shutdown().await?;
    told(&found, global)
}

/// Follows an execution of a deployed machine, and prints how it went.
pub(super) async fn see_deployed<A: Alone>(view: &View, arn: &str, global: &Global) -> Outcome {
    let name = arn.rsplit(':').next().unwrap_or(arn);
    eprintln!("{name}");
    let mut progress = Progress::new(false);
    if let follow::Ended::Interrupted = watch::<A::Story>(view, arn, watch::LOOK, &mut progress).await? {
        let message = format!("{name} goes on without being watched");
        return Err(CliError::new(Exit::Interrupted, message)
            .hint(format!("look at it with: transload report {name}")));
    }
    told(&read::<A>(view, arn).await?, global)
}

/// Prints how an execution went, or stands.
pub(super) async fn report<A: Alone>(view: &View, arn: &str, global: &Global) -> Outcome {
    shown(&read::<A>(view, arn).await?, global)
}

fn told(found: &impl Alone, global: &Global) -> Outcome {
    shown(found, global)?;
    verdict(found)
}

fn shown(found: &impl Alone, global: &Global) -> Outcome {
    if global.json() { print_json(found) } else { print(&found.lines()) }
}

/// Success or the execution's failure.
fn verdict<A: Alone>(found: &A) -> Outcome {
    let ended = found.ended();
    if ended.error.as_deref() == Some(super::pause::PAUSED) {
        return Err(super::paused(&ended.name));
    }
    let error = match ended.status.as_str() {
        "SUCCEEDED" => return Ok(()),
        status => ended.error.clone().unwrap_or_else(|| status.to_owned()),
    };
    let cause = message(ended.cause.as_deref().unwrap_or_default());
    let failed = CliError::new(Exit::Failed, format!("the {} failed: {error}: {cause}", A::WHAT));
    let next = if ended.redrivable {
        format!("transload redrive {}", ended.name)
    } else {
        "the same command again; this execution is over".to_owned()
    };
    Err(failed.hint(format!("what happened: transload history {}\n  once it is mended:  {next}", ended.name)))
}
