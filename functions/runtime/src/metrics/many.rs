//! What the states of many objects tell.

use std::time::SystemTime;

use transload_wire::{
    BatchInput, BatchOutput, DeleteInput, DeleteOutput, Outcome, ReportInput, ReportOutput,
};

use super::Measure as M;
use super::{Facts, Input, Measure, Output};

impl Input for BatchInput {
    fn facts(&self) -> Facts {
        Facts { route: self.route.clone(), changed: None, again: self.tries > 0 }
    }
}

impl Output for BatchOutput {
    fn measures(&self, _facts: &Facts, _now: SystemTime) -> Vec<Measure> {
        let copied = || self.records.iter().filter(|record| record.outcome == Outcome::Copied);
        let (bytes, objects) = (copied().map(|record| record.size).sum(), copied().count() as u64);
        let puts = self.requests.get("PutObject").copied().unwrap_or(0);
        vec![
            M::BytesRead(bytes),
            M::BytesWritten(bytes),
            M::Retries(puts.saturating_sub(objects)),
            M::BytesCompleted(bytes),
            M::Objects(objects),
        ]
    }
}

impl Input for DeleteInput {
    fn facts(&self) -> Facts {
        Facts { route: self.route.clone(), changed: None, again: false }
    }
}

impl Input for ReportInput {
    fn facts(&self) -> Facts {
        Facts { route: self.request.route.clone(), changed: None, again: false }
    }
}

impl Output for DeleteOutput {}
impl Output for ReportOutput {}
