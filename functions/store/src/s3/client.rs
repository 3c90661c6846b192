//! Builds the SDK's client for a location: what we do ourselves is switched off there.

use aws_config::BehaviorVersion;
use aws_sdk_s3::Client;
use aws_sdk_s3::config::{
    Builder, IdentityCache, Region, RequestChecksumCalculation, ResponseChecksumValidation,
    StalledStreamProtectionConfig,
};
use aws_smithy_runtime::client::retries::RetryPartition;
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use aws_types::app_name::AppName;

use super::counter::Counter;
use super::credentials::{CredentialsSource, Kept};
use super::settings::S3Settings;
use super::surroundings::Surroundings;

/// Bodies are hashed by us while they stream, and guarded by us against stalls; the SDK would hash them a second time,
/// or add a CRC32 that the location may not know. Its own identity cache can not be told to forget.
pub(super) async fn build(
    settings: &S3Settings,
    surroundings: &Surroundings,
    credentials: Kept,
    counter: Counter,
) -> Client {
    let mut config = base(settings, &credentials)
        .await
        .credentials_provider(credentials)
        .identity_cache(IdentityCache::no_cache())
        .interceptor(counter)
        .force_path_style(settings.path_style)
        .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
        .response_checksum_validation(ResponseChecksumValidation::WhenRequired)
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
        .retry_config(RetryConfig::standard().with_max_attempts(settings.patience.tries))
        // The SDK's allowance of repetitions is one for all clients of a process otherwise: a source in trouble would use up
        // the destination's.
        .retry_partition(RetryPartition::custom(settings.name.clone()).build())
        .timeout_config(
            TimeoutConfig::builder()
                .connect_timeout(settings.patience.connect)
                .operation_attempt_timeout(settings.patience.answer)
                .build(),
        );
    if let Some(http) = &surroundings.http {
        config.set_http_client(Some(http.clone()));
    }
    config.set_time_source(Some(surroundings.time.clone()));
    config.set_app_name(settings.user_agent.clone().and_then(|name| AppName::new(name).ok()));
    Client::from_conf(config.build())
}

/// With Region and endpoint given nothing has to be looked up, which saves a cold start some milliseconds.
async fn base(settings: &S3Settings, credentials: &Kept) -> Builder {
    let region = settings.region.clone().map(Region::new);
    if let (Some(region), Some(endpoint)) = (&region, &settings.endpoint) {
        return Builder::new()
            .behavior_version(BehaviorVersion::latest())
            .region(region.clone())
            .endpoint_url(endpoint);
    }
    let mut loader =
        aws_config::defaults(BehaviorVersion::latest()).credentials_provider(credentials.clone());
    if let Some(region) = region {
        loader = loader.region(region);
    }
    if let Some(endpoint) = &settings.endpoint {
        loader = loader.endpoint_url(endpoint);
    }
    if let CredentialsSource::Profile(name) = &settings.credentials {
        loader = loader.profile_name(name);
    }
    Builder::from(&loader.load().await)
}
