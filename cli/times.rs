//! Times of the API (seconds since 1970) as people read them.

use std::time::Duration;

use serde_json::Value;
use stepfunctions_local::Timestamp;

use crate::units;

/// `2026-11-21 11:08:12` in UTC; empty if there is none.
pub(crate) fn moment(seconds: &Value) -> String {
    let Some(text) = rfc3339(seconds) else { return String::new() };
    text.chars().take(19).map(|c| if c == 'T' { ' ' } else { c }).collect()
}

/// `11:08:12.345` in UTC.
pub(crate) fn clock(seconds: &Value) -> String {
    let Some(text) = rfc3339(seconds) else { return String::new() };
    text.chars().skip(11).take(12).collect()
}

/// ISO 8601 in UTC; empty if there is none.
pub(crate) fn whole(seconds: &Value) -> String {
    rfc3339(seconds).unwrap_or_default()
}

fn rfc3339(seconds: &Value) -> Option<String> {
    let millis = (seconds.as_f64()? * 1000.0).round();
    Some(Timestamp::from_millis(millis as i64).to_rfc3339())
}

/// How long it took; empty while it has not ended.
pub(crate) fn between(start: &Value, stop: &Value) -> String {
    let time = start.as_f64().zip(stop.as_f64()).map(|(start, stop)| (stop - start).max(0.0));
    time.map(|seconds| units::time(Duration::from_secs_f64(seconds))).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{between, clock, moment};
    use serde_json::{Value, json};

    #[test]
    fn times_are_in_utc() {
        let time = json!(1_795_259_292.345);
        assert_eq!((moment(&time), clock(&time)), ("2026-11-21 11:08:12".into(), "11:08:12.345".into()));
        assert_eq!(moment(&Value::Null), "");
        assert_eq!(
            (between(&json!(1.0), &json!(2.5)), between(&json!(1.0), &Value::Null)),
            ("1.50 s".into(), String::new())
        );
    }
}
