//! One request to a URL, over the HTTP client that the SDK brings along, through redirects to an answer.

use std::error::Error;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_smithy_async::rt::sleep::default_async_sleep;
use aws_smithy_http_client::Connector;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore, rustls_provider::CryptoMode};
use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorSettings, SharedHttpConnector};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_types::body::SdkBody;
use tokio::time::{sleep, timeout};
use transload_wire::{Requests, Url};

use super::guard::{Forbidden, Guard, Resolver};
use crate::s3::Patience;
use crate::{StoreError, StoreErrorKind as Kind};

/// Redirects that are followed.
const REDIRECTS: usize = 5;
/// Bytes of all headers of an answer: as much as common servers send at most.
const LONGEST_HEADERS: usize = 64 << 10;
/// Longest pause that a server may ask for; a longer one is the workflow's, which waits without cost.
const LONGEST_PAUSE: Duration = Duration::from_secs(20);

/// What URLs are read with. Requests do not choose it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Settings {
    pub(crate) guard: Guard,
    /// Certificates that are trusted beside the system's, in PEM.
    pub(crate) ca_file: Option<PathBuf>,
    pub(crate) patience: Patience,
}

/// Connections to wherever, kept between calls. It uses no proxy, whatever the environment says.
#[derive(Debug, Default)]
pub(crate) struct Web {
    pub(super) settings: Settings,
    connector: Mutex<Option<SharedHttpConnector>>,
}

/// What is asked.
pub(super) struct Ask<'a> {
    pub(super) method: &'static str,
    pub(super) url: &'a Url,
    pub(super) headers: Vec<(&'static str, String)>,
    /// For messages.
    pub(super) place: &'a str,
}

/// What was answered, whatever the status but a redirect.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: Headers,
    pub(super) body: SdkBody,
}

/// Headers of an answer, with names in lower case. What is no text is left out.
#[derive(Debug, Clone, Default)]
pub(super) struct Headers(Vec<(String, String)>);

impl Headers {
    #[cfg(test)]
    pub(super) fn of(headers: Vec<(String, String)>) -> Self {
        Self(headers)
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }

    pub(super) fn all<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a str> + use<'a> {
        let named: Vec<_> = self.0.iter().filter(|(found, _)| found == name).collect();
        named.into_iter().map(|(_, value)| value.as_str())
    }

    fn bytes(&self) -> usize {
        self.0.iter().map(|(name, value)| name.len() + value.len()).sum()
    }
}

impl Web {
    pub(crate) fn new(settings: Settings) -> Self {
        Self { settings, connector: Mutex::default() }
    }

    /// Built with the first request: certificates are read then.
    fn connector(&self) -> Result<SharedHttpConnector, StoreError> {
        let mut kept = self.connector.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(connector) = kept.as_ref() {
            return Ok(connector.clone());
        }
        let connector = self.build()?;
        *kept = Some(connector.clone());
        Ok(connector)
    }

    fn build(&self) -> Result<SharedHttpConnector, StoreError> {
        let refuse = |error: String| StoreError::new(Kind::InvalidRequest, format!("https.ca_file: {error}"));
        let mut trusted = TrustStore::default();
        if let Some(path) = &self.settings.ca_file {
            let pem = std::fs::read(path).map_err(|error| refuse(format!("{}: {error}", path.display())))?;
            trusted.add_pem_certificate(pem);
        }
        let context = TlsContext::builder().with_trust_store(trusted).build();
        let context = context.map_err(|error| refuse(error.to_string()))?;
        let patience = &self.settings.patience;
        let timeouts = HttpConnectorSettings::builder().connect_timeout(patience.connect).build();
        let mut builder = Connector::builder()
            .connector_settings(timeouts)
            .tls_provider(Provider::Rustls(CryptoMode::AwsLc))
            .tls_context(context);
        builder.set_sleep_impl(default_async_sleep());
        let guard = Arc::new(self.settings.guard.clone());
        Ok(SharedHttpConnector::new(builder.build_with_resolver(Resolver(guard))))
    }

    /// Asks until there is an answer that is no redirect. Each place that a redirect leads to is vetted as the first one.
    pub(super) async fn ask(&self, ask: &Ask<'_>, counted: &Mutex<Requests>) -> Result<Answer, StoreError> {
        let mut seen = vec![ask.url.clone()];
        loop {
            let Some(url) = seen.last() else { return Err(broken(ask, "a redirect", "none")) };
            self.settings.guard.vet(url).map_err(|forbidden| refused(ask, &forbidden))?;
            *counted
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .entry(ask.method.to_owned())
                .or_default() += 1;
            let answer = self.once(ask, url).await?;
            if !matches!(answer.status, 301 | 302 | 303 | 307 | 308) {
                return Ok(answer);
            }
            let next = target(ask, url, &answer)?;
            if seen.contains(&next) {
                return Err(broken(ask, "an answer", "redirects in a circle"));
            }
            if seen.len() > REDIRECTS {
                return Err(broken(ask, &format!("at most {REDIRECTS} redirects"), "more"));
            }
            seen.push(next);
        }
    }

