//! Wait: for seconds, or until a moment.
use super::scope::Scope;
use super::{Phase, Trouble};
use crate::asl::{Delay, Language, State};
use crate::clock::{Timestamp, parse_rfc3339};
use serde_json::Value;

/// Longest wait in seconds: as recorded, 24,855 days are accepted and 24,856 are not, which is where an i32 ends.
const MAX_SECONDS: f64 = i32::MAX as f64;

impl Scope {
    /// Waits, or goes on waiting.
    pub(super) async fn wait(&mut self, state: &State, input: &Value, delay: &Delay) -> Result<(), Trouble> {
        let until = match self.cursor.phase {
            Phase::Waiting { until } => until,
            _ => self.moment(state, input, delay)?,
        };
        self.cursor.phase = Phase::Waiting { until };
        self.run.save(&self.path, &self.cursor);
        if until > self.run.engine.clock.now() {
            self.run.flush(Vec::new()).await?;
            self.run.engine.clock.sleep_until(until).await;
        }
        Ok(())
    }

    pub(super) fn moment(&self, state: &State, input: &Value, delay: &Delay) -> Result<Timestamp, Trouble> {
        let view = self.view(state, input);
        let now = self.run.engine.clock.now();
        let until = match delay {
            Delay::Seconds(number) => self.cursor.entered_at.plus_seconds(view.number(number)?),
            Delay::Timestamp { field, value } => {
                let found = view.evaluate(value, field)?;
                let text = found.as_str().map_or_else(|| found.to_string(), str::to_owned);
                parse_rfc3339(&text).ok_or_else(|| match state.language {
                    Language::Jsonata => view.wrong(field, format!(
                        "The Timestamp field cannot be parsed as an ISO-8601 extended offset date-time format string: {text}"
                    )),
                    Language::JsonPath => view.runtime(format!(
                        "The {field} parameter does not reference a valid ISO-8601 extended offset date-time format string: {} == {text}",
                        value.source()
                    )),
                })?
            }
        };
        if until > now.plus_seconds(MAX_SECONDS) {
            return Err(view.runtime("Wait state delay is too long.").into());
        }
        Ok(until)
    }
}
