//! The workers: each invocation runs the real handler, the way the Lambda service would, and may end as it does there.

use std::collections::BTreeMap;
use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use async_trait::async_trait;
use serde_json::json;
use stepfunctions_local::{Invocation, Lambda, LambdaError, LambdaOutput};
use tokio::sync::oneshot;
use transload_store::Deadline;

use crate::network::Network;
use crate::places::{Places, WorkerStores};
use crate::time::Time;
use crate::trace::Trace;

/// One invocation at its beginning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// Counts all invocations of the world, from 1.
    pub number: u64,
    /// `head`, `init`, `part`, `complete`, `copy`, `abort`, `remove` or `thaw`.
    pub function: String,
    /// The state that calls.
    pub state: String,
    /// The execution that calls; a child of a Map Run is one of its own.
    pub execution_arn: String,
}

/// What goes wrong with an invocation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mishap {
    /// No concurrency is left (429); nothing runs.
    Throttled,
    /// The service itself fails under this name; nothing runs.
    Refused(&'static str),
    /// The worker does its work, and the service fails under this name.
    LostAnswer(&'static str),
    /// The worker's process ends at this poll of its future, from 1: after so many waits for anything.
    Killed(u32),
    /// The same, for want of memory.
    OutOfMemory(u32),
    /// The worker stands still from this poll on, until its time is up.
    Frozen(u32),
    /// The invocation begins so much later.
    SlowStart(Duration),
    /// The worker's clock is so many seconds ahead.
    Skew(i64),
    /// The worker has only so much time.
    Time(Duration),
}

impl Mishap {
    /// A short name for counts.
    #[must_use]
    pub fn name(&self) -> String {
        let text = format!("{self:?}");
        format!("worker {}", text.split('(').next().unwrap_or_default().to_lowercase())
    }
}

type Decide = Box<dyn FnMut(&Call) -> Vec<Mishap> + Send>;

/// All workers of a world. Clones are the same.
#[derive(Clone)]
pub struct Workers(Arc<Inner>);

struct Inner {
    time: Time,
    trace: Trace,
    network: Network,
    places: Arc<Places>,
    state: Mutex<State>,
}

struct State {
    decide: Option<Decide>,
    calls: u64,
    workers: u64,
    /// Workers at a time that share what is not reserved.
    shared: Concurrency,
    /// Workers at a time of functions that have some of their own.
    reserved: BTreeMap<String, Concurrency>,
    /// Workers that wait for work, by function.
    idle: BTreeMap<String, Vec<Worker>>,
    injected: BTreeMap<String, u64>,
}

impl State {
    /// The workers that a function gets: its own if it has some, else those that are shared.
    fn concurrency(&mut self, function: &str) -> &mut Concurrency {
        self.reserved.get_mut(function).unwrap_or(&mut self.shared)
    }
}

/// Workers at a time, and for how long they were not enough for one more.
#[derive(Debug, Clone, Copy)]
struct Concurrency {
    limit: usize,
    running: usize,
    exhausted: Duration,
    /// Since when all of them run.
    since: Option<Duration>,
}

impl Concurrency {
    fn of(limit: usize) -> Self {
        Self { limit, running: 0, exhausted: Duration::ZERO, since: None }
    }

    fn is_exhausted(&self) -> bool {
        self.running >= self.limit
    }

    fn enter(&mut self, now: Duration) {
        self.running += 1;
        if self.is_exhausted() {
            self.since.get_or_insert(now);
        }
    }

    fn leave(&mut self, now: Duration) {
        self.running -= 1;
        if !self.is_exhausted() {
            self.exhausted = self.exhausted_at(now);
            self.since = None;
        }
    }

    fn exhausted_at(&self, now: Duration) -> Duration {
        self.exhausted + self.since.map_or(Duration::ZERO, |since| now - since)
    }
}

/// A process with its clients and caches.
struct Worker {
    id: u64,
    skew: i64,
    stores: WorkerStores,
}

/// How an invocation ended.
enum End {
    Done(Result<String, transload_wire::Failure>),
    Blown,
    TimedOut,
}

impl fmt::Debug for Workers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Workers")
    }
}

