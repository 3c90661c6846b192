//! The Lambda Runtime API, version 2018-06-01, as one worker sees it on a port of its own.

use std::{
    convert::Infallible,
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};

use bytes::Bytes;
use hyper::{
    Method, Request, StatusCode, body::Incoming, header::HeaderMap, server::conn::http1, service::service_fn,
};
use hyper_util::rt::TokioIo;
use tokio::{
    net::TcpStream,
    sync::{Notify, oneshot},
    task::JoinSet,
};
use uuid::Uuid;

use crate::{
    InvokeError,
    answers::{self, Answer, accepted, not_found, refuse, unknown_request},
    body::{self, Posted},
    error,
    shared::Shared,
    states::{EnvironmentId, Polled},
    worker::Worker,
};

const PREFIX: &str = "/2018-06-01/runtime/";

/// What a worker that gives no error type is said to have failed with, as Step Functions does.
const UNKNOWN_ERROR: &str = "Lambda.Unknown";

/// The API of one environment.
#[derive(Debug)]
pub(crate) struct Api {
    pub(crate) shared: Arc<Shared>,
    pub(crate) environment: EnvironmentId,
    pub(crate) function: usize,
    pub(crate) wake: Arc<Notify>,
    pub(crate) worker: Arc<Worker>,
}

impl Api {
    /// Serves one connection until the worker closes it and what it has posted is dealt with.
    pub(crate) async fn serve(self: Arc<Self>, stream: TcpStream) {
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "TCP_NODELAY refused");
        }
        let posts = Mutex::new(JoinSet::new());
        let service = service_fn(|request| {
            let begun = self.begin(request, &posts);
            async { Ok::<_, Infallible>(self.conclude(begun).await) }
        });
        let connection =
            http1::Builder::new().header_read_timeout(None).serve_connection(TokioIo::new(stream), service);
        if let Err(error) = connection.await {
            tracing::debug!(pid = self.worker.pid, %error, "connection of a worker ended early");
        }
        let mut posts = posts.into_inner().unwrap_or_else(PoisonError::into_inner);
        while posts.join_next().await.is_some() {}
    }

    /// When the connection closes, hyper drops the answer that it is waiting for, even one that it has never polled.
    /// That is right for a poll, which must not take an invocation that nobody will receive. A post has to count
    /// though: it runs in a task of its own from the moment its head has come.
    fn begin(self: &Arc<Self>, request: Request<Incoming>, posts: &Mutex<JoinSet<()>>) -> Begun {
        let (head, body) = request.into_parts();
        let Some(route) = head.uri.path().strip_prefix(PREFIX) else { return Begun::Done(not_found()) };
        match (&head.method, route) {
            (&Method::GET, "invocation/next") => return Begun::Poll,
            (&Method::POST, _) => {}
            _ => {
                return Begun::Done(refuse(
                    StatusCode::METHOD_NOT_ALLOWED,
                    "MethodNotAllowed",
                    "expected GET or POST",
                ));
            }
        }
        let Some(target) = target(route) else { return Begun::Done(not_found()) };
        let (reply, answer) = oneshot::channel();
        let api = self.clone();
        let mut posts = posts.lock().unwrap_or_else(PoisonError::into_inner);
        while posts.try_join_next().is_some() {}
        posts.spawn(async move {
            // Nobody waits for the status any more once the connection is closed.
            let _status = reply.send(api.post(target, &head.headers, body).await);
        });
        Begun::Post(answer)
    }

    async fn conclude(&self, begun: Begun) -> Answer {
        match begun {
            Begun::Done(answer) => answer,
            Begun::Poll => self.next().await,
            Begun::Post(answer) => answer.await.unwrap_or_else(|_| {
                refuse(StatusCode::INTERNAL_SERVER_ERROR, "ServiceException", "the post was not dealt with")
            }),
        }
    }

    async fn post(&self, target: Target, headers: &HeaderMap, body: Incoming) -> Answer {
        match target {
            Target::Response(id) => self.response(id, body).await,
            Target::Error(id) => self.error(id, headers, body).await,
            Target::InitError => self.init_error(headers, body).await,
        }
    }

    async fn next(&self) -> Answer {
        loop {
            let polled = self.shared.registry().poll(self.environment, Instant::now());
            match polled {
                Polled::Wait => self.wake.notified().await,
                Polled::Refused => {
                    return refuse(
                        StatusCode::FORBIDDEN,
                        "InvalidStateTransition",
                        "the last invocation is not answered",
                    );
                }
                Polled::Deliver { id, payload, timeout } => {
                    self.shared.log(self.function).started(self.worker.pid, id);
                    return answers::deliver(id, payload, timeout, self.shared.arn(self.function));
                }
            }
        }
    }

    async fn response(&self, id: Uuid, body: Incoming) -> Answer {
        if !self.shared.registry().owes(self.environment, id) {
            return unknown_request();
        }
        match body::read(body).await {
            Ok(Posted::Whole(payload)) => self.settle(id, Ok(payload)),
            Ok(Posted::Failed { error_type, payload }) => {
                self.settle(id, Err(InvokeError::Function { error_type, payload }))
            }
            Ok(Posted::TooLarge) => {
                self.settle(id, Err(InvokeError::response_too_large()));
                let message =
                    format!("Exceeded maximum allowed payload size ({} bytes).", error::RESPONSE_LIMIT);
                refuse(StatusCode::PAYLOAD_TOO_LARGE, "RequestEntityTooLarge", &message)
            }
            Err(_) => refuse(StatusCode::BAD_REQUEST, "TruncatedBody", "the body ended early"),
        }
    }

    async fn error(&self, id: Uuid, headers: &HeaderMap, body: Incoming) -> Answer {
        if !self.shared.registry().owes(self.environment, id) {
            return unknown_request();
        }
        match posted_error(headers, body).await {
            Some(error) => self.settle(id, Err(error)),
            None => refuse(StatusCode::BAD_REQUEST, "TruncatedBody", "the body ended early"),
        }
    }

    async fn init_error(&self, headers: &HeaderMap, body: Incoming) -> Answer {
        let Some(error) = posted_error(headers, body).await else {
            return refuse(StatusCode::BAD_REQUEST, "TruncatedBody", "the body ended early");
        };
        if self.shared.registry().init_failed(self.environment, error) {
            accepted()
        } else {
            refuse(StatusCode::FORBIDDEN, "InvalidStateTransition", "the worker has started already")
        }
    }

    /// Frees the environment, writes the log, then tells the caller: it may invoke again at once and finds the
    /// environment free.
    fn settle(&self, id: Uuid, result: Result<Bytes, InvokeError>) -> Answer {
        let finished = self.shared.registry().finish(self.environment, id, result, Instant::now());
        let Some(finished) = finished else { return unknown_request() };
        self.shared.conclude(self.function, Some(&self.worker), finished);
        accepted()
    }
}

