//! Trees in one archive, by the program, with real workers and the real definition; GNU tar says what is in it.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use strict_s3::{Action, Answer, FaultPlan, Rule};

use crate::support::{Bench, DESTINATION, SOURCE, bytes, ended};

const MIB: usize = 1 << 20;
const PARTS: [&str; 2] = ["--part-size", "1048576"];

/// A root on the disk with files of some parts.
async fn bench() -> (Bench, BTreeMap<PathBuf, Vec<u8>>) {
    let bench = Bench::new().await;
    let root = bench.path("tree");
    let mut files: BTreeMap<PathBuf, Vec<u8>> =
        (0..200).map(|at| (format!("small/{at:03} \u{e9}").into(), bytes(at * 7, at as u64))).collect();
    files.insert("big/noise".into(), bytes(4 * MIB + 99, 5));
    files.insert("empty".into(), Vec::new());
    for (name, content) in &files {
        let path = root.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
    symlink("empty", root.join("link")).unwrap();
    let text = fs::read_to_string(bench.path("locations.toml")).unwrap();
    let more = format!("\n[locations.disk]\nkind = \"file\"\nroots = {{ tree = {root:?} }}\n");
    fs::write(bench.path("locations.toml"), text + &more).unwrap();
    (bench, files)
}

/// What GNU tar unpacks.
fn unpacked(bench: &Bench, key: &str) -> BTreeMap<PathBuf, Vec<u8>> {
    let into = tempfile::tempdir().unwrap();
    let archive = into.path().join("archive.tar.gz");
    fs::write(&archive, bench.arrived(key).unwrap().bytes().unwrap()).unwrap();
    let folder = into.path().join("tree");
    fs::create_dir(&folder).unwrap();
    let ran = Command::new("tar").arg("-xzf").arg(&archive).arg("-C").arg(&folder).output().unwrap();
    assert!(ran.status.success() && ran.stderr.is_empty(), "{ran:?}");
    let mut found = BTreeMap::new();
    walk(&folder, &folder, &mut found);
    found
}

fn walk(root: &Path, folder: &Path, found: &mut BTreeMap<PathBuf, Vec<u8>>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            walk(root, &path, found);
        } else {
            found.insert(path.strip_prefix(root).unwrap().to_owned(), fs::read(&path).unwrap());
        }
    }
}

fn archive(key: &str) -> String {
    format!("china:s3://{DESTINATION}/{key}")
}

#[tokio::test(flavor = "multi_thread")]
async fn files_are_packed_and_what_is_not_is_told() {
    let (bench, files) = bench().await;
    let ran = bench
        .run(&[&["pack", "disk:tree/", &archive("b.tar.gz"), "--name", "one"][..], &PARTS].concat())
        .await
        .ok();
    assert_eq!(unpacked(&bench, "b.tar.gz"), files);
    for told in ["pack-one  SUCCEEDED", "202 objects", "symbolicLink 1 (such as \"link\")", "CRC64NVME"] {
        assert!(ran.stdout.contains(told), "{told}: {ran:#?}");
    }
    let told = bench.run(&["report", "pack-one", "--output", "json"]).await.ok().json();
    assert_eq!((&told["packed"]["objects"], &told["format"]), (&202.into(), &"tar.gz".into()));
    assert!(bench.run(&["executions"]).await.ok().stdout.contains("pack-one"));
    assert_eq!(bench.china.direct().uploads(DESTINATION), [], "an upload is open");
}

#[tokio::test(flavor = "multi_thread")]
async fn objects_of_a_bucket_are_packed_too() {
    let (bench, _) = bench().await;
    for name in ["in/a", "in/b/c", "out"] {
        bench.put(name, name.as_bytes());
    }
    bench.run(&["pack", &format!("global:s3://{SOURCE}/in/"), &archive("day-{date}.tgz")]).await.ok();
    let key = bench.china.direct().keys(DESTINATION).pop().unwrap();
    assert!(key.starts_with("day-20") && key.ends_with(".tgz"), "{key}");
    let expected =
        [("a", "in/a"), ("b/c", "in/b/c")].map(|(name, body)| (name.into(), body.as_bytes().to_vec()));
    assert_eq!(unpacked(&bench, &key), expected.into());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_right_that_was_missing_is_mended_and_a_redrive_goes_on() {
    let (bench, files) = bench().await;
    let denied = Rule::on("UploadPart", Action::Answer(Answer::access_denied())).from_nth(3);
    bench.china.set_faults(denied);
    let archive = archive("b.tar.gz");
    let args = [&["pack", "disk:tree/", &archive, "--name", "two"][..], &PARTS].concat();
    let ran = bench.run(&args).await;
    assert_eq!(ran.code(), 1, "{ran:#?}");
    assert!(
        ran.stderr.contains("DestinationAccessDenied") && ran.stderr.contains("transload redrive pack-two"),
        "{ran:#?}"
    );
    assert!(bench.arrived("b.tar.gz").is_none(), "nothing appears before it is whole");
    bench.china.set_faults(FaultPlan::none());
    bench.run(&["redrive", "pack-two"]).await.ok();
    assert_eq!(unpacked(&bench, "b.tar.gz"), files);
    assert_eq!(bench.china.direct().uploads(DESTINATION), [], "an upload is open");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_is_killed_is_resumed() {
    let (bench, files) = bench().await;
    bench.china.set_faults(Rule::on("UploadPart", Action::Delay(std::time::Duration::from_millis(400))));
    let archive = archive("b.tar.gz");
    let args = [&["pack", "disk:tree/", &archive][..], &PARTS].concat();
    let mut child = bench
        .command(&args)
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    bench.until_sent(1).await;
    child.start_kill().unwrap();
    ended(child).await;
    bench.china.set_faults(FaultPlan::none());
    bench.run(&["resume"]).await.ok();
    assert_eq!(unpacked(&bench, "b.tar.gz"), files);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_can_not_be_meant_is_refused_by_its_field() {
    let (bench, _) = bench().await;
    for (args, told) in [
        (&["disk:tree/", "china:s3://photos-cn/b.zip"][..], "pack.format: expected tar, tar.gz or tar.zst"),
        (&["disk:tree/", "china:s3://photos-cn/b.tar", "--level", "3"], "pack.level: expected none for tar"),
        (&["disk:tree/", "disk:tree/b.tar"], "destination: expected a place outside of"),
        (&["disk:tree/", "nowhere:s3://photos-cn/b.tar"], "nowhere"),
        (&["disk:tree/", "china:s3://photos-cn"], "ARCHIVE: expected LOCATION:s3://BUCKET/KEY"),
    ] {
        let ran = bench.run(&[&["pack"][..], args].concat()).await;
        assert!(ran.code() != 0 && ran.stderr.contains(told), "{told}: {ran:#?}");
    }
    assert!(bench.china.direct().keys(DESTINATION).is_empty());
}
