//! The network of a world: who can be reached, how fast, and what goes wrong on the way.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use strict_s3::Server;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::Instant;

use crate::trace::Trace;
use crate::wire::{ClientEnd, Exchange, Fault, Link};

/// How long an answer to a repeated request is awaited.
const ECHO: Duration = Duration::from_secs(60);

/// Who speaks to whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Route {
    pub(crate) worker: u64,
    pub(crate) place: String,
}

/// Says what happens to an exchange.
type Decide = Box<dyn FnMut(&Exchange) -> Vec<Fault> + Send>;

/// All connections of a world. Clones are the same network.
#[derive(Clone)]
pub struct Network(Arc<Mutex<State>>);

struct State {
    trace: Trace,
    places: BTreeMap<String, Arc<Server>>,
    decide: Option<Decide>,
    /// Places, and until when nothing reaches them.
    parted: BTreeMap<String, Instant>,
    latency: Duration,
    bandwidth: u64,
    exchanges: u64,
    injected: BTreeMap<String, u64>,
    links: BTreeMap<u64, Vec<Link>>,
}

impl fmt::Debug for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Network")
    }
}

impl Network {
    pub(crate) fn new(trace: Trace, places: BTreeMap<String, Arc<Server>>) -> Self {
        Self(Arc::new(Mutex::new(State {
            trace,
            places,
            decide: None,
            parted: BTreeMap::new(),
            latency: Duration::from_millis(2),
            bandwidth: 10_000_000,
            exchanges: 0,
            injected: BTreeMap::new(),
            links: BTreeMap::new(),
        })))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on this decides what happens to each exchange.
    pub fn decide(&self, decide: impl FnMut(&Exchange) -> Vec<Fault> + Send + 'static) {
        self.lock().decide = Some(Box::new(decide));
    }

    /// From now on nothing goes wrong any more. What goes wrong already still does.
    pub fn heal(&self) {
        let mut state = self.lock();
        state.decide = None;
        state.parted.clear();
    }

    /// Nothing reaches a place, or comes from there, for so long.
    pub fn part(&self, place: &str, time: Duration) {
        let mut state = self.lock();
        state.trace.note(format_args!("{place} is out of reach for {time:?}"));
        *state.injected.entry("partition".to_owned()).or_default() += 1;
        state.parted.insert(place.to_owned(), Instant::now() + time);
    }

    /// Time on the way in one direction, and bytes a second, of connections that are opened from now on. 2 ms and
    /// 10 MB/s unless set.
    pub fn set_pace(&self, latency: Duration, bandwidth: u64) {
        let mut state = self.lock();
        (state.latency, state.bandwidth) = (latency, bandwidth);
    }

    /// How many requests were begun.
    #[must_use]
    pub fn exchanges(&self) -> u64 {
        self.lock().exchanges
    }

    /// How many faults of each kind were injected.
    #[must_use]
    pub fn injected(&self) -> BTreeMap<String, u64> {
        self.lock().injected.clone()
    }

    pub(crate) fn pace(&self) -> (Duration, u64) {
        let state = self.lock();
        (state.latency, state.bandwidth)
    }

    /// Until when the two are apart, if they are.
    pub(crate) fn parted(&self, route: &Route) -> Option<Instant> {
        self.lock().parted.get(&route.place).copied().filter(|until| *until > Instant::now())
    }

    /// A connection. Errors: there is no such place.
    pub(crate) async fn dial(&self, route: Route) -> io::Result<ClientEnd> {
        while let Some(until) = self.parted(&route) {
            tokio::time::sleep_until(until).await;
        }
        let (latency, _) = self.pace();
        // There and back, before the first byte of a request.
        tokio::time::sleep(latency * 2).await;
        let server = self.server(&route)?;
        let worker = route.worker;
        let (link, client, end) = Link::open(self, route);
        self.lock().links.entry(worker).or_default().push(link);
        tokio::spawn(server.serve(end));
        Ok(client)
    }

    fn server(&self, route: &Route) -> io::Result<Arc<Server>> {
        self.lock().places.get(&route.place).cloned().ok_or_else(|| io::ErrorKind::ConnectionRefused.into())
    }

    /// A worker is gone: its connections are reset.
    pub(crate) fn cut(&self, worker: u64) {
        let links = self.lock().links.remove(&worker);
        links.into_iter().flatten().for_each(|link| link.reset());
    }

    /// A request begins: its number, and what happens to it.
    pub(crate) fn begin(&self, route: &Route, bytes: &[u8]) -> (u64, Vec<Fault>) {
        let mut state = self.lock();
        state.exchanges += 1;
        let line = bytes.split(|byte| *byte == b'\r').next().unwrap_or_default();
        let line = String::from_utf8_lossy(line);
        let mut words = line.split(' ').map(str::to_owned);
        let exchange = Exchange {
            number: state.exchanges,
            worker: route.worker,
            place: route.place.clone(),
            method: words.next().unwrap_or_default(),
            target: words.next().unwrap_or_default(),
        };
        let faults = state.decide.as_mut().map(|decide| decide(&exchange)).unwrap_or_default();
        for fault in &faults {
            *state.injected.entry(fault.name()).or_default() += 1;
        }
        let Exchange { number, worker, place, method, target } = &exchange;
        state.trace.note(format_args!("#{number} w{worker} {place} {method} {target} {faults:?}"));
        (exchange.number, faults)
    }

    /// The answer to a request begins.
    pub(crate) fn answered(&self, number: u64, bytes: &[u8]) {
        let status = bytes.get(9..12).map(String::from_utf8_lossy).unwrap_or_default();
        self.lock().trace.note(format_args!("#{number} is answered {status}"));
    }

    /// Sends a request's bytes to its place once more, after a while; nobody hears the answer.
    pub(crate) fn again(&self, route: &Route, record: Vec<u8>, after: Duration) {
        let (network, route) = (self.clone(), route.clone());
        tokio::spawn(async move {
            tokio::time::sleep(after).await;
            let Ok(server) = network.server(&route) else { return };
            let (mut near, far) = tokio::io::duplex(1 << 20);
            tokio::spawn(server.serve(far));
            network
                .lock()
                .trace
                .note(format_args!("{} gets a request of w{} once more", route.place, route.worker));
            let mut answer = vec![0; 1 << 16];
            let _ = near.write_all(&record).await;
            let _ = tokio::time::timeout(ECHO, near.read(&mut answer)).await;
        });
    }
}
