//! The fault suite: each row of `docs/reliability.md` by name, through the real definition, handlers and client, the strict
//! server and the engine; I1 to I6 are judged after each.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // helpers of tests may panic as tests do

mod alone;
mod bounds;
mod complete;
mod corruption;
mod crash;
mod credentials;
mod effort;
mod ends;
mod injector;
mod injectors;
mod kit;
mod line;
mod mutations;
mod pairs;
mod reads;
mod secrets;
mod source;
mod spoiler;
mod storms;
mod told;
mod uncertain;
mod workers;
mod writes;
