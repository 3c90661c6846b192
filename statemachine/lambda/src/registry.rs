//! Which environment does what: a state machine without I/O, kept under one lock.
//!
//! An environment is one worker process. It starts with an invocation assigned to it, and then goes
//! `Pending -> Running -> Idle -> Pending -> ...` until its process ends.

use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use tokio::sync::Notify;
use uuid::Uuid;

use crate::{
    InvokeError,
    states::{
        Doom, End, Environment, EnvironmentId, Finished, Function, Invocation, Live, Outcome, Phase, Placed,
        Polled, verdict,
    },
    worker::Worker,
};

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
