//! How an execution ended, as its description and its history tell.

use serde::Serialize;
use serde_json::Value;

use crate::exit::Outcome;
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
