//! Streamed writes: PutObject and UploadPart. A body is sent once; what the store answers is held against what was sent.

use aws_sdk_s3::config::Builder;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::primitives::ByteStream;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_types::timeout::TimeoutConfig;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures::StreamExt;
use futures::stream;
use transload_plan::PartNumber;
use transload_wire::{ChecksumAlgorithm, ErrorName};

use super::convert::{checksum_of, encryption, etag, is_kms, part as part_checksum, tagging, version, whole};
use super::errors::map;
use super::outgoing::{Handle, Outcome, Plan};
use super::progress::Progress;
use super::send::{Answered, Sending, compare};
use super::told::Told;
use super::{S3Store, gather};
use crate::{
    Condition, PutBody, StoreError, StoreErrorKind as Kind, StoredPart, Target, UploadRef, Verb, Written,
};

impl S3Store {
    /// What is computed over a body that goes to this store.
    fn plan(&self, algorithm: Option<ChecksumAlgorithm>) -> Plan {
        let capabilities = &self.settings.capabilities;
        Plan {
            algorithm,
            trailer: capabilities.trailers && algorithm.is_some_and(ChecksumAlgorithm::is_sent),
            md5: capabilities.etag_md5 && algorithm.is_none(),
        }
    }

    /// A streamed body has no time limit of its own: it may have 5 GiB. The guard watches its progress instead.
    fn unlimited() -> Builder {
        Builder::new().timeout_config(TimeoutConfig::builder().disable_operation_attempt_timeout().build())
    }
}

pub(super) async fn put(
    store: &S3Store,
    target: &Target,
    mut body: PutBody,
    condition: &Condition,
) -> Result<Written, StoreError> {
    let place = format!("s3://{}/{}", target.bucket, target.key);
    let attributes = target.attributes.clone();
    let (sse, key_id, bucket_key) = encryption(target.encryption.as_ref());
    let (if_match, if_none_match) = store.condition(condition);
    let plan = store.plan(target.checksum_algorithm);
    let md5 = content_md5(Verb::PutObject, &place, &mut body, plan).await?;
    let sending = sending(Verb::PutObject, &place, body, plan).await?;
    let told = Told::default();
    let request = store
        .client()
        .await
        .put_object()
        .bucket(target.bucket.as_str())
        .key(target.key.as_str())
        .set_expected_bucket_owner(store.settings.expected_bucket_owner.clone())
        .set_content_type(attributes.content_type)
        .set_content_encoding(attributes.content_encoding)
        .set_content_language(attributes.content_language)
        .set_content_disposition(attributes.content_disposition)
        .set_cache_control(attributes.cache_control)
        .set_website_redirect_location(attributes.website_redirect)
        .set_metadata(Some(attributes.metadata.into_iter().collect()))
        .set_tagging(tagging(&attributes.tags))
        .set_storage_class(attributes.storage_class.as_deref().map(Into::into))
        .set_server_side_encryption(sse)
        .set_ssekms_key_id(key_id)
        .set_bucket_key_enabled(bucket_key)
        .set_if_match(if_match)
        .set_if_none_match(if_none_match)
        .set_content_md5(md5)
        .body(sending.body)
        .customize()
        .config_override(S3Store::unlimited())
        .interceptor(sending.headers)
        .interceptor(told.clone())
        .mutate_request(expires(attributes.expires));
    let (answer, sent) =
        finish(store, Verb::PutObject, &place, &sending.progress, &sending.handle, request.send()).await?;
    let found = etag(Verb::PutObject, &place, answer.e_tag())?;
    let own = told.demand(store, Verb::PutObject, &place, plan.algorithm)?;
    let checksum = whole(checksum_of!(answer), answer.checksum_type(), &found).or(own);
    let kms = is_kms(answer.server_side_encryption());
    compare(Verb::PutObject, &place, &sent, &Answered { etag: &found, checksum: checksum.as_ref(), kms })?;
    Ok(Written { etag: found, version: version(answer.version_id()), checksum })
}

