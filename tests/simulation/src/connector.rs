//! What the SDK speaks HTTP through: hyper's pooling client, as in production, over connections of the world's network.

use std::error::Error as _;
use std::io;
use std::pin::Pin;
use std::sync::OnceLock;
use std::task::{Context, Poll};
use std::time::Duration;

use aws_smithy_runtime_api::client::connector_metadata::ConnectorMetadata;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::retry::ErrorKind;
use http::{HeaderMap, Request, Uri};
use hyper_util::client::legacy::{Client, Error};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tower_service::Service;

use crate::network::{Network, Route};
use crate::wire::ClientEnd;

/// One worker's HTTP client for one place.
pub(crate) fn client(network: &Network, route: Route) -> SharedHttpClient {
    SharedHttpClient::new(Clients {
        dialer: Dialer { network: network.clone(), route, patience: None },
        made: OnceLock::new(),
    })
}

#[derive(Debug)]
struct Clients {
    dialer: Dialer,
    made: OnceLock<SharedHttpConnector>,
}

impl HttpClient for Clients {
    fn http_connector(&self, settings: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        let make = || {
            let dialer = Dialer { patience: settings.connect_timeout(), ..self.dialer.clone() };
            let mut builder = Client::builder(TokioExecutor::new());
            let client = builder.pool_timer(TokioTimer::new()).build(dialer);
            SharedHttpConnector::new(Connector { client })
        };
        self.made.get_or_init(make).clone()
    }

    fn connector_metadata(&self) -> Option<ConnectorMetadata> {
        None
    }
}

#[derive(Debug)]
struct Connector {
    client: Client<Dialer, SdkBody>,
}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let request = match request.try_into_http1x() {
            Ok(request) => in_order(request),
            Err(error) => return HttpConnectorFuture::ready(Err(ConnectorError::user(error.into()))),
        };
        let answer = self.client.request(request);
        HttpConnectorFuture::new(async move {
            let answer = answer.await.map_err(classified)?;
            HttpResponse::try_from(answer.map(SdkBody::from_body_1_x))
                .map_err(|error| ConnectorError::other(error.into(), None))
        })
    }
}

/// The SDK keeps metadata in hash maps: in order, the same request has the same bytes each time.
fn in_order(mut request: Request<SdkBody>) -> Request<SdkBody> {
    let headers = std::mem::take(request.headers_mut());
    let mut names: Vec<_> = headers.keys().cloned().collect();
    names.sort_unstable_by(|a, b| a.as_str().cmp(b.as_str()));
    let mut sorted = HeaderMap::with_capacity(headers.len());
    for name in names {
        for value in headers.get_all(&name) {
            sorted.append(name.clone(), value.clone());
        }
    }
    *request.headers_mut() = sorted;
    request
}

/// As the SDK's own connector says it: what may be tried again, and what may not.
fn classified(error: Error) -> ConnectorError {
    let mut source = error.source();
    let mut hyper = None;
    while let Some(found) = source {
        if let Some(found) = found.downcast_ref::<io::Error>() {
            return match found.kind() {
                io::ErrorKind::TimedOut => ConnectorError::timeout(error.into()),
                _ => ConnectorError::io(error.into()),
            };
        }
        hyper = hyper.or_else(|| found.downcast_ref::<hyper::Error>());
        source = found.source();
    }
    match hyper {
        Some(found) if found.is_timeout() => ConnectorError::timeout(error.into()),
        Some(found) if found.is_user() => ConnectorError::user(error.into()),
        Some(found) if found.is_closed() || found.is_canceled() => ConnectorError::io(error.into()),
        Some(found) if found.is_incomplete_message() => {
            ConnectorError::other(error.into(), Some(ErrorKind::TransientError))
        }
        None if error.is_connect() => ConnectorError::io(error.into()),
        _ => ConnectorError::other(error.into(), None),
    }
}

/// Opens connections.
#[derive(Debug, Clone)]
struct Dialer {
    network: Network,
    route: Route,
    patience: Option<Duration>,
}

impl Service<Uri> for Dialer {
    type Response = TokioIo<ClientEnd>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Self::Response>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Uri) -> Self::Future {
        let Self { network, route, patience } = self.clone();
        Box::pin(async move {
            let dial = network.dial(route);
            let client = match patience {
                Some(patience) => tokio::time::timeout(patience, dial).await.map_err(io::Error::from)??,
                None => dial.await?,
            };
            Ok(TokioIo::new(client))
        })
    }
}
