//! Whether what came of a case is what was recorded: everything of it.
use super::document::{answer, text, undated};
use super::equal::Comparer;
use super::{history, recorder};
use serde_json::{Value, json};

/// Nothing if all is as recorded, or else the first difference.
pub(crate) fn judge(case: &Value, lines: &[Value]) -> Result<(), String> {
    match case["kind"].as_str() {
        Some("execution" | "sync_execution") => {
            let runs = case["runs"].as_array().ok_or("the case has no runs")?;
            runs.iter().try_for_each(|run| {
                let line = lines.iter().find(|l| number(l) == number(run));
                judge_run(case, run, line.ok_or(format!("run {}: no result", number(run)))?)
            })
        }
        Some("create_error") => each(&case["expected_errors"], |key, wanted| {
            let line = lines.first().unwrap_or(&Value::Null);
            let answered = line["responses"].get(key).filter(|a| error_of(a).is_some());
            judge_error(case, wanted, answered.unwrap_or(&line["error"]))
        }),
        _ => {
            let mut comparer = Comparer::of(case);
            each(&case["expected"], |key, _| judge_answer(&mut comparer, case, key, lines))
        }
    }
}

/// The case without the messages of its errors: their codes are left.
pub(crate) fn but_for_words(case: &Value) -> Value {
    let mut case = case.clone();
    for error in case["expected_errors"].as_object_mut().into_iter().flat_map(|e| e.values_mut()) {
        error["message"] = Value::Null;
    }
    case
}

fn number(run: &Value) -> u64 {
    run["run"].as_u64().unwrap_or(0)
}

fn each(map: &Value, mut judge: impl FnMut(&str, &Value) -> Result<(), String>) -> Result<(), String> {
    let map = map.as_object().ok_or("the case expects nothing")?;
    map.iter().try_for_each(|(key, value)| judge(key, value))
}

/// What the comparer noted last, as the case's verdict.
fn verdict(same: bool, comparer: &mut Comparer) -> Result<(), String> {
    if same { Ok(()) } else { Err(comparer.why.take().unwrap_or_else(|| "it differs".to_owned())) }
}

fn events(history: &Value) -> Option<&Vec<Value>> {
    history.as_array().or_else(|| history["events"].as_array())
}

/// The first of some members that is there.
fn first<'a>(value: &'a Value, run: &Value, keys: &[&str]) -> Option<&'a Value> {
    keys.iter().find_map(|key| value.get(run[*key].as_str()?)).filter(|v| !v.is_null())
}

/// The events that a run has left, as the recorder would have kept them.
fn found_events(case: &Value, run: &Value, line: &Value) -> Option<Vec<Value>> {
    let history = line.get("history").filter(|h| !h.is_null());
    let mut found = events(history.or_else(|| first(&line["responses"], run, &["history_key"]))?)?.clone();
    if recorder::did(case, "parallel_sort") {
        found = recorder::parallel_sort(&found);
    }
    if recorder::did(case, "list_objects_output_sort") {
        found = recorder::list_objects(&found);
    }
    Some(found)
}

fn judge_run(case: &Value, run: &Value, line: &Value) -> Result<(), String> {
    let found = found_events(case, run, line);
    let described = line.get("describe").filter(|d| !d.is_null());
    let described = described.or_else(|| first(&line["responses"], run, &["sync_key", "describe_key"]));
    let expected = first(&case["expected"], run, &["history_key"]).and_then(events);
    let end = found.as_ref().filter(|f| !f.is_empty()).map(|f| ended(f)).or_else(|| described.cloned());
    // Where the recorder rewrote the output, the recorded end is the rewritten one.
    let wanted = match expected {
        Some(expected) if recorder::did(case, "list_objects_output_sort") => ended(expected),
        _ => run["result"].clone(),
    };
    let mut comparer = Comparer::of(case);
    let same = judge_end(&mut comparer, &wanted, &end.unwrap_or_default());
    verdict(same, &mut comparer)?;
    if run.get("case_index").is_some() {
        return Ok(()); // Only the output was recorded.
    }
    let mut comparer = Comparer::of(case);
    let has_history = run.get("history_key").is_some();
    if has_history {
        let (expected, found) = (expected.ok_or("the case has no history")?, found.ok_or("no history")?);
        let same = history::same(&mut comparer, expected, &found, case["concurrent"] == true);
        verdict(same, &mut comparer)?;
    }
    match (first(&case["expected"], run, &["sync_key", "describe_key"]), described) {
        (Some(expected), Some(described)) => {
            let same = comparer.equal(&answer(expected, ""), &answer(described, ""), "description");
            verdict(same, &mut comparer)
        }
        (Some(_), None) if !has_history => Err("no description".to_owned()),
        _ => Ok(()),
    }
}

