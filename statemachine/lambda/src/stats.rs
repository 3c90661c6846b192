//! What a pool counts, per function.

use std::{collections::VecDeque, time::Duration};

use serde::Serialize;

use crate::InvokeError;

/// Start times kept for the median.
const STARTS_KEPT: usize = 1024;

/// Counts of one function since the pool started.
#[derive(Clone, Debug, Default, Serialize)]
#[non_exhaustive]
pub struct FunctionStats {
    /// The function's name.
    pub function: String,
    /// Worker processes started.
    pub environments_started: u64,
    /// Workers that could not be started.
    pub start_failures: u64,
    /// Invocations accepted, whatever their result.
    pub invocations: u64,
    /// Invocations that waited for a new worker and reached it.
    pub cold_starts: u64,
    /// Invocations refused for want of concurrency.
    pub throttles: u64,
    /// Errors that the function itself reported, and answers that were too large.
    pub function_errors: u64,
    /// Invocations whose time was up.
    pub timeouts: u64,
    /// Invocations whose worker ended under them or could not be executed, out of memory included.
    pub crashes: u64,
    /// Workers killed at the memory cap.
    pub out_of_memory: u64,
    /// Workers alive.
    pub workers: usize,
    /// Invocations at this moment.
    pub running: usize,
    /// Largest `VmHWM` seen of any worker, bytes. Of a worker that ended on its own it is as old as the last sample.
    pub peak_rss_bytes: u64,
    /// Processor time of all workers, living and dead, in steps of 10 ms per worker.
    pub cpu: Duration,
    /// From starting the process to its first poll.
    pub start_to_first_poll: StartTimes,
}

/// Times from starting a process to its first poll.
#[derive(Clone, Copy, Debug, Default, Serialize)]
#[non_exhaustive]
pub struct StartTimes {
    /// How many.
    pub count: u64,
    /// The latest.
    pub last: Duration,
    /// The shortest of all.
    pub min: Duration,
    /// The longest of all.
    pub max: Duration,
    /// The median of the last 1,024.
    pub median: Duration,
}

#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) environments_started: u64,
    pub(crate) start_failures: u64,
    pub(crate) invocations: u64,
    pub(crate) cold_starts: u64,
    pub(crate) throttles: u64,
    pub(crate) function_errors: u64,
    pub(crate) timeouts: u64,
    pub(crate) crashes: u64,
    pub(crate) out_of_memory: u64,
    pub(crate) peak_kib: u64,
    /// Of the dead.
    pub(crate) cpu: Duration,
    starts: VecDeque<Duration>,
    times: StartTimes,
}

impl Counters {
    pub(crate) fn started_in(&mut self, time: Duration) {
        let times = &mut self.times;
        times.min = if times.count == 0 { time } else { times.min.min(time) };
        times.max = times.max.max(time);
        times.last = time;
        times.count += 1;
        if self.starts.len() == STARTS_KEPT {
            self.starts.pop_front();
        }
        self.starts.push_back(time);
    }

    /// Counts the error an environment ended with.
    pub(crate) fn failed(&mut self, error: &InvokeError) {
        match error {
            InvokeError::Timeout { .. } => self.timeouts += 1,
            InvokeError::Crashed { .. } => self.crashes += 1,
            InvokeError::Function { .. } => self.function_errors += 1,
            _ => {}
        }
    }

    pub(crate) fn report(&self, function: &str) -> FunctionStats {
        FunctionStats {
            function: function.to_owned(),
            environments_started: self.environments_started,
            start_failures: self.start_failures,
            invocations: self.invocations,
            cold_starts: self.cold_starts,
            throttles: self.throttles,
            function_errors: self.function_errors,
            timeouts: self.timeouts,
            crashes: self.crashes,
            out_of_memory: self.out_of_memory,
            peak_rss_bytes: self.peak_kib * 1024,
            cpu: self.cpu,
            start_to_first_poll: StartTimes { median: self.median(), ..self.times },
            ..FunctionStats::default()
        }
    }

    fn median(&self) -> Duration {
        let mut sorted: Vec<Duration> = self.starts.iter().copied().collect();
        sorted.sort_unstable();
        sorted.get(sorted.len() / 2).copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn start_times_are_summed_up() {
        let mut counters = Counters::default();
        for ms in [9, 3, 5] {
            counters.started_in(Duration::from_millis(ms));
        }
        let times = counters.report("f").start_to_first_poll;
        let ms = [times.last, times.min, times.max, times.median].map(|d| d.as_millis());
        assert_eq!((times.count, ms), (3, [5, 3, 9, 5]));
    }

    #[test]
    fn no_start_no_times() {
        assert_eq!(Counters::default().report("f").start_to_first_poll.median, Duration::ZERO);
    }
}
