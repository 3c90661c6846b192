//! Live progress on standard error: a bar on a terminal, a line now and then elsewhere.

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::units;

/// How far a transfer is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Step {
    /// The state of the workflow.
    pub(crate) state: String,
    /// Bytes there.
    pub(crate) bytes: u64,
    /// Bytes in all; none while unknown.
    pub(crate) size: Option<u64>,
    /// Parts there.
    pub(crate) parts: u64,
    /// Parts in all; 0 if the object goes whole.
    pub(crate) of_parts: u64,
    /// Round, from 1; 0 before the first.
    pub(crate) round: u32,
    /// Whether the parts are objects of their own.
    pub(crate) many: bool,
    /// Objects that failed.
    pub(crate) failed: u64,
    /// What else is to be said.
    pub(crate) note: String,
}

/// Where progress is shown.
pub(crate) struct Progress {
    bar: Option<ProgressBar>,
    quiet: bool,
    begun: Option<(Instant, u64)>,
    shown: Step,
    lines_at: Instant,
}

/// Between two lines where there is no terminal, so that a log of hours stays short.
const LINE_EVERY: Duration = Duration::from_secs(5);

impl Progress {
    /// A bar if standard error is a terminal, else lines; nothing if `quiet`.
    pub(crate) fn new(quiet: bool) -> Self {
        let bar = (!quiet && std::io::stderr().is_terminal()).then(bar);
        Self { bar, quiet, begun: None, shown: Step::default(), lines_at: Instant::now() }
    }

    /// Shows a step.
    pub(crate) fn show(&mut self, step: &Step) {
        if step.bytes > 0 || step.of_parts > 0 {
            // Speed counts from here: what was there before was not moved by us.
            self.begun.get_or_insert((Instant::now(), step.bytes));
        }
        match &self.bar {
            Some(bar) => {
                bar.set_length(step.size.unwrap_or(1).max(1));
                bar.set_position(step.bytes);
                bar.set_message(self.words(step));
            }
            None if !self.quiet => self.line(step),
            None => {}
        }
        self.shown = step.clone();
    }

    fn line(&mut self, step: &Step) {
        let moved = step.state != self.shown.state || step.round != self.shown.round;
        let due = self.lines_at.elapsed() >= LINE_EVERY && step.bytes != self.shown.bytes;
        if moved || due {
            self.lines_at = Instant::now();
            eprintln!("{:<9} {}", step.state, self.words(step));
        }
    }

    fn words(&self, step: &Step) -> String {
        let mut words = Vec::new();
        if step.of_parts > 0 {
            let unit = if step.many { "objects" } else { "parts" };
            words.push(format!("{}/{} {unit}", step.parts, step.of_parts));
        }
        if let Some(size) = step.size {
            words.push(format!("{} of {}", units::size(step.bytes), units::size(size)));
        }
        words.extend(self.speed(step));
        if step.state == "Closed" {
            words.push("waits for its window".to_owned());
        }
        if step.failed > 0 {
            words.push(format!("{} failed", step.failed));
        }
        if !step.note.is_empty() {
            words.push(step.note.clone());
        }
        if step.round > 1 {
            words.push(format!("round {}", step.round));
        }
        if self.bar.is_some() {
            words.push(step.state.clone());
        }
        words.join("  ")
    }

    fn speed(&self, step: &Step) -> Vec<String> {
        let Some((since, before)) = self.begun else { return Vec::new() };
        let (time, moved) = (since.elapsed(), step.bytes.saturating_sub(before));
        let left = step.size.unwrap_or_default().saturating_sub(step.bytes);
        if moved == 0 || left == 0 || time.is_zero() {
            return Vec::new();
        }
        let eta = Duration::from_secs_f64(time.as_secs_f64() * left as f64 / moved as f64);
        vec![units::rate(moved, time), format!("ETA {}", units::time(eta))]
    }

    /// Takes the bar away.
    pub(crate) fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

fn bar() -> ProgressBar {
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr_with_hz(10));
    let style =
        ProgressStyle::with_template("  {bar:28}  {msg}").unwrap_or_else(|_| ProgressStyle::default_bar());
    bar.set_style(style.progress_chars("=> "));
    bar
}

#[cfg(test)]
mod tests {
    use super::{Progress, Step};

    #[test]
    fn words_say_parts_and_bytes() {
        let progress = Progress::new(true);
        let step = Step {
            state: "Parts".into(),
            bytes: 8 << 20,
            size: Some(32 << 20),
            parts: 1,
            of_parts: 4,
            round: 2,
            ..Step::default()
        };
        assert_eq!(progress.words(&step), "1/4 parts  8 MiB of 32 MiB  round 2");
        assert_eq!(progress.words(&Step::default()), "");
        let closed = Step { state: "Closed".into(), ..Step::default() };
        assert_eq!(progress.words(&closed), "waits for its window");
    }
}
