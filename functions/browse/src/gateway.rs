//! Requests of API Gateway's HTTP API (payload version 2.0), and what it wants to hear.

use std::process::ExitCode;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use lambda_runtime::{LambdaEvent, Runtime, service_fn};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::OnceCell;
use transload_store::location::ConfiguredStores;

use crate::http::{Refusal, Request, Response};
use crate::{Kind, Machine, Mounts, States, World, handle};

/// The ARNs of the machines, one variable each; one at least.
const MACHINES: [(&str, Kind); 2] =
    [("TRANSLOAD_OBJECT_MACHINE", Kind::Object), ("TRANSLOAD_BUCKET_MACHINE", Kind::Bucket)];

/// What is read of an event.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Event {
    raw_path: String,
    #[serde(default)]
    raw_query_string: String,
    request_context: Context,
    #[serde(default)]
    body: Option<String>,
    #[serde(default)]
    is_base64_encoded: bool,
}

#[derive(Debug, Deserialize)]
struct Context {
    http: Http,
}

#[derive(Debug, Deserialize)]
struct Http {
    method: String,
}

/// Serves invocations until the process is ended.
#[must_use]
pub fn serve() -> ExitCode {
    let run = || -> Result<(), lambda_runtime::Error> {
        let tokio = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        tokio.block_on(poll())
    };
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("browse: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn poll() -> Result<(), lambda_runtime::Error> {
    // Opened with the first request: one whose configuration is wrong says so to who asks.
    let world = &OnceCell::new();
    let service = service_fn(async move |event: LambdaEvent<Value>| {
        let response = match world.get_or_try_init(|| open(|name| std::env::var(name).ok())).await {
            Ok(world) => answer(world, event.payload).await,
            Err(refusal) => refusal.clone().response(),
        };
        Ok::<_, lambda_runtime::Error>(written(&response))
    });
    Runtime::new(service).run().await
}

async fn open(variable: impl Fn(&str) -> Option<String>) -> Result<World, Refusal> {
    let machine = |(name, kind)| Some(Machine { arn: variable(name)?, kind });
    let machines: Vec<Machine> = MACHINES.into_iter().filter_map(machine).collect();
    if machines.is_empty() {
        return Err(Refusal::new(500, "NotConfigured", "expected TRANSLOAD_OBJECT_MACHINE, found none"));
    }
    let stores = ConfiguredStores::from_variables(&variable)?;
    let locations = stores.names().map(str::to_owned).collect();
    let mounts = Mounts::parse(&variable("TRANSLOAD_MOUNTS").unwrap_or_default())?;
    Ok(World { states: States::from_env().await, machines, stores: Arc::new(stores), locations, mounts })
}

async fn answer(world: &World, event: Value) -> Response {
    match request(event) {
        Ok(request) => handle(world, &request).await,
        Err(refusal) => refusal.response(),
    }
}

fn request(event: Value) -> Result<Request, Refusal> {
    let event: Event = serde_json::from_value(event)
        .map_err(|error| Refusal::field("event", "a request of payload version 2.0", error.to_string()))?;
    let body = event.body.unwrap_or_default();
    let body = match event.is_base64_encoded {
        true => STANDARD.decode(&body).map_err(|e| Refusal::field("body", "base64", e.to_string()))?,
        false => body.into_bytes(),
    };
    let query = Request::parse_query(&event.raw_query_string)?;
    Ok(Request { method: event.request_context.http.method, path: event.raw_path, query, body })
}

fn written(response: &Response) -> Value {
    json!({
        "statusCode": response.status,
        "headers": {"content-type": "application/json", "cache-control": "no-store", "x-content-type-options": "nosniff"},
        "body": response.body.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::request;
    use serde_json::json;

    #[test]
    fn events_of_the_gateway_are_requests() {
        let event = json!({"version": "2.0", "rawPath": "/api/stop", "rawQueryString": "a=b%20c",
            "requestContext": {"http": {"method": "POST", "path": "/api/stop"}},
            "body": "eyJhIjoxfQ==", "isBase64Encoded": true});
        let read = request(event).unwrap();
        assert_eq!((read.method.as_str(), read.path.as_str()), ("POST", "/api/stop"));
        assert_eq!((read.parameter("a"), read.body.as_slice()), (Some("b c"), br#"{"a":1}"#.as_slice()));
        let refused = request(json!({"rawPath": "/"})).unwrap_err();
        assert_eq!((refused.status, refused.details["field"].as_str()), (400, Some("event")));
    }
}
