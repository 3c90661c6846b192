//! What the pool, its environments and its watcher work on together.

use std::{
    path::Path,
    process::Command,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use hyper::header::HeaderValue;
use tokio::{
    sync::{Notify, oneshot},
    time::timeout_at,
};
use uuid::Uuid;

use crate::{
    FunctionConfig, InvokeError, environment,
    log::Log,
    registry::Registry,
    states::{EnvironmentId, Finished, Outcome},
    worker::{Starter, Worker},
};

/// A function with what is made of its configuration once.
#[derive(Debug)]
pub(crate) struct Deployed {
    pub(crate) config: FunctionConfig,
    pub(crate) arn: HeaderValue,
    pub(crate) log: Log,
}

/// What environments, the watcher and the pool work on together.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) registry: Mutex<Registry>,
    pub(crate) functions: Vec<Deployed>,
    pub(crate) region: String,
    pub(crate) starter: Starter,
    pub(crate) ended: Notify,
}

impl Shared {
    /// Never held across an await.
    pub(crate) fn registry(&self) -> MutexGuard<'_, Registry> {
        self.registry.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn find(&self, name_or_arn: &str) -> Option<usize> {
        let name = name_or_arn.rsplit_once("function:").map_or(name_or_arn, |(_, name)| name);
        let name = name.strip_suffix(":$LATEST").unwrap_or(name);
        self.functions.iter().position(|function| function.config.name == name)
    }

    pub(crate) fn log(&self, function: usize) -> &Log {
        &self.functions[function].log
    }

    pub(crate) fn arn(&self, function: usize) -> HeaderValue {
        self.functions[function].arn.clone()
    }

    pub(crate) fn program(&self, function: usize) -> &Path {
        &self.functions[function].config.program
    }

    pub(crate) fn memory_kib(&self, function: usize) -> u64 {
        self.functions[function].config.memory_kib()
    }

    pub(crate) fn command(&self, function: usize, id: EnvironmentId, port: u16) -> Command {
        environment::command(&self.functions[function].config, &self.region, id, port)
    }

    /// Waits for an invocation's end and sees to it that it comes in time.
    pub(crate) async fn wait(
        &self,
        function: usize,
        environment: EnvironmentId,
        id: Uuid,
        mut outcome: oneshot::Receiver<Outcome>,
    ) -> Outcome {
        let mut limit = Instant::now() + self.functions[function].config.timeout;
        loop {
            match timeout_at(limit.into(), &mut outcome).await {
                Ok(Ok(outcome)) => return outcome,
                Ok(Err(_)) => {
                    return Outcome::Done(Err(InvokeError::service("the pool", "ended with its runtime")));
                }
                Err(_) => {
                    let now = Instant::now();
                    let again = now + Duration::from_secs(1);
                    limit = self.registry().expire(environment, id, now).unwrap_or(again);
                }
            }
        }
    }

    /// Writes the log of an invocation that has ended, then tells its caller.
    pub(crate) fn conclude(&self, function: usize, worker: Option<&Worker>, finished: Finished) {
        let log = self.log(function);
        if log.is_open() {
            let (pid, peak) = worker.map_or((0, 0), |worker| {
                worker.memory();
                (worker.pid, worker.peak_kib())
            });
            log.finished(pid, &finished, peak);
        }
        if finished.reply.send(finished.outcome).is_err() {
            tracing::debug!(id = %finished.id, "the caller did not wait for the answer");
        }
    }

    /// Adds what a dead worker has used.
    pub(crate) fn used(&self, function: usize, cpu: Duration, peak_kib: u64) {
        let mut registry = self.registry();
        let counters = &mut registry.functions[function].counters;
        counters.cpu += cpu;
        counters.peak_kib = counters.peak_kib.max(peak_kib);
    }

    pub(crate) fn environment_ended(&self) {
        self.ended.notify_waiters();
    }
}
