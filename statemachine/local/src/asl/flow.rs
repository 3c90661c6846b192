//! `StartAt` and `States`: of a machine, a branch, an item processor; and that every transition leads somewhere.
use super::fields::Fields;
use super::{Context, Flow, Kind, State, Transition, state};
use indexmap::IndexMap;
use std::collections::BTreeSet;
use std::sync::Arc;

/// Reads the two fields out of an object and checks the graph.
pub(super) fn parse(fields: &Fields<'_>, context: Context) -> Option<Flow> {
    let (start, states) = (fields.text("StartAt"), fields.get("States"));
    let missing: Vec<&str> = [("States", fields.has("States")), ("StartAt", fields.has("StartAt"))]
        .into_iter()
        .filter_map(|(name, there)| (!there).then_some(name))
        .collect();
    if !missing.is_empty() {
        fields.bad_here(format!("These fields are required: [{}]", missing.join(", ")));
        return None;
    }
    let map = states?.as_object();
    if map.is_none_or(serde_json::Map::is_empty) {
        fields.bad("States", "Expected an object with at least one state");
        return None;
    }
    let mut parsed = IndexMap::new();
    for (name, value) in map? {
        if name.is_empty() || name.chars().count() > 80 {
            fields.bad(&format!("States/{name}"), "A state's name has 1 to 80 characters");
        }
        let at = fields.at(&format!("States/{name}"));
        fields.problems().state(name, &at);
        if let Some(state) = state::parse(name, value, at, fields.problems(), context) {
            parsed.insert(name.clone(), Arc::new(state));
        }
    }
    let complete = parsed.len() == map?.len();
    let flow = Flow { start_at: start?.to_owned(), states: parsed };
    if complete {
        check(&flow, fields);
    }
    Some(flow)
}

fn check(flow: &Flow, fields: &Fields<'_>) {
    if !flow.states.contains_key(&flow.start_at) {
        fields
            .problems()
            .transition(&fields.at("StartAt"), format!("Missing 'StartAt' target: {}", flow.start_at));
        return;
    }
    for (name, state) in &flow.states {
        for (target, field) in targets(state) {
            if !flow.states.contains_key(target) {
                let at = fields.at(&format!("States/{name}/{field}"));
                fields.problems().transition(&at, format!("Missing '{}' target: {target}", last(&field)));
            }
        }
    }
    let reached = reachable(flow);
    for name in flow.states.keys().filter(|n| !reached.contains(n.as_str())) {
        fields
            .problems()
            .transition(&fields.at(&format!("States/{name}")), format!("State \"{name}\" is not reachable."));
    }
}

fn last(field: &str) -> &str {
    field.rsplit('/').next().unwrap_or(field)
}

fn targets(state: &State) -> Vec<(&str, String)> {
    let mut found = Vec::new();
    if let Some(Transition::Next(next)) = &state.transition {
        found.push((next.as_str(), "Next".to_owned()));
    }
    for (i, catcher) in state.catch.iter().enumerate() {
        found.push((catcher.next.as_str(), format!("Catch[{i}]/Next")));
    }
    if let Kind::Choice { rules, default } = &state.kind {
        found.extend(rules.iter().enumerate().map(|(i, r)| (r.next.as_str(), format!("Choices[{i}]/Next"))));
        found.extend(default.iter().map(|d| (d.as_str(), "Default".to_owned())));
    }
    found
}

fn reachable(flow: &Flow) -> BTreeSet<&str> {
    let (mut seen, mut open) = (BTreeSet::new(), vec![flow.start_at.as_str()]);
    while let Some(name) = open.pop() {
        if seen.insert(name)
            && let Some(state) = flow.states.get(name)
        {
            open.extend(targets(state).into_iter().map(|(target, _)| target));
        }
    }
    seen
}
