//! Calls that run at a time and are waited for in the order in which they were begun, each with what is known once it and all
//! before it are done.

use std::collections::VecDeque;

use tokio::task::JoinHandle;
use transload_wire::{ErrorName, Failure};

/// At most so many calls under way.
pub struct InOrder<T, M> {
    under_way: VecDeque<(Call<T>, M)>,
    most: usize,
}

/// A call that is given up with whoever began it.
struct Call<T>(JoinHandle<Result<T, Failure>>);

impl<T> Drop for Call<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl<T: Send + 'static, M> InOrder<T, M> {
    /// None yet.
    #[must_use]
    pub fn of(most: usize) -> Self {
        Self { under_way: VecDeque::new(), most: most.max(1) }
    }

    /// Whether the first has to be waited for before another begins.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.under_way.len() >= self.most
    }

    /// Begins a call.
    pub fn begin(&mut self, call: impl Future<Output = Result<T, Failure>> + Send + 'static, mark: M) {
        self.under_way.push_back((Call(tokio::spawn(call)), mark));
    }

    /// Waits for the first; `None` if none is under way.
    ///
    /// # Errors
    /// The call's own.
    pub async fn next(&mut self) -> Result<Option<(T, M)>, Failure> {
        let Some((mut call, mark)) = self.under_way.pop_front() else { return Ok(None) };
        match (&mut call.0).await {
            Ok(ended) => ended.map(|value| Some((value, mark))),
            Err(error) => Err(ErrorName::Internal.because(format!("a call was lost: {error}"))),
        }
    }

    /// The marks of those under way.
    pub fn marks(&self) -> impl Iterator<Item = &M> {
        self.under_way.iter().map(|(_, mark)| mark)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use transload_wire::ErrorName;

    use super::InOrder;

    #[tokio::test(start_paused = true)]
    async fn what_ends_early_is_told_in_its_turn() {
        let mut calls = InOrder::of(3);
        for (mark, wait) in [('a', 30), ('b', 10), ('c', 20)] {
            assert!(!calls.is_full());
            calls.begin(
                async move {
                    tokio::time::sleep(Duration::from_secs(wait)).await;
                    Ok(wait)
                },
                mark,
            );
        }
        assert!(calls.is_full() && calls.marks().eq(&['a', 'b', 'c']));
        let begun = tokio::time::Instant::now();
        let mut told = Vec::new();
        while let Some(next) = calls.next().await.unwrap() {
            told.push(next);
        }
        assert_eq!(told, [(30, 'a'), (10, 'b'), (20, 'c')]);
        assert_eq!(begun.elapsed(), Duration::from_secs(30), "they ran at the same time");
    }

    #[tokio::test]
    async fn a_failure_is_the_calls_own() {
        let mut calls: InOrder<(), _> = InOrder::of(1);
        calls.begin(async { Err(ErrorName::Stalled.because("s")) }, ());
        assert_eq!(calls.next().await.unwrap_err().name, ErrorName::Stalled);
        assert!(calls.next().await.unwrap().is_none());
    }
}
