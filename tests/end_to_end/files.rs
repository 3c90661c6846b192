//! Files as source and destination, by the program, with real workers and the real definitions.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::{Path, PathBuf};
use std::time::Duration;

use strict_s3::{Action, FaultPlan, Rule};

use crate::support::{Bench, DESTINATION, PART, Ran, SOURCE, bytes, ended, found_in};

const IN_PARTS: [&str; 4] = ["--part-size", "262144", "--whole-object-limit", "0"];
/// Batches, and two objects that go alone.
const MANY: [&str; 6] = ["--batch-objects", "50", "--batch-object-limit", "262144", "--part-size", "262144"];

/// Two roots beside the two servers.
async fn bench() -> Bench {
    let bench = Bench::new().await;
    for root in ["tree", "copy"] {
        fs::create_dir(bench.path(root)).unwrap();
    }
    let text = fs::read_to_string(bench.path("locations.toml")).unwrap();
    let roots = format!(
        "{{ tree = {:?}, copy = {:?}, nothing = {:?} }}",
        bench.path("tree"),
        bench.path("copy"),
        bench.path("nothing")
    );
    let more =
        format!("\n[locations.disk]\nkind = \"file\"\nroots = {roots}\nlimits = {{ min_part = 65536 }}\n");
    fs::write(bench.path("locations.toml"), text + &more).unwrap();
    bench
}

fn write(path: &Path, bytes: &[u8]) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}

/// All files below a root, without transload's own.
fn tree(root: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let (path, kind) = {
                let entry = entry.unwrap();
                (entry.path(), entry.file_type().unwrap())
            };
            if path == root.join(".transload") {
                continue;
            }
            if kind.is_dir() {
                folders.push(path);
            } else if kind.is_file() {
                let bytes = fs::read(&path).unwrap();
                found.insert(path.strip_prefix(root).unwrap().to_owned(), bytes);
            }
        }
    }
    found
}

/// Uploads and drafts that a root still holds.
fn left(root: &Path) -> usize {
    ["uploads", "drafts"]
        .iter()
        .map(|own| fs::read_dir(root.join(".transload").join(own)).map_or(0, Iterator::count))
        .sum()
}

