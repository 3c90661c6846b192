//! What a check found: one line, and what to do about it.

use serde::Serialize;

/// How it looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Verdict {
    /// As it has to be.
    Ok,
    /// It does not apply here, or was not asked for.
    Skipped,
    /// Transfers work, or may; somebody should look.
    Warning,
    /// Transfers will fail.
    Wrong,
}

/// A check's result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Finding {
    /// How it looks.
    pub(crate) verdict: Verdict,
    /// What was looked at: a location, a bucket, a route.
    pub(crate) subject: String,
    /// What was checked.
    pub(crate) check: &'static str,
    /// What has to be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) expected: Option<String>,
    /// What is.
    pub(crate) found: String,
    /// What to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) advice: Option<String>,
}

impl Finding {
    fn new(verdict: Verdict, subject: &str, check: &'static str, found: impl Into<String>) -> Self {
        let subject = subject.to_owned();
        Self { verdict, subject, check, expected: None, found: found.into(), advice: None }
    }

    /// As it has to be.
    pub(crate) fn ok(subject: &str, check: &'static str, found: impl Into<String>) -> Self {
        Self::new(Verdict::Ok, subject, check, found)
    }

    /// Does not apply; `why`.
    pub(crate) fn skipped(subject: &str, check: &'static str, why: impl Into<String>) -> Self {
        Self::new(Verdict::Skipped, subject, check, why)
    }

    /// Somebody should look.
    pub(crate) fn warning(subject: &str, check: &'static str, found: impl Into<String>) -> Self {
        Self::new(Verdict::Warning, subject, check, found)
    }

    /// Could not be found out: which right is missing for that, or what was answered.
    pub(crate) fn unknown(subject: &str, check: &'static str, needs: &str) -> Self {
        Self::warning(subject, check, format!("unknown: needs {needs}"))
    }

    /// Transfers will fail.
    pub(crate) fn wrong(subject: &str, check: &'static str, found: impl Into<String>) -> Self {
        Self::new(Verdict::Wrong, subject, check, found)
    }

    /// What has to be.
    #[must_use]
    pub(crate) fn expected(mut self, expected: impl Into<String>) -> Self {
        self.expected = Some(expected.into());
        self
    }

    /// What to do.
    #[must_use]
    pub(crate) fn advice(mut self, advice: impl Into<String>) -> Self {
        self.advice = Some(advice.into());
        self
    }

    /// On one line.
    pub(crate) fn text(&self) -> String {
        match &self.expected {
            Some(expected) => format!("expected {expected}, found {}", self.found),
            None => self.found.clone(),
        }
    }
}
