//! How an execution ended, as its description and its history tell.

use std::time::Duration;

use serde::Serialize;
use serde_json::Value;

use crate::exit::Outcome;
use crate::summary::message;
use crate::units;
use crate::view::{View, text};
use crate::watch::Told;

/// What is so of every execution, in the shape of `--output json`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Ended {
    /// The execution's ARN.
    pub(crate) execution_arn: String,
    /// Its name.
    pub(crate) name: String,
    /// Its status.
    pub(crate) status: String,
    /// The workflow's error, if it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) error: Option<String>,
    /// Its cause.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) cause: Option<String>,
    /// Whether a redrive goes on.
    pub(crate) redrivable: bool,
    /// From start to end, in seconds.
    pub(crate) seconds: f64,
}

impl Ended {
    /// Name, status, error.
    pub(crate) fn head(&self) -> Vec<(&'static str, String)> {
        let mut rows = vec![("execution", format!("{}  {}", self.name, self.status))];
        if let Some(error) = &self.error {
            rows.push(("error", format!("{error}: {}", message(self.cause.as_deref().unwrap_or_default()))));
        }
        rows
    }

    /// How long it took, and how much that is a second.
    pub(crate) fn time(&self, bytes: u64) -> String {
        let time = Duration::from_secs_f64(self.seconds);
        let rate = if bytes > 0 { format!("  {}", units::rate(bytes, time)) } else { String::new() };
        format!("{}{rate}", units::time(time))
    }
}

/// Reads how an execution ended, or stands; its input, and its story.
///
/// # Errors
/// The API's.
pub(crate) async fn read<S: Told>(view: &View, arn: &str) -> Outcome<(Ended, Value, S)> {
    let described = view.describe(arn).await?;
    let history = view.history(arn).await?;
    let mut story = S::default();
    story.read(&history);
    let owned = |field: &str| described[field].as_str().map(str::to_owned);
    let newest = history.last().and_then(|event| event["timestamp"].as_f64());
    let end = described["stopDate"].as_f64().or(newest).unwrap_or_default();
    let status = owned("status").unwrap_or_default();
    let ended = Ended {
        execution_arn: owned("executionArn").unwrap_or_default(),
        name: owned("name").unwrap_or_default(),
        error: owned("error"),
        cause: owned("cause"),
        redrivable: crate::report::redrivable(&status, &history),
        seconds: (end - described["startDate"].as_f64().unwrap_or(end)).max(0.0),
        status,
    };
    let input: Value = serde_json::from_str(text(&described, "input")).unwrap_or_default();
    Ok((ended, input, story))
}
