//! Trees of file systems: sizes by stat, odd names marked, nothing outside, pages that hold every entry once.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;

use serde_json::{Value, json};
use tempfile::TempDir;
use transload_browse::Mounts;

use crate::support::Bench;

async fn bench() -> (Bench, TempDir) {
    let mut bench = Bench::new(json!({"Type": "Succeed"})).await;
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("root");
    fs::create_dir_all(root.join("a/b")).unwrap();
    fs::write(root.join("a/b/c"), "12345").unwrap();
    fs::create_dir(root.join("empty")).unwrap();
    fs::write(root.join(OsStr::from_bytes(b"odd\xff")), "x").unwrap();
    fs::write(folder.path().join("secret"), "x").unwrap();
    symlink("..", root.join("way-out")).unwrap();
    bench.world.mounts = Mounts::parse(&format!("data={}", root.display())).unwrap();
    (bench, folder)
}

#[tokio::test]
async fn a_mount_is_told_without_opening_a_file() {
    let (bench, folder) = bench().await;
    // Nobody may open it; its size is told all the same.
    let file = folder.path().join("root/a/b/c");
    fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o0)).unwrap();
    let tree = Bench::ok(bench.get("/filelist", &[("mount", "data")]).await);
    let expected = json!({"name": "data", "member": [
        {"name": "a", "member": [{"name": "b", "member": [{"name": "c", "size": "5 bytes"}]}]},
        {"name": "empty", "member": []},
        {"name": "odd\u{fffd}", "unreadable": "its name is not UTF-8"},
        {"name": "way-out", "unreadable": "a symbolic link, not followed"},
    ]});
    assert_eq!(tree, expected);
    let cut = Bench::ok(bench.get("/filelist", &[("mount", "data"), ("path", "a/"), ("depth", "1")]).await);
    assert_eq!(cut, json!({"name": "a", "member": [{"name": "b", "member": [], "cut": true}]}));
}

#[tokio::test]
async fn there_is_no_way_out() {
    let (bench, _folder) = bench().await;
    for (path, wanted) in [
        ("..", 400),
        ("a/../..", 400),
        ("/etc", 400),
        ("way-out", 404),
        ("way-out/root", 404),
        ("none", 404),
        ("a/b/c", 404),
    ] {
        let (status, body) = bench.get("/filelist", &[("mount", "data"), ("path", path)]).await;
        assert_eq!((status, &body["field"]), (wanted, &json!("path")), "{path}: {body}");
    }
    assert_eq!(bench.get("/filelist", &[("mount", "mars")]).await.0, 404);
    assert!(Mounts::parse("data").is_err() && Mounts::parse("data=relative").is_err());
}

fn files(tree: &Value, at: &str, found: &mut Vec<String>) {
    for member in tree["member"].as_array().unwrap() {
        let path = format!("{at}/{}", member["name"].as_str().unwrap());
        match &member["member"] {
            Value::Null => found.push(path),
            _ => files(member, &path, found),
        }
    }
}

/// Entries of one directory.
const MANY: usize = 100_000;

#[tokio::test]
async fn pages_hold_every_entry_once_in_a_directory_of_many() {
    let (bench, folder) = bench().await;
    let many = folder.path().join("root/many");
    fs::create_dir(&many).unwrap();
    for n in 0..MANY {
        fs::File::create(many.join(format!("{n:05}"))).unwrap();
    }
    for limit in ["9999", "10000"] {
        let (mut found, mut cursor) = (Vec::new(), String::new());
        loop {
            let query = [("mount", "data"), ("limit", limit), ("cursor", &*cursor)];
            let page = Bench::ok(bench.get("/filelist", &query).await);
            let travels = json!(page.to_string()).to_string().len();
            assert!(travels < 6_000_000, "{travels} bytes");
            let before = found.len();
            files(&page, "", &mut found);
            assert!(found.len() - before <= limit.parse().unwrap());
            match page["cursor"].as_str() {
                Some(next) => next.clone_into(&mut cursor),
                None => break,
            }
        }
        let all: BTreeSet<&String> = found.iter().collect();
        assert_eq!((found.len(), all.len()), (MANY + 3, MANY + 3), "pages of {limit}");
    }
}
