//! How `transload local` tells what happens: a line each, for people or for programs.

use serde_json::{Value, json};
use stepfunctions_local::{Notification, Status};

use crate::command::print;
use crate::exit::Outcome;

/// Lines for people, or JSON.
#[derive(Debug)]
pub(crate) struct Voice {
    json: bool,
    /// For commands that are hinted at.
    stack: Option<String>,
}

impl Voice {
    /// A voice. Hints name the stack, if there is one.
    pub(crate) fn new(json: bool, stack: Option<String>) -> Self {
        Self { json, stack }
    }

    /// Says a thing in the one form or in the other.
    ///
    /// # Errors
    /// If nobody can hear it.
    pub(crate) fn say(&self, json: &Value, text: impl FnOnce() -> String) -> Outcome {
        if self.json { print(&format!("{json}\n")) } else { print(&text()) }
    }

    /// Tells of an execution. Children of Map Runs are not told of: there may be thousands.
    ///
    /// # Errors
    /// As [`Voice::say`].
    pub(crate) fn tell(&self, news: &Notification) -> Outcome {
        if news.map_run_arn.is_some() {
            return Ok(());
        }
        let (arn, status) = (&news.execution_arn, news.status);
        self.say(&json!({"executionArn": arn, "status": status, "error": news.error}), || {
            let name = arn.rsplit(':').next().unwrap_or(arn);
            let error = news.error.as_ref().map(|error| format!(" {error}")).unwrap_or_default();
            let stack = self.stack.as_ref().map(|stack| format!(" --stack {stack}")).unwrap_or_default();
            let hint = if status == Status::Failed {
                format!("  (transload history {name}{stack})")
            } else {
                String::new()
            };
            format!("{name} {}{error}{hint}\n", status.as_str())
        })
    }
}
