//! Seeded faults: rules that match requests and say what goes wrong with them.

mod action;
mod answer;
mod rule;

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use tokio::time::Instant;

pub use action::{Action, Hook};
pub use answer::Answer;
pub use rule::Rule;
pub(crate) use rule::Target;

/// Rules in order; the first that fires decides.
#[derive(Debug, Clone, Default)]
pub struct FaultPlan {
    seed: u64,
    rules: Vec<Rule>,
}

impl FaultPlan {
    /// No faults.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// Without rules yet; `seed` decides what a rule with a probability hits.
    #[must_use]
    pub fn seeded(seed: u64) -> Self {
        Self { seed, rules: Vec::new() }
    }

    /// Adds a rule behind the others.
    #[must_use]
    pub fn rule(mut self, rule: Rule) -> Self {
        self.rules.push(rule);
        self
    }
}

impl From<Rule> for FaultPlan {
    fn from(rule: Rule) -> Self {
        Self::none().rule(rule)
    }
}

/// A plan at work, with the counts it needs.
#[derive(Debug)]
pub(crate) struct Injector(Mutex<Running>);

#[derive(Debug)]
struct Running {
    plan: FaultPlan,
    since: Instant,
    /// Requests covered so far, by rule.
    covered: Vec<u64>,
    /// Tokens of the rules that know a rate, and when they were counted.
    tokens: HashMap<usize, (f64, Instant)>,
    /// How often a rule saw the very same request.
    attempts: HashMap<(usize, u64), u64>,
}

impl Running {
    fn new(plan: FaultPlan) -> Self {
        let covered = vec![0; plan.rules.len()];
        Self { plan, since: Instant::now(), covered, tokens: HashMap::new(), attempts: HashMap::new() }
    }

    /// Whether a request is within the rate of a rule; takes its token if so.
    fn is_within(&mut self, index: usize, rate: f64) -> bool {
        let now = Instant::now();
        let (tokens, counted) = self.tokens.entry(index).or_insert((rate, now));
        *tokens = (*tokens + rate * now.duration_since(*counted).as_secs_f64()).min(rate);
        *counted = now;
        let within = *tokens >= 1.0;
        *tokens -= f64::from(u8::from(within));
        within
    }

    fn decide(&mut self, target: &Target) -> Option<Action> {
        let elapsed = self.since.elapsed();
        let identity =
            hash(&(target.operation, &target.bucket, &target.key, target.part_number, &target.range));
        for index in 0..self.plan.rules.len() {
            let rule = &self.plan.rules[index];
            if !rule.covers(target) || rule.until.is_some_and(|until| elapsed > until) {
                continue;
            }
            if rule.above.is_some_and(|rate| self.is_within(index, rate)) {
                continue;
            }
            let rule = &self.plan.rules[index];
            self.covered[index] += 1;
            let attempt = self.attempts.entry((index, identity)).or_default();
            *attempt += 1;
            let dice = hash(&(self.plan.seed, index, identity, *attempt));
            // 53 bits: what a double holds exactly.
            if rule.fires(self.covered[index], (dice >> 11) as f64 / (1_u64 << 53) as f64) {
                return Some(rule.action.clone());
            }
        }
        None
    }
}

/// The same in every process: `DefaultHasher::new` has fixed keys.
fn hash(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

impl Injector {
    pub(crate) fn new(plan: FaultPlan) -> Self {
        Self(Mutex::new(Running::new(plan)))
    }

    /// Replaces the plan; counts and time start again.
    pub(crate) fn set(&self, plan: FaultPlan) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Running::new(plan);
    }

    pub(crate) fn decide(&self, target: &Target) -> Option<Action> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).decide(target)
    }
}

/// Faults on a body after its framing was taken off: handed to the operation in the request's extensions.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Arrival {
    pub flip: Option<u64>,
}

impl Arrival {
    /// Inverts the chosen bit when it lies in `frame`, which begins at `position`.
    pub(crate) fn corrupt(&self, frame: Bytes, position: u64) -> Bytes {
        match self.flip.and_then(|offset| offset.checked_sub(position)) {
            Some(index) if index < frame.len() as u64 => flip(frame, index as usize),
            _ => frame,
        }
    }
}

/// `bytes` with the lowest bit of one byte inverted.
pub(crate) fn flip(bytes: Bytes, index: usize) -> Bytes {
    let mut changed = bytes.to_vec();
    if let Some(byte) = changed.get_mut(index) {
        *byte ^= 1;
    }
    changed.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(part: u32) -> Target {
        Target { operation: "UploadPart", part_number: Some(part), ..Target::default() }
    }

    fn hits(seed: u64, parts: impl Iterator<Item = u32>) -> Vec<u32> {
        let rule = Rule::on("UploadPart", Action::Answer(Answer::slow_down())).probability(0.3);
        let injector = Injector::new(FaultPlan::seeded(seed).rule(rule));
        let mut hit: Vec<u32> = parts.filter(|part| injector.decide(&target(*part)).is_some()).collect();
        hit.sort_unstable();
        hit
    }

    #[test]
    fn probability_follows_the_seed_and_not_the_order() {
        let forward = hits(7, 1..=1000);
        assert_eq!(forward, hits(7, (1..=1000).rev()));
        assert_ne!(forward, hits(8, 1..=1000));
        assert!((250..350).contains(&forward.len()), "{} of 1000 at 30 %", forward.len());
    }

    #[test]
    fn the_first_rule_that_fires_decides_and_counts_are_per_rule() {
        let plan = FaultPlan::none()
            .rule(Rule::on("UploadPart", Action::Answer(Answer::slow_down())).part(2).first(1))
            .rule(Rule::on("UploadPart", Action::IgnoreRange).nth(2));
        let injector = Injector::new(plan);
        let name = |part| injector.decide(&target(part)).map(|action| action.name());
        assert_eq!(name(2).as_deref(), Some("Answer 503"));
        assert_eq!(name(2), None, "the second rule sees its first request");
        assert_eq!(name(1).as_deref(), Some("IgnoreRange"));
        assert_eq!(name(1), None);
    }
}
