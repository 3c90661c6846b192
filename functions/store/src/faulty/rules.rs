//! Which call meets which fault.

use std::collections::BTreeMap;
use std::ops::{Bound, RangeBounds};
use std::sync::Arc;

use transload_wire::Requests;

use super::BodyFault;
use crate::{StoreErrorKind, Verb};

/// One call of a store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// The operation.
    pub verb: Verb,
    /// Object, upload, part, range.
    pub what: String,
}

#[derive(Clone)]
pub(super) enum Effect {
    Refuse(StoreErrorKind),
    LoseAnswer(StoreErrorKind),
    Spoil(BodyFault),
    Act(Arc<dyn Fn() + Send + Sync>),
}

struct Rule {
    verb: Verb,
    calls: (Bound<u64>, Bound<u64>),
    effect: Effect,
}

#[derive(Default)]
pub(super) struct Rules {
    rules: Vec<Rule>,
    counts: BTreeMap<Verb, u64>,
    pub(super) calls: Vec<Call>,
}

impl Rules {
    pub(super) fn add(&mut self, verb: Verb, calls: impl RangeBounds<u64>, effect: Effect) {
        let calls = (calls.start_bound().cloned(), calls.end_bound().cloned());
        self.rules.push(Rule { verb, calls, effect });
    }

    pub(super) fn clear(&mut self) {
        self.rules.clear();
    }

    pub(super) fn count(&self, verb: Verb) -> u64 {
        self.counts.get(&verb).copied().unwrap_or(0)
    }

    pub(super) fn requests(&self) -> Requests {
        self.counts.iter().map(|(verb, count)| (verb.as_str().to_owned(), *count)).collect()
    }

    /// Counts a call; its number, from 1, decides what happens to it.
    pub(super) fn enter(&mut self, verb: Verb, what: String) -> Vec<Effect> {
        let count = self.counts.entry(verb).or_default();
        *count += 1;
        let number = *count;
        self.calls.push(Call { verb, what });
        let hit = |rule: &&Rule| rule.verb == verb && rule.calls.contains(&number);
        self.rules.iter().filter(hit).map(|rule| rule.effect.clone()).collect()
    }
}
