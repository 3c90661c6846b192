//! Trees: every file once in the order of keys, and everything else told.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;

use proptest::prelude::*;

use super::{Disk, bucket, kind};
use crate::{Condition, ListedObject, Shelf, Store, StoreErrorKind as Kind, Unfit};

fn shelf(prefix: &str) -> Shelf {
    Shelf { bucket: bucket(), prefix: prefix.to_owned(), requester_pays: false }
}

async fn all(disk: &Disk, prefix: &str, max: u32) -> Vec<ListedObject> {
    let (mut after, mut found) = (String::new(), Vec::new());
    loop {
        let page = disk.store.list_objects(&shelf(prefix), &after, max).await.unwrap();
        found.extend(page.objects);
        match page.next {
            Some(next) => after = next,
            None => return found,
        }
    }
}

#[tokio::test]
async fn what_is_no_object_is_told_with_the_reason_and_never_followed() {
    let disk = Disk::new();
    disk.write("a", b"x");
    disk.write("tree/b", b"xy");
    fs::create_dir_all(disk.path("tree/empty/er")).unwrap();
    symlink("/etc", disk.path("tree/link")).unwrap();
    symlink("nothing", disk.path("broken")).unwrap();
    let _socket = UnixListener::bind(disk.path("socket")).unwrap();
    fs::write(disk.path("").join(OsStr::from_bytes(b"odd-\xff")), b"x").unwrap();
    fs::create_dir(disk.path("").join(OsStr::from_bytes(b"tree-\xfe"))).unwrap();
    disk.put("z", b"x", &Condition::Anything).await.unwrap();
    for max in [1, 2, 1_000] {
        let found = all(&disk, "", max).await;
        let rows: Vec<_> = found.iter().map(|row| (row.key.as_str(), row.size, row.unfit)).collect();
        let expected = [
            ("a", 1, None),
            ("broken", 0, Some(Unfit::SymbolicLink)),
            ("odd-\u{fffd}ff", 0, Some(Unfit::NameNotUtf8)),
            ("socket", 0, Some(Unfit::SpecialFile)),
            ("tree-\u{fffd}fe", 0, Some(Unfit::NameNotUtf8)),
            ("tree/b", 2, None),
            ("tree/empty/er/", 0, Some(Unfit::EmptyDirectory)),
            ("tree/link", 0, Some(Unfit::SymbolicLink)),
            ("z", 1, None),
        ];
        assert_eq!(rows, expected, "pages of {max}");
    }
    assert_eq!(all(&disk, "tree/", 1_000).await.len(), 3);
    assert_eq!(all(&disk, "tree/empty/", 1_000).await.len(), 1);
    assert_eq!(all(&disk, "tre", 1_000).await.len(), 4);
    assert_eq!(all(&disk, "nothing/here", 1_000).await, []);
}

#[tokio::test]
async fn a_prefix_leads_nowhere_else() {
    let disk = Disk::new();
    symlink("/etc", disk.path("link")).unwrap();
    for prefix in ["../", "a/../../", "/etc/", "link/", ".transload/"] {
        let listed = disk.store.list_objects(&shelf(prefix), "", 10).await;
        assert_eq!(kind(listed), Kind::InvalidRequest, "{prefix}");
    }
}

#[tokio::test]
async fn paths_that_are_longer_than_keys_are_told() {
    let disk = Disk::new();
    let name = "d".repeat(240);
    let deep = format!("{name}/{name}/{name}/{name}");
    disk.write(&format!("{deep}/fits"), b"x");
    let (a, b) = (format!("{deep}/{}a", "f".repeat(200)), format!("{deep}/{}b", "f".repeat(200)));
    disk.write(&a, b"x");
    disk.write(&b, b"x");
    fs::create_dir(disk.path(&format!("{deep}/{}", "e".repeat(100)))).unwrap();
    let found = all(&disk, "", 1).await;
    let unfit: Vec<_> = found.iter().map(|row| row.unfit).collect();
    assert_eq!(unfit, [Some(Unfit::KeyTooLong), Some(Unfit::KeyTooLong), Some(Unfit::KeyTooLong), None]);
    assert!(found.iter().all(|row| row.key.as_str().len() <= 1_024));
}

#[tokio::test]
async fn a_directory_of_many_files_is_listed_page_by_page() {
    let disk = Disk::new();
    fs::create_dir(disk.path("many")).unwrap();
    for n in 0..3_500 {
        fs::write(disk.path(&format!("many/{n:05}")), b"").unwrap();
    }
    let found = all(&disk, "many/", 1_000).await;
    assert_eq!(found.len(), 3_500);
    assert!(found.is_sorted_by(|a, b| a.key < b.key));
}

#[tokio::test]
async fn a_directory_that_may_not_be_read_is_an_error() {
    // Whoever takes it for empty deletes what was copied of it. Root may read everything: the disk refuses instead.
    let disk = Disk::new();
    disk.write("a/b", b"x");
    let refuse = |step| (step == crate::file::Step::Read).then_some(rustix::io::Errno::ACCESS.raw_os_error());
    let store = disk.store.clone().with_trouble(std::sync::Arc::new(refuse));
    assert_eq!(kind(store.list_objects(&shelf(""), "", 10).await), Kind::AccessDenied);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]
    /// The model is a sorted set of keys.
    #[test]
    fn listings_are_sorted_sets(
        keys in proptest::collection::btree_set("[ab.~](/?[ab.!0~]){0,3}", 0..25),
        prefix in "([ab](/?[ab.]){0,2}/?)?",
        after in "([ab.](/?[ab.!]){0,3})?",
        max in 1_u32..6,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let disk = Disk::new();
        let mut kept = std::collections::BTreeSet::new();
        for key in keys {
            let plain = super::super::path::refusal(&key).is_none();
            let clash = kept.iter().any(|other: &String| {
                other.starts_with(&format!("{key}/")) || key.starts_with(&format!("{other}/"))
            });
            if plain && !clash {
                disk.write(&key, b"x");
                kept.insert(key);
            }
        }
        let (directory, _) = super::super::path::split(&prefix);
        prop_assume!(directory.is_empty() || super::super::path::refusal(directory).is_none());
        // Nothing is there beneath a file.
        let expected: Vec<_> =
            kept.iter().filter(|key| key.starts_with(&prefix) && **key > after).cloned().collect();
        let found = runtime.block_on(async {
            let (mut after, mut found) = (after.clone(), Vec::new());
            loop {
                let page = disk.store.list_objects(&shelf(&prefix), &after, max).await.unwrap();
                found.extend(page.objects.into_iter().map(|row| row.key.to_string()));
                match page.next {
                    Some(next) => after = next,
                    None => return found,
                }
            }
        });
        prop_assert_eq!(found, expected);
    }
}
