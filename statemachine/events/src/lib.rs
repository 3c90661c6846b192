//! Rules as EventBridge has them: which events match a pattern, and what a target is given for one.
//!
//! Pure: no I/O, no clock, no threads. [`Rules::route`] says what is to be delivered for an event; whoever calls it
//! delivers, and does so again until the target has it.
mod error;
mod path;
mod pattern;
mod rules;
mod transform;

pub use error::EventsError;
pub use pattern::Pattern;
pub use rules::{Delivery, Received, Rule, Rules, Target};
pub use transform::{InputTransformer, Transformer};
