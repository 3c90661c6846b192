//! What is refused, with the service's codes.

/// A pattern, a rule or a target that is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message}")]
pub struct EventsError {
    /// `InvalidEventPatternException` or `ValidationException`.
    pub code: &'static str,
    /// What is wrong, in the service's words where we know them.
    pub message: String,
}

impl EventsError {
    pub(crate) fn pattern(reason: impl std::fmt::Display) -> Self {
        let message = format!("Event pattern is not valid. Reason: {reason}");
        Self { code: "InvalidEventPatternException", message }
    }

    pub(crate) fn validation(message: impl Into<String>) -> Self {
        Self { code: "ValidationException", message: message.into() }
    }
}
