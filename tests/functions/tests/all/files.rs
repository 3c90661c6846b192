//! Files as source and destination, through the functions: `Path.*` and F39.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tempfile::TempDir;
use transload_function_tests::{States, World};
use transload_plan::Limits;
use transload_store::file::{FileSettings, FileStore, Step};
use transload_store::{Deadline, Verb};
use transload_wire::{ErrorName, Failure};

use crate::name;

/// A world with a root `models` of location `efs`.
struct Disk {
    world: World,
    root: TempDir,
    store: FileStore,
}

impl Disk {
    fn new(size: usize) -> Self {
        let (world, root) = (World::new(size), tempfile::tempdir().unwrap());
        let limits = Limits { min_part: 4, default_part: 8, ..Limits::default() };
        let roots = [("models".parse().unwrap(), root.path().to_owned())].into();
        let settings = FileSettings { name: "efs".to_owned(), roots, limits, ..FileSettings::default() };
        let store = FileStore::new(settings);
        Self { world, root, store: store.clone() }.with(store)
    }

    fn with(mut self, store: FileStore) -> Self {
        self.world.stores = self.world.stores.with("efs", store);
        self
    }

    /// From the file, or to it.
    fn reading(mut self, key: &str) -> Self {
        let place = serde_json::json!({"location": "efs", "bucket": "models", "key": key}).to_string();
        self.world.request.source = transload_wire::parse(place.as_bytes()).unwrap();
        self
    }

    fn writing(mut self, key: &str) -> Self {
        let place = serde_json::json!({"location": "efs", "bucket": "models", "key": key}).to_string();
        self.world.request.destination = transload_wire::parse(place.as_bytes()).unwrap();
        self
    }

    async fn run(&self) -> Result<(), Failure> {
        States::new(&self.world, "run").run().await.map(drop)
    }

