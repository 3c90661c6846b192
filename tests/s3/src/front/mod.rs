//! In front of the protocol: names the request, records it, lets faults at it, checks what the protocol leaves out.

pub(crate) mod access;
mod auth;
mod body;
mod classify;
mod connection;
mod drain;
mod rewrite;
pub(crate) mod rights;

use std::io;
use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, Response, request};
use hyper::body::Incoming;
use s3s::Body;
use s3s::service::S3Service;

use crate::direct::Direct;
use crate::events::RequestId;
use crate::faults::{Action, Answer, Arrival, Injector};
use crate::record::{Entry, Recorder};
use crate::storage::Store;
use body::{Direction, Turn, Watched};
pub use connection::Stream;
pub(crate) use connection::{Connection, Switch};
use drain::Shared;

pub(crate) type Answered = Response<Watched<Body>>;

/// Everything that connections share.
pub(crate) struct Front {
    pub store: Arc<Store>,
    pub service: S3Service,
    pub injector: Injector,
    pub recorder: Recorder,
    pub rights: Arc<rights::Rights>,
}

/// A request on its way.
struct Call<'a> {
    front: &'a Front,
    entry: Arc<Entry>,
    switch: Switch,
    action: Option<Action>,
    method: Method,
    id: String,
}

impl Front {
    /// Answers a request, or fails so that the connection ends.
    pub(crate) async fn call(
        &self,
        request: Request<Incoming>,
        switch: Switch,
    ) -> Result<Answered, io::Error> {
        let (parts, incoming) = request.into_parts();
        let target = classify::target(&parts.method, &parts.uri, &parts.headers);
        let action = self.injector.decide(&target);
        let entry = self.recorder.begin(target);
        if let Some(action) = &action {
            let _ = entry.fault.set(action.name());
        }
        let call = Call {
            front: self,
            entry,
            switch,
            action,
            method: parts.method.clone(),
            id: self.store.unique_id(),
        };
        call.run(parts, incoming).await
    }
}

impl Call<'_> {
    async fn run(self, parts: request::Parts, incoming: Incoming) -> Result<Answered, io::Error> {
        match &self.action {
            Some(Action::ResetBeforeHeaders) => return self.reset(),
            Some(Action::Delay(pause)) => tokio::time::sleep(*pause).await,
            Some(Action::Hook(hook)) => hook.0(&Direct::new(Arc::clone(&self.front.store))),
            _ => {}
        }
        let waits = parts.headers.contains_key("expect");
        let shared = Shared::new(incoming);
        let answer = match &self.action {
            Some(Action::Answer(answer)) => canned(answer)?,
            _ => self.handle(parts, shared.clone()).await?,
        };
        shared.drain(waits, &self.entry).await;
        match &self.action {
            Some(Action::CommitThenReset) => self.reset(),
            Some(Action::CommitThenAnswer(instead)) => {
                let instead = canned(instead)?;
                Ok(self.finish(instead))
            }
            _ => Ok(self.finish(rewrite::rewrite(self.action.as_ref(), answer).await?)),
        }
    }

    /// Ends the connection without an answer.
    fn reset(&self) -> Result<Answered, io::Error> {
        self.switch.reset();
        Err(io::Error::new(io::ErrorKind::ConnectionReset, "fault: reset"))
    }

    /// The real thing: signature, protocol, operation.
    async fn handle(&self, mut parts: request::Parts, shared: Shared) -> Result<Response<Body>, io::Error> {
        if let Err(error) = auth::check(&self.front.store, &parts) {
            return error.to_http_response().map_err(io::Error::other);
        }
        let chunked = parts
            .headers
            .get("x-amz-content-sha256")
            .is_some_and(|hash| hash.as_bytes().starts_with(b"STREAMING-"));
        let (turn, arrival) = match self.action {
            Some(Action::FlipRequest(at)) if chunked => (None, Arrival { flip: Some(at) }),
            Some(Action::FlipRequest(at)) => (Some((at, Turn::Flip)), Arrival::default()),
            Some(Action::ResetRequestAfter(at)) => (Some((at, Turn::Reset)), Arrival::default()),
            Some(Action::StallRequest { after, pause }) => {
                (Some((after, Turn::Stall(pause))), Arrival::default())
            }
            _ => (None, Arrival::default()),
        };
        parts.extensions.insert(arrival);
        parts.extensions.insert(RequestId(self.id.clone()));
        rewrite::before(self.action.as_ref(), &mut parts);
        let body = Watched::new(shared, Arc::clone(&self.entry), Direction::In, self.switch.clone(), turn);
        let request = Request::from_parts(parts, Body::http_body_unsync(body));
        let answer = self.front.service.call(request).await;
        let answer = answer.map_err(|error| io::Error::other(s3s::StdError::from(error)))?;
        if self.entry.operation() == "GetObjectAttributes" {
            rewrite::bare_etag(answer).await
        } else {
            Ok(answer)
        }
    }

    /// Puts the server's own marks on the answer and watches its body.
    fn finish(&self, mut answer: Response<Body>) -> Answered {
        if let Some(status) = answer.extensions().get::<crate::ops::Status>().copied() {
            *answer.status_mut() = status.0;
        }
        self.entry.set_status(answer.status().as_u16());
        let date = crate::ops::http_date(self.front.store.now());
        for (name, value) in
            [("date", date), ("x-amz-request-id", self.id.clone()), ("server", "strict-s3".into())]
        {
            if let Ok(value) = HeaderValue::try_from(value) {
                answer.headers_mut().insert(name, value);
            }
        }
        let turn = match self.action {
            Some(Action::ResetResponseAfter(at)) => Some((at, Turn::Reset)),
            Some(Action::CloseResponseAfter(at)) => Some((at, Turn::Close)),
            Some(Action::StallResponse { after, pause }) => Some((after, Turn::Stall(pause))),
            Some(Action::FlipResponse(at)) => Some((at, Turn::Flip)),
            _ => None,
        };
        // Metadata comes out of a hash map: in order, the same answer has the same bytes each time.
        let headers = std::mem::take(answer.headers_mut());
        *answer.headers_mut() = in_order(headers);
        if self.method == Method::HEAD {
            // The headers tell of a body that HEAD does not send.
            answer = answer.map(|_| Body::empty());
        }
        answer.map(|body| {
            Watched::new(body, Arc::clone(&self.entry), Direction::Out, self.switch.clone(), turn)
        })
    }
}

fn in_order(headers: HeaderMap) -> HeaderMap {
    let mut names: Vec<_> = headers.keys().cloned().collect();
    names.sort_unstable_by(|a, b| a.as_str().cmp(b.as_str()));
    let mut sorted = HeaderMap::with_capacity(headers.len());
    for name in names {
        for value in headers.get_all(&name) {
            sorted.append(name.clone(), value.clone());
        }
    }
    sorted
}

fn canned(answer: &Answer) -> Result<Response<Body>, io::Error> {
    let mut response = Response::builder().status(answer.status).header("content-type", answer.content_type);
    for (name, value) in &answer.headers {
        response = response.header(*name, value);
    }
    response.body(Body::from(Bytes::clone(&answer.body))).map_err(io::Error::other)
}
