//! What changes, fails and lies while a tree is packed.

use transload_store::memory::MemoryConfig;
use transload_store::{Deadline, StoreErrorKind, Verb};
use transload_wire::{ArchiveFormat, ErrorName};

use crate::kit::{PART, World, noise, unpack};

fn tree() -> Vec<(String, Vec<u8>)> {
    vec![
        ("a".to_owned(), noise(3 * PART, 1)),
        ("b".to_owned(), noise(100, 2)),
        ("c".to_owned(), noise(PART, 3)),
    ]
}

#[tokio::test]
async fn an_object_that_changes_when_some_of_it_is_packed_is_an_error_and_one_that_is_not_begun_is_packed_as_it_is_now()
 {
    let world = World::new(ArchiveFormat::Gzip, &tree());
    let (output, left) = world.begin().await;
    assert_eq!(left.midway.unwrap().key.as_str(), "a");
    world.overwrite("b", noise(200, 4));
    world.overwrite("a", noise(3 * PART, 5));
    let failure = world.call(Some(output.clone()), Deadline::NONE).await.unwrap_err();
    assert_eq!(failure.name, ErrorName::SourceChanged, "{failure}");
    assert!(failure.message.contains('a'), "{failure}");

    let world = World::new(ArchiveFormat::Gzip, &tree());
    let (mut output, _) = world.begin().await;
    world.overwrite("b", noise(200, 4));
    while output.left.is_some() {
        output = world.call(Some(output), Deadline::NONE).await.unwrap();
    }
    assert_eq!(output.whole.unwrap().packed.bytes, (4 * PART + 200) as u64);
}

#[tokio::test]
async fn what_passes_is_tried_again_and_the_archive_is_whole() {
    for verb in [Verb::ListObjectsV2, Verb::GetObject] {
        for nth in 1..4 {
            let world = World::new(ArchiveFormat::Zstd, &tree());
            world.from.refuse(verb, nth..=nth, StoreErrorKind::Unavailable);
            world.pack().await.unwrap();
            assert_eq!(unpack(ArchiveFormat::Zstd, &world.archive()), tree(), "{verb} {nth}");
        }
    }
    for nth in 1..5 {
        for kind in [StoreErrorKind::Throttled, StoreErrorKind::Connection, StoreErrorKind::Corrupted] {
            let world = World::new(ArchiveFormat::Gzip, &tree());
            world.to.refuse(Verb::UploadPart, nth..=nth, kind);
            world.pack().await.unwrap();
            assert_eq!(unpack(ArchiveFormat::Gzip, &world.archive()), tree(), "{kind:?} {nth}");
        }
    }
}

#[tokio::test]
async fn a_right_that_is_missing_ends_the_call_by_its_name_and_the_next_goes_on() {
    let world = World::new(ArchiveFormat::Tar, &tree());
    let (output, _) = world.begin().await;
    world.to.refuse(Verb::UploadPart, .., StoreErrorKind::AccessDenied);
    let failure = world.call(Some(output.clone()), Deadline::NONE).await.unwrap_err();
    assert_eq!(failure.name, ErrorName::DestinationAccessDenied);
    world.to.heal();
    assert_eq!(world.open_uploads(), ["backup"]);
    let mut output = output;
    while output.left.is_some() {
        output = world.call(Some(output), Deadline::NONE).await.unwrap();
    }
    assert!(output.whole.is_some());
}

#[tokio::test]
async fn a_part_with_other_bytes_is_found_before_the_archive_appears() {
    let world = World::new(ArchiveFormat::Tar, &tree());
    let mut output = world.begin().await.0;
    while output.left.is_some() {
        output = world.call(Some(output), Deadline::NONE).await.unwrap();
    }
    world.spoil_part(&output.begun).await;
    let failure = world.finish(output).await.unwrap_err();
    assert_eq!(failure.name, ErrorName::ChecksumMismatch, "{failure}");
    assert!(world.keys().is_empty());
}

#[tokio::test]
async fn a_store_without_checksums_is_proven_by_etags() {
    let limits =
        transload_plan::Limits { min_part: PART as u64, default_part: PART as u64, ..Default::default() };
    let config = MemoryConfig { checksums: Vec::new(), limits, ..MemoryConfig::default() };
    let world = World::with(ArchiveFormat::Gzip, &tree(), config);
    world.pack().await.unwrap();
    assert_eq!(unpack(ArchiveFormat::Gzip, &world.archive()), tree());
}

#[tokio::test]
async fn rivals_are_not_replaced() {
    let world = World::new(ArchiveFormat::Gzip, &tree());
    let (output, _) = world.begin().await;
    world.intrude();
    let mut output = output;
    while output.left.is_some() {
        output = world.call(Some(output), Deadline::NONE).await.unwrap();
    }
    assert!(output.begun.replaces.is_none());
    let failure = world.finish(output).await.unwrap_err();
    assert_eq!(failure.name, ErrorName::DestinationExists);
    assert_eq!(world.archive(), b"another writer's");
}
