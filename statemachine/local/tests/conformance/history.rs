//! Histories: in the recorded order, or where branches run side by side, in another one with the same causes.
use super::document::{Doc, answer};
use super::equal::Comparer;
use serde_json::Value;
use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};

/// Whether two lists of events are the same.
pub(crate) fn same(comparer: &mut Comparer, expected: &[Value], actual: &[Value], concurrent: bool) -> bool {
    let expected: Vec<Doc> = expected.iter().map(|e| answer(e, "")).collect();
    let actual: Vec<Doc> = actual.iter().map(|e| answer(e, "")).collect();
    if comparer.attempt(|c| in_order(c, &expected, &actual)) {
        return true;
    }
    if concurrent && expected.len() == actual.len() && by_cause(comparer, &expected, &actual) {
        return true;
    }
    // Once more, for the difference.
    in_order(comparer, &expected, &actual)
}

fn kind(event: &Doc) -> &str {
    event.get("type").and_then(Doc::str).unwrap_or_default()
}

fn state(event: &Doc) -> &str {
    let details = ["stateEnteredEventDetails", "stateExitedEventDetails"];
    let name = details.iter().find_map(|d| event.get(d)?.get("name")?.str());
    name.unwrap_or_default()
}

/// An event of a branch whose place the recorder has thrown away: its id is `[0]`.
fn placeless(event: &Doc) -> bool {
    matches!(event.get("id"), Some(Doc::List(_)))
}

fn in_order(comparer: &mut Comparer, expected: &[Doc], actual: &[Doc]) -> bool {
    if expected.len() != actual.len() {
        let kinds = actual.iter().map(kind).collect::<Vec<_>>().join(" ");
        let (e, a) = (expected.len(), actual.len());
        return comparer.differs("events", &format!("{e} events"), &format!("{a}: {kinds}"));
    }
    let mut at = 0;
    while at < expected.len() {
        let set = expected[at..].iter().take_while(|e| placeless(e)).count();
        let same = if set == 0 {
            comparer.equal(&expected[at], &actual[at], &format!("events[{at}] {}", kind(&expected[at])))
        } else {
            let sides = (&expected[at..at + set], &actual[at..at + set]);
            let all: Vec<usize> = (0..set).collect();
            let alike = |e: usize, a: usize| {
                let (e, a) = (&sides.0[e], &sides.1[a]);
                kind(e) == kind(a) && state(e) == state(a) && placeless(a)
            };
            let pair = |c: &mut Comparer, e: usize, a: usize| c.equal(&sides.0[e], &sides.1[a], "events[*]");
            paired(comparer, &all, &all, &alike, &pair)
                || comparer.differs("events[*]", "the recorded set of events", "another one")
        };
        if !same {
            return false;
        }
        at += set.max(1);
    }
    true
}

/// Whether the members of two sets can be paired so that each pair is the same.
fn paired(
    comparer: &mut Comparer,
    expected: &[usize],
    actual: &[usize],
    alike: &dyn Fn(usize, usize) -> bool,
    pair: &dyn Fn(&mut Comparer, usize, usize) -> bool,
) -> bool {
    let Some((&first, rest)) = expected.split_first() else { return actual.is_empty() };
    expected.len() == actual.len()
        && actual.iter().enumerate().filter(|(_, a)| alike(first, **a)).any(|(at, &candidate)| {
            comparer.tries = comparer.tries.saturating_sub(1);
            let others = [&actual[..at], &actual[at + 1..]].concat();
            comparer.tries > 0
                && comparer.attempt(|c| pair(c, first, candidate) && paired(c, rest, &others, alike, pair))
        })
}

const FORKS: [&str; 2] = ["ParallelStateStarted", "MapStateStarted"];
const EXITS: [&str; 2] = ["ParallelStateExited", "MapStateExited"];
const JOINS: [&str; 8] = [
    "ParallelStateSucceeded",
    "ParallelStateFailed",
    "ParallelStateAborted",
    "ParallelStateExited",
    "MapStateSucceeded",
    "MapStateFailed",
    "MapStateAborted",
    "MapStateExited",
];

