//! What the recorder did to some answers before it kept them, done to ours (a case names it under `normalise`).
use serde_json::{Map, Value, json};

/// Whether a case names it.
pub(crate) fn did(case: &Value, what: &str) -> bool {
    case["normalise"].as_array().is_some_and(|all| all.iter().any(|w| w == what))
}

/// `parallel_sort`: the events of branches lost their places, and what stood between them and the state's exit was lost.
pub(crate) fn parallel_sort(events: &[Value]) -> Vec<Value> {
    let ends =
        ["ParallelStateSucceeded", "ParallelStateAborted", "ParallelStateExited", "ParallelStateFailed"];
    let (mut sorted, mut inside, mut end_of_branches) = (Vec::new(), false, None);
    for event in events {
        let mut event = event.clone();
        let kind = event["type"].as_str().unwrap_or_default();
        if ends.contains(&kind) {
            let end = *end_of_branches.get_or_insert(sorted.len());
            sorted.truncate(end);
            inside = false;
        } else if kind == "ParallelStateStarted" {
            (inside, end_of_branches) = (true, None);
        } else if inside {
            event["id"] = json!([0]);
            event["previousEventId"] = json!(0);
        }
        sorted.push(event);
    }
    sorted
}

/// `list_objects_output_sort`: the final output's objects were sorted by key, ETag and time replaced.
pub(crate) fn list_objects(events: &[Value]) -> Vec<Value> {
    let mut events = events.to_vec();
    let last = events.len().saturating_sub(2);
    for event in &mut events[last..] {
        for details in ["stateExitedEventDetails", "executionSucceededEventDetails"] {
            let Some(output) = event.pointer_mut(&format!("/{details}/output")) else { continue };
            if let Some(sorted) = output.as_str().and_then(objects) {
                *output = json!(sorted);
            }
        }
    }
    events
}

fn objects(output: &str) -> Option<String> {
    let mut objects: Vec<Value> = serde_json::from_str(output).ok()?;
    objects.iter().all(|o| o["Key"].is_string()).then_some(())?;
    objects.sort_by(|a, b| a["Key"].as_str().cmp(&b["Key"].as_str()));
    let rewritten = objects.iter().map(|o| {
        let etag = format!("<Etag-{}>", o["Key"].as_str().unwrap_or_default());
        json!({"Etag": etag, "LastModified": "<date>", "Key": o["Key"], "Size": o["Size"], "StorageClass": o["StorageClass"]})
    });
    Some(Value::Array(rewritten.collect()).to_string())
}

/// `sort_variable_references`: the lists in `variableReferences` are sorted.
pub(crate) fn sort_references(value: &Value) -> Value {
    match value {
        Value::Array(list) => list.iter().map(sort_references).collect(),
        Value::Object(map) => {
            let sorted = |(k, v): (&String, &Value)| {
                let v = if k == "variableReferences" { sorted_lists(v) } else { sort_references(v) };
                (k.clone(), v)
            };
            Value::Object(map.iter().map(sorted).collect())
        }
        other => other.clone(),
    }
}

fn sorted_lists(references: &Value) -> Value {
    let Some(map) = references.as_object() else { return references.clone() };
    let sorted = map.iter().map(|(state, names)| {
        let mut names = names.clone();
        if let Some(list) = names.as_array_mut() {
            list.sort_by_key(Value::to_string);
        }
        (state.clone(), names)
    });
    Value::Object(sorted.collect::<Map<_, _>>())
}
