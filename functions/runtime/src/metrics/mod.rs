//! Metrics: one line of the embedded metric format on standard output for each invocation, where they are asked for.
//!
//! CloudWatch makes metrics of such lines by itself, so a function needs neither a right nor a request for them. A
//! dimension is only what there are few of: machine and route. The error's name is a property, to be searched for.

mod line;
mod lists;
mod many;
mod states;
mod time;

use std::io::Write;
use std::time::SystemTime;

use transload_wire::{ErrorName, RouteName};

pub(crate) use line::Metrics;

/// What is known of an invocation before it runs.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Facts {
    /// The request's route.
    pub route: Option<RouteName>,
    /// When the source was last changed, ISO 8601.
    pub changed: Option<String>,
    /// Whether the workflow tried this call before.
    pub again: bool,
}

/// Input of a function, as metrics see it.
pub trait Input {
    /// What it tells of the invocation.
    fn facts(&self) -> Facts {
        Facts::default()
    }
}

/// Output of a function, as metrics see it.
pub trait Output {
    /// What was done, at this time.
    fn measures(&self, _facts: &Facts, _now: SystemTime) -> Vec<Measure> {
        Vec::new()
    }
}

/// A name and a number. The names are an interface: dashboards and alarms read them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Measure {
    /// Bytes read of the source and kept; what had to be read again is not counted twice.
    BytesRead(u64),
    /// Bytes written to the destination and kept.
    BytesWritten(u64),
    /// Bytes of objects that were proven.
    BytesCompleted(u64),
    /// Objects that were proven.
    Objects(u64),
    /// From the source's last change to the proof, in seconds.
    LagSeconds(f64),
    /// Parts sent.
    Parts(u64),
    /// Tries after the first one: of bodies by the worker, of the call by the workflow.
    Retries(u64),
    /// Invocations that failed.
    Failures(u64),
}

impl Measure {
    fn name(self) -> &'static str {
        match self {
            Self::BytesRead(_) => "BytesRead",
            Self::BytesWritten(_) => "BytesWritten",
            Self::BytesCompleted(_) => "BytesCompleted",
            Self::Objects(_) => "Objects",
            Self::LagSeconds(_) => "LagSeconds",
            Self::Parts(_) => "Parts",
            Self::Retries(_) => "Retries",
            Self::Failures(_) => "Failures",
        }
    }

    fn unit(self) -> &'static str {
        match self {
            Self::BytesRead(_) | Self::BytesWritten(_) | Self::BytesCompleted(_) => "Bytes",
            Self::LagSeconds(_) => "Seconds",
            Self::Objects(_) | Self::Parts(_) | Self::Retries(_) | Self::Failures(_) => "Count",
        }
    }
}

impl Metrics {
    /// Writes the line of an invocation.
    pub(crate) fn tell<O: Output>(&self, facts: &Facts, result: Result<&O, ErrorName>) {
        let now = SystemTime::now();
        let (mut measures, error) = match result {
            Ok(output) => (output.measures(facts, now), None),
            Err(error) => (Vec::new(), Some(error)),
        };
        measures.push(Measure::Failures(u64::from(error.is_some())));
        let line = self.line(facts, &measures, error, now);
        // One write, so that nothing else stands in the line.
        if let Err(error) = std::io::stdout().lock().write_all(line.as_bytes()) {
            tracing::warn!(%error, "metrics could not be written");
        }
    }
}
