//! A function's log: what its workers print, between Lambda's START, END and REPORT lines.

use std::{
    fs::{File, OpenOptions},
    io::{self, Write},
    os::{fd::OwnedFd, unix::fs::OpenOptionsExt},
    process::{Command, Stdio},
};

use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, BufReader},
    net::unix::pipe,
};
use uuid::Uuid;

use crate::{
    InvokeError,
    config::{FunctionConfig, LogLine, LogSink, Logs},
    error::PoolError,
    states::{Finished, Outcome},
};

/// Longest line handed to a sink, the size of one CloudWatch event; longer ones arrive in pieces.
const LINE_LIMIT: u64 = 256 * 1024;

#[derive(Debug)]
enum Target {
    Null,
    File(File),
    Sink(LogSink),
}

/// An open log.
#[derive(Debug)]
pub(crate) struct Log {
    function: String,
    memory_mb: u32,
    target: Target,
}

impl Log {
    pub(crate) fn open(config: &FunctionConfig) -> Result<Self, PoolError> {
        let target = match &config.logs {
            Logs::Null => Target::Null,
            Logs::Sink(sink) => Target::Sink(sink.clone()),
            Logs::File(path) => {
                let file = OpenOptions::new().create(true).append(true).mode(0o600).open(path);
                Target::File(file.map_err(|source| PoolError::Log {
                    function: config.name.clone(),
                    path: path.clone(),
                    source,
                })?)
            }
        };
        Ok(Self { function: config.name.clone(), memory_mb: config.memory_mb, target })
    }

    /// Whether anybody reads it; if not, nothing needs to be measured for it.
    pub(crate) fn is_open(&self) -> bool {
        !matches!(self.target, Target::Null)
    }

    /// Directs a worker's output here. The answer is the pipe to be read by [`pump`](Self::pump), if it takes one.
    pub(crate) fn connect(&self, command: &mut Command) -> io::Result<Option<OwnedFd>> {
        command.stdin(Stdio::null());
        match &self.target {
            Target::Null => {
                command.stdout(Stdio::null()).stderr(Stdio::null());
                Ok(None)
            }
            Target::File(file) => {
                command.stdout(file.try_clone()?).stderr(file.try_clone()?);
                Ok(None)
            }
            Target::Sink(_) => {
                let (reader, writer) = io::pipe()?;
                command.stdout(writer.try_clone()?).stderr(writer);
                Ok(Some(reader.into()))
            }
        }
    }

    /// Hands a worker's output on, line by line, until all its writers have ended.
    pub(crate) async fn pump(&self, pid: u32, pipe: OwnedFd) -> io::Result<()> {
        let mut lines = BufReader::new(pipe::Receiver::from_owned_fd(pipe)?);
        let mut line = Vec::new();
        loop {
            line.clear();
            if (&mut lines).take(LINE_LIMIT).read_until(b'\n', &mut line).await? == 0 {
                return Ok(());
            }
            let text = line.strip_suffix(b"\n").unwrap_or(&line);
            self.write(pid, &String::from_utf8_lossy(text));
        }
    }

    pub(crate) fn started(&self, pid: u32, id: Uuid) {
        if self.is_open() {
            self.write(pid, &format!("START RequestId: {id} Version: $LATEST"));
        }
    }

    /// What Lambda prints when an invocation has ended. `peak_kib` is the worker's, as in Lambda.
    pub(crate) fn finished(&self, pid: u32, finished: &Finished, peak_kib: u64) {
        let Outcome::Done(result) = &finished.outcome else { return };
        if !self.is_open() {
            return;
        }
        let id = finished.id;
        if !finished.fetched {
            self.started(pid, id);
        }
        let status = self.failure(pid, result.as_ref().err());
        let ms = finished.duration.as_secs_f64() * 1000.0;
        let init =
            finished.init.map(|init| format!("\tInit Duration: {:.2} ms", init.as_secs_f64() * 1000.0));
        self.write(pid, &format!("END RequestId: {id}"));
        self.write(
            pid,
            &format!(
                "REPORT RequestId: {id}\tDuration: {ms:.2} ms\tBilled Duration: {} ms\tMemory Size: {} MB\t\
                 Max Memory Used: {} MB{}{status}",
                ms.ceil(),
                self.memory_mb,
                peak_kib.div_ceil(1024),
                init.unwrap_or_default(),
            ),
        );
    }

    /// Writes the message of an error that the worker did not write itself; the answer ends the REPORT line.
    fn failure(&self, pid: u32, error: Option<&InvokeError>) -> String {
        match error {
            Some(error @ InvokeError::Timeout { .. }) => {
                self.write(pid, &error.cause());
                "\tStatus: timeout".to_owned()
            }
            Some(error @ (InvokeError::Crashed { .. } | InvokeError::Service { .. })) => {
                self.write(pid, &error.cause());
                format!("\tStatus: error\tError Type: {}", error.error_name())
            }
            // The function has reported it in its own words.
            _ => String::new(),
        }
    }

    fn write(&self, pid: u32, text: &str) {
        match &self.target {
            Target::Null => {}
            Target::Sink(sink) => sink.send(LogLine { function: &self.function, pid, text }),
            Target::File(file) => {
                // One write per line: appends of several processes then do not mix within a line.
                if let Err(error) = (&*file).write_all(format!("{text}\n").as_bytes()) {
                    tracing::warn!(function = self.function, %error, "log line lost");
                }
            }
        }
    }
}