/// A request whose head has been read.
enum Begun {
    Done(Answer),
    Poll,
    Post(oneshot::Receiver<Answer>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Target {
    Response(Uuid),
    Error(Uuid),
    InitError,
}

/// What may be posted: `invocation/<id>/response`, `invocation/<id>/error`, `init/error`.
fn target(route: &str) -> Option<Target> {
    if route == "init/error" {
        return Some(Target::InitError);
    }
    let (id, verb) = route.strip_prefix("invocation/")?.split_once('/')?;
    let id = Uuid::try_parse(id).ok()?;
    match verb {
        "response" => Some(Target::Response(id)),
        "error" => Some(Target::Error(id)),
        _ => None,
    }
}

async fn posted_error(headers: &HeaderMap, body: Incoming) -> Option<InvokeError> {
    let header = headers.get(body::ERROR_TYPE).and_then(|value| value.to_str().ok());
    match body::read(body).await.ok()? {
        Posted::Whole(payload) | Posted::Failed { payload, .. } => {
            let error_type = body::error_type(&payload).or(header.map(str::to_owned));
            Some(InvokeError::Function {
                error_type: error_type.unwrap_or_else(|| UNKNOWN_ERROR.to_owned()),
                payload,
            })
        }
        Posted::TooLarge => Some(InvokeError::response_too_large()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn routes_with_an_id_are_told_apart() {
        let id = "00000000-0000-0000-0000-000000000001";
        let uuid = Uuid::from_u128(1);
        assert_eq!(target(&format!("invocation/{id}/response")), Some(Target::Response(uuid)));
        assert_eq!(target(&format!("invocation/{id}/error")), Some(Target::Error(uuid)));
        assert_eq!(target("init/error"), Some(Target::InitError));
        for route in [&format!("invocation/{id}/other"), "invocation/next", "invocation/../error", ""] {
            assert_eq!(target(route), None, "{route}");
        }
    }
}
