//! Parts in place, the moment of Complete, and two writers of one file.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::sync::Arc;

use futures::StreamExt;
use transload_plan::PartNumber;
use transload_wire::{ErrorName, Failure, TOKEN_METADATA};

use super::{Disk, body, kind, object, settings, target};
use crate::file::FileStore;
use crate::{Complete, Condition, PutBody, Store, StoreErrorKind as Kind, UploadRef};

fn bytes(len: usize, seed: u8) -> Vec<u8> {
    (0..len).map(|n| (n % 241) as u8 ^ seed).collect()
}

#[tokio::test]
async fn parts_lie_at_their_offsets_in_one_file_that_gets_its_name_at_the_end() {
    let disk = Disk::new();
    let content = bytes(10_000, 0);
    let upload = disk.create("deep/er/file").await;
    let data = disk.path(&format!(".transload/uploads/{}/data", upload.id));
    let inode = fs::metadata(&data).unwrap().ino();
    for (part, at) in [(3, 8_000), (1, 0), (2, 4_000)] {
        let end = (at + 4_000).min(content.len());
        disk.part(&upload, part, at as u64, &content[at..end]).await.unwrap();
    }
    assert!(!disk.path("deep/er/file").exists(), "visible before Complete");
    disk.complete(&upload, Condition::Absent).await.unwrap();
    assert_eq!(fs::read(disk.path("deep/er/file")).unwrap(), content);
    assert_eq!(
        fs::metadata(disk.path("deep/er/file")).unwrap().ino(),
        inode,
        "the bytes were copied once more"
    );
    assert!(!data.parent().unwrap().exists(), "the upload stays");
}

#[tokio::test]
async fn a_complete_whose_answer_was_lost_is_told_again() {
    let disk = Disk::new();
    let upload = disk.create("a").await;
    disk.part(&upload, 1, 0, b"bytes").await.unwrap();
    let parts = disk.store.list_parts(&upload, 0).await.unwrap().parts;
    let asked = Complete { parts, size: 5, checksum: None, condition: Condition::Absent };
    let first = disk.store.complete_upload(&upload, &asked).await.unwrap();
    assert_eq!(disk.store.complete_upload(&upload, &asked).await.unwrap(), first);
    // Another one's object is not taken for its own.
    disk.put("a", b"other", &Condition::Anything).await.unwrap();
    assert_eq!(kind(disk.store.complete_upload(&upload, &asked).await), Kind::NoSuchUpload);
}

#[tokio::test]
async fn a_worker_that_was_killed_behind_the_rename_has_completed() {
    let disk = Disk::new();
    let upload = disk.create("a").await;
    disk.part(&upload, 1, 0, b"bytes").await.unwrap();
    let parts = disk.store.list_parts(&upload, 0).await.unwrap().parts;
    let folder = disk.path(&format!(".transload/uploads/{}", upload.id));
    // What is left if the upload could not be removed any more.
    let about = fs::read(folder.join("about")).unwrap();
    let asked = Complete { parts, size: 5, checksum: None, condition: Condition::Absent };
    let first = disk.store.complete_upload(&upload, &asked).await.unwrap();
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("about"), about).unwrap();
    assert_eq!(disk.store.complete_upload(&upload, &asked).await.unwrap(), first);
    assert!(!folder.exists(), "the rest of it stays");
}

#[tokio::test]
async fn a_part_that_is_sent_anew_is_no_part_until_it_is_whole() {
    let disk = Disk::new();
    let upload = disk.create("a").await;
    disk.part(&upload, 1, 0, &bytes(5_000, 1)).await.unwrap();
    let broken: Result<bytes::Bytes, Failure> =
        Err(ErrorName::ConnectionLost.because("the source went away"));
    let stream = futures::stream::iter([Ok(bytes(2_000, 9).into()), broken]).boxed();
    let body = PutBody { len: 5_000, stream, md5: None, seen: None };
    let sent = disk.store.upload_part_at(&upload, PartNumber::new(1).unwrap(), 0, body).await;
    assert_eq!(kind(sent), Kind::Body);
    assert_eq!(disk.store.list_parts(&upload, 0).await.unwrap().parts, [], "half of it is overwritten");
    disk.part(&upload, 1, 0, &bytes(5_000, 1)).await.unwrap();
    disk.complete(&upload, Condition::Anything).await.unwrap();
    assert_eq!(fs::read(disk.path("a")).unwrap(), bytes(5_000, 1));
}

