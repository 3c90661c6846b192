//! The engine: what is shared by everything that runs, and how it is opened and shut down.
mod activities;
mod aliases;
mod deletion;
mod executions;
mod forget;
mod history;
mod machines;
mod map_runs;
mod origins;
mod retention;
mod revive;
mod settings;
mod tags;
mod versions;

pub(crate) use activities::Activity;
pub(crate) use aliases::Route;
pub(crate) use executions::REDRIVABLE;
pub(crate) use machines::{Change, Loaded, Publish};
pub(crate) use revive::Revival;
pub(crate) use settings::Settings;
pub(crate) use tags::{MAX_TAGS, Tag, too_many};

use crate::api::{EngineError, Notification};
use crate::arn::Home;
use crate::clock::{Clock, SystemClock, Timestamp};
use crate::exec::{Run, Tokens};
use crate::lambda::{Lambda, NoLambda};
use crate::map::MapRun;
use crate::objects::{MemoryObjects, Objects};
use crate::query::Entropy;
use crate::store::{Database, Store, StoreError};
use crate::vintage::Vintage;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{broadcast, watch};

/// Notifications that a slow subscriber may fall behind before it loses some.
const NOTIFICATIONS: usize = 16_384;

/// Runs state machines. Cheap to clone: all clones are the same engine.
#[derive(Clone)]
pub struct Engine {
    inner: Arc<Inner>,
}

/// What executions share.
pub(crate) struct Inner {
    pub(crate) store: Store,
    pub(crate) lambda: Arc<dyn Lambda>,
    pub(crate) objects: Arc<dyn Objects>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) entropy: Entropy,
    pub(crate) home: Home,
    pub(crate) vintage: Vintage,
    /// Children are started at the service's rate.
    pub(crate) as_deployed: bool,
    pub(crate) suspended: watch::Sender<bool>,
    /// Tasks that somebody outside ends.
    pub(crate) tokens: Tokens,
    notifications: broadcast::Sender<Notification>,
    ids: AtomicI64,
    loaded: Mutex<HashMap<i64, Arc<Loaded>>>,
    runs: Mutex<HashMap<String, Arc<Run>>>,
    map_runs: Mutex<HashMap<i64, Arc<MapRun>>>,
    redriving: tokio::sync::Mutex<()>,
    /// Held by who takes a top-level execution from the database to whoever drives it.
    beginning: tokio::sync::RwLock<()>,
    /// How many top-level executions run.
    driving: watch::Sender<usize>,
}

/// Settings of an [`Engine`].
pub struct EngineBuilder {
    database: Database,
    lambda: Arc<dyn Lambda>,
    objects: Arc<dyn Objects>,
    clock: Arc<dyn Clock>,
    seed: Option<u64>,
    home: Home,
    dormant: bool,
    as_deployed: bool,
    as_of: Option<Timestamp>,
    database_limit: Option<u64>,
}

impl EngineBuilder {
    /// Whether what was running stays as it is: for a process that only looks, and has no functions to go on with.
    #[must_use]
    pub fn dormant(mut self, dormant: bool) -> Self {
        self.dormant = dormant;
        self
    }

    /// Whether the children of Map Runs start no faster than deployed: 100 Standard or 1,000 Express ones a second. As fast
    /// as they come unless set.
    #[must_use]
    pub fn as_deployed(mut self, as_deployed: bool) -> Self {
        self.as_deployed = as_deployed;
        self
    }

    /// Behaves as the service did at a moment, where recordings show that it has changed since: without redrive counts
    /// before 15 November 2023, without members about encryption before 25 July 2024, with the older order of events at a
    /// distributed Map's end until the autumn of 2024. As the newest recordings unless set.
    #[must_use]
    pub fn as_of(mut self, moment: Timestamp) -> Self {
        self.as_of = Some(moment);
        self
    }

    /// The database grows to this many bytes and no further; what does not fit fails with `StorageFailure`, as on a disk
    /// that is full. No limit unless set.
    #[must_use]
    pub fn database_limit(mut self, bytes: u64) -> Self {
        self.database_limit = Some(bytes);
        self
    }

    /// Where executions live; in memory unless set.
    #[must_use]
    pub fn database(mut self, database: Database) -> Self {
        self.database = database;
        self
    }

    /// Who runs Lambda functions; without, there are none.
    #[must_use]
    pub fn lambda(mut self, lambda: Arc<dyn Lambda>) -> Self {
        self.lambda = lambda;
        self
    }

    /// Where item readers read and result writers write; empty memory unless set.
    #[must_use]
    pub fn objects(mut self, objects: Arc<dyn Objects>) -> Self {
        self.objects = objects;
        self
    }

