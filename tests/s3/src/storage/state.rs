//! The index: buckets, keys, versions, uploads; what one write or delete does to it.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::SystemTime;

use http::StatusCode;
use s3s::{S3ErrorCode, S3Result};

use super::object::{Object, Tags, Upload, Version};
use crate::config::{BucketOptions, Versioning};
use crate::errors;
use crate::ops::Configuration;

/// The version id of what was written without versioning.
pub(crate) const NULL: &str = "null";

#[derive(Debug, Default)]
pub(crate) struct State {
    pub buckets: BTreeMap<String, Bucket>,
}

impl State {
    pub(crate) fn bucket(&self, name: &str) -> S3Result<&Bucket> {
        self.buckets.get(name).ok_or_else(|| no_such_bucket(name))
    }

    pub(crate) fn bucket_mut(&mut self, name: &str) -> S3Result<&mut Bucket> {
        self.buckets.get_mut(name).ok_or_else(|| no_such_bucket(name))
    }
}

fn no_such_bucket(name: &str) -> s3s::S3Error {
    errors::refuse(S3ErrorCode::NoSuchBucket, format!("The specified bucket does not exist: {name}"))
}

#[derive(Debug)]
pub(crate) struct Bucket {
    pub options: BucketOptions,
    pub created: SystemTime,
    /// Byte order of keys; each with its versions, oldest first, never empty.
    pub objects: BTreeMap<String, Vec<Version>>,
    /// By key and upload id, the order in which they are listed.
    pub uploads: BTreeMap<(String, String), Upload>,
    /// Uploads that were completed, by id, with key, ETag and version made.
    pub completed: HashMap<String, (String, Arc<Object>, Option<String>)>,
    /// Deletes so far by key: a conditional write that overlaps one is refused with 409.
    pub deletes: HashMap<String, u64>,
    pub configuration: Configuration,
}

/// What a delete did.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Deleted {
    pub marker: bool,
    pub version: Option<String>,
}

impl Bucket {
    pub(crate) fn new(options: BucketOptions, created: SystemTime) -> Self {
        Self {
            options,
            created,
            objects: BTreeMap::new(),
            uploads: BTreeMap::new(),
            completed: HashMap::new(),
            deletes: HashMap::new(),
            configuration: Configuration::default(),
        }
    }

    /// The object a GET without version would read.
    pub(crate) fn current(&self, key: &str) -> Option<&Arc<Object>> {
        self.objects.get(key)?.last()?.object.as_ref()
    }

    /// What a delete without an id, or with one, finds.
    pub(crate) fn named(&self, key: &str, id: Option<&str>) -> Option<&Version> {
        let versions = self.objects.get(key)?;
        id.map_or_else(|| versions.last(), |id| versions.iter().find(|version| version.id == id))
    }

    /// The version a request means. Errors: none such, a delete marker.
    pub(crate) fn version(&self, key: &str, id: Option<&str>) -> S3Result<(&Version, &Arc<Object>)> {
        let versions = self.objects.get(key).map(Vec::as_slice).unwrap_or_default();
        let found = match id {
            None => versions.last().ok_or_else(no_such_key)?,
            Some("") => return Err(errors::invalid_argument("Version id cannot be the empty string")),
            Some(id) => {
                versions.iter().find(|version| version.id == id).ok_or_else(|| no_such_version(id))?
            }
        };
        match &found.object {
            Some(object) => Ok((found, object)),
            None => Err(delete_marker(found, id.is_some())),
        }
    }

    pub(crate) fn version_mut(&mut self, key: &str, id: Option<&str>) -> S3Result<&mut Version> {
        let wanted = self.version(key, id)?.0.id.clone();
        let found =
            self.objects.get_mut(key).and_then(|all| all.iter_mut().find(|version| version.id == wanted));
        found.ok_or_else(no_such_key)
    }

    /// Adds a version, or replaces `null`. Returns the id to report: none unless versioning is enabled.
    pub(crate) fn insert(
        &mut self,
        key: &str,
        object: Arc<Object>,
        tags: Tags,
        new_id: String,
    ) -> Option<String> {
        let id = self.id_for_write(new_id);
        let modified = object.modified;
        let version = Version { id: id.clone(), modified, object: Some(object), tags, restore: None };
        self.push(key, version);
        (self.options.versioning == Versioning::Enabled).then_some(id)
    }

    fn id_for_write(&self, new_id: String) -> String {
        if self.options.versioning == Versioning::Enabled { new_id } else { NULL.to_owned() }
    }

    /// The id that an answer about a version names: none where versioning was never enabled.
    pub(crate) fn reported(&self, id: String) -> Option<String> {
        (self.options.versioning != Versioning::Off).then_some(id)
    }

    fn push(&mut self, key: &str, version: Version) {
        let versions = self.objects.entry(key.to_owned()).or_default();
        versions.retain(|old| old.id != version.id);
        versions.push(version);
    }

    /// Removes a version, or puts a delete marker in front.
    pub(crate) fn delete(&mut self, key: &str, id: Option<&str>, new_id: String, now: SystemTime) -> Deleted {
        *self.deletes.entry(key.to_owned()).or_default() += 1;
        if let Some(id) = id {
            return self.remove(key, id);
        }
        if self.options.versioning == Versioning::Off {
            self.remove(key, NULL);
            return Deleted::default();
        }
        let id = self.id_for_write(new_id);
        self.push(
            key,
            Version { id: id.clone(), modified: now, object: None, tags: Vec::new(), restore: None },
        );
        Deleted { marker: true, version: Some(id) }
    }

    fn remove(&mut self, key: &str, id: &str) -> Deleted {
        let Some(versions) = self.objects.get_mut(key) else {
            return Deleted { marker: false, version: Some(id.to_owned()) };
        };
        let marker = versions.iter().any(|version| version.id == id && version.object.is_none());
        versions.retain(|version| version.id != id);
        if versions.is_empty() {
            self.objects.remove(key);
        }
        Deleted { marker, version: Some(id.to_owned()) }
    }

    pub(crate) fn delete_count(&self, key: &str) -> u64 {
        self.deletes.get(key).copied().unwrap_or_default()
    }

    pub(crate) fn upload(&self, key: &str, id: &str) -> S3Result<&Upload> {
        self.uploads.get(&(key.to_owned(), id.to_owned())).ok_or_else(errors::no_such_upload)
    }

    pub(crate) fn upload_mut(&mut self, key: &str, id: &str) -> S3Result<&mut Upload> {
        self.uploads.get_mut(&(key.to_owned(), id.to_owned())).ok_or_else(errors::no_such_upload)
    }
}

pub(crate) fn no_such_key() -> s3s::S3Error {
    errors::refuse(S3ErrorCode::NoSuchKey, "The specified key does not exist.")
}

fn no_such_version(id: &str) -> s3s::S3Error {
    errors::refuse(S3ErrorCode::NoSuchVersion, format!("The specified version does not exist: {id}"))
}

/// 404 where the marker is the latest version, 405 where it was asked for by its id.
fn delete_marker(version: &Version, by_id: bool) -> s3s::S3Error {
    let error = if by_id {
        let message = "The specified method is not allowed against this resource: it is a delete marker.";
        errors::refuse_with(StatusCode::METHOD_NOT_ALLOWED, "MethodNotAllowed", message)
    } else {
        no_such_key()
    };
    let headers = [("x-amz-delete-marker", "true".to_owned()), ("x-amz-version-id", version.id.clone())];
    errors::with_headers(error, headers)
}