    async fn once(&self, ask: &Ask<'_>, url: &Url) -> Result<Answer, StoreError> {
        let request = request(ask, url)?;
        let wait = self.settings.patience.answer;
        let answer = match timeout(wait, self.connector()?.call(request)).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(error)) => return Err(unreached(ask, url, &error)),
            Err(_) => {
                let message = format!("{} {}: no answer within {wait:?}", ask.method, ask.place);
                return Err(StoreError::new(Kind::Stalled, message));
            }
        };
        let answer = read(answer);
        if answer.headers.bytes() > LONGEST_HEADERS {
            return Err(broken(ask, &format!("at most {LONGEST_HEADERS} bytes of headers"), "more"));
        }
        if matches!(answer.status, 429 | 503)
            && let Some(seconds) = answer.headers.get("retry-after").and_then(|text| text.trim().parse().ok())
        {
            sleep(Duration::from_secs(seconds).min(LONGEST_PAUSE)).await;
        }
        Ok(answer)
    }
}

/// No cookie, no authorization, nothing compressed: what is not sent needs not be kept from the next host.
fn request(ask: &Ask<'_>, url: &Url) -> Result<HttpRequest, StoreError> {
    let unsent = || {
        StoreError::new(
            Kind::InvalidRequest,
            format!("{} {}: no request can be made of it", ask.method, ask.place),
        )
    };
    let request = http::Request::builder()
        .method(ask.method)
        .uri(url.reveal())
        .header("accept", "*/*")
        .header("accept-encoding", "identity")
        .header("user-agent", concat!("transload/", env!("CARGO_PKG_VERSION")));
    let request = ask.headers.iter().fold(request, |request, (name, value)| request.header(*name, value));
    let request = request.body(SdkBody::empty()).map_err(|_| unsent())?;
    HttpRequest::try_from(request).map_err(|_| unsent())
}

fn read(answer: HttpResponse) -> Answer {
    let status = answer.status().as_u16();
    let headers = answer.headers().iter().map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()));
    Answer { status, headers: Headers(headers.collect()), body: answer.into_body() }
}

/// Where a redirect leads to.
fn target(ask: &Ask<'_>, from: &Url, answer: &Answer) -> Result<Url, StoreError> {
    let Some(location) = answer.headers.get("location") else {
        return Err(broken(ask, "a Location beside status 3xx", "none"));
    };
    let next = from.join(location).map_err(|error| refused(ask, &Forbidden(format!("redirect: {error}"))))?;
    if from.is_https() && !next.is_https() {
        return Err(refused(ask, &Forbidden("redirect: expected https, found http".to_owned())));
    }
    Ok(next)
}

/// The server does not keep to the protocol.
pub(super) fn broken(ask: &Ask<'_>, expected: &str, found: &str) -> StoreError {
    let message = format!("{} {}: expected {expected}, found {found}", ask.method, ask.place);
    StoreError::new(Kind::WrongRange, message)
}

fn refused(ask: &Ask<'_>, forbidden: &Forbidden) -> StoreError {
    let message =
        format!("url: {} {}: {forbidden} (a deployment's table https may allow more)", ask.method, ask.place);
    StoreError::new(Kind::InvalidRequest, message)
}

/// There was no answer. The client's errors name no URL; should one do so, its query is taken out.
fn unreached(ask: &Ask<'_>, url: &Url, error: &(dyn Error + 'static)) -> StoreError {
    if let Some(forbidden) = chain(error).find_map(|error| error.downcast_ref::<Forbidden>()) {
        return refused(ask, forbidden);
    }
    let mut why: Vec<String> = chain(error).map(ToString::to_string).collect();
    why.dedup();
    let mut why = why.join(": ");
    for query in [url.query(), ask.url.query()].into_iter().flatten().filter(|query| !query.is_empty()) {
        why = why.replace(query, "…");
    }
    // A certificate does not get better by being looked at again.
    let kind = if why.contains("certificate") { Kind::InvalidRequest } else { Kind::Connection };
    StoreError::new(kind, format!("{} {} (host {}): {why}", ask.method, ask.place, url.host()))
}

fn chain<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error| {
        let error: &'a (dyn Error + 'static) = *error;
        error.source()
    })
}

/// What a status that is no success means.
pub(super) fn failed(ask: &Ask<'_>, status: u16) -> StoreError {
    let kind = match status {
        400 => Kind::InvalidRequest,
        401 | 402 | 403 | 407 | 451 => Kind::AccessDenied,
        404 | 410 => Kind::NotFound,
        412 => Kind::PreconditionFailed,
        408 => Kind::Stalled,
        425 | 429 | 503 => Kind::Throttled,
        500.. => Kind::Unavailable,
        _ => Kind::WrongRange,
    };
    let hint = match kind {
        Kind::AccessDenied if ask.url.has_query() => " (a signature may have expired)",
        _ => "",
    };
    StoreError::new(
        kind,
        format!("{} {}: expected an object, found status {status}{hint}", ask.method, ask.place),
    )
}
