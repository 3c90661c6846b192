//! Rights: which actions of IAM a request needs, whether a key that is limited has them, and what such keys asked for.
//!
//! After the permissions that the API reference lists for each operation. Where a bucket is said to be encrypted under a key
//! of KMS, the actions that S3 then needs in the caller's name are asked for beside them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use http::HeaderMap;

/// What a limited key has asked for since it was limited.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Asked {
    /// Actions that it has, and needed.
    pub used: BTreeSet<String>,
    /// Actions that it needed, and does not have.
    pub refused: BTreeSet<String>,
}

#[derive(Default)]
struct Limited {
    allowed: BTreeSet<String>,
    asked: Asked,
}

/// The keys that may not do everything.
#[derive(Default)]
pub(crate) struct Rights(Mutex<BTreeMap<String, Limited>>);

impl Rights {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Limited>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Limits a key to these actions, and forgets what it asked for.
    pub(crate) fn limit(&self, key: &str, allowed: BTreeSet<String>) {
        self.lock().insert(key.to_owned(), Limited { allowed, asked: Asked::default() });
    }

    pub(crate) fn asked(&self, key: &str) -> Asked {
        self.lock().get(key).map(|limited| limited.asked.clone()).unwrap_or_default()
    }

    /// The first of these actions that the key does not have.
    pub(crate) fn refused(&self, key: &str, needed: &[&str]) -> Option<String> {
        let mut all = self.lock();
        let limited = all.get_mut(key)?;
        let (has, lacks): (Vec<&str>, Vec<&str>) =
            needed.iter().partition(|action| limited.allowed.contains(**action));
        limited.asked.used.extend(has.into_iter().map(str::to_owned));
        limited.asked.refused.extend(lacks.iter().map(|action| (*action).to_owned()));
        lacks.first().map(|action| (*action).to_owned())
    }
}

/// What decides which actions a request needs.
pub(crate) struct Wanted<'a> {
    /// The API's name.
    pub operation: &'a str,
    pub headers: &'a HeaderMap,
    /// Whether it names a version.
    pub version: bool,
    /// Whether the bucket is there, and the key is not: only who may list is told so.
    pub missing: bool,
    /// Whether the bucket's key is of KMS.
    pub encrypted: bool,
}

const DECRYPT: &str = "kms:Decrypt";
const GENERATE: &str = "kms:GenerateDataKey";

impl Wanted<'_> {
    /// All actions that the caller needs.
    pub(crate) fn actions(&self) -> Vec<&'static str> {
        let mut needed = self.of_objects();
        if self.missing && matches!(self.operation, "HeadObject" | "GetObject") {
            needed.push("s3:ListBucket");
        }
        if self.encrypted && !self.missing {
            needed.extend(self.of_keys());
        }
        needed
    }

    fn has(&self, name: &str) -> bool {
        self.headers.get(name).is_some_and(|value| !value.is_empty())
    }

    fn of_objects(&self) -> Vec<&'static str> {
        let or = |plain, version| if self.version { version } else { plain };
        let get = or("s3:GetObject", "s3:GetObjectVersion");
        match self.operation {
            "HeadObject" | "GetObject" => vec![get],
            "GetObjectTagging" => vec![or("s3:GetObjectTagging", "s3:GetObjectVersionTagging")],
            "GetObjectAttributes" => {
                vec![get, or("s3:GetObjectAttributes", "s3:GetObjectVersionAttributes")]
            }
            "PutObject" | "CreateMultipartUpload" | "UploadPart" | "CompleteMultipartUpload" => {
                self.of_writes()
            }
            "ListParts" => vec!["s3:ListMultipartUploadParts"],
            "AbortMultipartUpload" => vec!["s3:AbortMultipartUpload"],
            "ListMultipartUploads" => vec!["s3:ListBucketMultipartUploads"],
            "ListObjects" | "ListObjectsV2" | "HeadBucket" => vec!["s3:ListBucket"],
            "ListObjectVersions" => vec!["s3:ListBucketVersions"],
            "DeleteObject" => {
                let delete = or("s3:DeleteObject", "s3:DeleteObjectVersion");
                [delete].into_iter().chain(self.reads()).collect()
            }
            // There is one action for all versions.
            "RestoreObject" => vec!["s3:RestoreObject"],
            // Nobody that is limited needs these.
            _ => vec!["s3:*"],
        }
    }

    fn of_writes(&self) -> Vec<&'static str> {
        let tags = self.has("x-amz-tagging").then_some("s3:PutObjectTagging");
        ["s3:PutObject"].into_iter().chain(tags).chain(self.reads()).collect()
    }

    /// A condition on an ETag tells what stands there, so it needs the right to read.
    fn reads(&self) -> Option<&'static str> {
        self.has("if-match").then_some("s3:GetObject")
    }

    fn of_keys(&self) -> Vec<&'static str> {
        match self.operation {
            // HEAD reads nothing that is encrypted but the checksum.
            "HeadObject" if self.has("x-amz-checksum-mode") => vec![DECRYPT],
            "GetObject" | "GetObjectAttributes" | "ListParts" | "CompleteMultipartUpload" => vec![DECRYPT],
            "PutObject" => vec![GENERATE],
            "CreateMultipartUpload" | "UploadPart" => vec![DECRYPT, GENERATE],
            _ => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderName, HeaderValue};

    use super::{Rights, Wanted};

    fn actions(operation: &str, version: bool, missing: bool, headers: &[&'static str]) -> String {
        let pair = |name: &&'static str| (HeaderName::from_static(name), HeaderValue::from_static("x"));
        let headers: HeaderMap = headers.iter().map(pair).collect();
        Wanted { operation, headers: &headers, version, missing, encrypted: true }.actions().join(" ")
    }

    #[test]
    fn requests_need_what_the_api_reference_says() {
        assert_eq!(actions("HeadObject", false, true, &[]), "s3:GetObject s3:ListBucket");
        assert_eq!(actions("HeadObject", false, false, &[]), "s3:GetObject");
        assert_eq!(
            actions("HeadObject", true, false, &["x-amz-checksum-mode"]),
            "s3:GetObjectVersion kms:Decrypt"
        );
        let tagged = actions("CreateMultipartUpload", false, false, &["x-amz-tagging"]);
        assert_eq!(tagged, "s3:PutObject s3:PutObjectTagging kms:Decrypt kms:GenerateDataKey");
        let replaced = actions("PutObject", false, false, &["if-match"]);
        assert_eq!(replaced, "s3:PutObject s3:GetObject kms:GenerateDataKey");
        let deleted = actions("DeleteObject", false, false, &["if-match"]);
        assert_eq!(deleted, "s3:DeleteObject s3:GetObject");
        assert_eq!(actions("ListObjectVersions", false, false, &[]), "s3:ListBucketVersions");
        assert_eq!(actions("RestoreObject", true, false, &[]), "s3:RestoreObject");
        assert_eq!(actions("DeleteBucket", false, false, &[]), "s3:*");
    }

    #[test]
    fn what_a_limited_key_asks_for_is_kept_and_others_may_do_everything() {
        let rights = Rights::default();
        assert_eq!(rights.refused("admin", &["s3:*"]), None);
        rights.limit("worker", ["s3:GetObject".to_owned()].into());
        assert_eq!(
            rights.refused("worker", &["s3:GetObject", "s3:PutObject"]).as_deref(),
            Some("s3:PutObject")
        );
        let asked = rights.asked("worker");
        assert!(asked.used.contains("s3:GetObject") && asked.refused.contains("s3:PutObject"), "{asked:?}");
    }
}
