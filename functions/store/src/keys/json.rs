//! Secrets Manager and Parameter Store: one signed request each, in JSON 1.1, over the SDK's own HTTP client. Their SDKs
//! would add megabytes to every function for it.

use std::time::SystemTime;

use aws_credential_types::provider::ProvideCredentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use aws_smithy_async::rt::sleep::default_async_sleep;
use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorSettings, SharedHttpConnector};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::byte_stream::ByteStream;
use serde_json::{Value, json};
use tokio::time::timeout;

use super::endpoint::Service;
use super::own::{ANSWER, CONNECT, Own};
use super::{Unread, held::Held};
use crate::{Backoff, Deadline, StoreErrorKind as Kind};

/// Longest answer that is read. A secret has at most 65,536 bytes; JSON may write each as six.
const LONGEST_ANSWER: usize = 512 << 10;

/// The text of a secret.
pub(super) async fn secret(own: &Own, name: &str) -> Result<Held, Unread> {
    let body = json!({"SecretId": name});
    let answer = call(own, Service::SecretsManager, "secretsmanager.GetSecretValue", &body).await?;
    Held::of(answer.pointer("/SecretString"), "SecretString")
}

/// The text of a parameter.
pub(super) async fn parameter(own: &Own, name: &str) -> Result<Held, Unread> {
    let body = json!({"Name": name, "WithDecryption": true});
    let answer = call(own, Service::Parameters, "AmazonSSM.GetParameter", &body).await?;
    Held::of(answer.pointer("/Parameter/Value"), "Parameter.Value")
}

/// Asks until there is an answer; what passes by itself is asked again, after a pause with full jitter.
pub(super) async fn call(own: &Own, service: Service, target: &str, body: &Value) -> Result<Value, Unread> {
    let settings = HttpConnectorSettings::builder().connect_timeout(CONNECT).read_timeout(ANSWER).build();
    let client = aws_smithy_http_client::default_connector(&settings, default_async_sleep())
        .ok_or_else(|| Unread::new(Kind::Unsupported, "this build has no HTTP client"))?;
    let mut backoff = Backoff::of_tries(own.tries);
    loop {
        let tried = async {
            let request = signed(own, service, target, body.to_string()).await?;
            send(&client, target, request).await
        };
        let tried = timeout(ANSWER, tried).await;
        let late =
            || Unread::new(Kind::Stalled, format!("{target}: no answer within {} s", ANSWER.as_secs()));
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

async fn send(client: &SharedHttpConnector, target: &str, request: HttpRequest) -> Result<Value, Unread> {
    let answer = client.call(request).await.map_err(|error| unreached(target, &error.to_string()))?;
    let status = answer.status().as_u16();
    let kind = answer.headers().get("x-amzn-errortype").map(ToOwned::to_owned);
    let json: Option<Value> = serde_json::from_slice(&bytes(target, answer).await?).ok();
    match json {
        Some(json) if status == 200 => Ok(json),
        None if status == 200 => {
            Err(Unread::new(Kind::Unavailable, format!("{target}: an answer that is no JSON")))
        }
        json => Err(failed(target, status, kind.as_deref(), json.as_ref())),
    }
}

/// What the service says is wrong. The code may come with a namespace before it and an address after it.
fn failed(target: &str, status: u16, header: Option<&str>, json: Option<&Value>) -> Unread {
    let text = |name: &str| json.and_then(|json| json.get(name)?.as_str());
    let code = header.or_else(|| text("__type")).map(|code| code.split(':').next().unwrap_or_default());
    let code = code.map(|code| code.rsplit('#').next().unwrap_or_default());
    Unread::answered(target, status, code, text("message").or_else(|| text("Message")))
}

fn unreached(target: &str, error: &str) -> Unread {
    Unread::new(Kind::Connection, format!("{target}: {error}"))
}

async fn bytes(target: &str, answer: HttpResponse) -> Result<Vec<u8>, Unread> {
    let mut stream = ByteStream::new(answer.into_body());
    let mut bytes = Vec::new();
    while let Some(next) = stream.next().await {
        bytes.extend_from_slice(&next.map_err(|error| unreached(target, &error.to_string()))?);
        if bytes.len() > LONGEST_ANSWER {
            return Err(Unread::refused(format!("{target}: an answer of more than {LONGEST_ANSWER} bytes")));
        }
    }
    Ok(bytes)
}

async fn signed(own: &Own, service: Service, target: &str, body: String) -> Result<HttpRequest, Unread> {
    let credentials = own.credentials.provide_credentials().await;
    let credentials = credentials.map_err(|error| {
        Unread::new(Kind::Credentials, format!("the function's own credentials: {error}"))
    })?;
    let unsigned =
        |error: &dyn std::fmt::Display| Unread::new(Kind::InvalidRequest, format!("{target}: {error}"));
    let url = format!("{}/", own.endpoint(service)?);
    let headers = [("content-type", "application/x-amz-json-1.1"), ("x-amz-target", target)];
    let identity = credentials.into();
    let parameters = v4::SigningParams::builder()
        .identity(&identity)
        .region(&own.region)
        .name(service.name())
        .time(SystemTime::now())
        .settings(SigningSettings::default())
        .build()
        .map_err(|error| unsigned(&error))?
        .into();
    let signable =
        SignableRequest::new("POST", &url, headers.into_iter(), SignableBody::Bytes(body.as_bytes()));
    let signed = signable.and_then(|request| sign(request, &parameters)).map_err(|error| unsigned(&error))?;
    let request = headers
        .iter()
        .fold(http::Request::post(&url), |request, (name, value)| request.header(*name, *value));
    let mut request = request.body(SdkBody::from(body)).map_err(|error| unsigned(&error))?;
    signed.into_parts().0.apply_to_request_http1x(&mut request);
    HttpRequest::try_from(request).map_err(|error| unsigned(&error))
}
