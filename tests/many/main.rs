//! Many objects: the bucket machine on the engine, with the functions that do its work.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // helpers of tests may panic as tests do

mod accounts;
mod budget;
mod filter;
mod frozen;
mod listed;
mod lister;
mod pause;
mod redrive;
mod window;
mod world;
