//! Roles: assumed in the own partition, or with a token of the own identity in another one.

use std::time::{Duration, SystemTime};

use aws_config::BehaviorVersion;
use aws_credential_types::Credentials;
use aws_sdk_sts::Client;
use aws_sdk_sts::config::retry::RetryConfig;
use aws_sdk_sts::config::timeout::TimeoutConfig;
use aws_sdk_sts::config::{IdentityCache, Region};
use aws_sdk_sts::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_sts::types::Credentials as Session;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;

use super::endpoint::Service;
use super::own::{ANSWER, CONNECT, Own};
use super::{Issuer, Unread};
use crate::StoreErrorKind as Kind;
use crate::location::Partition;

/// How the sessions are named in audit logs.
const SESSION: &str = "transload";
/// An hour: the longest that one role may get of another, and so a function of any role.
const SESSION_SECONDS: i32 = 3_600;
/// A token is exchanged at once. 15 minutes leave room for tries and for clocks that differ.
const TOKEN_SECONDS: i32 = 900;
/// What both partitions take, and the stronger of the two there are.
const TOKEN_ALGORITHM: &str = "ES384";

/// Bound of the SDK's first pause; its own would be a second.
const FIRST_PAUSE: Duration = Duration::from_millis(200);

/// Assumes a role of the own partition.
pub(super) async fn assume(own: &Own, role: &str, external_id: Option<&str>) -> Result<Credentials, Unread> {
    let client = client(own, own.partition, &own.region, true)?;
    let assumed = client
        .assume_role()
        .role_arn(role)
        .role_session_name(SESSION)
        .duration_seconds(SESSION_SECONDS)
        .set_external_id(external_id.map(ToOwned::to_owned))
        .send()
        .await
        .map_err(|error| failed("sts:AssumeRole", &error, None))?;
    session("sts:AssumeRole", assumed.credentials)
}

/// Gets a token of the own identity, and exchanges it for a role of another partition, in the location's Region. The
/// exchange is not signed: our keys mean nothing there.
pub(super) async fn federate(
    own: &Own,
    role: &str,
    audience: &str,
    region: Option<&str>,
) -> Result<Credentials, Unread> {
    let (Some(partition), Some(region)) = (Issuer::partition_of(role), region) else {
        return Err(Unread::new(
            Kind::InvalidRequest,
            "expected the ARN of a role and a Region of the location",
        ));
    };
    let token = token(own, audience).await?;
    let exchanged = client(own, partition, region, false)?
        .assume_role_with_web_identity()
        .role_arn(role)
        .role_session_name(SESSION)
        .duration_seconds(SESSION_SECONDS)
        .web_identity_token(&token)
        .send()
        .await
        .map_err(|error| failed("sts:AssumeRoleWithWebIdentity", &error, Some(&token)))?;
    session("sts:AssumeRoleWithWebIdentity", exchanged.credentials)
}

async fn token(own: &Own, audience: &str) -> Result<String, Unread> {
    let answer = client(own, own.partition, &own.region, true)?
        .get_web_identity_token()
        .audience(audience)
        .signing_algorithm(TOKEN_ALGORITHM)
        .duration_seconds(TOKEN_SECONDS)
        .send()
        .await
        .map_err(|error| failed("sts:GetWebIdentityToken", &error, None))?;
    let token = answer.web_identity_token.filter(|token| !token.is_empty());
    token.ok_or_else(|| Unread::new(Kind::Unavailable, "sts:GetWebIdentityToken: an answer without a token"))
}

/// Throttling and faults are tried again by the SDK, with jitter.
fn client(own: &Own, partition: Partition, region: &str, signed: bool) -> Result<Client, Unread> {
    let timeouts =
        TimeoutConfig::builder().connect_timeout(CONNECT).operation_attempt_timeout(ANSWER).build();
    let mut config = aws_sdk_sts::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(region.to_owned()))
        .endpoint_url(own.endpoint_in(Service::Tokens, partition, region)?)
        .identity_cache(IdentityCache::no_cache())
        .retry_config(RetryConfig::standard().with_max_attempts(own.tries).with_initial_backoff(FIRST_PAUSE))
        .timeout_config(timeouts);
    if signed {
        config = config.credentials_provider(own.credentials.clone());
    }
    Ok(Client::from_conf(config.build()))
}

/// `secret` is what was sent: a service that quotes it is not quoted.
fn failed<E>(action: &str, error: &SdkError<E, HttpResponse>, secret: Option<&str>) -> Unread
where
    E: ProvideErrorMetadata,
{
    if let Some(raw) = error.raw_response() {
        let words = error.message().filter(|words| secret.is_none_or(|secret| !words.contains(secret)));
        return Unread::answered(action, raw.status().as_u16(), error.code(), words);
    }
    let (kind, found) = match error {
        SdkError::TimeoutError(_) => (Kind::Stalled, "no answer in time"),
        SdkError::DispatchFailure(_) => (Kind::Connection, "no connection"),
        SdkError::ConstructionFailure(_) => {
            (Kind::Credentials, "the function's own credentials can not be read")
        }
        _ => (Kind::Unavailable, "an answer that is none of the service"),
    };
    Unread::new(kind, format!("{action}: {found}"))
}

fn session(action: &str, session: Option<Session>) -> Result<Credentials, Unread> {
    let session =
        session.ok_or_else(|| Unread::new(Kind::Unavailable, format!("{action}: no credentials")))?;
    let expiry = SystemTime::try_from(session.expiration)
        .map_err(|_| Unread::new(Kind::Unavailable, format!("{action}: an expiration that is no time")))?;
    let token = Some(session.session_token);
    Ok(Credentials::new(session.access_key_id, session.secret_access_key, token, Some(expiry), "transload"))
}
