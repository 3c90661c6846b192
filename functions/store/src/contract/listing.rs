//! Listings: every key once, in byte order, from anywhere on.

use super::{Subject, kind};
use crate::{ListedObject, ObjectListing, Shelf, StoreError, StoreErrorKind as Kind};

/// In byte order: an order by letters, or by code units of UTF-16, is another.
const KEYS: [&str; 16] = [
    "listed/",
    "listed/%",
    "listed/%2F",
    "listed/+",
    "listed//x",
    "listed/A",
    "listed/Z z",
    "listed/a",
    "listed/a b",
    "listed/a+b",
    "listed/a.c",
    "listed/a/b",
    "listed/a0",
    "listed/\u{e9}",
    "listed/\u{ffee}",
    "listed/\u{1f680}",
];

pub(super) async fn run(subject: &Subject) {
    for key in keys(subject) {
        subject.put(key, key.as_bytes()).await;
    }
    subject.put("listed0", b"outside").await;
    every_key_comes_once_in_byte_order(subject).await;
    a_listing_begins_anywhere(subject).await;
    what_is_listed_is_what_is_there(subject).await;
    what_can_not_be_listed_is_told(subject).await;
}

/// Those that the store takes. Where keys are paths, there is no file `a` beside a directory `a`.
fn keys(subject: &Subject) -> Vec<&'static str> {
    let files = subject.keeps_files();
    let takes = |key: &&str| subject.store.takes(&subject.key(key)) && !(files && *key == "listed/a");
    KEYS.into_iter().filter(takes).collect()
}

fn shelf(subject: &Subject, name: &str) -> Shelf {
    Shelf {
        bucket: subject.bucket.clone(),
        prefix: format!("{}{name}", subject.prefix),
        requester_pays: false,
    }
}

async fn page(
    subject: &Subject,
    shelf: &Shelf,
    after: &str,
    max: u32,
    versions: bool,
) -> Result<ObjectListing, StoreError> {
    if versions {
        subject.store.list_versions(shelf, after, max).await
    } else {
        subject.store.list_objects(shelf, after, max).await
    }
}

async fn all(subject: &Subject, name: &str, max: u32, versions: bool) -> Vec<ListedObject> {
    behind(subject, name, String::new(), max, versions).await
}

async fn behind(
    subject: &Subject,
    name: &str,
    mut after: String,
    max: u32,
    versions: bool,
) -> Vec<ListedObject> {
    let (shelf, mut found) = (shelf(subject, name), Vec::new());
    loop {
        let page = page(subject, &shelf, &after, max, versions).await;
        let page = page.unwrap_or_else(|error| panic!("list {name} behind {after:?}: {error}"));
        assert!(page.objects.len() <= max as usize, "list {name}: a page of {}", page.objects.len());
        found.extend(page.objects);
        match page.next {
            Some(next) => after = next,
            None => return found,
        }
    }
}

async fn every_key_comes_once_in_byte_order(subject: &Subject) {
    for versions in [false, true] {
        for max in [1, 3, 16, 1_000] {
            let found = all(subject, "listed/", max, versions).await;
            let keys: Vec<_> = found.iter().map(|object| object.key.as_str()).collect();
            let expected: Vec<_> =
                self::keys(subject).iter().map(|key| format!("{}{key}", subject.prefix)).collect();
            assert_eq!(keys, expected, "pages of {max}, versions {versions}");
        }
    }
    assert_eq!(all(subject, "listed/nothing", 1_000, false).await, []);
}

async fn a_listing_begins_anywhere(subject: &Subject) {
    for versions in [false, true] {
        for after in
            ["listed/A", "listed/AA", "listed/\u{1f680}", "listed/%", "listed/a", "listed/a/", "listed/a/b"]
        {
            let rest = keys(subject).iter().filter(|key| **key > after).count();
            let from = format!("{}{after}", subject.prefix);
            let found = behind(subject, "listed/", from, 1_000, versions).await;
            assert_eq!(found.len(), rest, "behind {after:?}, versions {versions}");
        }
    }
}

async fn what_is_listed_is_what_is_there(subject: &Subject) {
    for versions in [false, true] {
        for object in all(subject, "listed/a", 1_000, versions).await {
            let name = object.key.as_str().strip_prefix(&subject.prefix).expect("a key of the test");
            let head = subject.head(name).await;
            let listed = (object.size, &object.etag, object.last_modified.as_str(), object.archived);
            assert_eq!(listed, (head.size, &head.etag, head.last_modified.as_str(), false), "{name}");
            assert_eq!(object.version, head.version.filter(|_| versions), "{name}");
            assert_eq!(object.storage_class, None, "{name}");
        }
    }
}

async fn what_can_not_be_listed_is_told(subject: &Subject) {
    let nowhere = Shelf { bucket: subject.missing_bucket.clone(), ..shelf(subject, "listed/") };
    for versions in [false, true] {
        let answer = page(subject, &nowhere, "", 10, versions).await;
        assert_eq!(kind("list in no bucket", answer), Kind::NoSuchBucket);
    }
}
