//! What can go wrong, in the words and under the names that Lambda uses for it.

use std::{fmt::Display, io, path::PathBuf, process::ExitStatus, time::Duration};

use bytes::Bytes;
use uuid::Uuid;

/// Largest payload of a synchronous invocation: 6 MB, as Invoke states it in RequestTooLargeException.
pub const REQUEST_LIMIT: usize = 6_291_456;

/// Largest answer a runtime may post, as the Runtime API states it in its 413.
pub const RESPONSE_LIMIT: usize = 6_291_556;

/// A worker ended by itself or was killed.
pub const EXIT_ERROR: &str = "Runtime.ExitError";
/// The program cannot be executed.
pub const INVALID_ENTRYPOINT: &str = "Runtime.InvalidEntrypoint";
/// The invocation's time was up.
pub const TIMED_OUT: &str = "Sandbox.Timedout";
/// The answer is larger than [`RESPONSE_LIMIT`].
pub const RESPONSE_TOO_LARGE: &str = "Function.ResponseSizeTooLarge";

/// Why a pool could not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PoolError {
    /// A field of a function's configuration is out of its range.
    #[error("function {function:?}, {field}: expected {expected}, found {found:?}")]
    Invalid {
        /// The function's name.
        function: String,
        /// The field of [`FunctionConfig`](crate::FunctionConfig).
        field: &'static str,
        /// What the field may hold.
        expected: &'static str,
        /// What it held.
        found: String,
    },
    /// Two functions share a name.
    #[error("function {name:?}: expected one, found two of that name")]
    Duplicate {
        /// The shared name.
        name: String,
    },
    /// Reserved concurrency leaves nothing for the functions without any.
    #[error("account concurrency: expected more than the {reserved} that functions reserve, found {account}")]
    Concurrency {
        /// The sum of all reserved concurrency.
        reserved: usize,
        /// The account's concurrency.
        account: usize,
    },
    /// A log file cannot be opened.
    #[error("function {function:?}, log file {path:?}: {source}")]
    Log {
        /// The function's name.
        function: String,
        /// The file.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
    /// The thread that starts processes could not be started.
    #[error("thread that starts workers: {source}")]
    Thread {
        /// The system's answer.
        source: io::Error,
    },
}

/// Why an invocation has no result.
///
/// [`error_name`](Self::error_name) and [`cause`](Self::cause) give what Step Functions would put into `Error` and `Cause`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvokeError {
    /// The function reported an error of its own, or answered with too much.
    #[error("function error {error_type}")]
    Function {
        /// `errorType` of the payload.
        error_type: String,
        /// The payload as posted: `{"errorType", "errorMessage", ...}`.
        payload: Bytes,
    },
    /// The function's time was up; its worker was killed.
    #[error("function timed out")]
    Timeout {
        /// `{"errorType": "Sandbox.Timedout", "errorMessage"}`.
        payload: Bytes,
    },
    /// The worker ended without an answer: it exited, was killed, used too much memory or could not be executed.
    #[error("worker ended without an answer: {error_type}")]
    Crashed {
        /// `Runtime.ExitError` or `Runtime.InvalidEntrypoint`.
        error_type: String,
        /// `{"errorType", "errorMessage"}`.
        payload: Bytes,
    },
    /// As many invocations run as the function or the account may run.
    #[error("{message}")]
    TooManyRequests {
        /// The service's message and which limit it was.
        message: String,
    },
    /// The request's payload is larger than [`REQUEST_LIMIT`].
    #[error("payload: expected at most {limit} bytes, found {found}")]
    PayloadTooLarge {
        /// The payload's bytes.
        found: usize,
        /// [`REQUEST_LIMIT`].
        limit: usize,
    },
    /// There is no function of that name.
    #[error("Function not found: {name}")]
    NotFound {
        /// The name or ARN as given.
        name: String,
    },
    /// This side failed: no process, no port, or the pool is shut down. Worth another try, except after a shutdown.
    #[error("{message}")]
    Service {
        /// What failed and how.
        message: String,
    },
}

