//! A world of two stores in memory that fail on demand, and the workflow's states run in it one after the other.

mod states;
mod world;

pub use states::{Outcome, States};
pub use world::World;

/// The JSON of an output.
///
/// # Panics
/// Never: these types have JSON forms.
#[must_use]
#[allow(clippy::expect_used)] // A mistake in the test itself.
pub fn json(output: &impl serde::Serialize) -> String {
    serde_json::to_string(output).expect("JSON")
}
