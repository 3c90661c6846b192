//! Follows an execution of the deployed machine, by asking now and then.

use std::time::Duration;

use serde_json::Value;
use tokio::signal::unix::{SignalKind, signal};

use crate::api::Request;
use crate::exit::{CliError, Outcome};
use crate::follow::Ended;
use crate::progress::{Progress, Step};
use crate::story::Story;
use crate::view::{View, text};

/// Between two looks at a deployed machine: the account's rate of requests is shared with everybody else in it.
pub(crate) const LOOK: Duration = Duration::from_secs(2);

/// What an execution's own history tells, and what of it is shown.
pub(crate) trait Told: Default {
    /// The states whose Map Run tells how far they are.
    const MAPS: &[&str];

    /// The state it is in, or was in last.
    fn state(&self) -> &str;

    /// Id of the newest event that was read.
    fn last_event(&self) -> u64;

    /// Reads on.
    fn read(&mut self, events: &[Value]);

    /// How far it is, with the Map Run that is under way (null without one).
    fn step(&self, map_run: &Value) -> Step;
}

/// Waits for the end of an execution and shows how far it is. Ctrl-C ends the watching, not the execution.
///
/// # Errors
/// The API's.
pub(crate) async fn watch<T: Told>(
    view: &View,
    arn: &str,
    every: Duration,
    progress: &mut Progress,
) -> Outcome<Ended> {
    let mut story = T::default();
    let mut tick = tokio::time::interval(every);
    let mut interrupt = signal(SignalKind::interrupt()).map_err(|e| CliError::trouble("signals", e))?;
    let ended = loop {
        tokio::select! {
            _ = tick.tick() => {}
            _ = interrupt.recv() => break Ended::Interrupted,
        }
        let over = text(&view.describe(arn).await?, "status") != "RUNNING";
        story.read(&view.history_after(arn, story.last_event()).await?);
        let map_run = if T::MAPS.contains(&story.state()) { newest(view, arn).await? } else { Value::Null };
        progress.show(&story.step(&map_run));
        if over {
            break Ended::Over;
        }
    };
    progress.finish();
    Ok(ended)
}

/// The newest Map Run of an execution, if there is one.
async fn newest(view: &View, arn: &str) -> Outcome<Value> {
    match view.map_runs(arn).await?.last() {
        Some(run) => view.call(Request::DescribeMapRun(text(run, "mapRunArn").to_owned())).await,
        None => Ok(Value::Null),
    }
}

impl Told for Story {
    const MAPS: &[&str] = &["Parts"];

    fn state(&self) -> &str {
        &self.state
    }

    fn last_event(&self) -> u64 {
        self.last_event
    }

    fn read(&mut self, events: &[Value]) {
        Self::read(self, events);
    }

    fn step(&self, map_run: &Value) -> Step {
        step(self, map_run)
    }
}

/// Children that are done stand for their share of what was missing when they began: asking each of them costs a request.
fn step(story: &Story, map_run: &Value) -> Step {
    let counts = &map_run["itemCounts"];
    let count = |name: &str| counts[name].as_u64().unwrap_or_default();
    let (done, of) = (count("succeeded"), count("total").max(1));
    let (size, of_parts) = (story.size(), u64::from(story.parts()));
    let (parts, bytes) = story.present();
    let share = |all: u64, there: u64| {
        there + (all.saturating_sub(there) as u128 * u128::from(done) / u128::from(of)) as u64
    };
    let alone = story.sent_alone();
    let (parts, bytes) = match story.result {
        Some(_) => (of_parts, size.unwrap_or_default()),
        None if story.is_alone() => (parts + alone.0, bytes + alone.1),
        None => (share(of_parts, parts), share(size.unwrap_or_default(), bytes)),
    };
    Step { state: story.state.clone(), bytes, size, parts, of_parts, round: story.rounds, ..Step::default() }
}
