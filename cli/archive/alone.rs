//! Executions that are told by their own history alone.

use serde::Serialize;
use serde_json::Value;

use crate::deployed::Deployed;
use crate::ended::{self, Ended};
use crate::exit::Outcome;
use crate::machine::Machine;
use crate::view::View;
use crate::watch::Told;

/// An execution that is told by its own history alone: no Map is in it.
pub(crate) trait Alone: Serialize + Sized {
    /// What is followed.
    type Story: Told;
    /// What it does, for messages.
    const WHAT: &str;
    /// What names of such executions begin with.
    const PREFIX: &str;

    /// Starts one on this machine: its ARN.
    async fn start(on: &Machine, name: &str, input: String) -> Outcome<String>;

    /// Starts one of a deployed machine: its ARN.
    async fn start_deployed(on: &Deployed, name: &str, input: String) -> Outcome<String>;

    /// From its story, and how it ended.
    fn of(ended: Ended, input: &Value, story: Self::Story) -> Self;

    /// How it ended.
    fn ended(&self) -> &Ended;

    /// The lines that say how it went.
    fn lines(&self) -> String;
}

/// Reads an execution.
///
/// # Errors
/// The API's.
pub(crate) async fn read<A: Alone>(view: &View, arn: &str) -> Outcome<A> {
    let (ended, input, story) = ended::read(view, arn).await?;
    Ok(A::of(ended, &input, story))
}