/// Which event followed from which.
struct Causes<'a> {
    events: &'a [Doc],
    /// The places of the events that followed from an event, by its id; 0 is the beginning.
    after: HashMap<i64, Vec<usize>>,
    /// A number for the kinds and states of everything that followed, by place.
    shapes: Vec<u64>,
}

fn number(event: &Doc, name: &str) -> Option<i64> {
    event.get(name).and_then(Doc::whole)
}

impl<'a> Causes<'a> {
    /// `None` if ids do not grow or an event comes before its cause.
    fn of(events: &'a [Doc]) -> Option<Self> {
        let mut places = HashMap::new();
        let mut after: HashMap<i64, Vec<usize>> = HashMap::new();
        for (place, event) in events.iter().enumerate() {
            let (id, cause) = (number(event, "id")?, number(event, "previousEventId")?);
            if cause >= id || places.insert(id, place).is_some() {
                return None;
            }
        }
        for (place, event) in events.iter().enumerate() {
            let cause = number(event, "previousEventId")?;
            let cause = if JOINS.contains(&kind(event)) { fork(events, &places, cause) } else { cause };
            let known = if places.contains_key(&cause) { cause } else { 0 };
            after.entry(known).or_default().push(place);
        }
        let mut causes = Self { events, after, shapes: vec![0; events.len()] };
        // Causes have smaller ids: with the greatest id first, all that follows is known.
        let mut order: Vec<usize> = (0..events.len()).collect();
        order.sort_by_key(|&place| std::cmp::Reverse(number(&events[place], "id")));
        for place in order {
            let mut below: Vec<u64> = causes.next(place).iter().map(|&p| causes.shapes[p]).collect();
            below.sort_unstable();
            let mut hasher = DefaultHasher::new();
            (kind(&events[place]), state(&events[place]), below).hash(&mut hasher);
            causes.shapes[place] = hasher.finish();
        }
        Some(causes)
    }

    fn from(&self, id: i64) -> &[usize] {
        self.after.get(&id).map_or(&[], Vec::as_slice)
    }

    fn next(&self, place: usize) -> &[usize] {
        number(&self.events[place], "id").map_or(&[], |id| self.from(id))
    }
}

/// The fork that a join ends. Which of the branches it follows in the recording is chance.
fn fork(events: &[Doc], places: &HashMap<i64, usize>, cause: i64) -> i64 {
    let (mut at, mut inner, mut seen) = (cause, 0, HashSet::new());
    while let Some(event) = places.get(&at).map(|&p| &events[p]).filter(|_| seen.insert(at)) {
        match kind(event) {
            k if FORKS.contains(&k) && inner == 0 => return at,
            k if FORKS.contains(&k) => inner -= 1,
            k if EXITS.contains(&k) => inner += 1,
            _ => {}
        }
        at = number(event, "previousEventId").unwrap_or(0);
    }
    cause
}

fn by_cause(comparer: &mut Comparer, expected: &[Doc], actual: &[Doc]) -> bool {
    let (Some(expected), Some(actual)) = (Causes::of(expected), Causes::of(actual)) else { return false };
    comparer.free_numbers = true;
    let same = follow(comparer, (&expected, expected.from(0)), (&actual, actual.from(0)));
    comparer.free_numbers = false;
    same
}

/// Whether the same follows on both sides.
fn follow(
    comparer: &mut Comparer,
    (expected, es): (&Causes<'_>, &[usize]),
    (actual, as_): (&Causes<'_>, &[usize]),
) -> bool {
    let alike = |e: usize, a: usize| expected.shapes[e] == actual.shapes[a];
    let pair = |c: &mut Comparer, e: usize, a: usize| {
        let path = format!("event {}", kind(&expected.events[e]));
        c.equal(&unplaced(&expected.events[e]), &unplaced(&actual.events[a]), &path)
            && follow(c, (expected, expected.next(e)), (actual, actual.next(a)))
    };
    paired(comparer, es, as_, &alike, &pair)
}

fn unplaced(event: &Doc) -> Doc {
    match event {
        Doc::Map(map) => {
            let mut map = map.clone();
            map.remove("id");
            map.remove("previousEventId");
            Doc::Map(map)
        }
        other => other.clone(),
    }
}
