//! Questions about a place that people ask before they trust it: what is there, what is configured, what we may do. Nothing
//! that is asked here changes an object, and what [`Inspector::probe_upload`] begins it ends. Only [`Inspector::probe`] makes an
//! object, of its own, and takes it away.

mod probe;
mod seen;
mod upload;

use std::fmt;

use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use aws_sdk_s3::Client;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
pub use probe::{Probed, Trial};
use seen::Seen;
use serde::Deserialize;
pub use upload::UploadProbe;

use super::S3Store;
use super::errors::{before_sending, chain, kind_of};
use crate::keys::Unread;
use crate::keys::account::{Account, Refused, Service};
use crate::{StoreErrorKind as Kind, Verb};

/// Why a question has no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// What it means.
    pub kind: Kind,
    /// The store's code, if it gave one.
    pub code: Option<String>,
    /// The answer's status, if there was one.
    pub status: Option<u16>,
    /// Code and status, or why there was no answer.
    pub message: String,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// An answer, with what its head told beside it.
#[derive(Debug, Clone)]
pub struct Look<T> {
    /// The answer.
    pub answer: Result<T, Refusal>,
    /// Region of the bucket, as the store names it.
    pub region: Option<String>,
    /// Seconds by which the store's clock is ahead of ours.
    pub clock: Option<i64>,
}

/// After how many days a bucket gives up unfinished uploads of keys that begin with a prefix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UploadLifetime {
    /// The prefix; empty for all keys.
    pub prefix: String,
    /// Whether the rule asks for more than a prefix (a tag, a size): then it is not for uploads.
    pub narrowed: bool,
    /// Days.
    pub days: i32,
}

/// A bucket's encryption.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DefaultEncryption {
    /// Such as `AES256` or `aws:kms`.
    pub algorithm: String,
    /// The key's ARN or id.
    pub key: Option<String>,
}

/// Who somebody is.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Caller {
    /// The ARN.
    #[serde(rename = "Arn")]
    pub arn: String,
    /// The account.
    #[serde(rename = "Account")]
    pub account: String,
}

/// Asks GetCallerIdentity.
///
/// # Errors
/// The service's, or why it was not reached.
pub async fn caller(account: &Account) -> Result<Caller, Refused> {
    #[derive(Deserialize)]
    struct Answer {
        #[serde(rename = "GetCallerIdentityResult")]
        result: Caller,
    }
    let answer: Answer = account.query(Service::Tokens, "GetCallerIdentity", "2011-06-15", &[]).await?;
    Ok(answer.result)
}

/// Asks with a store's own credentials.
#[derive(Debug, Clone, Copy)]
pub struct Inspector<'a>(&'a S3Store);

macro_rules! look {
    ($request:expr) => {{
        let seen = Seen::default();
        let sent = $request.customize().interceptor(seen.clone()).send().await;
        seen.look(sent.map_err(refusal))
    }};
}
use look;

impl S3Store {
    /// Questions to this store.
    #[must_use]
    pub fn inspector(&self) -> Inspector<'_> {
        Inspector(self)
    }
}

impl<T> Look<T> {
    /// With another answer.
    fn map<U>(self, change: impl FnOnce(T) -> U) -> Look<U> {
        Look { answer: self.answer.map(change), region: self.region, clock: self.clock }
    }
}

