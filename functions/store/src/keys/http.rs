//! One signed request to a service of AWS, over the SDK's own HTTP client, until there is an answer.

use std::time::SystemTime;

use aws_credential_types::provider::ProvideCredentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use aws_smithy_async::rt::sleep::default_async_sleep;
use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorSettings, SharedHttpConnector};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::byte_stream::ByteStream;
use tokio::time::timeout;

use super::Unread;
use super::endpoint::Service;
use super::own::{ANSWER, CONNECT, Own};
use crate::{Backoff, Deadline, StoreErrorKind as Kind};

/// Longest answer that is read. A secret has at most 65,536 bytes; JSON may write each as six.
const LONGEST_ANSWER: usize = 512 << 10;

/// What is asked.
pub(super) struct Question<'a> {
    pub(super) service: Service,
    /// For messages.
    pub(super) action: &'a str,
    pub(super) method: &'static str,
    /// Begins with a slash.
    pub(super) path: &'a str,
    pub(super) headers: &'a [(&'static str, &'a str)],
    pub(super) body: &'a str,
}

/// What was answered.
pub(super) struct Answer {
    pub(super) status: u16,
    /// `x-amzn-errortype`.
    pub(super) error_type: Option<String>,
    pub(super) body: Vec<u8>,
}

/// Asks until there is an answer; what passes by itself is asked again, after a pause with full jitter.
pub(super) async fn ask<T>(
    own: &Own,
    question: &Question<'_>,
    read: impl Fn(Answer) -> Result<T, Unread>,
) -> Result<T, Unread> {
    let settings = HttpConnectorSettings::builder().connect_timeout(CONNECT).read_timeout(ANSWER).build();
    let client = aws_smithy_http_client::default_connector(&settings, default_async_sleep())
        .ok_or_else(|| Unread::new(Kind::Unsupported, "this build has no HTTP client"))?;
    let mut backoff = Backoff::of_tries(own.tries);
    loop {
        let tried = async {
            let request = signed(own, question).await?;
            read(send(&client, question.action, request).await?)
        };
        let tried = timeout(ANSWER, tried).await;
        let late = || {
            let message = format!("{}: no answer within {} s", question.action, ANSWER.as_secs());
            Unread::new(Kind::Stalled, message)
        };
        let error = match tried.unwrap_or_else(|_| Err(late())) {
            Ok(answer) => return Ok(answer),
            Err(error) => error,
        };
        let passes =
            matches!(error.kind, Kind::Throttled | Kind::Unavailable | Kind::Connection | Kind::Stalled);
        if !passes || !backoff.pause(&Deadline::NONE).await {
            return Err(error);
        }
    }
}

async fn send(client: &SharedHttpConnector, action: &str, request: HttpRequest) -> Result<Answer, Unread> {
    let answer = client.call(request).await.map_err(|error| unreached(action, &error.to_string()))?;
    let status = answer.status().as_u16();
    let error_type = answer.headers().get("x-amzn-errortype").map(ToOwned::to_owned);
    Ok(Answer { status, error_type, body: bytes(action, answer).await? })
}

fn unreached(action: &str, error: &str) -> Unread {
    Unread::new(Kind::Connection, format!("{action}: {error}"))
}

async fn bytes(action: &str, answer: HttpResponse) -> Result<Vec<u8>, Unread> {
    let mut stream = ByteStream::new(answer.into_body());
    let mut bytes = Vec::new();
    while let Some(next) = stream.next().await {
        bytes.extend_from_slice(&next.map_err(|error| unreached(action, &error.to_string()))?);
        if bytes.len() > LONGEST_ANSWER {
            return Err(Unread::refused(format!("{action}: an answer of more than {LONGEST_ANSWER} bytes")));
        }
    }
    Ok(bytes)
}

async fn signed(own: &Own, question: &Question<'_>) -> Result<HttpRequest, Unread> {
    let credentials = own.credentials.provide_credentials().await;
    let credentials = credentials
        .map_err(|error| Unread::new(Kind::Credentials, format!("{}: {}", own.whose, with_causes(&error))))?;
    let unsigned = |error: &dyn std::fmt::Display| {
        Unread::new(Kind::InvalidRequest, format!("{}: {error}", question.action))
    };
    let url = format!("{}{}", own.endpoint(question.service)?, question.path);
    let identity = credentials.into();
    let parameters = v4::SigningParams::builder()
        .identity(&identity)
        .region(&own.region)
        .name(question.service.name())
        .time(SystemTime::now())
        .settings(SigningSettings::default())
        .build()
        .map_err(|error| unsigned(&error))?
        .into();
    let headers = question.headers.iter().copied();
    let signable = SignableRequest::new(
        question.method,
        &url,
        headers.clone(),
        SignableBody::Bytes(question.body.as_bytes()),
    );
    let signed = signable.and_then(|request| sign(request, &parameters)).map_err(|error| unsigned(&error))?;
    let request = http::Request::builder().method(question.method).uri(&url);
    let request = headers.fold(request, |request, (name, value)| request.header(name, value));
    let mut request = request.body(SdkBody::from(question.body)).map_err(|error| unsigned(&error))?;
    signed.into_parts().0.apply_to_request_http1x(&mut request);
    HttpRequest::try_from(request).map_err(|error| unsigned(&error))
}

/// The SDK's own words for missing credentials say little; their causes name profile, variable or secret.
fn with_causes(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}
