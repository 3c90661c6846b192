//! Task tokens: what waits for somebody outside to say how it went, and the queues of activities.
use super::Failure;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rand::RngCore;
use serde_json::Value;
use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::{Notify, mpsc};

/// Bytes of randomness in a token.
const BYTES: usize = 96;

/// What somebody outside says about a task.
#[derive(Debug)]
pub(crate) enum Word {
    /// A worker of the activity has it.
    Taken {
        worker: Option<String>,
    },
    Heartbeat,
    Success(Value),
    Failure(Failure),
}

/// Why a word reached nobody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unheard {
    /// Not a token at all.
    Invalid,
    /// A token of a task that has ended, or timed out.
    Gone,
}

/// All that wait.
#[derive(Default)]
pub(crate) struct Tokens {
    inner: Mutex<Inner>,
    /// Something was put into a queue.
    queued: Notify,
}

#[derive(Default)]
struct Inner {
    waiting: HashMap<String, mpsc::UnboundedSender<Word>>,
    /// By activity: tokens and inputs, oldest first.
    queues: HashMap<String, VecDeque<(String, String)>>,
}

/// A task that waits; dropped, its token is worth nothing any more.
pub(crate) struct Ticket<'a> {
    tokens: &'a Tokens,
    token: String,
    words: mpsc::UnboundedReceiver<Word>,
}

impl Tokens {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A token that nobody can guess.
    pub(crate) fn draw(entropy: &Mutex<rand::rngs::StdRng>) -> String {
        let mut bytes = [0; BYTES];
        entropy.lock().unwrap_or_else(PoisonError::into_inner).fill_bytes(&mut bytes);
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// Begins to listen for a token.
    pub(crate) fn wait(&self, token: &str) -> Ticket<'_> {
        let (sender, words) = mpsc::unbounded_channel();
        self.lock().waiting.insert(token.to_owned(), sender);
        Ticket { tokens: self, token: token.to_owned(), words }
    }

    /// Puts a task into its activity's queue.
    pub(crate) fn enqueue(&self, activity: &str, token: &str, input: String) {
        let mut inner = self.lock();
        inner.queues.entry(activity.to_owned()).or_default().push_back((token.to_owned(), input));
        drop(inner);
        self.queued.notify_waiters();
    }

    /// The oldest task of an activity that still waits, if there is one; its execution hears that it was taken.
    fn take(&self, activity: &str, worker: Option<&str>) -> Option<(String, String)> {
        let mut inner = self.lock();
        loop {
            let (token, input) = inner.queues.get_mut(activity)?.pop_front()?;
            let taken = Word::Taken { worker: worker.map(str::to_owned) };
            let heard = inner.waiting.get(&token).is_some_and(|sender| sender.send(taken).is_ok());
            if heard {
                return Some((token, input));
            }
        }
    }

    /// The next task of an activity, once there is one.
    pub(crate) async fn next(&self, activity: &str, worker: Option<&str>) -> (String, String) {
        loop {
            let queued = self.queued.notified();
            tokio::pin!(queued);
            // From here on, nothing that is queued can be missed.
            queued.as_mut().enable();
            if let Some(found) = self.take(activity, worker) {
                return found;
            }
            queued.await;
        }
    }

    /// Passes a word on to whoever waits for the token.
    pub(crate) fn say(&self, token: &str, word: Word) -> Result<(), Unheard> {
        let sender = self.lock().waiting.get(token).cloned();
        match sender.map(|s| s.send(word)) {
            Some(Ok(())) => Ok(()),
            _ if URL_SAFE_NO_PAD.decode(token).is_ok_and(|b| b.len() == BYTES) => Err(Unheard::Gone),
            _ => Err(Unheard::Invalid),
        }
    }
}

impl Ticket<'_> {
    /// The next word.
    pub(crate) async fn next(&mut self) -> Word {
        match self.words.recv().await {
            Some(word) => word,
            // The sender lives in the table until this ticket is dropped.
            None => std::future::pending().await,
        }
    }
}

impl Drop for Ticket<'_> {
    fn drop(&mut self) {
        self.tokens.lock().waiting.remove(&self.token);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;

    fn token(seed: u64) -> String {
        Tokens::draw(&Mutex::new(rand::rngs::StdRng::seed_from_u64(seed)))
    }

    #[tokio::test]
    async fn words_reach_who_waits_and_nobody_later() {
        let (tokens, one) = (Tokens::default(), token(1));
        let mut ticket = tokens.wait(&one);
        tokens.say(&one, Word::Heartbeat).unwrap();
        assert!(matches!(ticket.next().await, Word::Heartbeat));
        drop(ticket);
        assert_eq!(tokens.say(&one, Word::Heartbeat), Err(Unheard::Gone));
        assert_eq!(tokens.say("x", Word::Heartbeat), Err(Unheard::Invalid));
    }

    #[tokio::test]
    async fn a_task_that_has_gone_is_not_given_to_a_worker() {
        let (tokens, gone, there) = (Tokens::default(), token(1), token(2));
        drop(tokens.wait(&gone));
        tokens.enqueue("a", &gone, "1".to_owned());
        let _ticket = tokens.wait(&there);
        tokens.enqueue("a", &there, "2".to_owned());
        assert_eq!(tokens.next("a", None).await, (there, "2".to_owned()));
    }
}
