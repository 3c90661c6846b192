//! Moments in recorded cases: when a case was recorded, and inputs that depend on when it runs.
use serde_json::{Value, json};
use stepfunctions_local::Timestamp;
use time::macros::format_description;

/// When the case was recorded (`31-12-2024, 12:00:00`), if it says so.
pub(super) fn recorded(case: &Value) -> Option<Timestamp> {
    let format = format_description!("[day]-[month]-[year], [hour]:[minute]:[second]");
    let moment = time::PrimitiveDateTime::parse(case["recorded"].as_str()?, format).ok()?;
    Some(Timestamp::from_millis(moment.assume_utc().unix_timestamp() * 1000))
}

/// The case with its `dynamic_input` made anew: `"$.start_at": "now (UTC) + 24855 days, ..."`.
pub(super) fn at_run_time(mut case: Value) -> Value {
    let wanted = case["dynamic_input"].as_object().cloned().unwrap_or_default();
    for (path, says) in &wanted {
        let Some(moment) = says.as_str().and_then(days).and_then(from_now) else { continue };
        let pointer = path.trim_start_matches('$').replace('.', "/");
        for run in case["runs"].as_array_mut().into_iter().flatten() {
            if let Some(place) = run["input"].pointer_mut(&pointer) {
                *place = json!(moment);
            }
        }
    }
    case
}

fn days(says: &str) -> Option<i64> {
    let (_, number) = says.split_once('+')?;
    number.trim_start().split_once(" days")?.0.parse().ok()
}

fn from_now(days: i64) -> Option<String> {
    let moment = time::OffsetDateTime::now_utc().checked_add(time::Duration::days(days))?;
    moment.format(format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].000Z")).ok()
}
