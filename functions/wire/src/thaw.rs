//! How a source is asked back from an archive tier, and input and output of state Thaw.

use serde::{Deserialize, Serialize};

use crate::{ErrorName, Failure, Pinned, Requests, RouteName};

/// What is done about a source in an archive tier.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum WhenArchived {
    /// The transfer fails. The default.
    #[default]
    Fail,
    /// The source is asked back, which costs money and takes minutes to days, and copied then.
    Thaw,
}

/// How fast a source comes back, as S3 names it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Tier {
    /// Within 3 to 5 hours, of a deep archive within 12. The default.
    #[default]
    Standard,
    /// Cheapest: within 5 to 12 hours, of a deep archive within 48.
    Bulk,
    /// Within minutes; not of a deep archive.
    Expedited,
}

impl Tier {
    /// S3's name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Standard => "Standard",
            Self::Bulk => "Bulk",
            Self::Expedited => "Expedited",
        }
    }
}

/// How a source is asked back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Thaw {
    /// How fast.
    pub tier: Tier,
    /// How many days the restored copy is kept, 1 to 365. Default 3. An intelligent class keeps it without end.
    pub days: u32,
    /// After so many hours of waiting the transfer fails, 1 to 144. Default 72: the slowest restore takes 48.
    pub deadline_hours: u32,
}

impl Default for Thaw {
    fn default() -> Self {
        Self { tier: Tier::default(), days: 3, deadline_hours: 72 }
    }
}

/// What the types alone do not refuse. An execution ends after 168 hours, and wants time for the transfer itself.
pub(crate) fn check(archived: WhenArchived, thaw: Option<&Thaw>) -> Result<(), Failure> {
    let Some(thaw) = thaw else { return Ok(()) };
    let refuse = |why: String| Err(ErrorName::InputInvalid.because(why));
    if archived != WhenArchived::Thaw {
        return refuse("options.thaw: expected options.archived thaw beside it, found fail".to_owned());
    }
    for (field, value, high) in [("days", thaw.days, 365), ("deadlineHours", thaw.deadline_hours, 144)] {
        if !(1..=high).contains(&value) {
            return refuse(format!(
                "options.thaw.{field}: expected a number from 1 to {high}, found {value}"
            ));
        }
    }
    Ok(())
}

/// Input of Thaw.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ThawInput {
    /// The pinned source.
    pub source: Pinned,
    /// How.
    #[serde(default)]
    pub thaw: Option<Thaw>,
    /// Seconds that the execution has waited for this source.
    pub waited_seconds: u64,
    /// The request's route, for metrics.
    #[serde(default)]
    pub route: Option<RouteName>,
}

/// Output of Thaw.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ThawOutput {
    /// Whether it can be read now.
    pub ready: bool,
    /// Seconds to wait before the next look.
    pub wait_seconds: u64,
    /// Requests sent.
    pub requests: Requests,
}
