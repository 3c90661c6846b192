//! What is said about a function before it runs: its command line, environment, limits and log.

use std::{ffi::OsString, fmt, path::PathBuf, sync::Arc, time::Duration};

use crate::PoolError;

/// Lambda's default memory, in MB ("Memory" under Lambda quotas: 128 MB to 10,240 MB).
pub const DEFAULT_MEMORY_MB: u32 = 128;

/// Lambda's default timeout.
pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(3);

/// Names that the pool sets itself; Lambda refuses them in a function's own variables, and so does this crate.
const RESERVED_PREFIX: &str = "AWS_LAMBDA_";
const RESERVED: [&str; 2] = ["_HANDLER", "_X_AMZN_TRACE_ID"];

/// One function: how its worker processes are started and what they may use.
///
/// `Debug` shows the names of environment variables, never their values.
#[derive(Clone)]
pub struct FunctionConfig {
    /// The function's name: 1 to 64 of `A-Z a-z 0-9 - _`.
    pub name: String,
    /// The worker's program.
    pub program: PathBuf,
    /// The program's arguments, without its name.
    pub args: Vec<OsString>,
    /// Variables of the worker. They win over [`inherit_env`](Self::inherit_env); names reserved by Lambda are refused.
    pub env: Vec<(String, OsString)>,
    /// Names of variables handed down from this process. Everything else is cleared, so that a worker does not
    /// inherit a secret by accident.
    pub inherit_env: Vec<String>,
    /// The longest one invocation may take. Lambda allows up to 15 minutes; here it only has to be above zero.
    pub timeout: Duration,
    /// The resident memory at which a worker is killed, in MB of 2^20 bytes.
    pub memory_mb: u32,
    /// Invocations that may run at once; `None` shares what the account has left. Zero refuses every invocation.
    pub reserved_concurrency: Option<usize>,
    /// Where the worker's output goes.
    pub logs: Logs,
}

impl FunctionConfig {
    /// A function with Lambda's defaults: 128 MB, 3 s, no reserved concurrency, empty environment, no logs.
    pub fn new(name: impl Into<String>, program: impl Into<PathBuf>) -> Self {
        Self {
            name: name.into(),
            program: program.into(),
            args: Vec::new(),
            env: Vec::new(),
            inherit_env: Vec::new(),
            timeout: DEFAULT_TIMEOUT,
            memory_mb: DEFAULT_MEMORY_MB,
            reserved_concurrency: None,
            logs: Logs::Null,
        }
    }

    pub(crate) fn check(&self) -> Result<(), PoolError> {
        let name_ok = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if self.name.is_empty() || self.name.len() > 64 || !self.name.chars().all(name_ok) {
            return Err(self.refuse("name", "1 to 64 of A-Z a-z 0-9 - _", &self.name));
        }
        if self.timeout.is_zero() {
            return Err(self.refuse("timeout", "more than zero", "0"));
        }
        if self.memory_mb == 0 {
            return Err(self.refuse("memory_mb", "at least 1", "0"));
        }
        let reserved = |name: &str| name.starts_with(RESERVED_PREFIX) || RESERVED.contains(&name);
        let malformed = |name: &str| name.is_empty() || name.contains(['=', '\0']);
        for name in self.env.iter().map(|(name, _)| name).chain(&self.inherit_env) {
            if reserved(name) || malformed(name) {
                return Err(self.refuse("env", "a name that Lambda does not reserve, without '='", name));
            }
        }
        Ok(())
    }

    fn refuse(&self, field: &'static str, expected: &'static str, found: &str) -> PoolError {
        PoolError::Invalid { function: self.name.clone(), field, expected, found: found.to_owned() }
    }

    pub(crate) fn memory_kib(&self) -> u64 {
        u64::from(self.memory_mb) * 1024
    }
}

impl fmt::Debug for FunctionConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.env.iter().map(|(name, _)| name.as_str()).collect();
        f.debug_struct("FunctionConfig")
            .field("name", &self.name)
            .field("program", &self.program)
            .field("args", &self.args.len())
            .field("env", &names)
            .field("inherit_env", &self.inherit_env)
            .field("timeout", &self.timeout)
            .field("memory_mb", &self.memory_mb)
            .field("reserved_concurrency", &self.reserved_concurrency)
            .field("logs", &self.logs)
            .finish()
    }
}

/// Where a worker's stdout and stderr go, together with Lambda's START, END and REPORT lines.
#[derive(Clone, Debug, Default)]
pub enum Logs {
    /// Nowhere.
    #[default]
    Null,
    /// Appended to this file, which is created if missing (mode 0600). Workers write to it directly.
    File(PathBuf),
    /// Each line to a function of the caller.
    Sink(LogSink),
}

/// A function that receives log lines. It is called on the runtime's threads, so it has to be quick.
#[derive(Clone)]
pub struct LogSink(Arc<dyn Fn(LogLine<'_>) + Send + Sync>);

impl LogSink {
    /// Wraps the function that receives each line.
    pub fn new(sink: impl Fn(LogLine<'_>) + Send + Sync + 'static) -> Self {
        Self(Arc::new(sink))
    }

    pub(crate) fn send(&self, line: LogLine<'_>) {
        (self.0)(line);
    }
}

impl fmt::Debug for LogSink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LogSink")
    }
}

/// One line of a function's log, without its line break.
#[derive(Clone, Copy, Debug)]
pub struct LogLine<'a> {
    /// The function's name.
    pub function: &'a str,
    /// The worker's process id; 0 while none could be started.
    pub pid: u32,
    /// The text; bytes that are not UTF-8 have been replaced.
    pub text: &'a str,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_names_variables_and_hides_values() {
        let mut config = FunctionConfig::new("f", "/bin/true");
        config.env.push(("AWS_SECRET_ACCESS_KEY".into(), "hunter2".into()));
        config.args.push("--token=hunter2".into());
        let shown = format!("{config:?}");
        assert!(shown.contains("AWS_SECRET_ACCESS_KEY"), "{shown}");
        assert!(!shown.contains("hunter2"), "{shown}");
    }

    #[test]
    fn each_bad_field_is_named() {
        type Spoil = fn(&mut FunctionConfig);
        let rows: [(&str, Spoil); 7] = [
            ("name", |c| c.name = String::new()),
            ("name", |c| c.name = "a b".into()),
            ("name", |c| c.name = "x".repeat(65)),
            ("timeout", |c| c.timeout = Duration::ZERO),
            ("memory_mb", |c| c.memory_mb = 0),
            ("env", |c| c.env.push(("AWS_LAMBDA_RUNTIME_API".into(), "elsewhere".into()))),
            ("env", |c| c.inherit_env.push("_HANDLER".into())),
        ];
        for (expected, spoil) in rows {
            let mut config = FunctionConfig::new("f", "/bin/true");
            assert!(config.check().is_ok());
            spoil(&mut config);
            match config.check() {
                Err(PoolError::Invalid { field, .. }) => assert_eq!(field, expected),
                other => panic!("{expected}: {other:?}"),
            }
        }
    }
}