impl Workers {
    /// `shared` workers at a time, and of each function in `reserved` so many more that no other function gets.
    pub(crate) fn new(
        time: Time,
        trace: Trace,
        network: Network,
        places: Arc<Places>,
        shared: usize,
        reserved: &BTreeMap<String, usize>,
    ) -> Self {
        let reserved = reserved.iter().map(|(name, limit)| (name.clone(), Concurrency::of(*limit)));
        let state = State {
            decide: None,
            calls: 0,
            workers: 0,
            shared: Concurrency::of(shared),
            reserved: reserved.collect(),
            idle: BTreeMap::new(),
            injected: BTreeMap::new(),
        };
        Self(Arc::new(Inner { time, trace, network, places, state: Mutex::new(state) }))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on this decides what goes wrong with each invocation.
    pub fn decide(&self, decide: impl FnMut(&Call) -> Vec<Mishap> + Send + 'static) {
        self.lock().decide = Some(Box::new(decide));
    }

    /// From now on nothing goes wrong any more.
    pub fn heal(&self) {
        self.lock().decide = None;
    }

    /// Ends all workers that wait: the next invocations find new ones, with new clients and caches.
    pub fn recycle(&self) {
        let idle = std::mem::take(&mut self.lock().idle);
        idle.into_values().flatten().for_each(|worker| self.0.network.cut(worker.id));
    }

    /// How many invocations there were.
    #[must_use]
    pub fn calls(&self) -> u64 {
        self.lock().calls
    }

    /// For how long no worker could be had for this function, since the world began.
    #[must_use]
    pub fn exhausted(&self, function: &str) -> Duration {
        self.lock().concurrency(function).exhausted_at(self.0.time.elapsed())
    }

    /// How many mishaps of each kind there were.
    #[must_use]
    pub fn injected(&self) -> BTreeMap<String, u64> {
        self.lock().injected.clone()
    }

    fn begin(&self, invocation: &Invocation) -> (Call, Vec<Mishap>) {
        let mut state = self.lock();
        state.calls += 1;
        let call = Call {
            number: state.calls,
            function: invocation.function.clone(),
            state: invocation.state.clone(),
            execution_arn: invocation.execution_arn.clone(),
        };
        let mut mishaps = state.decide.as_mut().map(|decide| decide(&call)).unwrap_or_default();
        for mishap in &mishaps {
            *state.injected.entry(mishap.name()).or_default() += 1;
        }
        let now = self.0.time.elapsed();
        let concurrency = state.concurrency(&call.function);
        if concurrency.is_exhausted() {
            mishaps.push(Mishap::Throttled);
        }
        if !mishaps.iter().any(|mishap| matches!(mishap, Mishap::Throttled | Mishap::Refused(_))) {
            concurrency.enter(now);
        }
        self.0.trace.note(format_args!(
            "call {} {} {} {} {mishaps:?}",
            call.number, call.function, call.execution_arn, call.state
        ));
        (call, mishaps)
    }

    /// A worker that waits and whose clock shows the same, or a new one.
    fn take(&self, function: &str, skew: i64) -> Worker {
        let mut state = self.lock();
        let idle = state.idle.entry(function.to_owned()).or_default();
        if let Some(index) = idle.iter().position(|worker| worker.skew == skew) {
            return idle.remove(index);
        }
        state.workers += 1;
        let id = state.workers;
        let stores = self.0.places.stores(&self.0.network, id, self.0.time, skew);
        Worker { id, skew, stores }
    }

    fn leave(&self, function: &str, worker: Worker, alive: bool) {
        let mut state = self.lock();
        state.concurrency(function).leave(self.0.time.elapsed());
        if alive {
            state.idle.entry(function.to_owned()).or_default().push(worker);
        } else {
            drop(state);
            self.0.network.cut(worker.id);
        }
    }

    async fn run(self, call: Call, payload: String, mishaps: Vec<Mishap>, answer: oneshot::Sender<Answer>) {
        let skew = mishaps.iter().find_map(|m| if let Mishap::Skew(ahead) = m { Some(*ahead) } else { None });
        let worker = self.take(&call.function, skew.unwrap_or(0));
        if let Some(pause) =
            mishaps.iter().find_map(|m| if let Mishap::SlowStart(p) = m { Some(*p) } else { None })
        {
            tokio::time::sleep(pause).await;
        }
        let time = mishaps.iter().find_map(|m| if let Mishap::Time(t) = m { Some(*t) } else { None });
        let time = time.unwrap_or_else(|| timeout_of(&call.function));
        let fuse = mishaps.iter().find_map(|m| match m {
            Mishap::Killed(polls) | Mishap::OutOfMemory(polls) => Some((*polls, false)),
            Mishap::Frozen(polls) => Some((*polls, true)),
            _ => None,
        });
        let work = Box::pin(work(&worker.stores, &call.function, time, &payload));
        let work = Fused { inner: Some(work), polls: 0, fuse };
        let end = match tokio::time::timeout(time, work).await {
            Ok(Some(done)) => End::Done(done),
            Ok(None) => End::Blown,
            Err(_) => End::TimedOut,
        };
        let id = worker.id;
        self.leave(&call.function, worker, matches!(end, End::Done(_)));
        let out_of_memory = mishaps.iter().any(|m| matches!(m, Mishap::OutOfMemory(_)));
        let lost =
            mishaps.iter().find_map(|m| if let Mishap::LostAnswer(name) = m { Some(*name) } else { None });
        let result = match lost {
            Some(name) => Err(service(name)),
            None => told(end, out_of_memory),
        };
        let how = match &result {
            Ok(output) => format!("ends well: {} bytes", output.payload.len()),
            Err(error) => format!("fails: {error} {}", cause(error)),
        };
        self.0.trace.note(format_args!("call {} on w{id} {how}", call.number));
        // Whoever called may be gone: then nobody hears it, as with Lambda.
        let _ = answer.send(result);
    }
}

type Answer = Result<LambdaOutput, LambdaError>;

fn cause(error: &LambdaError) -> String {
    match error {
        LambdaError::Function { payload, .. } => String::from_utf8_lossy(payload).into_owned(),
        LambdaError::Service { .. } => String::new(),
    }
}

fn told(end: End, out_of_memory: bool) -> Answer {
    match end {
        End::Done(Ok(payload)) => {
            Ok(LambdaOutput { payload: payload.into(), executed_version: "$LATEST".to_owned() })
        }
        End::Done(Err(failure)) => Err(function(failure.name.as_str(), &failure.message)),
        End::Blown if out_of_memory => {
            Err(function("Runtime.OutOfMemory", "Runtime exited with error: signal: killed"))
        }
        End::Blown => Err(function("Runtime.ExitError", "Runtime exited with error: signal: killed")),
        End::TimedOut => Err(function("Sandbox.Timedout", "Task timed out")),
    }
}

fn function(name: &str, message: &str) -> LambdaError {
    let payload = json!({"errorType": name, "errorMessage": message}).to_string();
    LambdaError::Function { error_type: name.to_owned(), payload: payload.into() }
}

fn service(name: &str) -> LambdaError {
    LambdaError::Service { name: name.to_owned(), message: "by the simulation".to_owned() }
}

/// As deployed (`cdk/lib/sizing.ts`).
fn timeout_of(function: &str) -> Duration {
    Duration::from_secs(if matches!(function, "part" | "complete" | "copy") { 900 } else { 300 })
}

async fn work(
    stores: &WorkerStores,
    name: &str,
    left: Duration,
    input: &str,
) -> Result<String, transload_wire::Failure> {
    macro_rules! handler {
        ($handle:path) => {
            transload_runtime::invoke(
                &async |stores: &WorkerStores, deadline: Deadline, input| {
                    $handle(stores, deadline, input).await
                },
                stores,
                left,
                input,
            )
            .await
        };
    }
    let output = match name {
        "head" => handler!(transload_head::handle),
        "init" => handler!(transload_init::handle),
        "part" => handler!(transload_part::handle),
        "complete" => handler!(transload_complete::handle),
        "copy" => handler!(transload_copy::handle),
        "abort" => handler!(transload_abort::handle),
        "remove" => handler!(transload_remove::handle),
        "thaw" => handler!(transload_thaw::handle),
        other => Err(transload_wire::ErrorName::Internal.because(format!("no function {other}"))),
    };
    output.map(|output| output.get().to_owned())
}

/// A future that is dropped at a poll, or never polled again. `None`: it was dropped.
struct Fused<F> {
    inner: Option<Pin<Box<F>>>,
    polls: u32,
    /// At which poll, and whether it only stands still.
    fuse: Option<(u32, bool)>,
}

impl<F: Future> Future for Fused<F> {
    type Output = Option<F::Output>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.polls += 1;
        if let Some((at, stands)) = self.fuse
            && self.polls >= at
        {
            if stands {
                return Poll::Pending;
            }
            self.inner = None;
            return Poll::Ready(None);
        }
        match self.inner.as_mut() {
            Some(inner) => inner.as_mut().poll(cx).map(Some),
            None => Poll::Ready(None),
        }
    }
}

#[async_trait]
impl Lambda for Workers {
    async fn invoke(&self, invocation: Invocation) -> Answer {
        let (call, mishaps) = self.begin(&invocation);
        for mishap in &mishaps {
            match mishap {
                Mishap::Throttled => return Err(service("Lambda.TooManyRequestsException")),
                Mishap::Refused(name) => return Err(service(name)),
                _ => {}
            }
        }
        let payload = String::from_utf8_lossy(&invocation.payload).into_owned();
        let (answer, answered) = oneshot::channel();
        // On a task of its own: a worker goes on when whoever called it does not wait any more.
        tokio::spawn(self.clone().run(call, payload, mishaps, answer));
        answered.await.unwrap_or_else(|_| Err(service("Lambda.Unknown")))
    }
}
