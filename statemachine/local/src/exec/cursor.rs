//! Where a scope stands: enough to go on after the process has died, or after a redrive.
use super::callback::Callback;
use crate::asl::Variables;
use crate::clock::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::sync::Arc;

/// How far a state has come.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) enum Phase {
    /// Not entered.
    Fresh,
    /// The entered event is written, nothing else.
    Entered,
    /// A task is running.
    Attempt,
    /// Before the next attempt.
    Backoff { until: Timestamp },
    /// In a Wait.
    Waiting { until: Timestamp },
    /// In a Parallel or INLINE Map of so many scopes; their cursors are below this one's path.
    Branches,
    /// In a DISTRIBUTED Map.
    MapRun { id: i64 },
    /// The scope has ended with this output.
    Done { output: Arc<Value> },
}

/// The item that an iteration works on.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Item {
    pub(crate) index: u64,
    pub(crate) value: Arc<Value>,
    /// Where it was read, for a DISTRIBUTED Map.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) source: Option<Arc<str>>,
}

/// Where a scope stands.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Cursor {
    pub(crate) state: String,
    pub(crate) input: Arc<Value>,
    pub(crate) variables: Variables,
    /// The event that the next one follows.
    pub(crate) previous: u64,
    /// What `previous` was when the state was entered.
    pub(crate) before: u64,
    pub(crate) entered: u64,
    pub(crate) entered_at: Timestamp,
    /// Attempts used up, by retrier.
    pub(crate) retries: Vec<u32>,
    pub(crate) retry_count: u64,
    pub(crate) item: Option<Item>,
    /// The token of a task that somebody outside ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) callback: Option<Callback>,
    pub(crate) phase: Phase,
}

impl Cursor {
    /// At the start of a flow.
    pub(crate) fn start(state: &str, input: Arc<Value>, variables: Variables, previous: u64) -> Self {
        Self {
            state: state.to_owned(),
            input,
            variables,
            previous,
            before: previous,
            entered: 0,
            entered_at: Timestamp::default(),
            retries: Vec::new(),
            retry_count: 0,
            item: None,
            callback: None,
            phase: Phase::Fresh,
        }
    }

    /// The process died amid a task: whoever runs it again learns from the context that it may have been begun before.
    /// No retrier's attempts are used up by that.
    pub(crate) fn interrupted(&mut self) {
        // What only waits for its token's holder goes on waiting.
        if matches!(self.phase, Phase::Attempt) && !self.callback.as_ref().is_some_and(|c| c.submitted) {
            self.retry_count += 1;
        }
    }

    /// Moves on to another state.
    pub(crate) fn go(&mut self, state: &str, input: Arc<Value>) {
        self.state = state.to_owned();
        self.input = input;
        self.retries = Vec::new();
        self.retry_count = 0;
        self.callback = None;
        self.phase = Phase::Fresh;
    }

    /// As a redrive finds it: the state is entered again with the same input, its retries unused.
    pub(crate) fn rewind(&mut self) {
        self.retries = Vec::new();
        self.retry_count = 0;
        self.callback = None;
        if matches!(self.phase, Phase::Attempt | Phase::Backoff { .. } | Phase::Waiting { .. }) {
            self.phase = Phase::Entered;
        }
    }
}
