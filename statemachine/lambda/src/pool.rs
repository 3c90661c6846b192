//! The pool: functions by name, and invocations of them.

use std::{
    path::Path,
    process::Command,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use bytes::Bytes;
use hyper::header::HeaderValue;
use tokio::{
    sync::{Notify, oneshot},
    time::timeout_at,
};
use uuid::Uuid;

use crate::{
    FunctionConfig, FunctionStats, InvokeError, PoolBuilder, environment,
    error::REQUEST_LIMIT,
    log::Log,
    procfs,
    registry::{Doom, EnvironmentId, Finished, Invocation, Outcome, Placed, Registry},
    worker::{Starter, Worker},
};

/// A running set of functions. Clones share it; when the last one is dropped all workers are killed.
#[derive(Clone, Debug)]
pub struct Pool {
    handle: Arc<Handle>,
}

/// What all clones of a pool share, and environments do not: its end is the pool's end.
#[derive(Debug)]
struct Handle {
    shared: Arc<Shared>,
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.shared.registry().close();
    }
}

/// A worker process, as [`Pool::workers`] lists it.
#[derive(Clone, Debug, serde::Serialize)]
#[non_exhaustive]
pub struct WorkerInfo {
    /// The function's name.
    pub function: String,
    /// Process id.
    pub pid: u32,
    /// Whether an invocation is assigned to it.
    pub busy: bool,
    /// Resident memory, bytes; 0 once it has ended.
    pub rss_bytes: u64,
    /// Largest resident memory so far, bytes.
    pub peak_rss_bytes: u64,
}

impl Pool {
    /// Starts to describe a pool.
    pub fn builder() -> PoolBuilder {
        PoolBuilder::default()
    }

    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self { handle: Arc::new(Handle { shared }) }
    }

    fn shared(&self) -> &Arc<Shared> {
        &self.handle.shared
    }

    /// Invokes a function and waits for its answer, as `Invoke` with `RequestResponse` does.
    ///
    /// `function` is a name, a partial ARN or an ARN, with or without `:$LATEST`. Dropping the future does not stop
    /// the invocation; it goes on until it ends or its time is up, as with the service.
    pub async fn invoke(&self, function: &str, payload: Bytes) -> Result<Bytes, InvokeError> {
        let shared = self.shared();
        let index =
            shared.find(function).ok_or_else(|| InvokeError::NotFound { name: function.to_owned() })?;
        if payload.len() > REQUEST_LIMIT {
            return Err(InvokeError::PayloadTooLarge { found: payload.len(), limit: REQUEST_LIMIT });
        }
        let id = Uuid::new_v4();
        loop {
            let (reply, outcome) = oneshot::channel();
            let environment = self.place(index, Invocation { id, payload: payload.clone(), reply })?;
            match shared.wait(index, environment, id, outcome).await {
                Outcome::Done(result) => return result,
                Outcome::Undelivered => {}
            }
        }
    }

    fn place(&self, function: usize, invocation: Invocation) -> Result<EnvironmentId, InvokeError> {
        let shared = self.shared();
        let placed = shared.registry().place(function, invocation, Instant::now());
        match placed {
            Placed::Warm(id) => Ok(id),
            Placed::Cold(id, wake) => {
                tokio::spawn(environment::run(shared.clone(), id, function, wake));
                Ok(id)
            }
            Placed::Throttled(message) => Err(InvokeError::TooManyRequests { message }),
            Placed::Closed => Err(InvokeError::service("the pool", "is shut down")),
        }
    }

    /// What has been counted, one entry per function in the order of their configuration.
    pub fn stats(&self) -> Vec<FunctionStats> {
        let shared = self.shared();
        let live = shared.registry().live();
        let registry = shared.registry();
        let mut stats: Vec<FunctionStats> = registry
            .functions
            .iter()
            .zip(&shared.functions)
            .map(|(slots, function)| {
                let mut stats = slots.counters.report(&function.config.name);
                stats.running = slots.running;
                stats
            })
            .collect();
        drop(registry);
        for live in live {
            live.worker.memory();
            let stats = &mut stats[live.function];
            stats.workers += 1;
            stats.peak_rss_bytes = stats.peak_rss_bytes.max(live.worker.peak_kib() * 1024);
            stats.cpu += procfs::cpu(live.worker.pid).unwrap_or_default();
        }
        stats
    }

    /// The processes alive now, oldest first.
    pub fn workers(&self) -> Vec<WorkerInfo> {
        let live = self.shared().registry().live();
        let info = |live: crate::registry::Live| {
            let memory = live.worker.memory().unwrap_or_default();
            WorkerInfo {
                function: self.shared().functions[live.function].config.name.clone(),
                pid: live.worker.pid,
                busy: live.busy,
                rss_bytes: memory.resident * 1024,
                peak_rss_bytes: live.worker.peak_kib() * 1024,
            }
        };
        live.into_iter().map(info).collect()
    }

    /// Kills (SIGKILL) one busy worker of a function, for tests of what happens then: of the busy ones, oldest first,
    /// that with the number `seed` modulo their count. `None` if there is no such function or none is busy.
    pub fn kill_one(&self, function: &str, seed: u64) -> Option<u32> {
        let index = self.shared().find(function)?;
        let mut registry = self.shared().registry();
        let busy: Vec<_> =
            registry.live().into_iter().filter(|live| live.function == index && live.busy).collect();
        let count = u64::try_from(busy.len()).ok().filter(|count| *count > 0)?;
        let victim = busy.get(usize::try_from(seed % count).ok()?)?;
        registry.doom(victim.environment, Doom::Chaos);
        Some(victim.worker.pid)
    }

    /// Kills all workers and waits until each is reaped. Invocations under way end with [`InvokeError::Service`], and
    /// so does every later one.
    pub async fn shutdown(&self) {
        let shared = self.shared();
        shared.registry().close();
        loop {
            let ended = shared.ended.notified();
            if shared.registry().is_empty() {
                return;
            }
            ended.await;
        }
    }
}

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

    fn find(&self, name_or_arn: &str) -> Option<usize> {
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
    async fn wait(
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