async fn copy(bench: &Bench, source: &str, destination: &str, flags: &[&str]) -> Ran {
    bench.run(&[&["copy", source, destination][..], flags].concat()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_goes_to_s3_and_back_and_to_another_root() {
    let bench = bench().await;
    for (name, len, flags) in
        [("small", 1_000, &[][..]), ("large", 5 * PART + 7, &IN_PARTS[..]), ("empty", 0, &[][..])]
    {
        let data = bytes(len, 40);
        write(&bench.path("tree").join("in").join(name), &data);
        let there = format!("china:s3://{DESTINATION}/{name}");
        copy(&bench, &format!("disk:tree/in/{name}"), &there, flags).await.ok();
        bench.assert_same(name, &data);
        copy(&bench, &there, &format!("disk:file://copy/back/{name}"), flags).await.ok();
        copy(&bench, &format!("disk:tree/in/{name}"), &format!("disk:copy/straight/{name}"), flags)
            .await
            .ok();
        for folder in ["back", "straight"] {
            assert!(fs::read(bench.path("copy").join(folder).join(name)).unwrap() == data, "{folder}/{name}");
        }
    }
    assert_eq!(left(&bench.path("copy")), 0, "something was left");
    let again = copy(&bench, "disk:tree/in/large", "disk:copy/straight/large", &IN_PARTS).await.ok();
    assert!(again.stdout.contains("skipped"), "{again:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn headers_metadata_and_tags_come_back_from_a_file() {
    let bench = bench().await;
    bench.put_with(
        "k",
        &bytes(3 * PART, 6),
        &[("content-type", "text/x"), ("x-amz-meta-old", "1")],
        &[("team", "a")],
    );
    copy(&bench, &format!("global:s3://{SOURCE}/k"), "disk:copy/k", &IN_PARTS).await.ok();
    copy(&bench, "disk:copy/k", &format!("china:s3://{DESTINATION}/k"), &IN_PARTS).await.ok();
    let arrived = bench.arrived("k").unwrap();
    assert_eq!(
        (arrived.header("content-type"), arrived.header("x-amz-meta-old")),
        (Some("text/x"), Some("1"))
    );
    assert_eq!(arrived.tags, [("team".to_owned(), "a".to_owned())]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_file_of_the_root_is_refused_before_anything_is_written() {
    let bench = bench().await;
    fs::write(bench.path("secret"), b"outside").unwrap();
    symlink(bench.path("secret"), bench.path("tree/link")).unwrap();
    fs::create_dir(bench.path("tree/folder")).unwrap();
    bench.put("k", b"bytes");
    for (source, expected) in [
        ("disk:tree/../secret", "InputInvalid"),
        ("disk:tree//etc/passwd", "InputInvalid"),
        ("disk:tree/link", "InputInvalid"),
        ("disk:tree/folder", "SourceNotFound"),
        ("disk:nothing/a", "SourceNotFound"),
        ("disk:other/a", "SourceNotFound"),
    ] {
        let ran = copy(&bench, source, &format!("china:s3://{DESTINATION}/x"), &[]).await;
        assert_eq!(ran.code(), 1, "{ran:#?}");
        assert!(ran.stderr.contains(expected), "{source}: {ran:#?}");
        bench.assert_nothing_left("x");
    }
    for (destination, expected) in [
        ("disk:copy/../secret", "DestinationInvalid"),
        ("disk:copy/.transload/x", "DestinationInvalid"),
        ("disk:tree/link", "DestinationInvalid"),
        ("disk:nothing/a", "DestinationNotFound"),
    ] {
        let ran = copy(&bench, &format!("global:s3://{SOURCE}/k"), destination, &[]).await;
        assert_eq!(ran.code(), 1, "{ran:#?}");
        assert!(ran.stderr.contains(expected), "{destination}: {ran:#?}");
    }
    assert_eq!(fs::read(bench.path("secret")).unwrap(), b"outside");
    assert_eq!(fs::read_dir(bench.path("copy")).unwrap().count(), 0, "something was written");
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_midway_it_goes_on_with_the_parts_that_are_missing() {
    let bench = bench().await;
    let (parts, data) = (30, bytes(30 * PART, 21));
    bench.put("k", &data);
    bench.global.set_faults(Rule::on("GetObject", Action::Delay(Duration::from_millis(150))));
    let flags = [&IN_PARTS[..], &["--max-concurrency", "2", "--parts-in-flight", "2"]].concat();
    let source = format!("global:s3://{SOURCE}/k");
    let args = [&["copy", &source, "disk:copy/k"][..], &flags].concat();
    let mut child = bench
        .command(&args)
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let read = || bench.global.requests().iter().filter(|r| r.operation == "GetObject").count();
    while read() < 12 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    child.start_kill().unwrap();
    ended(child).await;
    let before = read();
    assert!(before < parts, "it was over before it was killed");
    assert!(!bench.path("copy/k").exists() && left(&bench.path("copy")) == 1, "its upload is kept");
    bench.global.set_faults(FaultPlan::none());
    bench.run(&args).await.ok();
    assert!(fs::read(bench.path("copy/k")).unwrap() == data, "the bytes differ");
    // Those of both workers that were under way, and the look at the last byte of a source that was pinned before.
    assert!(read() <= parts + 4 + 2, "{} reads, {parts} needed", read());
    assert_eq!(left(&bench.path("copy")), 0);
}

/// Many small files with odd names, two that go in parts, and what is no file.
fn fill(root: &Path) {
    for n in 0..400_usize {
        let folder = ["plain", "a b+c", "%2F", "\u{e9}\u{1f680}", "deep/er/and/deeper"][n % 5];
        write(&root.join(folder).join(n.to_string()), &bytes(n * 13 % 5_000, n as u64));
    }
    for n in 0..2 {
        write(&root.join(format!("large {n}")), &bytes(3 * PART + n, 1_000 + n as u64));
    }
    write(&root.join("a.b"), b"before a/");
    write(&root.join("a/b"), b"behind a.b");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tree_goes_to_s3_and_back_and_every_entry_is_accounted_for() {
    let bench = bench().await;
    let root = bench.path("tree");
    fill(&root);
    symlink("plain", root.join("link")).unwrap();
    fs::create_dir(root.join("empty")).unwrap();
    let there = format!("china:s3://{DESTINATION}/");
    let sync = async |from: &str, to: &str| {
        bench.run(&[&["sync", from, to, "--output", "json"][..], &MANY].concat()).await.ok().json()
    };
    let files = tree(&root);
    let done = sync("disk:tree/", &there).await;
    assert_eq!(done["counts"]["copied"]["objects"], files.len(), "{done}");
    assert_eq!(done["counts"]["listed"]["objects"], files.len() + 2, "{done}");
    let keys = bench.china.direct().keys(DESTINATION);
    assert_eq!(keys.len(), files.len());
    for (path, bytes) in &files {
        bench.assert_same(path.to_str().unwrap(), bytes);
    }
    let told = found_in(&bench.home().join("reports"), "emptyDirectory");
    assert!(
        !told.is_empty() && !found_in(&bench.home().join("reports"), "symbolicLink").is_empty(),
        "not reported"
    );

    assert_eq!(
        sync("disk:tree/", &there).await["counts"]["present"]["objects"],
        files.len(),
        "the second run"
    );
    let back = sync(&there, "disk:copy/").await;
    assert_eq!(back["counts"]["copied"]["objects"], files.len(), "{back}");
    assert!(tree(&bench.path("copy")) == files, "the trees differ");
    let again = sync(&there, "disk:copy/").await;
    assert_eq!(again["counts"]["present"]["objects"], files.len(), "{again}");
    let straight = sync("disk:copy/", "disk:tree/again/").await;
    assert_eq!(straight["counts"]["copied"]["objects"], files.len(), "{straight}");
    assert!(tree(&root.join("again")) == files, "the trees differ");
    assert_eq!(left(&bench.path("copy")) + left(&root), 0, "something was left");
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_that_are_no_paths_are_told_and_changes_follow() {
    let bench = bench().await;
    for key in ["in/a", "in/b/c", "in/b/", "in//x", "in/../y", "in/.transload/z"] {
        bench.put(key, key.as_bytes());
    }
    let from = format!("global:s3://{SOURCE}/in/");
    let sync = async |flags: &[&str]| {
        bench.run(&[&["sync", &from, "disk:copy/", "--output", "json"][..], flags].concat()).await.ok().json()
    };
    let done = sync(&[]).await;
    assert_eq!(
        (done["counts"]["copied"]["objects"].as_u64(), done["counts"]["listed"]["objects"].as_u64()),
        (Some(2), Some(6)),
        "{done}"
    );
    assert!(!found_in(&bench.home().join("reports"), "keyUnusable").is_empty(), "not reported");
    let names: Vec<_> = tree(&bench.path("copy")).into_keys().collect();
    assert_eq!(names, [PathBuf::from("a"), PathBuf::from("b/c")]);

    bench.put("in/a", b"changed, and longer");
    bench.global.direct().delete(SOURCE, "in/b/c");
    let inode = fs::metadata(bench.path("copy/a")).unwrap().ino();
    sync(&["--delete", "--max-delete-percent", "100"]).await;
    assert_eq!(fs::read(bench.path("copy/a")).unwrap(), b"changed, and longer");
    assert_ne!(fs::metadata(bench.path("copy/a")).unwrap().ino(), inode, "it was overwritten in place");
    assert!(!bench.path("copy/b/c").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn doctor_tells_the_state_of_roots() {
    let bench = bench().await;
    let ran = bench.run(&["doctor", "disk:tree/", "disk:copy/"]).await;
    assert!(ran.stdout.contains("is there and may be written"), "{ran:#?}");
    assert!(ran.stdout.contains("nothing") && ran.stdout.contains("is it mounted?"), "{ran:#?}");
    assert_eq!(ran.code(), 1, "a root is missing: {ran:#?}");
}
