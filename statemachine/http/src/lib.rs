//! Serves the Step Functions API (AWS JSON 1.0) of an engine on loopback: for `aws stepfunctions`, boto3 and the SDKs.
//!
//! Every request is signed (Signature Version 4) with a key that the [`Builder`] was given. Refusals have the codes and the
//! HTTP status that clients of the service expect.
mod answer;
mod body;
mod handle;
mod keys;
mod server;
mod sigv4;

pub use answer::Answer;
pub use keys::{Key, Session};
pub use server::{Answers, Builder, Server, StartError};
