//! The objects of a tree in the order of their keys, each with why it is left out if it is, and small ones with their bytes:
//! those are read some at a time, so that a tree of small files is not as slow as its store's first byte.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use futures::stream::{self, BoxStream};
use futures::{StreamExt, TryStreamExt};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use transload_plan::{ByteRange, Facts, Filter};
use transload_store::resume::{PinnedRange, pinned_stream};
use transload_store::{
    Backoff, Deadline, ListedObject, ObjectRef, Shelf, Side, Store, StoredRef, failure_of, prove,
};
use transload_wire::{ErrorName, Etag, Failure, ObjectKey};

use crate::header;

/// Objects of a page.
const PAGE: u32 = 1_000;
/// Objects up to this many bytes are read before their turn, so many at a time: 16 MiB at most.
const SMALL: u64 = 1 << 20;
const AT_A_TIME: usize = 16;
/// Tries of a page, or of an object that changes while it is read.
const TRIES: u32 = 4;

/// The tree that is packed.
#[derive(Clone)]
pub(crate) struct Tree {
    pub store: Arc<dyn Store>,
    pub shelf: Shelf,
    pub filter: Arc<Filter>,
    pub deadline: Deadline,
}

/// What to pack next.
pub(crate) enum Entry {
    /// An object, and its bytes if they are few.
    Object(Object, Option<Bytes>),
    /// One that is not packed.
    LeftOut(ObjectKey, String),
}

/// An object at one version.
#[derive(Debug, Clone)]
pub(crate) struct Object {
    pub key: ObjectKey,
    pub etag: Etag,
    pub size: u64,
    /// Seconds since 1970.
    pub modified: u64,
}

