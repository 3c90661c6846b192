//! Requests of API Gateway's HTTP API (payload version 2.0), and what it wants to hear.

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use lambda_runtime::{LambdaEvent, Runtime, service_fn};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::OnceCell;
use transload_store::location::ConfiguredStores;

use crate::http::{Refusal, Request, Response, fits};
use crate::{Kind, Machine, Mounts, Notes, States, World, handle, page};

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
        Ok::<_, lambda_runtime::Error>(
            match world.get_or_try_init(|| open(|name| std::env::var(name).ok())).await {
                Ok(world) => answer(world, event.payload).await,
                Err(refusal) => written(&refusal.response()),
            },
        )
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
    let notes = Notes::parse(variable("TRANSLOAD_NOTES").as_deref())?;
    Ok(World {
        states: States::from_env().await,
        machines,
        stores: Arc::new(stores),
        locations,
        mounts,
        notes,
    })
}

/// Answers an event, whatever it is, in the form that the gateway wants to hear.
pub async fn answer(world: &World, event: Value) -> Value {
    match request(event) {
        Err(refusal) => written(&refusal.response()),
        Ok(request) => match page::asked(&request) {
            Some((kind, text)) => sent(200, kind, &text),
            None => written(&bounded(handle(world, &request).await)),
        },
    }
}

/// What is too long for Lambda would be lost on the way, and nobody told why.
fn bounded(response: Response) -> Response {
    if fits(&response.body) {
        return response;
    }
    Refusal::new(
        413,
        "AnswerTooLong",
        "expected an answer of at most 6 MB, found more: ask for less at a time",
    )
    .response()
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
    sent(response.status, "application/json", &response.body.to_string())
}

fn sent(status: u16, kind: &str, text: &str) -> Value {
    let own = [("content-type", kind), ("cache-control", "no-store")];
    let headers: BTreeMap<&str, &str> = own.into_iter().chain(page::HEADERS).collect();
    json!({"statusCode": status, "headers": headers, "body": text})
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
