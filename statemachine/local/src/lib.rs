//! Runs Amazon States Language definitions on one machine: strictly, durably, with the histories that AWS Step Functions
//! would have written.
//!
//! [`Engine`] is the entry: it creates state machines, starts executions, and keeps both in an embedded database. Lambda
//! functions and objects are whatever implements [`Lambda`] and [`Objects`].
mod api;
mod arn;
mod asl;
mod clock;
mod engine;
mod exec;
mod history;
mod json;
mod lambda;
mod map;
mod objects;
mod query;
mod service;
mod store;
mod vintage;

pub use api::*;
pub use asl::Diagnostic;
pub use clock::{Clock, Hold, SystemClock, Timestamp, VirtualClock};
pub use engine::{Engine, EngineBuilder};
pub use history::HistoryEvent;
pub use lambda::{Invocation, Lambda, LambdaError, LambdaOutput};
pub use objects::{
    DirectoryObjects, Listing, MemoryObjects, ObjectFacts, ObjectSummary, Objects, ObjectsError,
};
pub use store::{Database, InlineDatabase, StoreError};
