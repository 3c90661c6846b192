//! Buckets: made, listed, looked at, deleted; their versioning.

use http::StatusCode;
use s3s::dto::*;
use s3s::{S3ErrorCode, S3Request, S3Response, S3Result};

use crate::config::{BucketOptions, Versioning};
use crate::errors;
use crate::storage::Store;
use crate::storage::state;

pub(super) async fn list(
    store: &Store,
    _: S3Request<ListBucketsInput>,
) -> S3Result<S3Response<ListBucketsOutput>> {
    let state = store.lock();
    let bucket = |(name, found): (&String, &state::Bucket)| Bucket {
        name: Some(name.clone()),
        creation_date: Some(found.created.into()),
        bucket_region: Some(store.region.clone()),
    };
    let buckets = Some(state.buckets.iter().map(bucket).collect());
    let owner = Some(Owner { id: Some(crate::DEFAULT_OWNER.to_owned()), display_name: None });
    Ok(S3Response::new(ListBucketsOutput { buckets, owner, ..ListBucketsOutput::default() }))
}

pub(super) async fn create(
    store: &Store,
    request: S3Request<CreateBucketInput>,
) -> S3Result<S3Response<CreateBucketOutput>> {
    let name = request.input.bucket;
    let constraint = request.input.create_bucket_configuration.and_then(|wish| wish.location_constraint);
    // us-east-1 is named by naming nothing, every other Region by its name.
    let region = constraint.as_ref().map_or("us-east-1", BucketLocationConstraint::as_str);
    if region != store.region {
        let message = format!(
            "The {region} location constraint is incompatible for the region specific endpoint this request was sent to."
        );
        return Err(errors::refuse_with(
            StatusCode::BAD_REQUEST,
            "IllegalLocationConstraintException",
            message,
        ));
    }
    let now = store.now();
    let mut state = store.lock();
    if state.buckets.contains_key(&name) {
        let message = "Your previous request to create the named bucket succeeded and you already own it.";
        return Err(errors::refuse(S3ErrorCode::BucketAlreadyOwnedByYou, message));
    }
    let location = Some(format!("/{name}"));
    state.buckets.insert(name, state::Bucket::new(BucketOptions::default(), now));
    Ok(S3Response::new(CreateBucketOutput { location }))
}

pub(super) async fn delete(
    store: &Store,
    request: S3Request<DeleteBucketInput>,
) -> S3Result<S3Response<DeleteBucketOutput>> {
    let mut state = store.lock();
    if !state.bucket(&request.input.bucket)?.objects.is_empty() {
        return Err(errors::refuse(
            S3ErrorCode::BucketNotEmpty,
            "The bucket you tried to delete is not empty",
        ));
    }
    state.buckets.remove(&request.input.bucket);
    Ok(S3Response::new(DeleteBucketOutput {}))
}

pub(super) async fn head(
    store: &Store,
    request: S3Request<HeadBucketInput>,
) -> S3Result<S3Response<HeadBucketOutput>> {
    store.lock().bucket(&request.input.bucket)?;
    let bucket_region = Some(store.region.clone());
    Ok(S3Response::new(HeadBucketOutput { bucket_region, ..HeadBucketOutput::default() }))
}

pub(super) async fn location(
    store: &Store,
    request: S3Request<GetBucketLocationInput>,
) -> S3Result<S3Response<GetBucketLocationOutput>> {
    store.lock().bucket(&request.input.bucket)?;
    let named = (store.region != "us-east-1").then(|| BucketLocationConstraint::from(store.region.clone()));
    Ok(S3Response::new(GetBucketLocationOutput { location_constraint: named }))
}

pub(super) async fn get_versioning(
    store: &Store,
    request: S3Request<GetBucketVersioningInput>,
) -> S3Result<S3Response<GetBucketVersioningOutput>> {
    let status = match store.lock().bucket(&request.input.bucket)?.options.versioning {
        Versioning::Off => None,
        Versioning::Enabled => Some(BucketVersioningStatus::from_static(BucketVersioningStatus::ENABLED)),
        Versioning::Suspended => Some(BucketVersioningStatus::from_static(BucketVersioningStatus::SUSPENDED)),
    };
    Ok(S3Response::new(GetBucketVersioningOutput { status, ..GetBucketVersioningOutput::default() }))
}

pub(super) async fn put_versioning(
    store: &Store,
    request: S3Request<PutBucketVersioningInput>,
) -> S3Result<S3Response<PutBucketVersioningOutput>> {
    let status = request.input.versioning_configuration.status;
    let versioning = match status.as_ref().map(BucketVersioningStatus::as_str) {
        Some(BucketVersioningStatus::ENABLED) => Versioning::Enabled,
        Some(BucketVersioningStatus::SUSPENDED) => Versioning::Suspended,
        _ => {
            let message = "The Versioning element must be specified: Enabled or Suspended";
            return Err(errors::refuse_with(
                StatusCode::BAD_REQUEST,
                "IllegalVersioningConfigurationException",
                message,
            ));
        }
    };
    store.lock().bucket_mut(&request.input.bucket)?.options.versioning = versioning;
    Ok(S3Response::new(PutBucketVersioningOutput {}))
}
