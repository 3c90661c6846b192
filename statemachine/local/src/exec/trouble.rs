//! What can end a state early, and which retrier or catcher takes it.
use crate::query::{Fault, QueryError};
use crate::store::StoreError;
use serde_json::{Map, Value};

/// Why a state, a scope or an execution does not go on.
#[derive(Debug, Clone)]
pub(crate) enum Trouble {
    /// A named error.
    Error(Failure),
    /// The database failed: nothing more is recorded.
    Store(StoreError),
}

/// A named error, as Retry and Catch see it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) error: Option<String>,
    pub(crate) cause: Option<String>,
    /// No retrier and no catcher takes it.
    pub(crate) terminal: bool,
    /// The field of an expression that failed: an `EvaluationFailed` event is due.
    pub(crate) evaluation: Option<Option<String>>,
    /// The event that the following one follows, if not the scope's own.
    pub(crate) after: Option<u64>,
}

impl From<StoreError> for Trouble {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<Failure> for Trouble {
    fn from(failure: Failure) -> Self {
        Self::Error(failure)
    }
}

impl Trouble {
    /// The history holds no more events.
    pub(crate) fn history_full() -> Self {
        let cause = "The execution reached the maximum number of history events (25000).";
        Self::Error(Failure::terminal("States.Runtime", cause))
    }
}

impl Failure {
    /// An error that can be retried and caught.
    pub(crate) fn new(error: impl Into<String>, cause: impl Into<String>) -> Self {
        Self { error: Some(error.into()), cause: Some(cause.into()), ..Self::default() }
    }

    /// An error that cannot.
    pub(crate) fn terminal(error: &str, cause: impl Into<String>) -> Self {
        Self { terminal: true, ..Self::new(error, cause) }
    }

    /// A result or output over 262,144 bytes. As recorded on the real service, a Task's own result over the limit can be
    /// caught; a state's output cannot.
    pub(crate) fn too_large(what: &str) -> Self {
        let cause = format!(
            "The state/task '{what}' returned a result with a size exceeding the maximum number of bytes service limit."
        );
        Self::new("States.DataLimitExceeded", cause)
    }

    /// A failed expression in a state, with the preamble that says where.
    pub(crate) fn query(error: QueryError, state: &str, entered: u64) -> Self {
        let cause = format!(
            "An error occurred while executing the state '{state}' (entered at the event id #{entered}). {}",
            error.cause
        );
        match error.fault {
            Fault::Runtime => Self::terminal("States.Runtime", cause),
            Fault::Intrinsic => Self::new("States.IntrinsicFailure", cause),
            Fault::Evaluation => {
                Self { evaluation: Some(error.location), ..Self::new("States.QueryEvaluationError", cause) }
            }
        }
    }

    /// `{"Error", "Cause"}`.
    pub(crate) fn output(&self) -> Value {
        let mut map = Map::new();
        map.extend(self.error.iter().map(|e| ("Error".to_owned(), Value::String(e.clone()))));
        map.extend(self.cause.iter().map(|c| ("Cause".to_owned(), Value::String(c.clone()))));
        Value::Object(map)
    }

    /// Whether one of the names in `ErrorEquals` means this error.
    pub(crate) fn matches(&self, names: &[String]) -> bool {
        let error = self.error.as_deref().unwrap_or_default();
        let timeout = matches!(error, "States.Timeout" | "States.HeartbeatTimeout");
        !self.terminal
            && names.iter().any(|name| match name.as_str() {
                "States.ALL" => true,
                "States.TaskFailed" => !timeout,
                "States.Timeout" => timeout,
                name => name == error,
            })
    }
}
