//! What is unpacked is what was packed, by us or by GNU tar, whatever happens meanwhile.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use serde_json::json;
use transload_plan::Limits;
use transload_store::faulty::Faulty;
use transload_store::memory::{MemoryConfig, MemoryStore, MemoryStores};
use transload_store::{Deadline, StoreErrorKind, Verb};
use transload_unpack::{UnpackInput, UnpackOutput, UnpackRequest, Unpacked};
use transload_wire::{ArchiveFormat, ErrorName, ExecutionInfo, Failure};

use crate::kit::{PART, World as Packing, noise};

const INTO: &str = "restored";

type Tree = BTreeMap<String, Vec<u8>>;

/// An archive in one store, and a bucket in another.
struct World {
    archives: MemoryStore,
    restored: MemoryStore,
    from: Faulty,
    to: Faulty,
    stores: MemoryStores,
    request: UnpackRequest,
}

impl World {
    fn new(archive: Vec<u8>) -> Self {
        Self::with(archive, MemoryConfig::default())
    }

    fn with(archive: Vec<u8>, config: MemoryConfig) -> Self {
        let archives = MemoryStore::new(MemoryConfig::default()).with_bucket("backups");
        archives.write("backups", "archive", archive);
        let limits = Limits { min_part: PART as u64, default_part: PART as u64, ..Limits::default() };
        let restored = MemoryStore::new(MemoryConfig { limits, ..config }).with_bucket(INTO);
        let (from, to) = (Faulty::new(archives.clone()), Faulty::new(restored.clone()));
        let stores = MemoryStores::default().with("china", from.clone()).with("global", to.clone());
        let request = serde_json::from_value(json!({
            "source": {"location": "china", "bucket": "backups", "key": "archive"},
            "destination": {"location": "global", "bucket": INTO, "prefix": "in/"},
            "options": {"partSize": PART},
        }));
        Self { archives, restored, from, to, stores, request: request.unwrap() }
    }

    async fn call(&self, before: Option<UnpackOutput>, deadline: Deadline) -> Result<UnpackOutput, Failure> {
        let execution = ExecutionInfo {
            id: "one".to_owned(),
            start_time: "2026-01-31T12:00:05Z".to_owned(),
            redrive_count: 0,
        };
        let (pinned, left) = before.map_or((None, None), |before| (Some(before.pinned), before.left));
        let input = UnpackInput { request: self.request.clone(), execution, pinned, left };
        let input = serde_json::from_value(serde_json::to_value(input).unwrap()).unwrap();
        transload_unpack::handle(&self.stores, deadline, input).await
    }

    async fn unpack(&self) -> Result<Unpacked, Failure> {
        let mut output = self.call(None, Deadline::NONE).await?;
        while output.left.is_some() {
            output = self.call(Some(output), Deadline::NONE).await?;
        }
        Ok(output.unpacked.unwrap())
    }

    /// With no time for more than an entry or a part in each call, and each call twice: how many there were.
    async fn unpack_in_calls(&self) -> Result<(Unpacked, u32), Failure> {
        let mut output = self.call(None, Deadline::NONE).await?;
        let mut calls = 0;
        while output.left.is_some() {
            let soon = || Deadline::after(Duration::from_secs(20) + Deadline::MARGIN);
            drop(self.call(Some(output.clone()), soon()).await?);
            output = self.call(Some(output), soon()).await?;
            calls += 1;
        }
        Ok((output.unpacked.unwrap(), calls))
    }

    fn tree(&self) -> Tree {
        let keys = self.restored.keys(INTO);
        let read = |key: &str| self.restored.read(INTO, key).unwrap().to_vec();
        keys.iter()
            .map(|key| (key.as_str().strip_prefix("in/").unwrap().to_owned(), read(key.as_str())))
            .collect()
    }

    fn open_uploads(&self) -> usize {
        self.restored.open_uploads(INTO).len()
    }
}

fn tree() -> Vec<(String, Vec<u8>)> {
    let mut tree: Vec<(String, Vec<u8>)> =
        (0..400).map(|at| (format!("small/{at:04} \u{e9}"), noise(at * 3, at as u64))).collect();
    tree.push(("large/noise".to_owned(), noise(7 * PART + 77, 1)));
    tree.push(("large/zeros".to_owned(), vec![0; 5 * PART]));
    tree.push(("l".repeat(150) + "/" + &"f".repeat(90), noise(5, 2)));
    tree.sort();
    tree
}

