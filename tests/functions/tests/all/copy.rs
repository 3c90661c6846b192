//! Copy: one request, whole or not at all.

use std::time::Duration;

use transload_function_tests::{States, World};
use transload_store::faulty::BodyFault;
use transload_store::memory::MemoryConfig;
use transload_store::{Deadline, StoreErrorKind as Kind, Verb};
use transload_wire::{CompleteOutput, ErrorName, Failure, HeadOutput, Overwrite, Proof};

use crate::name;

async fn copy(world: &World, head: &HeadOutput) -> Result<CompleteOutput, Failure> {
    let input = States::new(world, "run").copy_input(head);
    transload_copy::handle(&world.stores, Deadline::NONE, input).await
}

async fn head(world: &World) -> HeadOutput {
    States::new(world, "run").head().await.unwrap()
}

#[tokio::test]
async fn objects_of_no_byte_one_and_several_are_proven() {
    for size in [0, 1, 3, 16] {
        let world = World::new(size);
        let record = copy(&world, &head(&world).await).await.unwrap();
        assert_eq!((record.size, record.parts, record.proof), (size as u64, 0, Proof::SourceChecksum));
        assert_eq!(
            record.requests,
            [("GetObject", 1), ("HeadObject", 1), ("PutObject", 1)].map(|(n, c)| (n.to_owned(), c)).into()
        );
        assert_eq!(world.copied().as_deref(), Some(&world.bytes[..]));
    }
}

#[tokio::test(start_paused = true)]
async fn run_twice_it_succeeds_twice_with_one_object() {
    for (checksums, forget) in
        [(World::config().checksums, false), (World::config().checksums, true), (vec![], true)]
    {
        let world = World::with(12, MemoryConfig { checksums, ..World::config() }, |_| {});
        if forget {
            world.forget_checksum();
        }
        let head = head(&world).await;
        let first = copy(&world, &head).await.unwrap();
        let second = copy(&world, &head).await.unwrap();
        assert!(!first.reconciled && second.reconciled);
        assert_eq!((first.etag, first.proof), (second.etag, second.proof));
    }
}

