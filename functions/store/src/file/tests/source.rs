//! A file that changes while it is read, and disks that fail under a reader.

use std::fs::{self, File};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use futures::{StreamExt, TryStreamExt};
use rustix::io::Errno;
use transload_plan::ByteRange;
use transload_wire::ErrorName;

use super::{Disk, body, kind, object, target};
use crate::file::Step;
use crate::{Condition, Side, Store, StoreError, StoreErrorKind as Kind, failure_of};

/// Of several frames, so that there is a middle.
const LEN: usize = 2_000_000;

/// Opens a pinned range, reads its first frame, does something, and reads the rest.
async fn read_around(disk: &Disk, act: impl FnOnce()) -> Result<u64, StoreError> {
    disk.write("big", &vec![7; LEN]);
    let head = disk.head("big").await?;
    let range = ByteRange { start: 10, len: head.size - 10 };
    let mut body = disk.store.get_range(&object("big"), &head.etag, range, head.size).await?.body;
    let first = body.next().await.expect("a frame")?.len() as u64;
    settle();
    act();
    let rest: Vec<_> = body.try_collect().await?;
    Ok(first + rest.iter().map(|frame| frame.len() as u64).sum::<u64>())
}

/// Times of files come from a clock that ticks every few milliseconds: what happens within one tick leaves them as they are.
fn settle() {
    std::thread::sleep(Duration::from_millis(20));
}

fn changed(answer: Result<u64, StoreError>) {
    let error = answer.expect_err("a changed source");
    assert_eq!(error.kind, Kind::PreconditionFailed, "{error}");
    assert_eq!(failure_of(error, Side::Source).name, ErrorName::SourceChanged);
}

#[tokio::test]
async fn a_file_that_stays_as_it_is_is_read_whole() {
    assert_eq!(read_around(&Disk::new(), || ()).await.unwrap(), LEN as u64 - 10);
}

#[tokio::test]
async fn f39_a_source_that_shrinks_is_changed() {
    let disk = Disk::new();
    changed(
        read_around(&disk, || {
            File::options().write(true).open(disk.path("big")).unwrap().set_len(1_000).unwrap()
        })
        .await,
    );
}

#[tokio::test]
async fn f39_a_source_that_grows_is_changed() {
    let disk = Disk::new();
    let grow = || File::options().write(true).open(disk.path("big")).unwrap().set_len(3_000_000).unwrap();
    changed(read_around(&disk, grow).await);
}

#[tokio::test]
async fn f39_a_source_that_is_replaced_by_rename_is_changed() {
    let disk = Disk::new();
    let replace = || {
        disk.write("other", &vec![7; LEN]);
        fs::rename(disk.path("other"), disk.path("big")).unwrap();
    };
    changed(read_around(&disk, replace).await);
}

#[tokio::test]
async fn f39_a_source_that_is_moved_away_is_changed() {
    let disk = Disk::new();
    // A link that is made and removed would be told by its ctime; the name alone has to be enough too.
    changed(read_around(&disk, || fs::rename(disk.path("big"), disk.path("moved")).unwrap()).await);
}

#[tokio::test]
async fn f39_a_source_that_is_changed_in_place_with_its_time_put_back_is_changed() {
    let disk = Disk::new();
    let alter = || {
        let file = File::options().write(true).open(disk.path("big")).unwrap();
        let before = file.metadata().unwrap().modified().unwrap();
        std::os::unix::fs::FileExt::write_all_at(&file, b"x", 5).unwrap();
        file.set_modified(before).unwrap();
        assert_eq!(file.metadata().unwrap().modified().unwrap(), before);
    };
    changed(read_around(&disk, alter).await);
}

#[tokio::test]
async fn a_pin_is_checked_before_the_first_byte() {
    let disk = Disk::new();
    disk.write("a", b"first");
    let head = disk.head("a").await.unwrap();
    settle();
    disk.write("a", b"other");
    let range = ByteRange { start: 0, len: 5 };
    let read = disk.store.get_range(&object("a"), &head.etag, range, 5).await.map(drop);
    assert_eq!(kind(read), Kind::PreconditionFailed);
}

#[tokio::test]
async fn an_empty_file_is_checked_as_well() {
    let disk = Disk::new();
    disk.write("empty", b"");
    assert_eq!(disk.read("empty").await.unwrap(), b"");
    let head = disk.head("empty").await.unwrap();
    let none = ByteRange { start: 0, len: 0 };
    let body = disk.store.get_range(&object("empty"), &head.etag, none, 0).await.unwrap().body;
    settle();
    disk.write("empty", b"by now it has bytes");
    assert_eq!(kind(body.try_collect::<Vec<_>>().await), Kind::PreconditionFailed);
}

/// Fails one step once.
fn failing(disk: &Disk, step: Step, errno: Errno) -> (crate::file::FileStore, Arc<AtomicU32>) {
    let left = Arc::new(AtomicU32::new(1));
    let count = Arc::clone(&left);
    let trouble = move |at| {
        let now = at == step
            && count.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |n| n.checked_sub(1)).is_ok();
        now.then_some(errno.raw_os_error())
    };
    (disk.store.clone().with_trouble(Arc::new(trouble)), left)
}

#[tokio::test]
async fn f39_a_stale_handle_and_an_io_error_may_pass() {
    for errno in [Errno::STALE, Errno::IO, Errno::TIMEDOUT] {
        for step in [Step::Open, Step::Read] {
            let disk = Disk::new();
            disk.write("a", b"bytes");
            let head = disk.head("a").await.unwrap();
            let (store, left) = failing(&disk, step, errno);
            let read = async || {
                let ranged =
                    store.get_range(&object("a"), &head.etag, ByteRange { start: 0, len: 5 }, 5).await?;
                ranged.body.try_collect::<Vec<_>>().await
            };
            let error = read().await.expect_err("a failing disk");
            assert_eq!(left.load(Ordering::SeqCst), 0, "the disk did not fail");
            assert!(error.is_transient() && failure_of(error, Side::Source).name == ErrorName::Unavailable);
            assert_eq!(read().await.unwrap().concat(), b"bytes", "the next try opens it anew");
        }
    }
}

#[tokio::test]
async fn f39_every_error_while_writing_leaves_no_object_and_no_draft() {
    let rows = [
        (Step::Write, Errno::NOSPC, ErrorName::DestinationInvalid),
        (Step::Sync, Errno::DQUOT, ErrorName::DestinationInvalid),
        (Step::Write, Errno::IO, ErrorName::Unavailable),
        (Step::Sync, Errno::IO, ErrorName::Unavailable),
        (Step::Rename, Errno::STALE, ErrorName::Unavailable),
        (Step::Open, Errno::ROFS, ErrorName::DestinationAccessDenied),
    ];
    for (step, errno, expected) in rows {
        let disk = Disk::new();
        let (store, _) = failing(&disk, step, errno);
        let error =
            store.put(&target("a"), body(b"bytes"), &Condition::Anything).await.expect_err("a failing disk");
        assert_eq!(failure_of(error, Side::Destination).name, expected, "{step:?} {errno}");
        assert!(!disk.path("a").exists(), "{step:?} {errno}");
        let drafts = fs::read_dir(disk.path(".transload/drafts")).map_or(0, Iterator::count);
        assert_eq!(drafts, 0, "{step:?} {errno}: a draft stays");
        store.put(&target("a"), body(b"bytes"), &Condition::Absent).await.expect("the next try");
        assert_eq!(fs::read(disk.path("a")).unwrap(), b"bytes");
    }
}
