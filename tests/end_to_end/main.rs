//! The program as its users run it: real processes, real sockets, two strict S3 servers that do not know each other.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // helpers of tests may panic as tests do

mod aws;
mod clients;
mod commands;
mod doctor;
mod documents;
mod evidence;
mod faults;
mod files;
mod https;
mod import;
mod inventory;
mod local;
mod pack;
mod plan;
mod resume;
mod support;
mod sync;
mod template;
mod transfer;
mod uploads;
