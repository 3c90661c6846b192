//! A tree in one archive: what GNU tar makes of it, whatever happens while it is packed.

#![allow(clippy::unwrap_used)] // Tests.

mod faults;
mod kit;
mod refusals;
mod unpack;

use kit::{PART, World, noise};
use transload_wire::{ArchiveFormat, LeftOut};

/// Names and contents that archives like to change.
fn odd() -> Vec<(String, Vec<u8>)> {
    let mut tree: Vec<(String, Vec<u8>)> = [
        ("empty", 0),
        ("a b/c+d%20", 1),
        ("\u{e9}t\u{e9}/\u{1f680}", 511),
        ("block", 512),
        ("blocks", 1_024),
        ("-rf", 513),
        ("a=b", 3),
    ]
    .map(|(name, len)| (name.to_owned(), noise(len, 7)))
    .into();
    tree.push(("d/".repeat(80) + "deep", noise(700, 8)));
    tree.push((format!("{}/{}", "l".repeat(150), "f".repeat(200)), noise(1_500, 9)));
    tree
}

/// More than some parts, whichever way they are compressed.
fn large() -> Vec<(String, Vec<u8>)> {
    let mut tree = odd();
    tree.push(("big/noise".to_owned(), noise(5 * PART + 12_345, 1)));
    tree.push(("big/zeros".to_owned(), vec![0; 9 * PART]));
    tree.extend((0..1_500).map(|at| (format!("small/{at:05}"), noise(at % 900, at as u64))));
    tree.sort();
    tree
}

#[tokio::test]
async fn gnu_tar_unpacks_what_was_packed() {
    for format in [ArchiveFormat::Tar, ArchiveFormat::Gzip, ArchiveFormat::Zstd] {
        let world = World::new(format, &large());
        let packed = world.pack().await.unwrap();
        assert_eq!(kit::unpack(format, &world.archive()), large(), "{format}");
        let bytes: usize = large().iter().map(|(_, content)| content.len()).sum();
        assert_eq!((packed.objects, packed.bytes), (large().len() as u64, bytes as u64));
        assert!(packed.left_out == LeftOut::default());
        assert_eq!(world.head().attributes.content_type.as_deref(), Some(format.media_type()));
        assert!(world.open_uploads().is_empty());
    }
}

#[tokio::test]
async fn however_often_the_packing_is_broken_off_the_archive_is_the_same() {
    for format in [ArchiveFormat::Tar, ArchiveFormat::Gzip, ArchiveFormat::Zstd] {
        let (at_once, broken) = (World::new(format, &large()), World::new(format, &large()));
        at_once.pack().await.unwrap();
        // A part for each call, and each call twice, as if its first answer had been lost.
        let calls = broken.pack_in_calls(2).await.unwrap();
        assert!(calls > 5, "{format}: {calls} calls");
        assert!(broken.archive() == at_once.archive(), "{format}");
    }
}

#[tokio::test]
async fn nothing_is_an_archive_too() {
    for format in [ArchiveFormat::Tar, ArchiveFormat::Gzip, ArchiveFormat::Zstd] {
        let world = World::new(format, &[]);
        assert_eq!(world.pack().await.unwrap().objects, 0);
        assert!(kit::unpack(format, &world.archive()).is_empty());
    }
}

#[tokio::test]
async fn a_prefix_packs_what_begins_with_it_under_the_names_behind_its_folders() {
    let tree: Vec<(String, Vec<u8>)> =
        ["a/b/1", "a/b/2", "a/bc", "a/c", "b"].map(|name| (name.to_owned(), noise(10, 3))).into();
    for (prefix, expected) in [
        ("a/b/", vec!["1", "2"]),
        ("a/b", vec!["b/1", "b/2", "bc"]),
        ("", vec!["a/b/1", "a/b/2", "a/bc", "a/c", "b"]),
    ] {
        let mut world = World::new(ArchiveFormat::Gzip, &tree);
        world.request.source.prefix = prefix.to_owned();
        world.pack().await.unwrap();
        let names: Vec<String> =
            kit::unpack(ArchiveFormat::Gzip, &world.archive()).into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, expected, "{prefix:?}");
    }
}

#[tokio::test]
async fn what_is_not_packed_is_told() {
    let names = ["a.jpg", "a.tmp", "b//c", "../up", "/root", "x/./y", "folder/", "folder/in", "full/"];
    let tree: Vec<(String, Vec<u8>)> =
        names.map(|name| (name.to_owned(), noise(if name == "folder/" { 0 } else { 5 }, 2))).into();
    let mut world = World::new(ArchiveFormat::Tar, &tree);
    world.request.pack.exclude = vec!["*.tmp".to_owned()];
    let packed = world.pack().await.unwrap();
    assert_eq!(packed.objects, 3);
    assert_eq!(packed.left_out.reasons, [("excluded".to_owned(), 1), ("keyUnusable".to_owned(), 5)].into());
    let told: Vec<&str> = packed.left_out.examples.iter().map(|one| one.name.as_str()).collect();
    assert_eq!(told, ["../up", "/root", "a.tmp", "b//c", "full/", "x/./y"]);
    // GNU tar makes the folder as well as what is in it.
    let names: Vec<String> =
        kit::unpack(ArchiveFormat::Tar, &world.archive()).into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["a.jpg", "folder/in"]);
}

#[tokio::test]
async fn the_day_stands_in_the_key() {
    let mut world = World::new(ArchiveFormat::Gzip, &odd());
    world.request.destination.key = "backup-{date}-{time}.tar.gz".parse().unwrap();
    world.request.pack.format = None;
    world.pack().await.unwrap();
    assert_eq!(world.keys(), ["backup-2026-01-31-120005.tar.gz"]);
}
