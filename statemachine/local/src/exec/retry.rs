//! What happens when a state fails: it is tried again, caught, or ends its scope.
use super::io::{self, Result_};
use super::scope::{Scope, kind_name};
use super::{Failure, Phase, Trouble};
use crate::asl::{Catcher, Kind, Language, Retrier, State, Transition};
use crate::history::Draft;
use rand::Rng;
use serde_json::json;

impl Scope {
    /// Returns once the state may go on: before its next attempt, or in the state that caught it.
    pub(super) async fn recover(&mut self, state: &State, failure: Failure) -> Result<(), Trouble> {
        if let Some(after) = failure.after {
            self.cursor.previous = after;
        }
        self.evaluation_failed(state, &failure)?;
        if let Some(delay) = self.next_attempt(state, &failure) {
            return self.back_off(delay).await;
        }
        let fans_out = matches!(state.kind, Kind::Map(_) | Kind::Parallel { .. });
        if fans_out && !failure.terminal {
            self.log(&[Draft::bare(format!("{}StateFailed", kind_name(&state.kind)))])?;
        }
        match state.catch.iter().find(|c| failure.matches(&c.errors)) {
            Some(catcher) => match self.caught(state, catcher, &failure) {
                // The catcher's own expressions failed: that is the end, and no catcher's business.
                Err(Trouble::Error(own)) => {
                    self.evaluation_failed(state, &own)?;
                    Err(Failure { after: Some(self.cursor.previous), evaluation: None, ..own }.into())
                }
                other => other,
            },
            None => Err(Failure { after: Some(self.cursor.previous), evaluation: None, ..failure }.into()),
        }
    }

    fn evaluation_failed(&mut self, state: &State, failure: &Failure) -> Result<(), Trouble> {
        let Some(location) = &failure.evaluation else { return Ok(()) };
        // As recorded: what a Pass or a Map evaluates at once is chained to the event before the state's own.
        if matches!(state.kind, Kind::Pass { .. } | Kind::Map(_))
            && self.cursor.previous == self.cursor.entered
        {
            self.cursor.previous = self.cursor.before;
        }
        let details = json!({"error": failure.error, "cause": failure.cause, "location": location, "state": state.name});
        self.log(&[Draft::new("EvaluationFailed", "evaluationFailedEventDetails", details)]).map(|_| ())
    }

    /// Counts the failure against the first retrier that takes it; seconds to wait if it has attempts left.
    fn next_attempt(&mut self, state: &State, failure: &Failure) -> Option<f64> {
        let index = state.retry.iter().position(|r| failure.matches(&r.errors))?;
        let retrier = &state.retry[index];
        self.cursor.retries.resize(state.retry.len(), 0);
        let used = self.cursor.retries[index];
        if used >= retrier.max_attempts {
            return None;
        }
        self.cursor.retries[index] += 1;
        self.cursor.retry_count += 1;
        let most = longest_delay(retrier, used);
        let entropy = &self.run.engine.entropy;
        let jitter =
            || entropy.lock().unwrap_or_else(std::sync::PoisonError::into_inner).random_range(0.0..=most);
        Some(if retrier.full_jitter { jitter() } else { most })
    }

    async fn back_off(&mut self, delay: f64) -> Result<(), Trouble> {
        let until = self.run.engine.clock.now().plus_seconds(delay);
        self.cursor.phase = Phase::Backoff { until };
        self.run.forget_below(&self.path);
        self.run.save(&self.path, &self.cursor);
        self.run.flush(Vec::new()).await?;
        self.sit_out().await;
        Ok(())
    }

    /// Waits out a delay before the next attempt, also one that an earlier process began.
    pub(super) async fn sit_out(&mut self) {
        if let Phase::Backoff { until } = self.cursor.phase {
            self.run.engine.clock.sleep_until(until).await;
            self.cursor.phase = Phase::Entered;
        }
    }

    fn caught(&mut self, state: &State, catcher: &Catcher, failure: &Failure) -> Result<(), Trouble> {
        let done = self.handed_on(state, catcher, failure)?;
        self.run.forget_below(&self.path);
        self.leave(state, done, &Transition::Next(catcher.next.clone()))
    }

    /// What a catcher hands on.
    pub(super) fn handed_on(
        &self,
        state: &State,
        catcher: &Catcher,
        failure: &Failure,
    ) -> Result<Result_, Failure> {
        let raw = self.cursor.input.clone();
        let error = failure.output();
        let view = self.view(state, &raw);
        let (assigned, output) = match state.language {
            Language::Jsonata => {
                let assigned = io::assign(&view, catcher.assign.as_ref(), None, Some(&error))?;
                let output = match &catcher.output {
                    Some(template) => view.evaluate_with(template, "Output", None, Some(&error))?,
                    None => error,
                };
                (assigned, output)
            }
            Language::JsonPath => {
                let over = self.view(state, &error);
                let assigned = io::assign(&over, catcher.assign.as_ref(), None, None)?;
                let placed =
                    io::place(&catcher.result_path, &raw, error.clone()).map_err(|m| view.runtime(m))?;
                (assigned, placed)
            }
        };
        Ok(Result_ { output: io::checked(&view, output)?, assigned })
    }
}

/// Seconds before the attempt that follows `used` earlier retries.
pub(super) fn longest_delay(retrier: &Retrier, used: u32) -> f64 {
    let exponent = i32::try_from(used).unwrap_or(i32::MAX);
    let delay = retrier.interval_seconds * retrier.backoff_rate.powi(exponent);
    // Without a limit the service stops growing somewhere below a year; so do we.
    delay.min(retrier.max_delay_seconds.unwrap_or(31_622_399.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn retrier(rate: f64, most: Option<f64>) -> Retrier {
        Retrier {
            errors: vec![],
            interval_seconds: 3.0,
            max_attempts: 9,
            backoff_rate: rate,
            max_delay_seconds: most,
            full_jitter: false,
        }
    }

    #[test]
    fn delays_grow_and_stop_growing() {
        let delays: Vec<f64> = (0..4).map(|n| longest_delay(&retrier(2.0, Some(10.0)), n)).collect();
        assert_eq!(delays, [3.0, 6.0, 10.0, 10.0]);
        assert!(longest_delay(&retrier(10.0, None), 4_000_000_000).is_finite());
    }
}