#[tokio::test(start_paused = true)]
async fn f26_a_put_whose_answer_is_lost_is_settled_by_the_token() {
    for kind in [Kind::Connection, Kind::Malformed, Kind::Unavailable, Kind::PreconditionFailed] {
        let world = World::new(12);
        let head = head(&world).await;
        world.to.lose_answer(Verb::PutObject, .., kind);
        let record = copy(&world, &head).await.unwrap();
        assert!(record.reconciled, "{kind:?}");
        assert_eq!(world.to.count(Verb::PutObject), 1, "{kind:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn f06_bytes_that_are_not_the_sources_are_never_committed() {
    let world = World::new(12);
    let head = head(&world).await;
    world.from.spoil(Verb::GetObject, 1..=1, BodyFault::Flip(11));
    let record = copy(&world, &head).await.unwrap();
    assert_eq!((record.requests["GetObject"], world.copied().as_deref()), (2, Some(&world.bytes[..])));

    let world = World::new(12);
    let head = States::new(&world, "run").head().await.unwrap();
    world.rot_source(0);
    let failure = copy(&world, &head).await.unwrap_err();
    assert_eq!(failure.name, ErrorName::ChecksumMismatch);
    assert!(failure.message.contains(&head.source.checksum.clone().unwrap().value), "{failure}");
    assert_eq!((world.copied(), world.to.count(Verb::PutObject)), (None, 2));
}

#[tokio::test(start_paused = true)]
async fn f07_a_bit_flipped_on_the_way_to_the_destination_is_replaced() {
    let world = World::new(12);
    let head = head(&world).await;
    world.to.spoil(Verb::PutObject, 1..=1, BodyFault::Flip(5));
    copy(&world, &head).await.unwrap();
    assert_eq!(world.copied().as_deref(), Some(&world.bytes[..]));
}

#[tokio::test(start_paused = true)]
async fn f09_f10_a_source_that_changes_or_goes_is_permanent() {
    for size in [0, 12] {
        for (delete, expected) in [(false, ErrorName::SourceChanged), (true, ErrorName::SourceNotFound)] {
            let world = World::new(size);
            let head = head(&world).await;
            if delete {
                world.delete_source();
            } else {
                world.source.write("photos", "a/b c+d", "something else");
            }
            assert_eq!(name(copy(&world, &head).await), Err(expected), "{size}");
            assert_eq!(world.copied(), None);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn f09_a_source_that_changes_between_two_reads_is_never_mixed() {
    let world = World::new(12);
    let head = head(&world).await;
    let source = world.source.clone();
    world.from.spoil(Verb::GetObject, 1..=1, BodyFault::Cut(7));
    world
        .from
        .before(Verb::GetObject, 2..=2, move || drop(source.write("photos", "a/b c+d", "twelve bytes")));
    assert_eq!(name(copy(&world, &head).await), Err(ErrorName::SourceChanged));
    assert_eq!(world.copied(), None);
}

#[tokio::test(start_paused = true)]
async fn f29_another_writers_object_is_never_touched() {
    for conditional_writes in [true, false] {
        for existed in [false, true] {
            let world = World::with(12, MemoryConfig { conditional_writes, ..World::config() }, |_| {});
            if existed {
                world.destination.write("photos-cn", "a", "before");
            }
            let head = head(&world).await;
            world.intrude();
            let failure = copy(&world, &head).await.unwrap_err();
            assert_eq!(failure.name, ErrorName::DestinationExists, "{failure}");
            assert!(world.is_intruded());
        }
    }
}

#[tokio::test(start_paused = true)]
async fn f27_another_writer_right_after_our_own_commit() {
    let world = World::new(12);
    let head = head(&world).await;
    let destination = world.destination.clone();
    world.to.before(Verb::HeadObject, 2..=2, move || {
        drop(destination.write("photos-cn", "a", "another writer's"))
    });
    assert_eq!(name(copy(&world, &head).await), Err(ErrorName::DestinationExists));
    assert!(world.is_intruded());
}

#[tokio::test(start_paused = true)]
async fn always_means_always() {
    let world = World::with(12, World::config(), |options| options.overwrite = Overwrite::Always);
    let head = head(&world).await;
    world.intrude();
    copy(&world, &head).await.unwrap();
    assert_eq!(world.copied().as_deref(), Some(&world.bytes[..]));
}

#[tokio::test(start_paused = true)]
async fn f23_it_ends_with_the_workers_time_and_commits_nothing() {
    let world = World::new(12);
    let head = head(&world).await;
    world.from.spoil(Verb::GetObject, .., BodyFault::Stall(11));
    let begin = tokio::time::Instant::now();
    let input = States::new(&world, "run").copy_input(&head);
    let result = transload_copy::handle(&world.stores, Deadline::after(Duration::from_secs(14)), input).await;
    assert_eq!(name(result), Err(ErrorName::OutOfTime));
    assert!(begin.elapsed() <= Duration::from_secs(4), "{:?}", begin.elapsed());
    assert_eq!(world.copied(), None);
}

#[tokio::test(start_paused = true)]
async fn tries_are_bounded() {
    let world = World::new(12);
    let head = head(&world).await;
    world.to.refuse(Verb::PutObject, .., Kind::Throttled);
    assert_eq!(name(copy(&world, &head).await), Err(ErrorName::Throttled));
    assert_eq!(world.to.count(Verb::PutObject), 4);
}

#[tokio::test(start_paused = true)]
async fn a_version_in_a_bucket_with_versions_is_what_is_proven() {
    let world = World::new(12);
    let destination = world.destination.clone().with_versions("photos-cn");
    let head = head(&world).await;
    let writer = destination.clone();
    world.to.before(Verb::HeadObject, 2..=2, move || drop(writer.write("photos-cn", "a", "a newer version")));
    let record = copy(&world, &head).await.unwrap();
    assert!(record.version_id.is_some(), "our own version, though another one is newer by now");
}
