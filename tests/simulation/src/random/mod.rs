//! The random simulation: a seed draws a scenario, the scenario is played, the invariants judge it.

mod acts;
mod play;
mod scenario;
mod storms;
mod summary;

pub use play::{Played, play, play_with};
pub use scenario::Scenario;
pub use summary::Summary;