impl InvokeError {
    /// The name that Retry and Catch of a state match on.
    pub fn error_name(&self) -> &str {
        match self {
            Self::Function { error_type, .. } | Self::Crashed { error_type, .. } => error_type,
            Self::Timeout { .. } => TIMED_OUT,
            Self::TooManyRequests { .. } => "Lambda.TooManyRequestsException",
            Self::PayloadTooLarge { .. } => "Lambda.RequestTooLargeException",
            Self::NotFound { .. } => "Lambda.ResourceNotFoundException",
            Self::Service { .. } => "Lambda.ServiceException",
        }
    }

    /// The payload where there is one, else the message.
    pub fn cause(&self) -> String {
        match self {
            Self::Function { payload, .. } | Self::Timeout { payload } | Self::Crashed { payload, .. } => {
                String::from_utf8_lossy(payload).into_owned()
            }
            other => other.to_string(),
        }
    }

    pub(crate) fn timeout(id: Uuid, timeout: Duration) -> Self {
        let seconds = timeout.as_secs_f64();
        let message = format!("RequestId: {id} Error: Task timed out after {seconds:.2} seconds");
        Self::Timeout { payload: payload(TIMED_OUT, &message) }
    }

    pub(crate) fn crashed(id: Uuid, error_type: &str, reason: &str) -> Self {
        let message = format!("RequestId: {id} Error: {reason}");
        Self::Crashed { error_type: error_type.to_owned(), payload: payload(error_type, &message) }
    }

    pub(crate) fn response_too_large() -> Self {
        let message =
            format!("Response payload size exceeded maximum allowed payload size ({RESPONSE_LIMIT} bytes).");
        Self::Function {
            error_type: RESPONSE_TOO_LARGE.to_owned(),
            payload: payload(RESPONSE_TOO_LARGE, &message),
        }
    }

    pub(crate) fn service(what: &str, why: impl Display) -> Self {
        Self::Service { message: format!("{what}: {why}") }
    }
}

/// `{"errorMessage", "errorType"}` as bytes.
pub(crate) fn payload(error_type: &str, message: &str) -> Bytes {
    serde_json::json!({"errorType": error_type, "errorMessage": message}).to_string().into()
}

/// How Lambda words the end of a runtime process.
pub(crate) fn exit_reason(status: ExitStatus) -> String {
    use std::os::unix::process::ExitStatusExt;
    match (status.code(), status.signal()) {
        (Some(0), _) => "Runtime exited without providing a reason".to_owned(),
        (Some(code), _) => format!("Runtime exited with error: exit status {code}"),
        (None, Some(signal)) => format!("Runtime exited with error: signal: {}", signal_name(signal)),
        (None, None) => "Runtime exited with error: unknown".to_owned(),
    }
}

/// The service prints signals as Go's `syscall.Signal` does.
fn signal_name(signal: i32) -> String {
    match signal {
        1 => "hangup".to_owned(),
        2 => "interrupt".to_owned(),
        4 => "illegal instruction".to_owned(),
        6 => "aborted".to_owned(),
        7 => "bus error".to_owned(),
        9 => "killed".to_owned(),
        11 => "segmentation fault".to_owned(),
        13 => "broken pipe".to_owned(),
        15 => "terminated".to_owned(),
        other => format!("signal {other}"),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt;

    use super::*;

    #[test]
    fn timeout_is_worded_as_the_service_does() {
        let error = InvokeError::timeout(Uuid::nil(), Duration::from_secs(3));
        let cause: serde_json::Value = serde_json::from_str(&error.cause()).unwrap();
        assert_eq!(error.error_name(), "Sandbox.Timedout");
        assert_eq!(cause["errorType"], "Sandbox.Timedout");
        assert_eq!(
            cause["errorMessage"],
            "RequestId: 00000000-0000-0000-0000-000000000000 Error: Task timed out after 3.00 seconds"
        );
    }

    #[test]
    fn ends_of_a_process_are_worded_as_the_service_does() {
        let rows = [
            (ExitStatus::from_raw(0), "Runtime exited without providing a reason"),
            (ExitStatus::from_raw(1 << 8), "Runtime exited with error: exit status 1"),
            (ExitStatus::from_raw(137 << 8), "Runtime exited with error: exit status 137"),
            (ExitStatus::from_raw(9), "Runtime exited with error: signal: killed"),
            (ExitStatus::from_raw(11), "Runtime exited with error: signal: segmentation fault"),
        ];
        for (status, expected) in rows {
            assert_eq!(exit_reason(status), expected);
        }
    }
}
