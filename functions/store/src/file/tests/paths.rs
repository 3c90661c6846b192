//! Nothing outside of a root is reached, and nothing but regular files is read or replaced.

use std::fs;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::fs::{CWD, FileType, Mode, RenameFlags, mknodat, renameat_with};

use super::{Disk, body, kind, object, settings, target};
use crate::file::FileStore;
use crate::{Condition, Store, StoreErrorKind as Kind};

const SECRET: &[u8] = b"outside";

/// A root beside a directory that nobody may reach, with ways that lead there.
fn trapped() -> (Disk, tempfile::TempDir) {
    let (disk, outside) = (Disk::new(), tempfile::tempdir().unwrap());
    fs::write(outside.path().join("secret"), SECRET).unwrap();
    disk.write("real/inside", b"inside");
    symlink(outside.path(), disk.path("out")).unwrap();
    symlink(outside.path().join("secret"), disk.path("secret")).unwrap();
    symlink("real", disk.path("within")).unwrap();
    symlink("real/inside", disk.path("alias")).unwrap();
    symlink("/proc/self/fd", disk.path("fds")).unwrap();
    (disk, outside)
}

#[tokio::test]
async fn path_a_symbolic_link_is_not_followed_wherever_it_leads() {
    let (disk, outside) = trapped();
    for store in [disk.store.clone(), disk.store.clone().by_names()] {
        for key in ["out/secret", "secret", "within/inside", "alias", "fds/0", "out/new"] {
            let head = store.head(&object(key)).await;
            assert_eq!(kind(head), Kind::InvalidRequest, "head {key}");
            let put = store.put(&target(key), body(b"x"), &Condition::Anything).await;
            assert_eq!(kind(put), Kind::InvalidRequest, "put {key}");
            let created = store.create_upload(&target(key)).await;
            // What a link at the end would be replaced by is known at the end.
            assert!(created.is_ok() != key.contains('/'), "create {key}");
        }
        assert_eq!(store.head(&object("real/inside")).await.unwrap().size, 6);
    }
    assert_eq!(fs::read(outside.path().join("secret")).unwrap(), SECRET);
    assert_eq!(fs::read_dir(outside.path()).unwrap().count(), 1, "something was written outside");
    let upload = disk.create("alias").await;
    disk.part(&upload, 1, 0, b"x").await.unwrap();
    assert_eq!(kind(disk.complete(&upload, Condition::Anything).await), Kind::InvalidRequest);
    assert!(fs::symlink_metadata(disk.path("alias")).unwrap().is_symlink(), "a link was replaced");
}

#[tokio::test]
async fn path_keys_that_are_no_paths_are_refused_by_every_verb() {
    let disk = Disk::new();
    let long = "n".repeat(256);
    for key in
        ["/etc/passwd", "..", "a/../../etc/passwd", "./a", "a//b", "a/", &long, ".transload/uploads/x/data"]
    {
        assert!(!disk.store.takes(&key.parse().unwrap()), "{key}");
        let head = disk.head(key).await.expect_err(key);
        assert_eq!(head.kind, Kind::InvalidRequest, "{key}");
        assert!(head.message.contains("key: expected"), "{head}");
        assert_eq!(kind(disk.put(key, b"x", &Condition::Anything).await), Kind::InvalidRequest, "{key}");
        assert_eq!(kind(disk.store.create_upload(&target(key)).await), Kind::InvalidRequest, "{key}");
        let etag = "x".parse().unwrap();
        assert_eq!(kind(disk.store.delete_object(&object(key), &etag).await), Kind::InvalidRequest, "{key}");
    }
}

#[tokio::test]
async fn path_fifos_sockets_and_devices_are_neither_read_nor_replaced() {
    let disk = Disk::new();
    let made = mknodat(CWD, disk.path("fifo"), FileType::Fifo, Mode::from_raw_mode(0o600), 0);
    made.unwrap();
    let _socket = UnixListener::bind(disk.path("socket")).unwrap();
    let mut keys = vec!["fifo", "socket"];
    // Only root may make one.
    let device = rustix::fs::makedev(1, 3);
    if mknodat(CWD, disk.path("null"), FileType::CharacterDevice, Mode::from_raw_mode(0o600), device).is_ok()
    {
        keys.push("null");
    }
    for key in keys {
        let refused = disk.head(key).await.expect_err(key);
        assert_eq!(refused.kind, Kind::InvalidRequest, "{refused}");
        assert_eq!(kind(disk.put(key, b"x", &Condition::Anything).await), Kind::InvalidRequest, "{key}");
        assert!(!fs::symlink_metadata(disk.path(key)).unwrap().is_file(), "{key} was replaced");
    }
}

