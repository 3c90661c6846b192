//! Who may: keys known to the server, a named bucket owner, nobody unsigned.

use s3s::access::{S3Access, S3AccessContext};
use s3s::auth::{S3Auth, SecretKey, SimpleAuth};
use s3s::{S3ErrorCode, S3Result};
use std::sync::Arc;

use super::rights::{Rights, Wanted};
use crate::direct::Direct;
use crate::errors;
use crate::storage::Store;

/// The key pairs of the server.
pub(crate) struct Keys(pub SimpleAuth);

#[async_trait::async_trait]
impl S3Auth for Keys {
    async fn get_secret_key(&self, access_key: &str) -> S3Result<SecretKey> {
        self.0.lookup(access_key).cloned().ok_or_else(|| {
            let message = "The AWS Access Key Id you provided does not exist in our records.";
            errors::refuse(S3ErrorCode::InvalidAccessKeyId, message)
        })
    }
}

/// Refuses unsigned requests, those that expect another owner of the bucket or of a copy's source, and those that a limited key
/// has no right to.
pub(crate) struct Access {
    pub store: Arc<Store>,
    pub rights: Arc<Rights>,
    /// Whether all buckets are encrypted under a key of KMS, as far as rights go.
    pub encrypted: bool,
}

#[async_trait::async_trait]
impl S3Access for Access {
    async fn check(&self, cx: &mut S3AccessContext<'_>) -> S3Result<()> {
        if cx.credentials().is_none() {
            return Err(errors::refuse(
                S3ErrorCode::AccessDenied,
                "Access Denied: the request is not signed",
            ));
        }
        let header = |name: &str| cx.headers().get(name).and_then(|value| value.to_str().ok());
        let source = header("x-amz-copy-source").map(|path| path.trim_start_matches('/'));
        let source = source.and_then(|path| path.split('/').next());
        self.check_owner(cx.s3_path().get_bucket_name(), header("x-amz-expected-bucket-owner"))?;
        self.check_owner(source, header("x-amz-source-expected-bucket-owner"))?;
        self.check_rights(cx)
    }
}

impl Access {
    fn check_rights(&self, cx: &S3AccessContext<'_>) -> S3Result<()> {
        let Some(credentials) = cx.credentials() else { return Ok(()) };
        let query = cx.uri().query().unwrap_or_default();
        let wanted = Wanted {
            operation: cx.s3_op().name(),
            headers: cx.headers(),
            version: query.split('&').any(|pair| pair.starts_with("versionId=")),
            missing: cx.s3_path().as_object().is_some_and(|(bucket, key)| self.is_missing(bucket, key)),
            encrypted: self.encrypted,
        };
        match self.rights.refused(&credentials.access_key, &wanted.actions()) {
            None => Ok(()),
            Some(action) => {
                let message = format!("Access Denied: the key is not allowed to perform {action}");
                Err(errors::refuse(S3ErrorCode::AccessDenied, message))
            }
        }
    }

    fn is_missing(&self, bucket: &str, key: &str) -> bool {
        let there = self.store.lock().buckets.contains_key(bucket);
        there && Direct::new(Arc::clone(&self.store)).versions(bucket, key).is_empty()
    }

    fn check_owner(&self, bucket: Option<&str>, expected: Option<&str>) -> S3Result<()> {
        let (Some(bucket), Some(expected)) = (bucket, expected) else { return Ok(()) };
        let state = self.store.lock();
        match state.buckets.get(bucket) {
            Some(found) if found.options.owner != expected => {
                Err(errors::refuse(S3ErrorCode::AccessDenied, "Access Denied: the bucket has another owner"))
            }
            _ => Ok(()),
        }
    }
}
