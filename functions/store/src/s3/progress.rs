//! Whether a body that is being sent still moves, and on whom it waits if not.

use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep_until, timeout_at};

use super::settings::Patience;

/// What the connection last did with the body.
#[derive(Debug, Clone, Copy)]
enum Phase {
    /// It has not asked for bytes since then, or took the last ones then.
    Sending(Instant),
    /// It waits for bytes of ours: the source has a guard of its own.
    Waiting,
    /// All bytes were taken then; the answer is due.
    Sent(Instant),
}

/// Shared by a body and the call that sends it.
#[derive(Debug, Clone)]
pub(super) struct Progress(Arc<Mutex<Phase>>);

impl Progress {
    pub(super) fn new() -> Self {
        Self(Arc::new(Mutex::new(Phase::Sending(Instant::now()))))
    }

    pub(super) fn moved(&self) {
        self.set(Phase::Sending(Instant::now()));
    }

    pub(super) fn waits(&self) {
        self.set(Phase::Waiting);
    }

    pub(super) fn sent(&self) {
        self.set(Phase::Sent(Instant::now()));
    }

    fn set(&self, phase: Phase) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = phase;
    }

    /// When the call is to be given up if nothing moves until then.
    fn limit(&self, patience: &Patience) -> Option<(Instant, Duration)> {
        // The first bytes are taken only once there is a connection.
        let stall = patience.stall.max(patience.connect);
        match *self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            Phase::Sending(since) => Some((since + stall, stall)),
            Phase::Waiting => None,
            Phase::Sent(since) => Some((since + patience.answer, patience.answer)),
        }
    }

    /// Runs a call that sends the body; gives up when the connection takes no byte for too long, or when no answer comes.
    ///
    /// # Errors
    /// How long nothing moved.
    pub(super) async fn guard<T>(
        &self,
        patience: &Patience,
        call: impl Future<Output = T>,
    ) -> Result<T, Duration> {
        let mut call = std::pin::pin!(call);
        loop {
            match self.limit(patience) {
                None => {
                    // Looked at again later: nobody tells when the source moves on.
                    if let Ok(done) = timeout_at(Instant::now() + patience.stall, &mut call).await {
                        return Ok(done);
                    }
                }
                Some((limit, waited)) => {
                    tokio::select! {
                        biased;
                        done = &mut call => return Ok(done),
                        () = sleep_until(limit) => {
                            if self.limit(patience).is_some_and(|(now, _)| now <= limit) {
                                return Err(waited);
                            }
                        }
                    }
                }
            }
        }
    }
}
