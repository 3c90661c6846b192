//! What happened, in order, each line with its virtual time: two runs of one seed give the same bytes.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::time::Time;

/// The lines of a world. Clones are the same trace.
#[derive(Clone)]
pub struct Trace {
    time: Time,
    lines: Arc<Mutex<Vec<String>>>,
}

impl fmt::Debug for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Trace")
    }
}

impl Trace {
    pub(crate) fn new(time: Time) -> Self {
        Self { time, lines: Arc::default() }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<String>> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a line.
    pub fn note(&self, what: impl fmt::Display) {
        let line = format!("{:.6} {what}", self.time.elapsed().as_secs_f64());
        self.lock().push(line);
    }

    /// All lines so far.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        self.lock().clone()
    }

    /// How many lines hold this text.
    #[must_use]
    pub fn count(&self, text: &str) -> usize {
        self.lock().iter().filter(|line| line.contains(text)).count()
    }

    /// All lines as one text.
    #[must_use]
    pub fn text(&self) -> String {
        self.lock().join("\n")
    }
}