#[tokio::test]
async fn parts_that_leave_a_gap_or_stand_nowhere_make_no_object() {
    let disk = Disk::new();
    let upload = disk.create("a").await;
    disk.part(&upload, 1, 0, &bytes(2_000, 1)).await.unwrap();
    disk.part(&upload, 2, 3_000, &bytes(2_000, 2)).await.unwrap();
    assert_eq!(kind(disk.complete(&upload, Condition::Anything).await), Kind::InvalidPart);
    let number = PartNumber::new(2).unwrap();
    disk.store.upload_part(&upload, number, body(b"a token")).await.unwrap();
    assert_eq!(
        disk.store.list_parts(&upload, 1).await.unwrap().parts[0].size,
        7,
        "it is listed all the same"
    );
    assert_eq!(kind(disk.complete(&upload, Condition::Anything).await), Kind::InvalidPart);
    assert!(!disk.path("a").exists());
}

#[tokio::test]
async fn what_an_earlier_longer_layout_left_behind_the_end_is_cut_off() {
    let disk = Disk::new();
    let upload = disk.create("a").await;
    disk.part(&upload, 2, 5_000, &bytes(5_000, 2)).await.unwrap();
    disk.part(&upload, 2, 2_000, &bytes(1_000, 2)).await.unwrap();
    disk.part(&upload, 1, 0, &bytes(2_000, 1)).await.unwrap();
    disk.complete(&upload, Condition::Anything).await.unwrap();
    assert_eq!(fs::read(disk.path("a")).unwrap(), [bytes(2_000, 1), bytes(1_000, 2)].concat());
}

