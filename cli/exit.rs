//! How the program ends: exit codes, and errors that say what, where and what to do.

use std::fmt;

/// What the exit code says. The numbers are an interface: `--help` and the README list them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// A transfer did not succeed, or a check of `demo`, `doctor` or `verify` did not hold.
    Failed = 1,
    /// The command line, an input file or the locations file is wrong.
    Usage = 2,
    /// No execution or location of that name.
    NotFound = 3,
    /// Another process works in this home, or the execution is not in a state that allows this.
    Busy = 4,
    /// Disk, database, sockets, worker processes: something outside of the transfer failed.
    Trouble = 5,
    /// Interrupted; the execution is kept and can be resumed. 128 + SIGINT, as shells count.
    Interrupted = 130,
}

/// The table of exit codes, as `--help` shows it.
pub(crate) const HELP: &str = "\
Exit codes:
  0    success
  1    the transfer failed (or a check of demo, doctor or verify did)
  2    wrong usage, input or locations file
  3    no such execution or location
  4    another process works in this home, or the execution's state does not allow this
  5    disk, database, sockets or worker processes failed
  130  interrupted; `transload resume` goes on";

/// An error on its way to the terminal.
#[derive(Debug)]
pub(crate) struct CliError {
    /// The exit code.
    pub(crate) exit: Exit,
    message: String,
    hint: Option<String>,
}

/// What commands answer.
pub(crate) type Outcome<T = ()> = Result<T, CliError>;

impl CliError {
    /// An error with its exit code.
    pub(crate) fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self { exit, message: message.into(), hint: None }
    }

    /// Wrong usage.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(Exit::Usage, message)
    }

    /// Something outside of the transfer failed while `doing` something.
    pub(crate) fn trouble(doing: impl fmt::Display, why: impl fmt::Display) -> Self {
        Self::new(Exit::Trouble, format!("{doing}: {why}"))
    }

    /// Says what to do about it.
    #[must_use]
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl fmt::Display for CliError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        self.hint.as_ref().map_or(Ok(()), |hint| write!(f, "\n  {hint}"))
    }
}

impl From<transload_wire::Failure> for CliError {
    fn from(failure: transload_wire::Failure) -> Self {
        Self::usage(failure.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::{CliError, Exit, HELP};

    #[test]
    fn every_code_is_in_the_help() {
        for exit in [Exit::Failed, Exit::Usage, Exit::NotFound, Exit::Busy, Exit::Trouble, Exit::Interrupted]
        {
            let code = (exit as u8).to_string();
            assert!(HELP.lines().any(|line| line.trim_start().starts_with(&code)), "{code}");
        }
    }

    #[test]
    fn an_error_says_what_to_do_on_a_line_of_its_own() {
        let error = CliError::usage("--size: expected bytes, found \"x\"").hint("try 1GiB");
        assert_eq!(error.to_string(), "--size: expected bytes, found \"x\"\n  try 1GiB");
    }
}
