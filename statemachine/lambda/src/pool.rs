//! The pool: functions by name, and invocations of them.

use std::{sync::Arc, time::Instant};

use bytes::Bytes;
use tokio::sync::oneshot;
use uuid::Uuid;

use crate::{
    FunctionStats, InvokeError, PoolBuilder, environment,
    error::REQUEST_LIMIT,
    procfs,
    shared::Shared,
    states::{Doom, EnvironmentId, Invocation, Live, Outcome, Placed},
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
        let info = |live: Live| {
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
