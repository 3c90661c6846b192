//! One invocation: JSON in, JSON or a named failure out.

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures::FutureExt;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::value::{RawValue, to_raw_value};
use transload_store::Deadline;
use transload_wire::{ErrorName, Failure, shorten};

use crate::metrics::{Facts, Input, Metrics, Output};

/// Longest message that is handed on: an execution's history takes 32,768 characters of a cause, and nobody reads more.
const LONGEST_MESSAGE: usize = 4_096;

/// Kept of the worker's time to report that a handler did not end by itself: being ended from
/// outside is a timeout that says nothing of what was under way.
const REPORT: Duration = Duration::from_secs(2);

/// Runs the handler on an input, as [`serve`](crate::serve) does for each invocation: `left` of the worker's time is left.
/// Generic over the handler's world, so that tests and simulations bring their own.
///
/// # Errors
/// The handler's; `InputInvalid` for what is no `I`; `OutOfTime` shortly before the end; `Internal` for a panic.
pub async fn invoke<S, I, O, H>(
    handler: &H,
    stores: &S,
    left: Duration,
    input: &str,
) -> Result<Box<RawValue>, Failure>
where
    I: DeserializeOwned + Input,
    O: Serialize + Output,
    H: AsyncFn(&S, Deadline, I) -> Result<O, Failure>,
{
    measured(handler, stores, left, input, None).await
}

/// [`invoke`], and tells its metrics.
pub(crate) async fn measured<S, I, O, H>(
    handler: &H,
    stores: &S,
    left: Duration,
    input: &str,
    metrics: Option<&Metrics>,
) -> Result<Box<RawValue>, Failure>
where
    I: DeserializeOwned + Input,
    O: Serialize + Output,
    H: AsyncFn(&S, Deadline, I) -> Result<O, Failure>,
{
    let input = transload_wire::parse::<I>(input.as_bytes());
    let facts = input.as_ref().map_or_else(|_| Facts::default(), Input::facts);
    let work = run(handler, stores, Deadline::after(left), input);
    let result = tokio::time::timeout(left.saturating_sub(REPORT), work).await.unwrap_or_else(|_| {
        Err(ErrorName::OutOfTime.because(format!(
            "expected an end within {} s of the worker's time, found the handler at work",
            left.saturating_sub(REPORT).as_secs()
        )))
    });
    if let Some(metrics) = metrics {
        metrics.tell(&facts, result.as_ref().map_err(|failure| failure.name));
    }
    let output = result.and_then(|output| {
        to_raw_value(&output).map_err(|error| ErrorName::Internal.because(format!("output: {error}")))
    });
    output.map_err(|failure| {
        tracing::error!(error = failure.name.as_str(), message = %failure.message, "failed");
        cut(failure)
    })
}

async fn run<S, I, O, H>(
    handler: &H,
    stores: &S,
    deadline: Deadline,
    input: Result<I, Failure>,
) -> Result<O, Failure>
where
    H: AsyncFn(&S, Deadline, I) -> Result<O, Failure>,
{
    let input = input?;
    // The runtime would report a panic too, but under the name of a Rust type that no definition handles.
    AssertUnwindSafe(handler(stores, deadline, input)).catch_unwind().await.map_err(panicked)?
}

fn panicked(payload: Box<dyn Any + Send>) -> Failure {
    let said = payload.downcast_ref::<&str>().map(ToString::to_string);
    let said = said.or_else(|| payload.downcast_ref::<String>().cloned());
    ErrorName::Internal
        .because(format!("the handler panicked: {}", said.as_deref().unwrap_or("without a message")))
}

fn cut(mut failure: Failure) -> Failure {
    shorten(&mut failure.message, LONGEST_MESSAGE);
    failure
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use transload_store::Deadline;
    use transload_wire::{ErrorName, Failure, Source};

    use super::invoke;
    use crate::metrics::{Input, Output};

    impl Input for Source {}
    impl Output for u64 {}

    async fn call(
        handler: impl AsyncFn(&(), Deadline, Source) -> Result<u64, Failure>,
        input: &str,
    ) -> Result<String, Failure> {
        let left = Duration::from_secs(60);
        invoke(&handler, &(), left, input).await.map(|output| output.get().to_owned())
    }

    const INPUT: &str = r#"{"location": "a", "bucket": "abc", "key": "k"}"#;

    #[tokio::test]
    async fn json_goes_in_and_out_and_the_deadline_with_it() {
        let left = call(async |(), deadline, _| Ok(deadline.left().unwrap().as_secs()), INPUT).await.unwrap();
        assert!(["49", "50"].contains(&left.as_str()), "{left}");
    }

    #[tokio::test]
    async fn bad_input_is_named_with_its_field() {
        let never = async |_: &(), _, _| unreachable!("the handler must not be called");
        let refused = call(never, r#"{"location": "a", "bucket": "abc", "key": 1}"#).await.unwrap_err();
        assert_eq!(refused.name, ErrorName::InputInvalid);
        assert!(refused.message.starts_with("key: "), "{refused}");
    }

    #[tokio::test]
    async fn a_panic_is_a_failure_that_the_definition_knows() {
        let panics = async |_: &(), _, _| -> Result<u64, Failure> { panic!("part {} is odd", 7) };
        let failure = call(panics, INPUT).await.unwrap_err();
        assert_eq!(failure.to_string(), "Internal: the handler panicked: part 7 is odd");
    }

    #[tokio::test(start_paused = true)]
    async fn a_handler_that_does_not_end_is_out_of_time() {
        let never = async |_: &(), _, _| std::future::pending().await;
        assert_eq!(call(never, INPUT).await.unwrap_err().name, ErrorName::OutOfTime);
    }

    #[tokio::test]
    async fn a_message_is_cut_between_characters() {
        let long = async |_: &(), _, _| Err(ErrorName::Internal.because("\u{e9}x".repeat(4_000)));
        let message = call(long, INPUT).await.unwrap_err().message;
        assert!(message.len() <= 4_096 && message.contains("..."), "{}", message.len());
    }
}