#[tokio::test]
async fn path_a_directory_and_what_is_beneath_a_file_are_no_objects() {
    let disk = Disk::new();
    disk.write("tree/a", b"x");
    assert_eq!(kind(disk.head("tree").await), Kind::NotFound);
    assert_eq!(kind(disk.head("tree/a/b").await), Kind::NotFound);
    assert_eq!(kind(disk.put("tree", b"x", &Condition::Anything).await), Kind::InvalidRequest);
    let beneath = disk.put("tree/a/b", b"x", &Condition::Anything).await.expect_err("a file in the way");
    assert!(beneath.kind == Kind::InvalidRequest && beneath.message.contains("a file stands"), "{beneath}");
}

/// Whatever a writer outside does to a directory on the way, reads give what is inside, or an error.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn path_a_directory_that_turns_into_a_link_never_leads_out() {
    let (disk, outside) = trapped();
    fs::write(outside.path().join("inside"), SECRET).unwrap();
    let stop = Arc::new(AtomicBool::new(false));
    let (real, link) = (disk.path("real"), disk.path("link"));
    symlink(outside.path(), &link).unwrap();
    let flip = Arc::clone(&stop);
    let swapper = std::thread::spawn(move || {
        let mut swaps = 0_u64;
        while !flip.load(Ordering::Relaxed) {
            renameat_with(CWD, &real, CWD, &link, RenameFlags::EXCHANGE).unwrap();
            swaps += 1;
        }
        swaps
    });
    let mut inside = 0;
    for store in [disk.store.clone(), disk.store.clone().by_names()] {
        for turn in 0..400 {
            match store.head(&object("real/inside")).await {
                Ok(head) => {
                    assert_eq!(head.size, 6, "outside of the root");
                    inside += 1;
                }
                Err(error) => assert!(
                    matches!(error.kind, Kind::InvalidRequest | Kind::NotFound | Kind::Unavailable),
                    "{error}"
                ),
            }
            let key = format!("real/made/{turn}");
            let _ = store.put(&target(&key), body(b"x"), &Condition::Anything).await;
        }
    }
    stop.store(true, Ordering::Relaxed);
    assert!(swapper.join().unwrap() > 10 && inside > 0, "nothing was raced");
    assert!(!outside.path().join("made").exists(), "something was written outside");
}

#[tokio::test]
async fn a_root_that_is_missing_or_no_directory_is_named() {
    let disk = Disk::new();
    disk.write("plain", b"x");
    for (path, expected) in [("nothing", "is it mounted?"), ("plain", "no directory")] {
        let store = FileStore::new(settings(&disk.path(path)));
        let refused = store.head(&object("a")).await.expect_err(path);
        assert_eq!(refused.kind, Kind::NoSuchBucket);
        let root = disk.path(path).display().to_string();
        assert!(refused.message.contains(expected) && refused.message.contains(&root), "{refused}");
        let put = store.put(&target("a"), body(b"x"), &Condition::Anything).await;
        assert_eq!(kind(put), Kind::NoSuchBucket);
        assert!(store.probe(&super::bucket(), true).is_err());
    }
    assert!(disk.store.probe(&super::bucket(), true).is_ok());
}

#[tokio::test]
async fn a_root_that_has_to_be_mounted_is_not_the_systems_own() {
    let here = tempfile::tempdir_in("/var/tmp").unwrap();
    let mut settings = settings(here.path());
    settings.mounted = true;
    let same = rustix::fs::stat("/").unwrap().st_dev == rustix::fs::stat(here.path()).unwrap().st_dev;
    let found = FileStore::new(settings.clone()).probe(&super::bucket(), true);
    assert_eq!(found.is_err(), same, "{found:?}");
    settings.roots = [(super::bucket(), "/proc".into())].into();
    assert!(FileStore::new(settings).probe(&super::bucket(), false).is_ok(), "/proc is a mount of its own");
}