    /// Where time comes from; the machine's own unless set.
    #[must_use]
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Makes ids and jitter repeatable.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// The partition in ARNs; `aws` unless set.
    #[must_use]
    pub fn partition(mut self, partition: impl Into<String>) -> Self {
        self.home.partition = partition.into();
        self
    }

    /// The Region in ARNs; `us-east-1` unless set.
    #[must_use]
    pub fn region(mut self, region: impl Into<String>) -> Self {
        self.home.region = region.into();
        self
    }

    /// The account in ARNs; `000000000000` unless set.
    #[must_use]
    pub fn account(mut self, account: impl Into<String>) -> Self {
        self.home.account = account.into();
        self
    }

    /// Opens the database and goes on with what was running in it, unless it is to stay [dormant](Self::dormant).
    pub async fn open(self) -> Result<Engine, EngineError> {
        let (notifications, _) = broadcast::channel(NOTIFICATIONS);
        let told = notifications.clone();
        // Nobody has to listen.
        let heard = Box::new(move |n| drop(told.send(n)));
        let store = Store::open(&self.database, self.database_limit, self.clock.clone(), heard)?;
        let newest = "SELECT max(coalesce((SELECT max(id) FROM executions), 0), coalesce((SELECT max(id) FROM map_runs), 0))";
        let newest: i64 = store.call(move |db| Ok(db.query_row(newest, [], |r| r.get(0))?)).await?;
        // A resumed run must not draw the ids again that it drew before it was interrupted.
        let seed = self.seed.map(|s| s ^ (newest as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let inner = Inner {
            store,
            lambda: self.lambda,
            objects: self.objects,
            clock: self.clock,
            entropy: Arc::new(Mutex::new(seed.map_or_else(StdRng::from_os_rng, StdRng::seed_from_u64))),
            home: self.home,
            vintage: Vintage::at(self.as_of),
            as_deployed: self.as_deployed,
            suspended: watch::channel(false).0,
            tokens: Tokens::default(),
            notifications,
            ids: AtomicI64::new(newest + 1),
            loaded: Mutex::default(),
            runs: Mutex::default(),
            map_runs: Mutex::default(),
            redriving: tokio::sync::Mutex::new(()),
            beginning: tokio::sync::RwLock::new(()),
            driving: watch::channel(0).0,
        };
        let engine = Engine { inner: Arc::new(inner) };
        if !self.dormant {
            engine.inner.drop_expired().await?;
            retention::watch(&engine.inner);
            engine.resume().await?;
        }
        Ok(engine)
    }
}

impl Engine {
    /// Begins to configure an engine.
    pub fn builder() -> EngineBuilder {
        EngineBuilder {
            database: Database::Memory,
            lambda: Arc::new(NoLambda),
            objects: Arc::new(MemoryObjects::new()),
            clock: Arc::new(SystemClock),
            seed: None,
            home: Home {
                partition: "aws".to_owned(),
                region: "us-east-1".to_owned(),
                account: "000000000000".to_owned(),
            },
            dormant: false,
            as_deployed: false,
            as_of: None,
            database_limit: None,
        }
    }

    pub(crate) fn inner(&self) -> &Arc<Inner> {
        &self.inner
    }

    pub(crate) fn from_inner(inner: Arc<Inner>) -> Self {
        Self { inner }
    }

    /// Everything that is committed from now on: starts and ends of executions, children included.
    pub fn subscribe(&self) -> broadcast::Receiver<Notification> {
        self.inner.notifications.subscribe()
    }

    /// Starts nothing more, lets go of what runs (the next engine on the same database goes on with it), and waits until
    /// everything that happened is in the database.
    pub async fn shutdown(&self) -> Result<(), StoreError> {
        self.inner.suspended.send_replace(true);
        let mut driving = self.inner.driving.subscribe();
        // The sender lives in the engine, so this ends only with the last execution.
        let _ = driving.wait_for(|n| *n == 0).await;
        let map_runs: Vec<Arc<MapRun>> = lock(&self.inner.map_runs).values().cloned().collect();
        for map_run in map_runs {
            map_run.abort().await;
        }
        self.inner.store.flush().await
    }
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Inner {
    /// A number that no execution and no Map Run has.
    pub(crate) fn next_id(&self) -> i64 {
        self.ids.fetch_add(1, Ordering::Relaxed)
    }

    /// A random UUID.
    pub(crate) fn uuid(&self) -> String {
        let bytes: [u8; 16] = lock(&self.entropy).random();
        uuid::Builder::from_random_bytes(bytes).into_uuid().to_string()
    }
}