async fn packed(format: ArchiveFormat) -> Vec<u8> {
    let packing = Packing::new(format, &tree());
    packing.pack().await.unwrap();
    packing.archive()
}

const FORMATS: [ArchiveFormat; 3] = [ArchiveFormat::Tar, ArchiveFormat::Gzip, ArchiveFormat::Zstd];

#[tokio::test]
async fn what_was_packed_comes_back() {
    for format in FORMATS {
        let world = World::new(packed(format).await);
        let unpacked = world.unpack().await.unwrap();
        assert!(world.tree() == tree().into_iter().collect(), "{format}");
        let bytes: usize = tree().iter().map(|(_, content)| content.len()).sum();
        assert_eq!((unpacked.objects, unpacked.bytes), (tree().len() as u64, bytes as u64));
        assert_eq!((unpacked.present, unpacked.left_out.reasons.len(), world.open_uploads()), (0, 0, 0));
    }
}

#[tokio::test]
async fn however_often_it_is_broken_off_and_repeated_each_file_is_written_once() {
    for format in FORMATS {
        let world = World::new(packed(format).await);
        let (unpacked, calls) = world.unpack_in_calls().await.unwrap();
        assert!(calls > 100, "{calls} calls");
        assert!(world.tree() == tree().into_iter().collect(), "{format}");
        assert_eq!(unpacked.objects + unpacked.present, tree().len() as u64, "{format}: {unpacked:?}");
        let open = world.restored.open_uploads(INTO);
        assert!(
            open.iter().all(|(_, _, parts)| parts.is_empty()),
            "only those that nobody was told of: {open:?}"
        );
        let again = world.unpack().await.unwrap();
        assert_eq!((again.objects, again.present), (0, tree().len() as u64), "a second run finds all of it");
    }
}

/// What GNU tar packs of a folder, with these flags.
fn gnu(folder: &Path, flags: &[&str]) -> Vec<u8> {
    let ran =
        Command::new("tar").args(flags).arg("-cf").arg("-").arg("-C").arg(folder).arg(".").output().unwrap();
    assert!(ran.status.success(), "{ran:?}");
    ran.stdout
}

#[tokio::test]
async fn what_gnu_tar_packs_is_unpacked_and_what_is_no_file_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, content: &[u8]| {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    };
    write("a", b"first");
    write("b/c", &noise(9_000, 4));
    let long = format!("{}/{}", "d".repeat(120), "f".repeat(240));
    write(&long, b"long");
    std::os::unix::fs::symlink("a", folder.path().join("soft")).unwrap();
    std::fs::hard_link(folder.path().join("b/c"), folder.path().join("b/hard")).unwrap();
    for flags in [&["--format=gnu"][..], &["--format=pax"], &["--format=gnu", "-z"], &["--format=pax", "-z"]]
    {
        let world = World::new(gnu(folder.path(), flags));
        let unpacked = world.unpack().await.unwrap();
        let found = world.tree();
        assert_eq!(found.get("a").map(Vec::as_slice), Some(&b"first"[..]), "{flags:?}");
        assert_eq!(found.get(&long).map(Vec::as_slice), Some(&b"long"[..]), "{flags:?}");
        assert!(
            found.contains_key("b/c") != found.contains_key("b/hard"),
            "one of them is a link: {:?}",
            found.keys()
        );
        assert_eq!(unpacked.objects, 3);
        let told: Vec<_> =
            unpacked.left_out.reasons.iter().map(|(reason, count)| (reason.as_str(), *count)).collect();
        assert_eq!(told, [("directory", 3), ("hardLink", 1), ("symbolicLink", 1)], "{flags:?}");
    }
}

/// A tar with entries of these names.
fn tar_of(names: &[&[u8]]) -> Vec<u8> {
    let mut archive = Vec::new();
    for name in names {
        let mut header = tar::Header::new_gnu();
        header.as_old_mut().name[..name.len()].copy_from_slice(name);
        header.set_size(3);
        header.set_mode(0o644);
        header.set_cksum();
        archive.extend_from_slice(header.as_bytes());
        archive.extend_from_slice(b"abc");
        archive.resize(archive.len().next_multiple_of(512), 0);
    }
    archive.resize(archive.len() + 1_024, 0);
    archive
}

