//! The interpreter: executions, scopes (a machine, a branch, an iteration), states.
mod branches;
mod callback;
mod choice;
mod context;
mod cursor;
mod drive;
mod invoke;
mod io;
mod nested;
mod probe;
mod retry;
mod run;
mod s3;
mod scope;
mod sdk;
mod task;
mod tokens;
mod trouble;
mod wait;

pub(crate) use cursor::{Cursor, Item, Phase};
pub(crate) use drive::drive;
pub(crate) use io::{View, json_size, unexpected};
pub(crate) use probe::{Mock, Probe, Refused, Report, callable};
pub(crate) use run::{Parts, Run, Stop};
pub(crate) use s3::action as s3_action;
pub(crate) use scope::Scope;
pub(crate) use tokens::{Tokens, Unheard, Word};
pub(crate) use trouble::{Failure, Trouble};

/// Bytes of JSON that an input, an output or a result may have (facts: 262,144, hard).
pub(crate) const MAX_DATA: usize = 262_144;
