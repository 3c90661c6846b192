//! The embedded database. One thread owns the connection; what is written is committed in groups, in the order it was
//! sent, so a crash loses a suffix of what happened and never a piece out of the middle. A database that is kept inline
//! has no thread: each write is committed where it is made.
mod catalog;
mod inline;
mod ops;
mod schema;

pub use inline::InlineDatabase;
pub(crate) use ops::{COLUMNS, ExecutionRow, Op, insert, load_execution};
pub use schema::Database;

use crate::clock::{Clock, Hold};
use rusqlite::{Connection, TransactionBehavior};
use std::sync::{Arc, OnceLock};
use tokio::sync::{mpsc, oneshot};

/// Messages that may wait: enough for a group, few enough that a slow disk slows the engine instead of filling memory.
const QUEUE: usize = 2_048;
/// Messages of one transaction at most.
const GROUP: usize = 1_024;

/// The database failed; nothing that was not committed counts.
#[derive(Debug, Clone, thiserror::Error)]
#[error("storage: {0}")]
pub struct StoreError(pub(crate) String);

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        Self(error.to_string())
    }
}

type Job = Box<dyn FnOnce(Result<&mut Connection, StoreError>) + Send>;
/// Told of every committed group's messages that asked for it.
type Heard = Box<dyn Fn(crate::api::Notification) + Send>;

enum Message {
    /// Applied together or not at all.
    Write(Vec<Op>, Hold),
    Call(Job, Hold),
}

/// A handle to the database.
#[derive(Clone)]
pub(crate) enum Store {
    /// On a thread of its own.
    Thread(Thread),
    /// On the tasks that use it.
    Inline(inline::Inline),
}

/// A handle to the database's thread.
#[derive(Clone)]
pub(crate) struct Thread {
    queue: mpsc::Sender<Message>,
    broken: Arc<OnceLock<StoreError>>,
    clock: Arc<dyn Clock>,
}

impl Store {
    /// Opens the database, which may have `limit` bytes, and starts its thread; `heard` is called after a commit for every [`Op::Tell`].
    pub(crate) fn open(
        database: &Database,
        limit: Option<u64>,
        clock: Arc<dyn Clock>,
        heard: Heard,
    ) -> Result<Self, StoreError> {
        if let Database::Inline(database) = database {
            return Ok(Self::Inline(database.attach(limit, heard)?));
        }
        let connection = schema::open(database, limit)?;
        let (queue, messages) = mpsc::channel(QUEUE);
        let broken = Arc::new(OnceLock::new());
        let shared = broken.clone();
        std::thread::Builder::new()
            .name("stepfunctions-store".to_owned())
            .spawn(move || run(connection, messages, &shared, &heard))
            .map_err(|e| StoreError(e.to_string()))?;
        Ok(Self::Thread(Thread { queue, broken, clock }))
    }

    /// Queues the changes that `ops` gives, which belong together. They are durable once a later [`Store::call`] has
    /// returned. `ops` is called when they can be queued at once: whoever is dropped while it waits has given away nothing.
    pub(crate) async fn write(
        &self,
        ops: impl FnOnce() -> Result<Vec<Op>, StoreError>,
    ) -> Result<(), StoreError> {
        match self {
            Self::Thread(thread) => thread.write(ops).await,
            Self::Inline(inline) => inline.write(ops()?),
        }
    }

    /// Runs `f` after everything queued before has been committed.
    pub(crate) async fn call<T: Send + 'static>(
        &self,
        f: impl FnOnce(&mut Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        match self {
            Self::Thread(thread) => thread.call(f).await,
            Self::Inline(inline) => inline.call(f),
        }
    }

    /// Waits until everything queued before is committed.
    pub(crate) async fn flush(&self) -> Result<(), StoreError> {
        self.call(|_| Ok(())).await
    }
}

impl Thread {
    fn broken(&self) -> StoreError {
        self.broken.get().cloned().unwrap_or_else(|| StoreError("the database's thread has ended".to_owned()))
    }

    async fn write(&self, ops: impl FnOnce() -> Result<Vec<Op>, StoreError>) -> Result<(), StoreError> {
        if self.broken.get().is_some() {
            return Err(self.broken());
        }
        let hold = self.clock.hold();
        let place = self.queue.reserve().await.map_err(|_| self.broken())?;
        let ops = ops()?;
        if !ops.is_empty() {
            place.send(Message::Write(ops, hold));
        }
        Ok(())
    }

    async fn call<T: Send + 'static>(
        &self,
        f: impl FnOnce(&mut Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (answer, answered) = oneshot::channel();
        let job: Job = Box::new(move |connection| {
            // Nobody waits any more: the caller was cancelled.
            let _ = answer.send(connection.and_then(f));
        });
        self.queue.send(Message::Call(job, self.clock.hold())).await.map_err(|_| self.broken())?;
        answered.await.map_err(|_| self.broken())?
    }
}

fn run(
    mut connection: Connection,
    mut messages: mpsc::Receiver<Message>,
    broken: &OnceLock<StoreError>,
    heard: &Heard,
) {
    while let Some(first) = messages.blocking_recv() {
        let (mut group, mut job, mut holds) = (Vec::new(), None, Vec::new());
        let mut next = Some(first);
        while let Some(message) = next.take() {
            match message {
                Message::Write(ops, hold) => {
                    group.push(ops);
                    holds.push(hold);
                }
                Message::Call(f, hold) => {
                    job = Some(f);
                    holds.push(hold);
                    break;
                }
            }
            if group.len() < GROUP {
                next = messages.try_recv().ok();
            }
        }
        if broken.get().is_none()
            && let Err(error) = commit(&mut connection, &group)
        {
            tracing::error!(%error, "the database failed; executions stop");
            let _ = broken.set(error);
        }
        if broken.get().is_none() {
            for op in group.into_iter().flatten() {
                if let Op::Tell(notification) = op {
                    heard(notification);
                }
            }
        }
        if let Some(job) = job {
            job(broken.get().cloned().map_or(Ok(&mut connection), Err));
        }
    }
}

fn commit(connection: &mut Connection, group: &[Vec<Op>]) -> Result<(), StoreError> {
    if group.is_empty() {
        return Ok(());
    }
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    for op in group.iter().flatten() {
        op.apply(&transaction)?;
    }
    Ok(transaction.commit()?)
}