#[tokio::test]
async fn names_that_lead_elsewhere_are_not_followed() {
    let names: [&[u8]; 7] = [b"../up", b"/root", b"a/../../b", b"x//y", b"./in", b"bad\xff", b"fine"];
    let world = World::new(tar_of(&names));
    let unpacked = world.unpack().await.unwrap();
    assert_eq!(world.tree().into_keys().collect::<Vec<_>>(), ["fine", "in"]);
    let told: Vec<_> =
        unpacked.left_out.reasons.iter().map(|(reason, count)| (reason.as_str(), *count)).collect();
    assert_eq!(told, [("keyUnusable", 4), ("nameNotUtf8", 1)]);
    assert_eq!(unpacked.left_out.examples[0].name, "../up");
}

#[tokio::test]
async fn an_archive_that_was_cut_or_altered_is_told_and_never_success() {
    for format in FORMATS {
        let whole = packed(format).await;
        for len in [whole.len() - 1_100, whole.len() / 2] {
            let failure = World::new(whole[..len].to_vec()).unpack().await.unwrap_err();
            assert_eq!(failure.name, ErrorName::SourceBroken, "{format} {len}: {failure}");
        }
    }
    for format in [ArchiveFormat::Gzip, ArchiveFormat::Zstd] {
        let mut spoiled = packed(format).await;
        let middle = spoiled.len() / 2;
        spoiled[middle] ^= 0x10;
        let failure = World::new(spoiled).unpack().await.unwrap_err();
        assert_eq!(failure.name, ErrorName::SourceBroken, "{format}: {failure}");
    }
    let failure = World::new(b"no archive at all".to_vec()).unpack().await.unwrap_err();
    assert_eq!(failure.name, ErrorName::SourceBroken, "{failure}");
}

#[tokio::test]
async fn what_passes_is_tried_again_and_a_lost_answer_writes_nothing_twice() {
    let archive = packed(ArchiveFormat::Gzip).await;
    for verb in [Verb::GetObject, Verb::PutObject, Verb::UploadPart, Verb::CompleteMultipartUpload] {
        let world = World::new(archive.clone());
        let faulty = if verb == Verb::GetObject { &world.from } else { &world.to };
        faulty.refuse(verb, 2..=2, StoreErrorKind::Unavailable);
        faulty.lose_answer(verb, 1..=1, StoreErrorKind::Connection);
        let unpacked = world.unpack().await.unwrap();
        assert!(world.tree() == tree().into_iter().collect(), "{verb}");
        assert_eq!(unpacked.objects + unpacked.present, tree().len() as u64, "{verb}");
        assert_eq!(world.open_uploads(), 0, "{verb}");
    }
}

#[tokio::test]
async fn what_stands_there_is_replaced_unless_it_must_not_be() {
    let archive = tar_of(&[b"one", b"two"]);
    for (overwrite, expected, present) in
        [("never", &b"another writer's"[..], 1), ("ifDifferent", b"abc", 0), ("always", b"abc", 0)]
    {
        let mut world = World::new(archive.clone());
        world.restored.write(INTO, "in/one", "another writer's");
        world.request.options.overwrite = serde_json::from_value(json!(overwrite)).unwrap();
        let unpacked = world.unpack().await.unwrap();
        assert_eq!(world.tree()["one"], expected, "{overwrite}");
        assert_eq!((unpacked.objects, unpacked.present), (2 - present, present), "{overwrite}");
    }
}

#[tokio::test]
async fn an_archive_that_changes_midway_is_told() {
    let world = World::new(packed(ArchiveFormat::Gzip).await);
    let output = world.call(None, Deadline::NONE).await.unwrap();
    world.archives.write("backups", "archive", "another");
    let failure = world.call(Some(output), Deadline::NONE).await.unwrap_err();
    assert_eq!(failure.name, ErrorName::SourceChanged, "{failure}");
}

#[tokio::test]
async fn stores_without_checksums_or_conditions_are_proven_by_etags() {
    let config = MemoryConfig { checksums: Vec::new(), conditional_writes: false, ..MemoryConfig::default() };
    let world = World::with(packed(ArchiveFormat::Zstd).await, config);
    world.unpack().await.unwrap();
    assert!(world.tree() == tree().into_iter().collect());
}
