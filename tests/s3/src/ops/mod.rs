//! The S3 operations. `Service` is the table of them; each file beside it holds a few and says their rules.

mod attributes;
mod bucket;
mod complete;
mod conditions;
mod configuration;
mod copy;
mod delete;
mod get;
mod list;
mod multipart;
mod parts;
mod put;
mod restore;
mod tags;
mod uploads;
mod versions;
mod written;

use std::sync::Arc;

use http::{HeaderMap, StatusCode};
use s3s::dto::*;
use s3s::{S3, S3Request, S3Response, S3Result};

use crate::faults::Arrival;
use crate::storage::Store;

/// The implementation behind the protocol library.
pub(crate) struct Service {
    store: Arc<Store>,
}

impl Service {
    pub(crate) fn new(store: Arc<Store>) -> Self {
        Self { store }
    }
}

pub(crate) use configuration::Configuration;
pub(crate) use get::{http_date, iso_date};

/// Marks a request whose `Range` a fault makes the server overlook.
#[derive(Debug, Clone, Copy)]
pub(crate) struct WholeObject;

/// The status of an answer, where the protocol library would choose another: it ignores `S3Response::status`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Status(pub StatusCode);

/// An answer with its headers and a status of its own.
fn answer<T>(output: T, status: StatusCode, headers: HeaderMap) -> S3Response<T> {
    let mut response = S3Response::with_headers(output, headers);
    response.extensions.insert(Status(status));
    response
}

/// Faults on the body that the request came with.
fn arrival<T>(request: &S3Request<T>) -> Arrival {
    request.extensions.get::<Arrival>().copied().unwrap_or_default()
}

macro_rules! operations {
    ($($method:ident: $input:ty => $output:ty = $run:path;)*) => {
        #[async_trait::async_trait]
        impl S3 for Service {
            $(
                async fn $method(&self, request: S3Request<$input>) -> S3Result<S3Response<$output>> {
                    $run(&self.store, request).await
                }
            )*
        }
    };
}

operations! {
    list_buckets: ListBucketsInput => ListBucketsOutput = bucket::list;
    create_bucket: CreateBucketInput => CreateBucketOutput = bucket::create;
    delete_bucket: DeleteBucketInput => DeleteBucketOutput = bucket::delete;
    head_bucket: HeadBucketInput => HeadBucketOutput = bucket::head;
    get_bucket_location: GetBucketLocationInput => GetBucketLocationOutput = bucket::location;
    get_bucket_versioning: GetBucketVersioningInput => GetBucketVersioningOutput = bucket::get_versioning;
    put_bucket_versioning: PutBucketVersioningInput => PutBucketVersioningOutput = bucket::put_versioning;
    get_bucket_notification_configuration: GetBucketNotificationConfigurationInput => GetBucketNotificationConfigurationOutput = configuration::get_notifications;
    put_bucket_notification_configuration: PutBucketNotificationConfigurationInput => PutBucketNotificationConfigurationOutput = configuration::put_notifications;
    get_bucket_lifecycle_configuration: GetBucketLifecycleConfigurationInput => GetBucketLifecycleConfigurationOutput = configuration::get_lifecycle;
    put_bucket_lifecycle_configuration: PutBucketLifecycleConfigurationInput => PutBucketLifecycleConfigurationOutput = configuration::put_lifecycle;
    get_bucket_encryption: GetBucketEncryptionInput => GetBucketEncryptionOutput = configuration::get_encryption;
    put_bucket_encryption: PutBucketEncryptionInput => PutBucketEncryptionOutput = configuration::put_encryption;
    put_object: PutObjectInput => PutObjectOutput = put::put;
    get_object: GetObjectInput => GetObjectOutput = get::get;
    head_object: HeadObjectInput => HeadObjectOutput = get::head;
    get_object_attributes: GetObjectAttributesInput => GetObjectAttributesOutput = attributes::get;
    copy_object: CopyObjectInput => CopyObjectOutput = copy::object;
    upload_part_copy: UploadPartCopyInput => UploadPartCopyOutput = copy::part;
    delete_object: DeleteObjectInput => DeleteObjectOutput = delete::one;
    delete_objects: DeleteObjectsInput => DeleteObjectsOutput = delete::many;
    list_object_versions: ListObjectVersionsInput => ListObjectVersionsOutput = versions::list;
    list_multipart_uploads: ListMultipartUploadsInput => ListMultipartUploadsOutput = uploads::list;
    list_objects: ListObjectsInput => ListObjectsOutput = list::first;
    list_objects_v2: ListObjectsV2Input => ListObjectsV2Output = list::second;
    create_multipart_upload: CreateMultipartUploadInput => CreateMultipartUploadOutput = multipart::create;
    upload_part: UploadPartInput => UploadPartOutput = multipart::upload_part;
    abort_multipart_upload: AbortMultipartUploadInput => AbortMultipartUploadOutput = multipart::abort;
    complete_multipart_upload: CompleteMultipartUploadInput => CompleteMultipartUploadOutput = complete::complete;
    list_parts: ListPartsInput => ListPartsOutput = parts::list;
    get_object_tagging: GetObjectTaggingInput => GetObjectTaggingOutput = tags::get;
    put_object_tagging: PutObjectTaggingInput => PutObjectTaggingOutput = tags::put;
    delete_object_tagging: DeleteObjectTaggingInput => DeleteObjectTaggingOutput = tags::delete;
    restore_object: RestoreObjectInput => RestoreObjectOutput = restore::restore;
}