#[tokio::test]
async fn an_upload_id_is_no_way_out() {
    let disk = Disk::new();
    let upload = disk.create("a").await;
    for id in ["..", "../..", &format!("../uploads/{}", upload.id), "0123456789abcdef0123456789ab"] {
        let other = UploadRef { id: id.parse().unwrap(), ..upload.clone() };
        assert_eq!(kind(disk.store.list_parts(&other, 0).await), Kind::NoSuchUpload, "{id}");
        assert_eq!(kind(disk.store.abort_upload(&other).await), Kind::NoSuchUpload, "{id}");
        assert_eq!(kind(disk.part(&other, 1, 0, b"x").await), Kind::NoSuchUpload, "{id}");
    }
    let other_key = UploadRef { key: "b".parse().unwrap(), ..upload.clone() };
    assert_eq!(kind(disk.store.abort_upload(&other_key).await), Kind::NoSuchUpload);
    disk.store.abort_upload(&upload).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_two_transfers_of_one_file_one_wins() {
    for round in 0..10 {
        let disk = Arc::new(Disk::new());
        let mut running = Vec::new();
        for seed in 0..6_u8 {
            let disk = Arc::clone(&disk);
            running.push(tokio::spawn(async move {
                let content = bytes(3_000, seed);
                if seed % 2 == 0 {
                    return disk.put("one", &content, &Condition::Absent).await.map(|_| seed);
                }
                let upload = disk.create("one").await;
                disk.part(&upload, 1, 0, &content).await?;
                disk.complete(&upload, Condition::Absent).await.map(|_| seed)
            }));
        }
        let mut winners = Vec::new();
        for done in running {
            match done.await.unwrap() {
                Ok(seed) => winners.push(seed),
                Err(error) => assert_eq!(error.kind, Kind::PreconditionFailed, "{error}"),
            }
        }
        assert_eq!(winners.len(), 1, "round {round}: {winners:?}");
        assert_eq!(fs::read(disk.path("one")).unwrap(), bytes(3_000, winners[0]));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_writers_that_replace_what_they_found_one_wins() {
    let disk = Arc::new(Disk::new());
    for round in 0..10_u8 {
        let found = disk.put("one", &bytes(100, round), &Condition::Anything).await.unwrap().etag;
        let running = (0..4_u8).map(|seed| {
            let (disk, found) = (Arc::clone(&disk), found.clone());
            tokio::spawn(async move { disk.put("one", &bytes(200, seed), &Condition::Matches(found)).await })
        });
        let mut won = 0;
        for done in running.collect::<Vec<_>>() {
            match done.await.unwrap() {
                Ok(_) => won += 1,
                Err(error) => assert_eq!(error.kind, Kind::PreconditionFailed, "{error}"),
            }
        }
        assert_eq!(won, 1, "round {round}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_tries_of_one_part_at_the_same_time_leave_one_whole_part() {
    let disk = Arc::new(Disk::new());
    let upload = disk.create("a").await;
    let running = (0..8_u8).map(|seed| {
        let (disk, upload) = (Arc::clone(&disk), upload.clone());
        tokio::spawn(async move { disk.part(&upload, 1, 0, &bytes(300_000, seed)).await })
    });
    for done in running.collect::<Vec<_>>() {
        done.await.unwrap().unwrap();
    }
    disk.complete(&upload, Condition::Anything).await.unwrap();
    let found = fs::read(disk.path("a")).unwrap();
    assert!((0..8).any(|seed| found == bytes(300_000, seed)), "a mixture of several");
}

#[tokio::test]
async fn what_is_known_of_a_file_is_void_once_somebody_changes_it() {
    let disk = Disk::new();
    let mut known = target("a");
    known.attributes.metadata.insert(TOKEN_METADATA.to_owned(), "0123456789abcdef".to_owned());
    disk.store.put(&known, body(b"bytes"), &Condition::Anything).await.unwrap();
    let token = async || disk.head("a").await.unwrap().attributes.metadata.get(TOKEN_METADATA).cloned();
    assert!(token().await.is_some() && disk.head("a").await.unwrap().checksum.is_some());
    std::thread::sleep(std::time::Duration::from_millis(20));
    let before = fs::metadata(disk.path("a")).unwrap().modified().unwrap();
    disk.write("a", b"other");
    fs::File::options().write(true).open(disk.path("a")).unwrap().set_modified(before).unwrap();
    assert_eq!(token().await, None);
    assert_eq!(disk.head("a").await.unwrap().checksum, None, "the checksum of other bytes");
}

#[tokio::test]
async fn modes_are_as_the_location_says() {
    let disk = Disk::new();
    let mut settings = settings(disk.directory.path());
    (settings.mode, settings.directory_mode) = (Some(0o640), Some(0o2750));
    let store = FileStore::new(settings);
    store.put(&target("x/y/a"), body(b"bytes"), &Condition::Anything).await.unwrap();
    let mode = |path: &str| fs::metadata(disk.path(path)).unwrap().permissions().mode() & 0o7777;
    assert_eq!((mode("x/y/a"), mode("x/y"), mode("x")), (0o640, 0o2750, 0o2750));
    assert_eq!(mode(".transload") & 0o077, 0, "others may look into what is being written");
}

#[tokio::test]
async fn drafts_that_a_killed_worker_left_are_removed_after_a_day() {
    let disk = Disk::new();
    disk.put("a", b"x", &Condition::Anything).await.unwrap();
    let (old, new) = (disk.path(".transload/drafts/old"), disk.path(".transload/drafts/new"));
    fs::write(&new, b"x").unwrap();
    let file = fs::File::create(&old).unwrap();
    file.set_modified(std::time::SystemTime::now() - std::time::Duration::from_secs(25 * 3_600)).unwrap();
    disk.store.list_uploads(&super::bucket(), "", None).await.unwrap();
    assert_eq!((old.exists(), new.exists()), (false, true));
}

/// Needs a root that may mount: a real file system that is full says more than a made up one.
#[tokio::test]
async fn f39_a_full_disk_is_told_and_its_upload_can_be_released() {
    let disk = Disk::new();
    let mount = |arguments: &[&str]| {
        let ran = std::process::Command::new(arguments[0]).args(&arguments[1..]).output();
        ran.is_ok_and(|ran| ran.status.success())
    };
    let path = disk.directory.path().display().to_string();
    if !mount(&["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", &path]) {
        eprintln!("not run: nothing may be mounted here");
        return;
    }
    let upload = disk.create("big").await;
    disk.part(&upload, 1, 0, &bytes(500_000, 1)).await.unwrap();
    let full = disk.part(&upload, 2, 500_000, &bytes(900_000, 2)).await.expect_err("a full disk");
    let said = full.kind == Kind::InvalidRequest && full.message.contains("full");
    disk.store.abort_upload(&upload).await.unwrap();
    let room = disk.put("small", &bytes(900_000, 3), &Condition::Absent).await;
    let head = disk.store.head(&object("small")).await;
    assert!(mount(&["umount", &path]), "the mount stays");
    assert!(said, "{full}");
    assert!(room.is_ok() && head.unwrap().size == 900_000, "what was released still takes room");
}

#[tokio::test]
async fn bytes_that_the_disk_altered_are_no_part_and_no_object() {
    let disk = Disk::new();
    let upload = disk.create("a").await;
    let data = disk.path(&format!(".transload/uploads/{}/data", upload.id));
    let drafts = disk.path(".transload/drafts");
    // Behind the last write and before the bytes are read back.
    let rot = move |step| {
        if step == crate::file::Step::Sync {
            let draft =
                fs::read_dir(&drafts).into_iter().flatten().flatten().map(|entry| entry.path()).next();
            let file = fs::File::options().write(true).open(draft.unwrap_or_else(|| data.clone())).unwrap();
            std::os::unix::fs::FileExt::write_all_at(&file, b"?", 3).unwrap();
        }
        None
    };
    let store = disk.store.clone().with_trouble(Arc::new(rot));
    let number = PartNumber::new(1).unwrap();
    let sent = store.upload_part_at(&upload, number, 0, body(&bytes(5_000, 1))).await;
    assert_eq!(kind(sent), Kind::Corrupted);
    assert_eq!(disk.store.list_parts(&upload, 0).await.unwrap().parts, []);
    let put = store.put(&target("b"), body(&bytes(5_000, 1)), &Condition::Anything).await;
    assert_eq!(kind(put), Kind::Corrupted);
    assert!(!disk.path("b").exists());
}