impl Tree {
    /// Everything behind a key.
    pub(crate) fn entries(&self, after: String) -> BoxStream<'static, Result<Entry, Failure>> {
        let tree = self.clone();
        self.listed(after)
            .map(move |listed| {
                let tree = tree.clone();
                async move { tree.prepare(listed?).await }
            })
            .buffered(AT_A_TIME)
            .boxed()
    }

    fn listed(&self, after: String) -> BoxStream<'static, Result<ListedObject, Failure>> {
        let pages = stream::try_unfold((self.clone(), Some(after)), |(tree, after)| async move {
            let Some(after) = after else { return Ok::<_, Failure>(None) };
            let page = tree.page(&after).await?;
            Ok(Some((stream::iter(page.objects.into_iter().map(Ok::<_, Failure>)), (tree, page.next))))
        });
        pages.try_flatten().boxed()
    }

    async fn page(&self, after: &str) -> Result<transload_store::ObjectListing, Failure> {
        let mut backoff = Backoff::of_tries(TRIES);
        loop {
            let answer = self.deadline.bound(self.store.list_objects(&self.shelf, after, PAGE)).await?;
            match answer {
                Ok(page) => return Ok(page),
                Err(error) if error.is_transient() && backoff.pause(&self.deadline).await => {}
                Err(error) => return Err(failure_of(error, Side::Source).at("source")),
            }
        }
    }

    async fn prepare(&self, listed: ListedObject) -> Result<Entry, Failure> {
        if let Some(reason) = self.reason(&listed) {
            return Ok(Entry::LeftOut(listed.key, reason));
        }
        if listed.archived {
            return Err(ErrorName::SourceArchived.because(format!(
                "source: expected objects that can be read, found s3://{}/{} in an archive tier: exclude it, or restore it first",
                self.shelf.bucket, listed.key
            )));
        }
        let modified = seconds(&listed.last_modified);
        let object = Object { key: listed.key, etag: listed.etag, size: listed.size, modified };
        if object.size > SMALL { Ok(Entry::Object(object, None)) } else { self.read(object).await }
    }

    /// Why an object is left out, in the words of reports.
    fn reason(&self, listed: &ListedObject) -> Option<String> {
        let key = listed.key.as_str();
        let relative = key.get(self.shelf.prefix.len()..).unwrap_or(key);
        if let Some(unfit) = listed.unfit {
            return Some(unfit.as_str().to_owned());
        }
        let facts = Facts {
            bucket: self.shelf.bucket.as_str(),
            key,
            relative,
            size: listed.size,
            modified: &listed.last_modified,
            class: listed.storage_class.as_deref().unwrap_or("STANDARD"),
        };
        if let Some(reason) = self.filter.judge(&facts) {
            return Some(reason.as_str().to_owned());
        }
        // A marker of a folder becomes a directory; one that holds bytes would lose them.
        let name = name(&self.shelf.prefix, key);
        let fits = header::is_name(name) && (listed.size == 0 || !name.ends_with('/'));
        (!fits).then(|| "keyUnusable".to_owned())
    }

    /// Reads a small object whole, at whichever version stands there now: nothing of it is packed yet.
    async fn read(&self, mut object: Object) -> Result<Entry, Failure> {
        let mut backoff = Backoff::of_tries(TRIES);
        loop {
            let failure = match self.once(&object).await {
                Ok(bytes) => return Ok(Entry::Object(object, Some(bytes))),
                Err(failure) => failure,
            };
            let moved = matches!(failure.name, ErrorName::SourceChanged | ErrorName::SourceNotFound);
            if !(moved || failure.is_transient()) || !backoff.pause(&self.deadline).await {
                return Err(failure.at(object.key.as_str()));
            }
            if moved {
                match self.deadline.bound(self.store.head(&self.object(&object.key))).await? {
                    Ok(head) => {
                        object = Object {
                            key: object.key,
                            etag: head.etag,
                            size: head.size,
                            modified: seconds(&head.last_modified),
                        };
                    }
                    Err(error) if prove::is_nothing(&error) => {
                        return Ok(Entry::LeftOut(object.key, "sourceGone".to_owned()));
                    }
                    Err(error) if error.is_transient() => {}
                    Err(error) => return Err(failure_of(error, Side::Source).at(object.key.as_str())),
                }
                if object.size > SMALL {
                    return Ok(Entry::Object(object, None));
                }
            }
        }
    }

    async fn once(&self, object: &Object) -> Result<Bytes, Failure> {
        let reference = self.object(&object.key);
        let range = ByteRange { start: 0, len: object.size };
        let pinned = PinnedRange { object: reference, etag: object.etag.clone(), range, total: object.size };
        let (stream, _) = pinned_stream(Arc::clone(&self.store), pinned, self.deadline);
        let bytes: BytesMut = stream.try_collect().await?;
        Ok(bytes.freeze())
    }

    /// An object as the store names it.
    pub(crate) fn object(&self, key: &ObjectKey) -> ObjectRef {
        ObjectRef::Stored(StoredRef {
            bucket: self.shelf.bucket.clone(),
            key: key.clone(),
            version: None,
            requester_pays: self.shelf.requester_pays,
        })
    }
}

/// The name of an object in the archive: its key without the folders of the prefix.
pub(crate) fn name<'a>(prefix: &str, key: &'a str) -> &'a str {
    let folders = prefix.rfind('/').map_or(0, |slash| slash + 1);
    key.get(folders..).unwrap_or(key)
}

/// Seconds since 1970; 0 for what is no time, which is no reason to leave an object out.
fn seconds(time: &str) -> u64 {
    let time = OffsetDateTime::parse(time, &Rfc3339).map_or(0, OffsetDateTime::unix_timestamp);
    u64::try_from(time).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::{name, seconds};

    #[test]
    fn names_begin_behind_the_folders_of_the_prefix() {
        for (prefix, key, expected) in [
            ("", "a/b", "a/b"),
            ("a/", "a/b", "b"),
            ("a/b", "a/bc/d", "bc/d"),
            ("a/", "a/", ""),
            ("x", "xy", "xy"),
        ] {
            assert_eq!(name(prefix, key), expected);
        }
    }

    #[test]
    fn times_are_seconds() {
        assert_eq!(seconds("2026-01-31T12:00:00Z"), 1_769_860_800);
        assert_eq!(seconds("2026-01-31T12:00:00.123Z"), 1_769_860_800);
        assert_eq!((seconds(""), seconds("1969-12-31T23:59:59Z")), (0, 0));
    }
}
