//! What is configured of a bucket: whom it tells of its objects, what becomes of old uploads, how it encrypts. It is kept and
//! given back, no more: nothing here acts on it.

use http::StatusCode;
use s3s::dto::*;
use s3s::{S3ErrorCode, S3Request, S3Response, S3Result};

use crate::errors;
use crate::storage::Store;

/// A bucket's configurations, as they were put.
#[derive(Debug, Default)]
pub(crate) struct Configuration {
    notifications: NotificationConfiguration,
    lifecycle: Option<BucketLifecycleConfiguration>,
    encryption: Option<ServerSideEncryptionConfiguration>,
}

pub(super) async fn get_notifications(
    store: &Store,
    request: S3Request<GetBucketNotificationConfigurationInput>,
) -> S3Result<S3Response<GetBucketNotificationConfigurationOutput>> {
    let state = store.lock();
    let found = state.bucket(&request.input.bucket)?.configuration.notifications.clone();
    Ok(S3Response::new(GetBucketNotificationConfigurationOutput {
        event_bridge_configuration: found.event_bridge_configuration,
        lambda_function_configurations: found.lambda_function_configurations,
        queue_configurations: found.queue_configurations,
        topic_configurations: found.topic_configurations,
    }))
}

/// Replaces all of it, as S3 does.
pub(super) async fn put_notifications(
    store: &Store,
    request: S3Request<PutBucketNotificationConfigurationInput>,
) -> S3Result<S3Response<PutBucketNotificationConfigurationOutput>> {
    let mut state = store.lock();
    let bucket = state.bucket_mut(&request.input.bucket)?;
    bucket.configuration.notifications = request.input.notification_configuration;
    Ok(S3Response::new(PutBucketNotificationConfigurationOutput::default()))
}

pub(super) async fn get_lifecycle(
    store: &Store,
    request: S3Request<GetBucketLifecycleConfigurationInput>,
) -> S3Result<S3Response<GetBucketLifecycleConfigurationOutput>> {
    let state = store.lock();
    let found = state.bucket(&request.input.bucket)?.configuration.lifecycle.clone();
    let found = found.ok_or_else(|| {
        let message = "The lifecycle configuration does not exist";
        errors::refuse(S3ErrorCode::NoSuchLifecycleConfiguration, message)
    })?;
    Ok(S3Response::new(GetBucketLifecycleConfigurationOutput {
        rules: Some(found.rules),
        ..GetBucketLifecycleConfigurationOutput::default()
    }))
}

pub(super) async fn put_lifecycle(
    store: &Store,
    request: S3Request<PutBucketLifecycleConfigurationInput>,
) -> S3Result<S3Response<PutBucketLifecycleConfigurationOutput>> {
    let mut state = store.lock();
    let bucket = state.bucket_mut(&request.input.bucket)?;
    bucket.configuration.lifecycle = request.input.lifecycle_configuration;
    Ok(S3Response::new(PutBucketLifecycleConfigurationOutput::default()))
}

pub(super) async fn get_encryption(
    store: &Store,
    request: S3Request<GetBucketEncryptionInput>,
) -> S3Result<S3Response<GetBucketEncryptionOutput>> {
    let state = store.lock();
    let found = state.bucket(&request.input.bucket)?.configuration.encryption.clone();
    let found = found.ok_or_else(|| {
        let message = "The server side encryption configuration was not found";
        let code = "ServerSideEncryptionConfigurationNotFoundError";
        errors::refuse_with(StatusCode::NOT_FOUND, code, message)
    })?;
    Ok(S3Response::new(GetBucketEncryptionOutput { server_side_encryption_configuration: Some(found) }))
}

pub(super) async fn put_encryption(
    store: &Store,
    request: S3Request<PutBucketEncryptionInput>,
) -> S3Result<S3Response<PutBucketEncryptionOutput>> {
    let mut state = store.lock();
    let bucket = state.bucket_mut(&request.input.bucket)?;
    bucket.configuration.encryption = Some(request.input.server_side_encryption_configuration);
    Ok(S3Response::new(PutBucketEncryptionOutput::default()))
}
