//! Sends a streamed body: headers for its form, a guard against stalls, and the comparison with the store's answer.

use aws_runtime::auth::PayloadSigningOverride;
use aws_sdk_s3::primitives::ByteStream;
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::context::BeforeTransmitInterceptorContextMut;
use aws_smithy_runtime_api::client::interceptors::{Intercept, dyn_dispatch_hint};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::config_bag::ConfigBag;
use transload_wire::{Checksum, Etag};

use super::framing::{Chunker, header_name};
use super::outgoing::{Handle, Outcome, Outgoing, Plan};
use super::progress::Progress;
use crate::{Hasher, PutBody, StoreError, StoreErrorKind as Kind, Verb};

/// A body made ready for the SDK.
pub(super) struct Sending {
    pub(super) body: ByteStream,
    pub(super) headers: BodyHeaders,
    pub(super) progress: Progress,
    pub(super) handle: Handle,
}

impl Sending {
    pub(super) fn new(body: PutBody, plan: Plan) -> Self {
        let progress = Progress::new();
        let headers = BodyHeaders::new(body.len, plan);
        let (outgoing, handle) = Outgoing::new(body, headers.plan, progress.clone());
        Self { body: ByteStream::new(SdkBody::from_body_1_x(outgoing)), headers, progress, handle }
    }
}

/// Sets the headers that say how the body is encoded, before the request is signed. The signature never covers the
/// bytes: TLS or the checksum protects them, and hashing them once more would cost half of the worker's time.
#[derive(Debug, Clone)]
pub(super) struct BodyHeaders {
    len: u64,
    plan: Plan,
    /// Checksum of the body where it is known beforehand.
    pub(super) ahead: Option<Checksum>,
}

impl BodyHeaders {
    /// Nothing can follow a body of no bytes: its checksum goes ahead of it.
    fn new(len: u64, plan: Plan) -> Self {
        let empty = plan.algorithm.filter(|algorithm| len == 0 && algorithm.is_sent());
        let ahead = empty.map(|algorithm| Hasher::new(algorithm).finish());
        Self { len, plan: Plan { trailer: plan.trailer && len > 0, ..plan }, ahead }
    }
}

#[dyn_dispatch_hint]
impl Intercept for BodyHeaders {
    fn name(&self) -> &'static str {
        "BodyHeaders"
    }

    fn modify_before_signing(
        &self,
        context: &mut BeforeTransmitInterceptorContextMut<'_>,
        _components: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let headers = context.request_mut().headers_mut();
        let signing = match self.plan.algorithm {
            Some(algorithm) if self.plan.trailer => {
                // One header: some stores refuse a second one. The store keeps what follows `aws-chunked`.
                let coding = headers.get("content-encoding").map(|own| format!("aws-chunked,{own}"));
                headers.insert("content-encoding", coding.unwrap_or_else(|| "aws-chunked".to_owned()));
                headers.insert("x-amz-trailer", header_name(algorithm));
                headers.insert("x-amz-decoded-content-length", self.len.to_string());
                headers.insert("content-length", Chunker::encoded_len(self.len, algorithm).to_string());
                PayloadSigningOverride::StreamingUnsignedPayloadTrailer
            }
            _ => {
                if let Some(checksum) = &self.ahead {
                    headers.insert(header_name(checksum.algorithm), checksum.value.clone());
                }
                PayloadSigningOverride::UnsignedPayload
            }
        };
        config.interceptor_state().store_put(signing);
        Ok(())
    }
}

/// What the store answered about a body: to be equal to what was sent.
pub(super) struct Answered<'a> {
    pub(super) etag: &'a Etag,
    pub(super) checksum: Option<&'a Checksum>,
    /// Whether the ETag is not an MD5 because the store encrypted with a key of the key service.
    pub(super) kms: bool,
}

/// Compares what was sent with what the store says it received.
///
/// # Errors
/// `Corrupted` with both values.
pub(super) fn compare(
    verb: Verb,
    place: &str,
    sent: &Outcome,
    answered: &Answered<'_>,
) -> Result<(), StoreError> {
    let differ = |what: &str, sent: &str, found: &str| {
        let message = format!("{verb} {place}: {what}: expected {sent} (as sent), found {found} (as stored)");
        Err(StoreError::new(Kind::Corrupted, message))
    };
    if let (Some(sent), Some(found)) = (&sent.checksum, answered.checksum)
        && sent.algorithm == found.algorithm
        && sent.value != found.value
    {
        return differ(sent.algorithm.as_str(), &sent.value, &found.value);
    }
    match &sent.md5 {
        Some(md5) if !answered.kms && !md5.eq_ignore_ascii_case(answered.etag.as_str()) => {
            differ("MD5", md5, answered.etag.as_str())
        }
        _ => Ok(()),
    }
}
