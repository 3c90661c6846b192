//! Whether an open upload is needed. No I/O.

use serde::Serialize;
use serde_json::Value;
use stepfunctions_local::Timestamp;

use super::seconds_text;

/// How long after its end an execution can be redriven (Step Functions' own limit): 14 days.
const REDRIVE_SECONDS: f64 = 14.0 * 86_400.0;

/// Whether an upload is needed; the greater, the more.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase", tag = "standing")]
pub(crate) enum Standing {
    /// No execution that is known made it: another program's, or older than the histories.
    Unknown,
    /// Its execution is over: nobody will go on with it.
    Left,
    /// Its execution ended where a redrive goes on with it, until this time (ISO 8601 in UTC, to the second).
    Parked {
        /// The deadline.
        until: String,
    },
    /// Its execution runs.
    Running,
}

impl Standing {
    /// By a line of ListExecutions, and whether a redrive would go on.
    pub(crate) fn of(execution: &Value, redrivable: bool, now: Timestamp) -> Self {
        if execution["status"] == "RUNNING" {
            return Self::Running;
        }
        let until = execution["stopDate"].as_f64().unwrap_or_default() + REDRIVE_SECONDS;
        if redrivable && now.millis() as f64 <= until * 1000.0 {
            return Self::Parked { until: seconds_text(until) };
        }
        Self::Left
    }

    /// For a table.
    pub(crate) fn shown(&self) -> String {
        match self {
            Self::Unknown => "not ours".to_owned(),
            Self::Left => "left".to_owned(),
            Self::Parked { until } => format!("parked until {}", until.replace('T', " ")),
            Self::Running => "running".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use stepfunctions_local::Timestamp;

    use super::Standing;

    /// 2026-11-21 11:08:12.
    const STOP: f64 = 1_795_259_292.0;

    fn standing(status: &str, redrivable: bool, days: f64) -> Standing {
        let now = Timestamp::from_millis(((STOP + days * 86_400.0) * 1000.0) as i64);
        Standing::of(&json!({"status": status, "stopDate": STOP}), redrivable, now)
    }

    #[test]
    fn a_failed_execution_keeps_its_upload_as_long_as_it_can_be_redriven() {
        let parked = Standing::Parked { until: "2026-12-05T11:08:12".to_owned() };
        assert_eq!(standing("FAILED", true, 0.0), parked);
        assert_eq!(standing("FAILED", true, 13.99), parked);
        assert_eq!(standing("FAILED", true, 14.01), Standing::Left);
        assert_eq!(standing("FAILED", false, 0.0), Standing::Left);
        assert_eq!(standing("SUCCEEDED", false, 0.0), Standing::Left);
        assert_eq!(standing("RUNNING", false, 99.0), Standing::Running);
    }

    #[test]
    fn who_needs_it_most_counts() {
        let parked = Standing::Parked { until: String::new() };
        assert!(Standing::Running > parked && parked > Standing::Left && Standing::Left > Standing::Unknown);
    }
}
