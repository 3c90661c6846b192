//! Pages of objects, and what a page has to be: keys in byte order, behind where it was to begin, below the prefix. What is
//! not so would be read as keys that are not there.

use std::fmt;

use transload_wire::{BucketName, Etag, ObjectKey, VersionId};

use crate::{StoreError, StoreErrorKind, Verb};

/// All objects of a bucket whose keys begin with a prefix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shelf {
    /// The bucket.
    pub bucket: BucketName,
    /// What the keys begin with; empty for all.
    pub prefix: String,
    /// Whether the requester pays.
    pub requester_pays: bool,
}

impl fmt::Display for Shelf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "s3://{}/{}", self.bucket, self.prefix)
    }
}

/// An object as it is listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedObject {
    /// Its whole key.
    pub key: ObjectKey,
    /// Bytes.
    pub size: u64,
    /// ETag.
    pub etag: Etag,
    /// When it was written, ISO 8601 in UTC, to the second.
    pub last_modified: String,
    /// Storage class; absent for `STANDARD`, and where the store tells none.
    pub storage_class: Option<String>,
    /// Whether it is in an archive tier, and not known to be restored.
    pub archived: bool,
    /// Its version, where versions were asked for and the bucket has them.
    pub version: Option<VersionId>,
    /// Why it is no object although it is there: told, so that nobody takes it for copied. Size and ETag say nothing then.
    pub unfit: Option<Unfit>,
}

/// What stands in a file system and can not be an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unfit {
    /// A directory without anything in it.
    EmptyDirectory,
    /// A symbolic link; it is not followed.
    SymbolicLink,
    /// A FIFO, a socket or a device.
    SpecialFile,
    /// A name that is not UTF-8. The key stands for it: bytes that are no text in hexadecimal, each behind U+FFFD.
    NameNotUtf8,
    /// A path longer than keys are, or a directory so deep that what is in it would be. The key is cut.
    KeyTooLong,
}

impl Unfit {
    /// As reports write it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::EmptyDirectory => "emptyDirectory",
            Self::SymbolicLink => "symbolicLink",
            Self::SpecialFile => "specialFile",
            Self::NameNotUtf8 => "nameNotUtf8",
            Self::KeyTooLong => "keyTooLong",
        }
    }
}

/// One page of objects (S3: at most 1,000).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ObjectListing {
    /// Ascending by key, in byte order.
    pub objects: Vec<ListedObject>,
    /// Continue behind this key; absent on the last page.
    pub next: Option<String>,
}

impl ObjectListing {
    /// Holds a page against what was asked for.
    ///
    /// # Errors
    /// `Malformed` with the key that is not where it has to be.
    pub(crate) fn check(self, verb: Verb, shelf: &Shelf, after: &str) -> Result<Self, StoreError> {
        let refuse = |expected: String, found: &str| {
            Err(StoreError::new(
                StoreErrorKind::Malformed,
                format!("{verb} {shelf}: expected {expected}, found {found:?}"),
            ))
        };
        let mut last = after;
        for object in &self.objects {
            let key = object.key.as_str();
            if !key.starts_with(&shelf.prefix) {
                return refuse(format!("keys that begin with {:?}", shelf.prefix), key);
            }
            if key <= last {
                return refuse(format!("keys behind {last:?} in byte order"), key);
            }
            last = key;
        }
        match self.next.as_deref() {
            Some(next) if next < last || next <= after => {
                refuse(format!("a continuation behind {last:?}"), next)
            }
            _ => Ok(self),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{ListedObject, ObjectListing, Shelf};
    use crate::{StoreErrorKind, Verb};

    fn page(keys: &[&str], next: Option<&str>) -> ObjectListing {
        let object = |key: &&str| ListedObject {
            key: key.parse().unwrap(),
            size: 1,
            etag: "e".parse().unwrap(),
            last_modified: String::new(),
            storage_class: None,
            archived: false,
            version: None,
            unfit: None,
        };
        ObjectListing { objects: keys.iter().map(object).collect(), next: next.map(ToOwned::to_owned) }
    }

    #[test]
    fn a_page_that_lies_is_no_page() {
        let shelf =
            Shelf { bucket: "photos".parse().unwrap(), prefix: "a/".to_owned(), requester_pays: false };
        for (good, page) in [
            (true, page(&[], None)),
            (true, page(&["a/1", "a/2"], None)),
            (true, page(&["a/1", "a/\u{e9}", "a/\u{1f680}"], Some("a/\u{1f680}"))),
            (true, page(&[], Some("a/5"))),
            (false, page(&["a/2", "a/1"], None)),
            (false, page(&["a/1", "a/1"], None)),
            (false, page(&["a/0"], None)),
            (false, page(&["b"], None)),
            (false, page(&["a/1", "a/2"], Some("a/1"))),
            (false, page(&[], Some("a/0"))),
        ] {
            let text = format!("{page:?}");
            let checked = page.check(Verb::ListObjectsV2, &shelf, "a/0");
            assert_eq!(checked.is_ok(), good, "{text}");
            assert!(checked.err().is_none_or(|error| error.kind == StoreErrorKind::Malformed), "{text}");
        }
    }
}
