//! Executions that are told by their own history alone: followed, and reported.

use std::time::Duration;

use super::copy::new_name;
use super::{interrupted, machine_of, print, print_json};
use crate::Global;
use crate::archive::{Alone, named, read};
use crate::deployed::Deployed;
use crate::ended::Ended;
use crate::exit::{CliError, Exit, Outcome};
use crate::follow;
use crate::locations::{self, Known};
use crate::machine::Machine;
use crate::progress::Progress;
use crate::summary::message;
use crate::view::View;
use crate::watch::{self, watch};

/// Between two looks at a machine of this process.
const LOOK: Duration = Duration::from_millis(200);

/// Starts an execution, here or of a deployed machine, and follows it. Which locations there are is known here alone: of a
/// deployed one the functions know.
pub(super) async fn run<A: Alone>(
    name: Option<String>,
    input: impl FnOnce(Option<&Known>) -> Outcome<String>,
    global: &Global,
) -> Outcome {
    let kind = A::PREFIX.trim_end_matches('-');
    let name = name.map_or_else(|| new_name(kind), |name| named(A::PREFIX, name));
    if let Some(stack) = &global.stack {
        let input = input(None)?;
        let deployed = Deployed::open(stack).await?;
        let arn = A::start_deployed(&deployed, &name, input).await?;
        return see_deployed::<A>(&View::Deployed(deployed), &arn, global).await;
    }
    let known = locations::read(global.locations.as_deref())?;
    let input = input(Some(&known))?;
    let machine = machine_of(global, known).await?;
    let arn = A::start(&machine, &name, input).await?;
    see_through::<A>(machine, &arn, global).await
}

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

fn told<A: Alone>(found: &A, global: &Global) -> Outcome {
    shown(found, global)?;
    verdict(found.ended(), A::WHAT)
}

fn shown(found: &impl Alone, global: &Global) -> Outcome {
    if global.json() { print_json(found) } else { print(&found.lines()) }
}

/// Success or the execution's failure: of a `what`.
pub(super) fn verdict(ended: &Ended, what: &str) -> Outcome {
    if ended.error.as_deref() == Some(super::pause::PAUSED) {
        return Err(super::paused(&ended.name));
    }
    let error = match ended.status.as_str() {
        "SUCCEEDED" => return Ok(()),
        status => ended.error.clone().unwrap_or_else(|| status.to_owned()),
    };
    let cause = message(ended.cause.as_deref().unwrap_or_default());
    let failed = CliError::new(Exit::Failed, format!("the {what} failed: {error}: {cause}"));
    let next = if ended.redrivable {
        format!("transload redrive {}", ended.name)
    } else {
        "the same command again; this execution is over".to_owned()
    };
    Err(failed.hint(format!("what happened: transload history {}\n  once it is mended:  {next}", ended.name)))
}
