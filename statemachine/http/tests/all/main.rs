//! The server as its clients see it: the Rust SDK, boto3, the AWS CLI, and requests that no client would send.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // helpers of tests may panic as tests do

mod clients;
mod refusals;
mod sdk;
mod support;
