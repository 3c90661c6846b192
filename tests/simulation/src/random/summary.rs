//! Adds up what came of many seeds.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use super::play::Played;

/// Invariants that are judged for every execution.
const INVARIANTS: u64 = 6;

/// Sums over seeds.
#[derive(Debug, Default)]
pub struct Summary {
    /// Worlds.
    pub seeds: u64,
    /// Transfers.
    pub transfers: u64,
    /// Transfers and replays.
    pub executions: u64,
    /// Violations.
    pub violations: u64,
    requests: u64,
    time: Duration,
    ends: BTreeMap<String, u64>,
    injected: BTreeMap<String, u64>,
}

impl Summary {
    /// Adds a seed's.
    pub fn add(&mut self, played: &Played) {
        self.seeds += 1;
        self.transfers += played.transfers;
        self.executions += played.executions;
        self.violations += played.violations.len() as u64;
        self.requests += played.requests;
        self.time += played.time;
        for (sum, more) in [(&mut self.ends, &played.ends), (&mut self.injected, &played.injected)] {
            for (name, count) in more {
                *sum.entry(name.clone()).or_default() += count;
            }
        }
    }

    /// How many faults were injected.
    #[must_use]
    pub fn faults(&self) -> u64 {
        self.injected.values().sum()
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "worlds               {}", self.seeds)?;
        writeln!(f, "transfers            {}", self.transfers)?;
        writeln!(f, "with replays         {}", self.executions)?;
        writeln!(f, "requests             {}", self.requests)?;
        writeln!(f, "virtual time         {} days", self.time.as_secs() / 86_400)?;
        writeln!(f, "faults injected      {}", self.faults())?;
        for (name, count) in &self.injected {
            writeln!(f, "  {name:<40} {count}")?;
        }
        writeln!(f, "ends")?;
        for (name, count) in &self.ends {
            writeln!(f, "  {name:<40} {count}")?;
        }
        writeln!(f, "invariants checked   {}", self.executions * INVARIANTS)?;
        write!(f, "violations           {}", self.violations)
    }
}