/// Status, output, error and cause by a history's last event.
fn ended(events: &[Value]) -> Value {
    let last = events.last().cloned().unwrap_or_default();
    let (status, details) = match last["type"].as_str() {
        Some("ExecutionSucceeded") => ("SUCCEEDED", "executionSucceededEventDetails"),
        Some("ExecutionFailed") => ("FAILED", "executionFailedEventDetails"),
        Some("ExecutionTimedOut") => ("TIMED_OUT", "executionTimedOutEventDetails"),
        Some("ExecutionAborted") => ("ABORTED", "executionAbortedEventDetails"),
        _ => return json!({"status": "RUNNING"}),
    };
    let mut end = last[details].clone();
    if !end.is_object() {
        end = json!({});
    }
    end["status"] = json!(status);
    end
}

/// Status and output or error, taken from the recorded end.
fn judge_end(comparer: &mut Comparer, wanted: &Value, found: &Value) -> bool {
    let named = |name: &str| wanted.get(name).map(|w| (text(w), text(&found[name])));
    (wanted.is_null() || wanted["status"] == found["status"] || {
        comparer.differs("status", &wanted["status"].to_string(), &found["status"].to_string())
    }) && ["output", "error"]
        .iter()
        .all(|name| named(name).is_none_or(|(wanted, found)| comparer.equal(&wanted, &found, name)))
}

fn judge_answer(comparer: &mut Comparer, case: &Value, key: &str, lines: &[Value]) -> Result<(), String> {
    let error = case["expected_errors"].get(key);
    if error.is_some_and(|e| e["client_side"] == true) {
        return Ok(()); // An SDK's own check: nothing was sent.
    }
    let found = lines.iter().rev().find_map(|l| l["responses"].get(key));
    let found = found.ok_or_else(|| format!("{key}: no answer"))?;
    if let Some(wanted) = error {
        return judge_error(case, wanted, found).map_err(|e| format!("{key}: {e}"));
    }
    let expected = &case["expected"][key];
    if let (Some(expected), Some(found)) = (expected["events"].as_array(), found["events"].as_array()) {
        let sorted = recorder::did(case, "parallel_sort").then(|| recorder::parallel_sort(found));
        let found = sorted.as_ref().unwrap_or(found);
        let same = history::same(comparer, expected, found, case["concurrent"] == true);
        return verdict(same, comparer);
    }
    let (mut expected, mut found) = (expected.clone(), found.clone());
    if recorder::did(case, "sort_variable_references") {
        (expected, found) = (recorder::sort_references(&expected), recorder::sort_references(&found));
    }
    let same = comparer.equal(&answer(&expected, ""), &answer(&found, ""), key);
    verdict(same, comparer)
}

/// Code and message of an error, in one of the two shapes that they come in.
fn error_of(answer: &Value) -> Option<(Value, Value)> {
    let error = answer.get("Error").filter(|e| e.is_object());
    let (error, code, message) = match error {
        Some(error) => (error, "Code", "Message"),
        None => (answer, "code", "message"),
    };
    let there = error.get(code).is_some() || error.get(message).is_some();
    there.then(|| (error[code].clone(), error[message].clone()))
}

/// The code first, then the message. A recording may lack either.
fn judge_error(case: &Value, wanted: &Value, answered: &Value) -> Result<(), String> {
    let (code, message) = error_of(answered).ok_or_else(|| format!("expected {wanted}, no error came"))?;
    if !wanted["code"].is_null() && wanted["code"] != code {
        return Err(format!("expected code {}, got {code} {message}", wanted["code"]));
    }
    let same = match (wanted["message"].as_str(), message.as_str()) {
        (None, _) => true,
        (Some(wanted), Some(found)) => Comparer::of(case).strings(&undated(wanted), &undated(found)),
        (Some(_), None) => false,
    };
    if same { Ok(()) } else { Err(format!("expected message {}, got {message}", wanted["message"])) }
}
