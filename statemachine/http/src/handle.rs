//! One request: which action, by whom, with what; then the engine's answer.
use crate::answer::{Answer, Refusal, answer};
use crate::keys::Key;
use crate::{body, sigv4};
use hyper::body::Incoming;
use hyper::http::request::Parts;
use hyper::{Method, Request};
use serde_json::Value;
use std::time::SystemTime;
use stepfunctions_local::Engine;

/// In front of an action's name in `X-Amz-Target`.
const PREFIX: &str = "AWSStepFunctions.";

/// What all connections share.
pub(crate) struct Handler {
    pub(crate) engine: Engine,
    pub(crate) keys: Vec<Key>,
    pub(crate) region: String,
}

impl Handler {
    /// Answers a request, whatever it is.
    pub(crate) async fn handle(&self, request: Request<Incoming>) -> Answer {
        let (parts, incoming) = request.into_parts();
        // Read first: the signature covers the body, and a client that is still sending does not listen.
        let body = body::read(incoming).await;
        let result = match body {
            Ok(body) => self.run(&parts, &body).await,
            Err(refusal) => Err(refusal),
        };
        if let Err(refusal) = &result {
            tracing::debug!(code = refusal.code, message = refusal.message, "refused");
        }
        answer(result)
    }

    async fn run(&self, parts: &Parts, body: &[u8]) -> Result<Value, Refusal> {
        let action = action(parts)?;
        let place = sigv4::Place { region: &self.region, service: "states" };
        sigv4::check(parts, body, &self.keys, &place, SystemTime::now())?;
        let body = match body {
            // Some clients send nothing for an input without members.
            [] => Value::Object(serde_json::Map::new()),
            body => serde_json::from_slice(body)
                .map_err(|error| Refusal::new("SerializationException", error.to_string()))?,
        };
        if !body.is_object() {
            return Err(Refusal::new("SerializationException", "Start of structure or map expected"));
        }
        Ok(self.engine.call(action, body).await?)
    }
}

fn action(parts: &Parts) -> Result<&str, Refusal> {
    let unknown = |message: String| Err(Refusal::new("UnknownOperationException", message));
    if parts.method != Method::POST || parts.uri.path() != "/" {
        return unknown(format!("expected POST /, found {} {}", parts.method, parts.uri.path()));
    }
    let target = parts.headers.get("x-amz-target").and_then(|target| target.to_str().ok());
    match target.and_then(|target| target.strip_prefix(PREFIX)) {
        Some(action) => Ok(action),
        None => unknown(format!("X-Amz-Target: expected {PREFIX}..., found {}", target.unwrap_or("none"))),
    }
}