impl Inspector<'_> {
    async fn client(&self) -> &Client {
        self.0.client().await
    }

    /// Whether there are credentials; the code of whoever keeps them, if that refused.
    ///
    /// # Errors
    /// Why not. No value is told.
    pub async fn credentials(&self) -> Result<(), Refusal> {
        let Err(error) = self.0.credentials.provide_credentials().await else { return Ok(()) };
        let causes = || std::iter::successors(Some(&error as &dyn std::error::Error), |cause| cause.source());
        let unread = causes().find_map(|cause| cause.downcast_ref::<Unread>());
        let message = unread.map_or_else(|| chain(&error), ToString::to_string);
        let kind = unread.map_or(Kind::Credentials, |unread| unread.kind);
        Err(Refusal { kind, code: unread.and_then(|unread| unread.code.clone()), status: None, message })
    }

    /// Who we are there; `None` for a store that is not of AWS, or without a Region.
    pub async fn caller(&self) -> Option<Result<Caller, Refused>> {
        let region = self.client().await.config().region()?.to_string();
        self.0.settings.partition?;
        let credentials = SharedCredentialsProvider::new(self.0.credentials.clone());
        Some(match Account::with(&region, credentials, "credentials") {
            Ok(account) => caller(&account).await,
            Err(refused) => Err(refused),
        })
    }

    /// The Region that requests are signed for.
    pub async fn region(&self) -> Option<String> {
        self.client().await.config().region().map(ToString::to_string)
    }

    /// HeadBucket.
    pub async fn bucket(&self, bucket: &str) -> Look<()> {
        look!(self.client().await.head_bucket().bucket(bucket).set_expected_bucket_owner(self.owner()))
            .map(drop)
    }

    /// GetBucketVersioning: `Enabled`, `Suspended`, or none for a bucket that never kept versions.
    pub async fn versioning(&self, bucket: &str) -> Look<Option<String>> {
        look!(self.client().await.get_bucket_versioning().bucket(bucket))
            .map(|found| found.status.map(|status| status.as_str().to_owned()))
    }

    /// GetBucketNotificationConfiguration: whether the bucket tells EventBridge of its objects.
    pub async fn sends_events(&self, bucket: &str) -> Look<bool> {
        look!(self.client().await.get_bucket_notification_configuration().bucket(bucket))
            .map(|found| found.event_bridge_configuration.is_some())
    }

    /// GetBucketLifecycleConfiguration: rules in force that abort uploads.
    pub async fn upload_lifetimes(&self, bucket: &str) -> Look<Vec<UploadLifetime>> {
        let look = look!(self.client().await.get_bucket_lifecycle_configuration().bucket(bucket));
        let mut look =
            look.map(|found| found.rules.unwrap_or_default().iter().filter_map(lifetime).collect());
        // No configuration is an answer, too.
        if matches!(&look.answer, Err(refusal) if refusal.code.as_deref() == Some("NoSuchLifecycleConfiguration"))
        {
            look.answer = Ok(Vec::new());
        }
        look
    }

    /// GetBucketEncryption.
    pub async fn default_encryption(&self, bucket: &str) -> Look<Option<DefaultEncryption>> {
        let look = look!(self.client().await.get_bucket_encryption().bucket(bucket));
        let mut look = look.map(|found| {
            let rules =
                found.server_side_encryption_configuration.map(|found| found.rules).unwrap_or_default();
            rules.into_iter().find_map(|rule| rule.apply_server_side_encryption_by_default).map(|rule| {
                let algorithm = rule.sse_algorithm.as_str().to_owned();
                DefaultEncryption { algorithm, key: rule.kms_master_key_id }
            })
        });
        let none = "ServerSideEncryptionConfigurationNotFoundError";
        if matches!(&look.answer, Err(refusal) if refusal.code.as_deref() == Some(none)) {
            look.answer = Ok(None);
        }
        look
    }

    /// ListObjectsV2: the first key that begins so.
    pub async fn first_key(&self, bucket: &str, prefix: &str) -> Look<Option<String>> {
        let request = self.client().await.list_objects_v2().bucket(bucket).prefix(prefix).max_keys(1);
        look!(request.set_expected_bucket_owner(self.owner()))
            .map(|found| found.contents.unwrap_or_default().into_iter().next().and_then(|object| object.key))
    }

    /// GetObject of one byte, of a version or the newest: its version id.
    pub async fn first_byte(&self, bucket: &str, key: &str, version: Option<&str>) -> Look<Option<String>> {
        let request = self.client().await.get_object().bucket(bucket).key(key).range("bytes=0-0");
        let request = request.set_version_id(version.map(ToOwned::to_owned));
        look!(request.set_expected_bucket_owner(self.owner())).map(|found| found.version_id)
    }

    /// GetObjectTagging.
    pub async fn tags(&self, bucket: &str, key: &str) -> Look<()> {
        let request = self.client().await.get_object_tagging().bucket(bucket).key(key);
        look!(request.set_expected_bucket_owner(self.owner())).map(drop)
    }

    fn owner(&self) -> Option<String> {
        self.0.settings.expected_bucket_owner.clone()
    }
}

fn lifetime(rule: &aws_sdk_s3::types::LifecycleRule) -> Option<UploadLifetime> {
    let days = rule.abort_incomplete_multipart_upload.as_ref()?.days_after_initiation?;
    if rule.status.as_str() != "Enabled" {
        return None;
    }
    let filter = rule.filter.as_ref();
    let both = filter.and_then(|filter| filter.and.as_ref());
    let prefix = filter.and_then(|filter| filter.prefix.clone()).or_else(|| both?.prefix.clone());
    // The form that S3 had before filters.
    #[allow(deprecated)]
    let prefix = prefix.or_else(|| rule.prefix.clone()).unwrap_or_default();
    let narrowed = both.is_some()
        || filter.is_some_and(|filter| {
            filter.tag.is_some()
                || filter.object_size_greater_than.is_some()
                || filter.object_size_less_than.is_some()
        });
    Some(UploadLifetime { prefix, narrowed, days })
}

fn refusal<E>(error: SdkError<E, HttpResponse>) -> Refusal
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    let (code, status) =
        (error.code().map(str::to_owned), error.raw_response().map(|raw| raw.status().as_u16()));
    match (&error, status) {
        (SdkError::ServiceError(_) | SdkError::ResponseError(_), Some(status)) => {
            // The verb only tells whether a 404 without a code is of an upload.
            let kind = kind_of(Verb::GetObject, code.as_deref(), status);
            let message = format!("{} ({status})", code.as_deref().unwrap_or("no error code"));
            Refusal { kind, code, status: Some(status), message }
        }
        (SdkError::TimeoutError(_), _) => {
            Refusal { kind: Kind::Stalled, code, status, message: "no answer in time".to_owned() }
        }
        _ => Refusal { kind: before_sending(&error), code, status, message: chain(&error) },
    }
}
