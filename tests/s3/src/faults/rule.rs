//! Which requests a fault meets.

use std::time::Duration;

use super::action::Action;

/// A request as rules see it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Target {
    pub operation: &'static str,
    pub bucket: Option<String>,
    pub key: Option<String>,
    pub upload_id: Option<String>,
    pub part_number: Option<u32>,
    /// The `Range` header as sent.
    pub range: Option<String>,
}

impl Target {
    fn range_start(&self) -> Option<u64> {
        self.range.as_deref()?.strip_prefix("bytes=")?.split('-').next()?.parse().ok()
    }
}

/// A matcher and what it does. Every condition must hold; without any the rule matches every request.
#[derive(Debug, Clone)]
pub struct Rule {
    operations: Vec<String>,
    bucket: Option<String>,
    key: Option<String>,
    part: Option<u32>,
    range_start: Option<u64>,
    nth: Option<(u64, u64)>,
    probability: f64,
    pub(crate) until: Option<Duration>,
    pub(crate) above: Option<f64>,
    pub(crate) action: Action,
}

impl Rule {
    /// Matches every request.
    #[must_use]
    pub fn always(action: Action) -> Self {
        Self {
            operations: Vec::new(),
            bucket: None,
            key: None,
            part: None,
            range_start: None,
            nth: None,
            probability: 1.0,
            until: None,
            above: None,
            action,
        }
    }

    /// Matches one operation, by its API name such as `UploadPart`.
    #[must_use]
    pub fn on(operation: &str, action: Action) -> Self {
        Self::always(action).or_on(operation)
    }

    /// One operation more.
    #[must_use]
    pub fn or_on(mut self, operation: &str) -> Self {
        self.operations.push(operation.to_owned());
        self
    }

    /// Only this bucket.
    #[must_use]
    pub fn bucket(mut self, bucket: &str) -> Self {
        self.bucket = Some(bucket.to_owned());
        self
    }

    /// Only this key.
    #[must_use]
    pub fn key(mut self, key: &str) -> Self {
        self.key = Some(key.to_owned());
        self
    }

    /// Only this `partNumber`.
    #[must_use]
    pub fn part(mut self, number: u32) -> Self {
        self.part = Some(number);
        self
    }

    /// Only a `Range` that begins at this offset.
    #[must_use]
    pub fn range_start(mut self, offset: u64) -> Self {
        self.range_start = Some(offset);
        self
    }

    /// Only the nth request, from 1, of those that the conditions so far match.
    #[must_use]
    pub fn nth(mut self, n: u64) -> Self {
        self.nth = Some((n, n));
        self
    }

    /// Only the first `n` requests of those that the conditions match.
    #[must_use]
    pub fn first(mut self, n: u64) -> Self {
        self.nth = Some((1, n));
        self
    }

    /// Only all requests from the nth on.
    #[must_use]
    pub fn from_nth(mut self, n: u64) -> Self {
        self.nth = Some((n, u64::MAX));
        self
    }

    /// Only this share of the requests, 0.0 to 1.0. Which ones follows from the plan's seed, the request and how
    /// often it was made before, so that the order in which parallel requests arrive changes nothing.
    #[must_use]
    pub fn probability(mut self, share: f64) -> Self {
        self.probability = share;
        self
    }

    /// Only for so long after the plan was set.
    #[must_use]
    pub fn until(mut self, after: Duration) -> Self {
        self.until = Some(after);
        self
    }

    /// Only what exceeds so many requests a second of those that the conditions match: a bucket of as many tokens fills at
    /// this rate, and what is answered costs none of them.
    #[must_use]
    pub fn above(mut self, per_second: u32) -> Self {
        self.above = Some(per_second.into());
        self
    }

    /// Whether the fixed conditions hold.
    pub(crate) fn covers(&self, target: &Target) -> bool {
        let same = |wanted: &Option<String>, got: &Option<String>| wanted.is_none() || wanted == got;
        (self.operations.is_empty() || self.operations.iter().any(|name| name == target.operation))
            && same(&self.bucket, &target.bucket)
            && same(&self.key, &target.key)
            && (self.part.is_none() || self.part == target.part_number)
            && (self.range_start.is_none() || self.range_start == target.range_start())
    }

    /// Whether the rule fires for the `count`th request it covers, given a number in 0.0..1.0.
    pub(crate) fn fires(&self, count: u64, dice: f64) -> bool {
        self.nth.is_none_or(|(low, high)| (low..=high).contains(&count)) && dice < self.probability
    }
}