    fn entries(&self) -> Vec<String> {
        let names = fs::read_dir(self.root.path()).unwrap();
        let mut names: Vec<_> =
            names.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    fn uploads(&self) -> usize {
        fs::read_dir(self.root.path().join(".transload/uploads")).map_or(0, Iterator::count)
    }
}

const SIZES: [usize; 4] = [0, 1, 16, 61];

#[tokio::test]
async fn files_are_sources_and_destinations_of_the_same_functions() {
    for size in SIZES {
        let disk = Disk::new(size).writing("deep/file");
        disk.run().await.unwrap();
        assert_eq!(fs::read(disk.root.path().join("deep/file")).unwrap(), disk.world.bytes, "{size}");
        assert_eq!((disk.entries(), disk.uploads()), (vec![".transload".to_owned(), "deep".to_owned()], 0));

        let disk = Disk::new(0).reading("deep/file");
        let bytes: Vec<u8> = (0..size).map(|n| n as u8).collect();
        fs::create_dir(disk.root.path().join("deep")).unwrap();
        fs::write(disk.root.path().join("deep/file"), &bytes).unwrap();
        disk.run().await.unwrap();
        assert_eq!(disk.world.copied().unwrap(), bytes, "{size}");
        assert_eq!(disk.entries(), ["deep"], "something was written into a source");
    }
}

#[tokio::test]
async fn a_second_execution_finds_what_the_first_one_made() {
    let disk = Disk::new(61).writing("file");
    let states = States::new(&disk.world, "one");
    assert!(states.run().await.unwrap().record().is_some());
    assert!(States::new(&disk.world, "two").run().await.unwrap().record().is_none(), "it was copied again");
    // Somebody changes it: what was known of it is void.
    std::thread::sleep(std::time::Duration::from_millis(20));
    fs::write(disk.root.path().join("file"), &disk.world.bytes).unwrap();
    assert!(States::new(&disk.world, "three").run().await.unwrap().record().is_some());
}

/// Keys that are no paths, each with the field and the words of its refusal.
async fn refused(key: &str, words: &str) {
    let before = Disk::new(61).reading(key);
    let failure = before.run().await.expect_err(key);
    assert_eq!(failure.name, ErrorName::InputInvalid, "{failure}");
    assert!(failure.message.contains("source") && failure.message.contains(words), "{failure}");
    assert_eq!(before.world.copied(), None);
    let after = Disk::new(61).writing(key);
    let failure = after.run().await.expect_err(key);
    assert_eq!(failure.name, ErrorName::DestinationInvalid, "{failure}");
    assert!(failure.message.contains("destination") && failure.message.contains(words), "{failure}");
    for disk in [before, after] {
        assert_eq!(disk.entries(), Vec::<String>::new(), "{key}: something was written");
    }
}

#[tokio::test]
async fn path_absolute() {
    refused("/etc/passwd", "does not begin with /").await;
}

#[tokio::test]
async fn path_dot_dot() {
    refused("a/../../etc/passwd", "without the names . and ..").await;
}

#[tokio::test]
async fn path_empty_names() {
    refused("a//b", "without empty names").await;
    refused("a/", "does not end with /").await;
}

#[tokio::test]
async fn path_name_of_256_bytes() {
    refused(&"n".repeat(256), "at most 255 bytes").await;
}

#[tokio::test]
async fn path_of_transloads_own() {
    refused(".transload/uploads", "outside of .transload").await;
}

/// What is there as no regular file.
async fn not_read_nor_replaced(make: impl Fn(&std::path::Path), key: &str, words: &str) {
    let disk = Disk::new(61).reading(key);
    make(disk.root.path());
    let failure = disk.run().await.expect_err(key);
    assert!(failure.name == ErrorName::InputInvalid && failure.message.contains(words), "{failure}");
    let disk = Disk::new(61).writing(key);
    make(disk.root.path());
    let before = disk.entries();
    let failure = disk.run().await.expect_err(key);
    assert!(failure.name == ErrorName::DestinationInvalid && failure.message.contains(words), "{failure}");
    assert_eq!(disk.entries(), before, "something was written");
}

#[tokio::test]
async fn path_symlink_out() {
    let link = |root: &std::path::Path| std::os::unix::fs::symlink("/etc", root.join("out")).unwrap();
    not_read_nor_replaced(link, "out/passwd", "symbolic links are not followed").await;
    let link = |root: &std::path::Path| std::os::unix::fs::symlink("/etc/passwd", root.join("out")).unwrap();
    not_read_nor_replaced(link, "out", "symbolic").await;
}

#[tokio::test]
async fn path_proc_self_fd() {
    let link = |root: &std::path::Path| std::os::unix::fs::symlink("/proc/self/fd", root.join("fd")).unwrap();
    not_read_nor_replaced(link, "fd/0", "symbolic links are not followed").await;
}

#[tokio::test]
async fn path_socket() {
    let socket =
        |root: &std::path::Path| drop(std::os::unix::net::UnixListener::bind(root.join("s")).unwrap());
    not_read_nor_replaced(socket, "s", "regular file").await;
}

#[tokio::test]
async fn path_fifo() {
    let fifo = |root: &std::path::Path| {
        let made = std::process::Command::new("mkfifo").arg(root.join("f")).status().unwrap();
        assert!(made.success());
    };
    not_read_nor_replaced(fifo, "f", "found a FIFO").await;
}

#[tokio::test]
async fn f39_a_source_that_changes_between_the_states_is_told_by_the_parts() {
    let disk = Disk::new(0).reading("file");
    let path = disk.root.path().join("file");
    fs::write(&path, [7; 61]).unwrap();
    let states = States::new(&disk.world, "run");
    let head = states.head().await.unwrap();
    let init = states.init(&head, 0, None).await.unwrap();
    std::thread::sleep(std::time::Duration::from_millis(20));
    let before = fs::metadata(&path).unwrap().modified().unwrap();
    fs::write(&path, [8; 61]).unwrap();
    fs::File::options().write(true).open(&path).unwrap().set_modified(before).unwrap();
    for input in states.part_inputs(&head, &init) {
        let sent = transload_part::handle(&disk.world.stores, Deadline::NONE, input).await;
        assert_eq!(name(sent), Err(ErrorName::SourceChanged));
    }
    assert_eq!(name(disk.run().await), Ok(()), "a new execution pins what is there now");
    assert_eq!(disk.world.copied().unwrap(), [8; 61]);
}

#[tokio::test]
async fn f39_a_disk_that_fills_up_ends_the_part_for_good_and_abort_frees_it() {
    let full = Arc::new(AtomicBool::new(false));
    let disk = Disk::new(61).writing("file");
    let now = Arc::clone(&full);
    let trouble = move |step| (step == Step::Write && now.load(Ordering::SeqCst)).then_some(28);
    let store = disk.store.clone().with_trouble(Arc::new(trouble));
    let disk = disk.with(store);
    let states = States::new(&disk.world, "run");
    let head = states.head().await.unwrap();
    let init = states.init(&head, 0, None).await.unwrap();
    let mut inputs = states.part_inputs(&head, &init).into_iter();
    transload_part::handle(&disk.world.stores, Deadline::NONE, inputs.next().unwrap()).await.unwrap();
    full.store(true, Ordering::SeqCst);
    let sent = transload_part::handle(&disk.world.stores, Deadline::NONE, inputs.next().unwrap()).await;
    let failure = sent.map(drop).expect_err("a full disk");
    assert!(failure.name == ErrorName::DestinationInvalid && failure.message.contains("full"), "{failure}");
    assert_eq!(disk.uploads(), 1);
    assert!(states.abort(&head, Some(init.upload)).await.unwrap());
    assert_eq!((disk.uploads(), disk.entries()), (0, vec![".transload".to_owned()]));
}

#[tokio::test]
async fn only_the_parts_that_are_missing_are_sent_again() {
    let disk = Disk::new(61).writing("file");
    let states = States::new(&disk.world, "run");
    let head = states.head().await.unwrap();
    let init = states.init(&head, 0, None).await.unwrap();
    let mut inputs = states.part_inputs(&head, &init);
    let mut some = inputs.remove(0);
    some.parts = "1-3,8".parse().unwrap();
    transload_part::handle(&disk.world.stores, Deadline::NONE, some).await.unwrap();
    let again = states.init(&head, 1, Some(init.upload.clone())).await.unwrap();
    let missing: Vec<String> = again.batches.iter().map(ToString::to_string).collect();
    assert_eq!(missing.join(","), "4-5,6-7");
    let before = disk.world.from.count(Verb::GetObject);
    for input in states.part_inputs(&head, &again) {
        transload_part::handle(&disk.world.stores, Deadline::NONE, input).await.unwrap();
    }
    assert_eq!(disk.world.from.count(Verb::GetObject) - before, 4);
    states.complete(&head, &again.upload).await.unwrap();
    assert_eq!(fs::read(disk.root.path().join("file")).unwrap(), disk.world.bytes);
}
