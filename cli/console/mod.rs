//! The page and its API on this machine: who may ask, and what is answered.

mod guard;

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName, HeaderValue};
use hyper::{Request, Response, StatusCode};
use serde_json::{Value, json};
use stepfunctions_http::{Answer, Server};
use transload_browse::World;
use transload_browse::page::{self as files, HEADERS};

use crate::exit::{CliError, Outcome};
use guard::Guard;

/// Longest body of a request: an execution's input takes 256 KiB, and its quotes double in JSON.
const MAX_BODY: usize = 1 << 20;

/// Serves until it is shut down; the URL opens the page.
///
/// # Errors
/// If the port can not be had.
pub(crate) async fn serve(world: World, port: u16) -> Outcome<(Server, String)> {
    let guard = Guard::new();
    let key = guard.key().to_owned();
    let shared = Arc::new((world, guard));
    let answers = move |request: Request<Incoming>| {
        let shared = shared.clone();
        Box::pin(async move { answer(&shared.0, &shared.1, request).await }) as std::pin::Pin<Box<_>>
    };
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let server = Server::listen(address, Arc::new(answers)).await;
    let server = server.map_err(|error| {
        CliError::trouble("the page", error).hint("choose a port with --port, or 0 for any")
    })?;
    let url = format!("{}/?key={key}", server.endpoint());
    Ok((server, url))
}

async fn answer(world: &World, guard: &Guard, request: Request<Incoming>) -> Answer {
    let (parts, body) = request.into_parts();
    let path = parts.uri.path();
    if let Err(refused) = guard.check(&parts) {
        return json_answer(403, &json!({"error": "Refused", "message": refused}));
    }
    if path == "/" {
        return with(200, "text/html; charset=utf-8", files::page(guard.key()));
    }
    if let Some((kind, text)) = files::file(path) {
        return with(200, kind, text.to_owned());
    }
    let query = transload_browse::Request::parse_query(parts.uri.query().unwrap_or_default());
    let body = Limited::new(body, MAX_BODY).collect().await;
    let (query, body) = match (query, body) {
        (Ok(query), Ok(body)) => (query, body.to_bytes().to_vec()),
        (Err(refusal), _) => {
            return json_answer(400, &json!({"error": refusal.error, "message": refusal.message}));
        }
        (_, Err(error)) => {
            let message = format!("body: expected at most {MAX_BODY} bytes, all of them: {error}");
            return json_answer(413, &json!({"error": "InputInvalid", "message": message}));
        }
    };
    let method = parts.method.as_str().to_owned();
    let asked = transload_browse::Request { method, path: path.to_owned(), query, body };
    let answer = transload_browse::handle(world, &asked).await;
    json_answer(answer.status, &answer.body)
}

fn json_answer(status: u16, body: &Value) -> Answer {
    with(status, "application/json", body.to_string())
}

fn with(status: u16, kind: &'static str, text: String) -> Answer {
    let mut answer = Response::new(Full::new(Bytes::from(text)));
    *answer.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = answer.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    for (name, value) in HEADERS {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    answer
}
