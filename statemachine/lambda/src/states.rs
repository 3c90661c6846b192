//! The words of the registry: what an environment can be doing, how it can end, and what callers and workers are told.

use std::{
    process::ExitStatus,
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use tokio::sync::{Notify, oneshot};
use uuid::Uuid;

use crate::{
    InvokeError,
    error::{EXIT_ERROR, INVALID_ENTRYPOINT, exit_reason},
    stats::Counters,
    worker::Worker,
};

/// Names one environment of a pool; never used twice.
pub(crate) type EnvironmentId = u64;

/// What the caller of an invocation learns.
#[derive(Debug)]
pub(crate) enum Outcome {
    Done(Result<Bytes, InvokeError>),
    /// A warm worker ended before it fetched the invocation: nobody has seen it, so it can go elsewhere.
    Undelivered,
}

/// One invocation on its way to a worker.
#[derive(Debug)]
pub(crate) struct Invocation {
    pub(crate) id: Uuid,
    pub(crate) payload: Bytes,
    pub(crate) reply: oneshot::Sender<Outcome>,
}

/// What an environment does.
#[derive(Debug)]
pub(crate) enum Phase {
    /// Waits for work since then.
    Idle(Instant),
    /// Work is assigned since then and not fetched yet.
    Pending(Invocation, Instant),
    /// Works since then.
    Running(Uuid, oneshot::Sender<Outcome>, Instant),
}

/// Why this side killed a worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Doom {
    Timeout,
    Memory,
    Idle,
    Chaos,
    Init,
    Shutdown,
}

/// How an environment came to its end.
#[derive(Debug)]
pub(crate) enum End {
    Exited(ExitStatus),
    /// The system refuses to execute the program.
    NotExecutable(String),
    /// This side had no port or no process to give.
    NotStarted(String),
}

/// One worker process, from the decision to start it until it is reaped.
#[derive(Debug)]
pub(crate) struct Environment {
    pub(crate) function: usize,
    pub(crate) phase: Phase,
    pub(crate) born: Instant,
    /// Start to first poll, once it has polled.
    pub(crate) init: Option<Duration>,
    pub(crate) init_error: Option<InvokeError>,
    /// Whether the invocation at hand is its first.
    pub(crate) cold: bool,
    pub(crate) doom: Option<Doom>,
    pub(crate) wake: Arc<Notify>,
    pub(crate) worker: Option<Arc<Worker>>,
}

/// A function's limits and what it is doing.
#[derive(Debug)]
pub(crate) struct Function {
    pub(crate) timeout: Duration,
    pub(crate) reserved: Option<usize>,
    pub(crate) running: usize,
    /// The last to become idle is the first to work again, so that few stay warm.
    pub(crate) idle: Vec<EnvironmentId>,
    pub(crate) counters: Counters,
}

impl Function {
    pub(crate) fn new(timeout: Duration, reserved: Option<usize>) -> Self {
        Self { timeout, reserved, running: 0, idle: Vec::new(), counters: Counters::default() }
    }
}

/// Where an invocation went.
#[derive(Debug)]
pub(crate) enum Placed {
    Warm(EnvironmentId),
    /// To an environment that has to be started by the caller.
    Cold(EnvironmentId, Arc<Notify>),
    Throttled(String),
    Closed,
}

/// Answer to a worker that asks for work.
#[derive(Debug)]
pub(crate) enum Polled {
    Deliver {
        id: Uuid,
        payload: Bytes,
        timeout: Duration,
    },
    Wait,
    /// It still owes the answer to the last one, or is about to be killed.
    Refused,
}

/// An invocation that has ended; the log line comes before the reply.
#[derive(Debug)]
pub(crate) struct Finished {
    pub(crate) id: Uuid,
    /// Whether a worker has seen it.
    pub(crate) fetched: bool,
    pub(crate) duration: Duration,
    /// Of a first invocation: start to first poll.
    pub(crate) init: Option<Duration>,
    pub(crate) reply: oneshot::Sender<Outcome>,
    pub(crate) outcome: Outcome,
}

/// A live worker, as [`Registry::live`] lists it.
#[derive(Clone, Debug)]
pub(crate) struct Live {
    pub(crate) environment: EnvironmentId,
    pub(crate) function: usize,
    pub(crate) worker: Arc<Worker>,
    pub(crate) busy: bool,
}

impl Environment {
    pub(crate) fn live(&self, environment: EnvironmentId) -> Option<Live> {
        let worker = self.worker.clone()?;
        let busy = !matches!(self.phase, Phase::Idle(_));
        Some(Live { environment, function: self.function, worker, busy })
    }
}

/// The error of an invocation whose environment has ended.
pub(crate) fn verdict(
    doom: Option<Doom>,
    init_error: Option<InvokeError>,
    end: &End,
    invocation: Uuid,
    timeout: Duration,
) -> InvokeError {
    match (doom, end) {
        (Some(Doom::Shutdown), _) => InvokeError::service("the pool", "shut down while the function ran"),
        (Some(Doom::Timeout), _) => InvokeError::timeout(invocation, timeout),
        (_, End::NotExecutable(reason)) => InvokeError::crashed(invocation, INVALID_ENTRYPOINT, reason),
        (_, End::NotStarted(reason)) => InvokeError::service("starting a worker", reason),
        (_, End::Exited(status)) => {
            init_error.unwrap_or_else(|| InvokeError::crashed(invocation, EXIT_ERROR, &exit_reason(*status)))
        }
    }
}