pub(super) async fn upload_part(
    store: &S3Store,
    upload: &UploadRef,
    part: PartNumber,
    mut body: PutBody,
) -> Result<StoredPart, StoreError> {
    let place = format!("s3://{}/{} part {part}", upload.bucket, upload.key);
    let plan = store.plan(upload.checksum_algorithm);
    let md5 = content_md5(Verb::UploadPart, &place, &mut body, plan).await?;
    let sending = sending(Verb::UploadPart, &place, body, plan).await?;
    let told = Told::default();
    let request = store
        .client()
        .await
        .upload_part()
        .bucket(upload.bucket.as_str())
        .key(upload.key.as_str())
        .upload_id(upload.id.as_str())
        .part_number(i32::try_from(part.get()).unwrap_or(i32::MAX))
        .set_expected_bucket_owner(store.settings.expected_bucket_owner.clone())
        .set_content_md5(md5)
        .body(sending.body)
        .customize()
        .config_override(S3Store::unlimited())
        .interceptor(sending.headers)
        .interceptor(told.clone());
    let (answer, sent) =
        finish(store, Verb::UploadPart, &place, &sending.progress, &sending.handle, request.send()).await?;
    let found = etag(Verb::UploadPart, &place, answer.e_tag())?;
    let own = told.demand(store, Verb::UploadPart, &place, plan.algorithm)?;
    let checksum = part_checksum(checksum_of!(answer)).or(own);
    let kms = is_kms(answer.server_side_encryption());
    compare(Verb::UploadPart, &place, &sent, &Answered { etag: &found, checksum: checksum.as_ref(), kms })?;
    Ok(StoredPart { etag: found, checksum })
}

/// The SDK would parse and rewrite the date; it is carried as it stands.
pub(super) fn expires(
    value: Option<String>,
) -> impl Fn(&mut aws_smithy_runtime_api::client::orchestrator::HttpRequest) + Send + Sync + 'static {
    move |request| {
        if let Some(value) = value.clone() {
            let _ = request.headers_mut().try_insert("expires", value);
        }
    }
}

/// Content-MD5 in base64: of the hex that the caller gave, or of the body where nothing else is checked by the store.
async fn content_md5(
    verb: Verb,
    place: &str,
    body: &mut PutBody,
    plan: Plan,
) -> Result<Option<String>, StoreError> {
    let Some(hex) = &body.md5 else {
        return if plan.md5 && body.len > 0 { gather::md5(verb, place, body).await } else { Ok(None) };
    };
    let bytes: Option<Vec<u8>> =
        (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(hex.get(at..at + 2)?, 16).ok()).collect();
    let bytes = bytes.filter(|bytes| bytes.len() == 16).ok_or_else(|| {
        StoreError::new(Kind::InvalidRequest, format!("{verb} {place}: expected an MD5 of 32 hex digits"))
    })?;
    Ok(Some(STANDARD.encode(bytes)))
}

/// A body without bytes has nothing that could be held back: its stream is run to its end first.
async fn sending(verb: Verb, place: &str, mut body: PutBody, plan: Plan) -> Result<Sending, StoreError> {
    if body.len > 0 {
        let ahead = match plan.algorithm {
            Some(algorithm) if !plan.trailer && algorithm.is_sent() => {
                gather::ahead(verb, place, &mut body, algorithm).await?
            }
            _ => None,
        };
        let mut sending = Sending::new(body, plan);
        sending.headers.ahead = ahead;
        return Ok(sending);
    }
    while let Some(frame) = body.stream.next().await {
        let failed = match frame {
            Ok(bytes) if bytes.is_empty() => continue,
            Ok(bytes) => {
                ErrorName::PartCorrupted.because(format!("body: expected 0 bytes, found {}", bytes.len()))
            }
            Err(failure) => failure,
        };
        return Err(StoreError::of_body(format!("{verb} {place}"), failed));
    }
    let empty = PutBody { len: 0, stream: stream::empty().boxed(), md5: None, seen: None };
    Ok(Sending { body: ByteStream::from_static(b""), ..Sending::new(empty, plan) })
}

/// Waits for the answer. The body's own failure is the reason of whatever the connection reports; a refused credential
/// is read again by the next call, since this body is used up.
async fn finish<T, E>(
    store: &S3Store,
    verb: Verb,
    place: &str,
    progress: &Progress,
    handle: &Handle,
    call: impl Future<Output = Result<T, SdkError<E, HttpResponse>>>,
) -> Result<(T, Outcome), StoreError>
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    let answered = progress.guard(&store.settings.patience, call).await;
    let mut outcome = handle.take();
    if let Some(failure) = outcome.failure.take() {
        return Err(StoreError::of_body(format!("{verb} {place}"), failure));
    }
    match answered {
        Ok(Ok(answer)) => Ok((answer, outcome)),
        Ok(Err(error)) => {
            let error = map(verb, place, error);
            if error.kind == Kind::Credentials {
                store.credentials.forget().await;
            }
            Err(error)
        }
        Err(waited) => Err(StoreError::new(
            Kind::Stalled,
            format!("{verb} {place}: the store took no byte and gave no answer for {waited:?}"),
        )),
    }
}
