//! Which environment does what: a state machine without I/O, kept under one lock.
//!
//! An environment is one worker process. It starts with an invocation assigned to it, and then goes
//! `Pending -> Running -> Idle -> Pending -> ...` until its process ends.

use std::{
    collections::HashMap,
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

#[derive(Debug)]
enum Phase {
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

#[derive(Debug)]
struct Environment {
    function: usize,
    phase: Phase,
    born: Instant,
    /// Start to first poll, once it has polled.
    init: Option<Duration>,
    init_error: Option<InvokeError>,
    /// Whether the invocation at hand is its first.
    cold: bool,
    doom: Option<Doom>,
    wake: Arc<Notify>,
    worker: Option<Arc<Worker>>,
}

/// A function's limits and what it is doing.
#[derive(Debug)]
pub(crate) struct Function {
    pub(crate) timeout: Duration,
    pub(crate) reserved: Option<usize>,
    pub(crate) running: usize,
    /// The last to become idle is the first to work again, so that few stay warm.
    idle: Vec<EnvironmentId>,
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

#[derive(Debug)]
pub(crate) struct Registry {
    pub(crate) functions: Vec<Function>,
    environments: HashMap<EnvironmentId, Environment>,
    last: EnvironmentId,
    /// Concurrency of all functions without a reservation.
    unreserved: usize,
    closed: bool,
    init_limit: Duration,
}

impl Registry {
    pub(crate) fn new(functions: Vec<Function>, unreserved: usize, init_limit: Duration) -> Self {
        Self { functions, environments: HashMap::new(), last: 0, unreserved, closed: false, init_limit }
    }

    /// Assigns an invocation to the environment that became idle last, or to a new one, or refuses it.
    pub(crate) fn place(&mut self, function: usize, invocation: Invocation, now: Instant) -> Placed {
        if self.closed {
            return Placed::Closed;
        }
        if let Some(reason) = self.exhausted(function) {
            self.functions[function].counters.throttles += 1;
            return Placed::Throttled(reason);
        }
        let slots = &mut self.functions[function];
        slots.running += 1;
        slots.counters.invocations += 1;
        while let Some(id) = slots.idle.pop() {
            if let Some(environment) = self.environments.get_mut(&id) {
                environment.phase = Phase::Pending(invocation, now);
                environment.wake.notify_one();
                return Placed::Warm(id);
            }
        }
        self.add(function, invocation, now)
    }

    fn exhausted(&self, function: usize) -> Option<String> {
        let slots = &self.functions[function];
        let (reason, running, limit) = match slots.reserved {
            Some(limit) => ("ReservedFunctionConcurrentInvocationLimitExceeded", slots.running, limit),
            None => {
                let unreserved = self.functions.iter().filter(|f| f.reserved.is_none());
                ("ConcurrentInvocationLimitExceeded", unreserved.map(|f| f.running).sum(), self.unreserved)
            }
        };
        (running >= limit).then(|| format!("Rate Exceeded. (Reason: {reason}; running {running} of {limit})"))
    }

    fn add(&mut self, function: usize, invocation: Invocation, now: Instant) -> Placed {
        self.last += 1;
        let wake = Arc::new(Notify::new());
        let environment = Environment {
            function,
            phase: Phase::Pending(invocation, now),
            born: now,
            init: None,
            init_error: None,
            cold: true,
            doom: None,
            wake: wake.clone(),
            worker: None,
        };
        self.environments.insert(self.last, environment);
        Placed::Cold(self.last, wake)
    }

    /// The environment's process runs. `born` is when it was started.
    pub(crate) fn attach(&mut self, id: EnvironmentId, worker: Arc<Worker>, born: Instant) {
        let Some(environment) = self.environments.get_mut(&id) else { return };
        environment.born = born;
        if environment.doom.is_some() {
            worker.kill();
        }
        environment.worker = Some(worker);
        self.functions[environment.function].counters.environments_started += 1;
    }

    /// A worker asks for work.
    pub(crate) fn poll(&mut self, id: EnvironmentId, now: Instant) -> Polled {
        let Some(environment) = self.environments.get_mut(&id).filter(|e| e.doom.is_none()) else {
            return Polled::Refused;
        };
        let function = &mut self.functions[environment.function];
        if environment.init.is_none() {
            let init = now.saturating_duration_since(environment.born);
            environment.init = Some(init);
            function.counters.started_in(init);
        }
        match std::mem::replace(&mut environment.phase, Phase::Idle(now)) {
            Phase::Pending(invocation, _) => {
                function.counters.cold_starts += u64::from(environment.cold);
                environment.phase = Phase::Running(invocation.id, invocation.reply, now);
                Polled::Deliver { id: invocation.id, payload: invocation.payload, timeout: function.timeout }
            }
            Phase::Idle(since) => {
                environment.phase = Phase::Idle(since);
                Polled::Wait
            }
            running @ Phase::Running(..) => {
                environment.phase = running;
                Polled::Refused
            }
        }
    }

    /// Whether that invocation runs in that environment, so that an answer to it is welcome.
    pub(crate) fn owes(&self, id: EnvironmentId, invocation: Uuid) -> bool {
        let running =
            |e: &Environment| e.doom.is_none() && matches!(e.phase, Phase::Running(i, ..) if i == invocation);
        self.environments.get(&id).is_some_and(running)
    }

    /// A worker has answered. `None`: not one that it owed.
    pub(crate) fn finish(
        &mut self,
        id: EnvironmentId,
        invocation: Uuid,
        result: Result<Bytes, InvokeError>,
        now: Instant,
    ) -> Option<Finished> {
        if !self.owes(id, invocation) {
            return None;
        }
        let environment = self.environments.get_mut(&id)?;
        let Phase::Running(_, reply, since) = std::mem::replace(&mut environment.phase, Phase::Idle(now))
        else {
            return None;
        };
        let init = environment.init.filter(|_| environment.cold);
        environment.cold = false;
        let function = &mut self.functions[environment.function];
        function.running -= 1;
        function.counters.function_errors += u64::from(result.is_err());
        function.idle.push(id);
        let duration = now.saturating_duration_since(since);
        Some(Finished {
            id: invocation,
            fetched: true,
            duration,
            init,
            reply,
            outcome: Outcome::Done(result),
        })
    }

    /// A worker says that it cannot start; it is of no use any more. `false`: it has started before.
    pub(crate) fn init_failed(&mut self, id: EnvironmentId, error: InvokeError) -> bool {
        match self.environments.get_mut(&id) {
            Some(environment) if environment.init.is_none() => {
                environment.init_error = Some(error);
                self.doom(id, Doom::Init);
                true
            }
            _ => false,
        }
    }

    /// Kills the environment's worker and remembers why; the first reason stays. The rest happens when its process has ended.
    pub(crate) fn doom(&mut self, id: EnvironmentId, why: Doom) {
        let Some(environment) = self.environments.get_mut(&id) else { return };
        environment.doom.get_or_insert(why);
        let function = &mut self.functions[environment.function];
        function.idle.retain(|idle| *idle != id);
        if let Some(worker) = &environment.worker {
            worker.kill();
        }
    }

    /// When the invocation's time is up it is killed, else the answer is when that will be.
    pub(crate) fn expire(&mut self, id: EnvironmentId, invocation: Uuid, now: Instant) -> Option<Instant> {
        let environment = self.environments.get(&id)?;
        let timeout = self.functions[environment.function].timeout;
        let limit = match &environment.phase {
            Phase::Running(running, _, since) if *running == invocation => *since + timeout,
            // Start-up has a limit of its own, as Lambda's init phase has, before the function's own time begins.
            Phase::Pending(pending, since) if pending.id == invocation => *since + self.init_limit + timeout,
            _ => return None,
        };
        if now < limit {
            return Some(limit);
        }
        self.doom(id, Doom::Timeout);
        None
    }

    /// The environment is no more. `Some`: an invocation ended with it.
    pub(crate) fn remove(&mut self, id: EnvironmentId, end: &End, now: Instant) -> Option<Finished> {
        let environment = self.environments.remove(&id)?;
        let function = &mut self.functions[environment.function];
        function.idle.retain(|idle| *idle != id);
        let started = !matches!(end, End::Exited(_));
        function.counters.start_failures += u64::from(started);
        if environment.doom == Some(Doom::Memory) {
            function.counters.out_of_memory += 1;
        }
        let (invocation, reply, since, fetched) = match environment.phase {
            Phase::Idle(_) => return None,
            Phase::Pending(invocation, since) => (invocation.id, invocation.reply, since, false),
            Phase::Running(id, reply, since) => (id, reply, since, true),
        };
        function.running -= 1;
        let outcome = if !fetched && !environment.cold {
            function.counters.invocations -= 1;
            Outcome::Undelivered
        } else {
            let error = verdict(environment.doom, environment.init_error, end, invocation, function.timeout);
            function.counters.failed(&error);
            Outcome::Done(Err(error))
        };
        let init = environment.init.filter(|_| environment.cold);
        let duration = now.saturating_duration_since(since);
        Some(Finished { id: invocation, fetched, duration, init, reply, outcome })
    }

    /// All environments whose process runs, in the order in which they were started.
    pub(crate) fn live(&self) -> Vec<Live> {
        let mut live: Vec<Live> = self.environments.iter().filter_map(|(id, e)| e.live(*id)).collect();
        live.sort_unstable_by_key(|live| live.environment);
        live
    }

    /// Kills whatever has been idle since before `idle_since`, and whatever has run out of time though nobody waits for it.
    pub(crate) fn sweep(&mut self, now: Instant, idle_timeout: Duration) {
        let mut idle = Vec::new();
        let mut busy = Vec::new();
        for (id, environment) in &self.environments {
            match &environment.phase {
                Phase::Idle(since) if now.saturating_duration_since(*since) >= idle_timeout => idle.push(*id),
                Phase::Idle(_) => {}
                Phase::Pending(invocation, _) => busy.push((*id, invocation.id)),
                Phase::Running(invocation, ..) => busy.push((*id, *invocation)),
            }
        }
        idle.into_iter().for_each(|id| self.doom(id, Doom::Idle));
        for (id, invocation) in busy {
            self.expire(id, invocation, now);
        }
    }

    /// Refuses further invocations and kills every worker.
    pub(crate) fn close(&mut self) {
        self.closed = true;
        let all: Vec<EnvironmentId> = self.environments.keys().copied().collect();
        all.into_iter().for_each(|id| self.doom(id, Doom::Shutdown));
    }

    /// Whether any environment is left, also one whose process is only just being started or reaped.
    pub(crate) fn is_empty(&self) -> bool {
        self.environments.is_empty()
    }
}

impl Environment {
    fn live(&self, environment: EnvironmentId) -> Option<Live> {
        let worker = self.worker.clone()?;
        let busy = !matches!(self.phase, Phase::Idle(_));
        Some(Live { environment, function: self.function, worker, busy })
    }
}

fn verdict(
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
