//! Complete: counts, compares, completes, proves.

use transload_function_tests::{States, World};
use transload_store::memory::MemoryConfig;
use transload_store::{Deadline, StoreErrorKind as Kind, Verb};
use transload_wire::{ChecksumAlgorithm, ErrorName, Overwrite, Proof};

use crate::name;

/// Whether the destination shows nothing, and the upload is still open with its parts.
fn is_untouched(world: &World) -> bool {
    world.copied().is_none() && world.open_uploads() == (1, 0)
}

#[tokio::test(start_paused = true)]
async fn success_is_proven_by_token_size_and_checksum() {
    let world = World::new(61);
    let states = States::new(&world, "run");
    let (head, upload) = states.filled().await.unwrap();
    let record = states.complete(&head, &upload).await.unwrap();
    assert_eq!(
        (record.size, record.parts, record.proof, record.reconciled),
        (61, 8, Proof::SourceChecksum, false)
    );
    assert_eq!(record.checksum, head.source.checksum);
    assert_eq!(world.copied().as_deref(), Some(&world.bytes[..]));
}

#[tokio::test(start_paused = true)]
async fn f26_run_twice_it_succeeds_twice() {
    for completes_again in [true, false] {
        let world = World::with(61, MemoryConfig { completes_again, ..World::config() }, |_| {});
        let states = States::new(&world, "run");
        let (head, upload) = states.filled().await.unwrap();
        let first = states.complete(&head, &upload).await.unwrap();
        let second = states.complete(&head, &upload).await.unwrap();
        assert!(second.reconciled);
        assert_eq!((first.etag, first.checksum), (second.etag, second.checksum));
    }
}

#[tokio::test(start_paused = true)]
async fn f24_f25_f26_whatever_the_answer_was_the_token_settles_it() {
    use Kind as K;
    for completes_again in [true, false] {
        for kind in
            [K::Malformed, K::Unavailable, K::Connection, K::NoSuchUpload, K::PreconditionFailed, K::Conflict]
        {
            let world = World::with(61, MemoryConfig { completes_again, ..World::config() }, |_| {});
            let states = States::new(&world, "run");
            let (head, upload) = states.filled().await.unwrap();
            world.to.lose_answer(Verb::CompleteMultipartUpload, .., kind);
            let record = states.complete(&head, &upload).await.unwrap();
            assert!(record.reconciled, "{kind:?}");
            assert_eq!(
                world.to.count(Verb::CompleteMultipartUpload),
                1,
                "{kind:?}: what is there is not sent again"
            );
        }
    }
}

#[tokio::test(start_paused = true)]
async fn f24_an_internal_error_once_twice_thrice() {
    for (times, expected) in [(1, Ok(())), (2, Ok(())), (3, Err(ErrorName::Unavailable))] {
        let world = World::new(61);
        let states = States::new(&world, "run");
        let (head, upload) = states.filled().await.unwrap();
        world.to.refuse(Verb::CompleteMultipartUpload, 1..=times, Kind::Unavailable);
        assert_eq!(name(states.complete(&head, &upload).await), expected);
        // The workflow's next try goes on.
        assert_eq!(name(states.complete(&head, &upload).await), Ok(()));
    }
}

#[tokio::test(start_paused = true)]
async fn f27_another_writers_object_is_never_touched() {
    for kind in [Kind::NoSuchUpload, Kind::Connection, Kind::PreconditionFailed] {
        let world = World::with(61, MemoryConfig { completes_again: false, ..World::config() }, |_| {});
        let states = States::new(&world, "run");
        let (head, upload) = states.filled().await.unwrap();
        let destination = world.destination.clone();
        world.to.lose_answer(Verb::CompleteMultipartUpload, 1..=1, kind);
        // Our own commit, and over it another's before anybody looks.
        world.to.before(Verb::HeadObject, 2..=2, move || {
            drop(destination.write("photos-cn", "a", "another writer's"))
        });
        let failure = states.complete(&head, &upload).await.unwrap_err();
        assert!(!failure.is_transient() || failure.name == ErrorName::ConnectionLost, "{kind:?}: {failure}");
        assert!(world.is_intruded());
        assert_eq!(
            name(states.complete(&head, &upload).await),
            Err(ErrorName::DestinationExists),
            "{kind:?}"
        );
        states.abort(&head, Some(upload)).await.unwrap();
        assert!(world.is_intruded());
    }
}

#[tokio::test(start_paused = true)]
async fn f29_a_destination_that_came_changed_or_went_meanwhile() {
    type Meanwhile = fn(&World);
    let rows: [(bool, Meanwhile); 3] = [
        (false, World::intrude),
        (true, World::intrude),
        (true, |world| world.destination.delete("photos-cn", "a")),
    ];
    for (existed, meanwhile) in rows {
        for conditional_writes in [true, false] {
            let world = World::with(61, MemoryConfig { conditional_writes, ..World::config() }, |_| {});
            if existed {
                world.destination.write("photos-cn", "a", "before");
            }
            let states = States::new(&world, "run");
            let (head, upload) = states.filled().await.unwrap();
            meanwhile(&world);
            let before = world.copied();
            let failure = states.complete(&head, &upload).await.unwrap_err();
            assert_eq!(failure.name, ErrorName::DestinationExists, "{failure}");
            assert!(failure.message.contains("expected") && failure.message.contains("found"), "{failure}");
            assert_eq!((world.copied(), world.open_uploads()), (before, (1, 0)));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn f29_another_transfer_that_was_faster_is_told_from_another_writer() {
    for conditional_writes in [true, false] {
        for existed in [false, true] {
            let config = MemoryConfig { conditional_writes, ..World::config() };
            let mut world = World::with(61, config, |_| {});
            if existed {
                world.destination.write("photos-cn", "a", "before");
            }
            let (head, upload) = States::new(&world, "run").filled().await.unwrap();
            // The same source, but another object: it carries other metadata.
            world.request.options.metadata = Some([("other".to_owned(), "one".to_owned())].into());
            States::new(&world, "faster").run().await.unwrap();
            let standing = world.copied();
            let states = States::new(&world, "run");
            let failure = states.complete(&head, &upload).await.unwrap_err();
            assert_eq!(failure.name, ErrorName::DestinationChanged, "{failure}");
            assert!(failure.message.contains("another transfer was there"), "{failure}");
            assert_eq!((world.copied(), world.open_uploads()), (standing, (1, 0)));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn executions_with_the_same_input_know_each_others_object() {
    let world = World::new(61);
    let (slow, fast) = (States::new(&world, "slow"), States::new(&world, "fast"));
    let (head, upload) = slow.filled().await.unwrap();
    let half = slow.init(&head, 0, None).await.unwrap().upload;
    fast.run().await.unwrap();
    assert_eq!(world.copied().unwrap(), world.bytes);
    for upload in [&upload, &half] {
        let done = slow.complete(&head, upload).await.unwrap();
        assert!(done.reconciled, "found by reading");
        assert!(slow.abort(&head, Some(upload.clone())).await.unwrap(), "its own upload was still open");
    }
    assert_eq!(world.open_uploads(), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn what_head_found_is_replaced_and_always_means_always() {
    let world = World::new(61);
    world.destination.write("photos-cn", "a", "before");
    world.assert_copied(&States::new(&world, "run").run().await);

    let world = World::with(61, World::config(), |options| options.overwrite = Overwrite::Always);
    let states = States::new(&world, "run");
    let (head, upload) = states.filled().await.unwrap();
    world.intrude();
    states.complete(&head, &upload).await.unwrap();
    assert_eq!(world.copied().as_deref(), Some(&world.bytes[..]));
}

#[tokio::test(start_paused = true)]
async fn f29_a_conflict_asks_for_a_new_upload() {
    let world = World::new(61);
    let states = States::new(&world, "run");
    let (head, upload) = states.filled().await.unwrap();
    world.to.refuse(Verb::CompleteMultipartUpload, 1..=1, Kind::Conflict);
    assert_eq!(name(states.complete(&head, &upload).await), Err(ErrorName::UploadConflict));
    assert!(is_untouched(&world));
}

#[tokio::test(start_paused = true)]
async fn f28_parts_that_are_missing_are_named() {
    let world = World::new(61);
    let states = States::new(&world, "run");
    let head = states.head().await.unwrap();
    let init = states.init(&head, 0, None).await.unwrap();
    let second_batch = states.part_inputs(&head, &init).remove(1);
    transload_part::handle(&world.stores, Deadline::NONE, second_batch).await.unwrap();
    let failure = states.complete(&head, &init.upload).await.unwrap_err();
    assert_eq!(failure.name, ErrorName::PartsMissing);
    assert!(failure.message.ends_with("expected 8 parts, found 3; missing 1-3,7-8"), "{failure}");
    assert_eq!(world.to.count(Verb::CompleteMultipartUpload), 0);
}

#[tokio::test(start_paused = true)]
async fn f28_a_part_that_is_refused_though_it_is_listed_asks_for_a_new_upload() {
    let world = World::new(61);
    let states = States::new(&world, "run");
    let (head, upload) = states.filled().await.unwrap();
    world.to.refuse(Verb::CompleteMultipartUpload, 1..=1, Kind::InvalidPart);
    assert_eq!(name(states.complete(&head, &upload).await), Err(ErrorName::UploadConflict));
    assert!(is_untouched(&world));
}

#[tokio::test(start_paused = true)]
async fn parts_that_are_too_small_are_too_small_in_every_upload() {
    // The destination's own least is larger than the one it was planned with.
    let mut config = World::config();
    (config.limits.min_part, config.limits.default_part) = (16, 16);
    let world = World::with(61, config, |options| options.part_size = Some(16));
    let states = States::new(&world, "run");
    let mut head = states.head().await.unwrap();
    head.layout = Some(transload_plan::layout(61, Some(8), &World::config().limits).unwrap());
    let init = states.init(&head, 0, None).await.unwrap();
    for input in states.part_inputs(&head, &init) {
        transload_part::handle(&world.stores, Deadline::NONE, input).await.unwrap();
    }
    assert_eq!(name(states.complete(&head, &init.upload).await), Err(ErrorName::PlanInvalid));
}

#[tokio::test(start_paused = true)]
async fn f26_a_transfer_that_abort_found_finished_is_proven_by_complete() {
    let world = World::with(61, MemoryConfig { completes_again: false, ..World::config() }, |_| {});
    let states = States::new(&world, "run");
    let (head, upload) = states.filled().await.unwrap();
    states.complete(&head, &upload).await.unwrap();
    assert!(!states.abort(&head, Some(upload.clone())).await.unwrap(), "nothing is left to release");
    let record = states.complete(&head, &upload).await.unwrap();
    assert!(record.reconciled);
    assert_eq!(world.copied().as_deref(), Some(&world.bytes[..]));
}

#[tokio::test(start_paused = true)]
async fn f06_f08_other_bytes_than_the_sources_are_found_before_the_object_appears() {
    let world = World::new(61);
    let states = States::new(&world, "run");
    let head = states.head().await.unwrap();
    // The bytes that are read are not those that the source's checksum was made of.
    world.rot_source(30);
    let init = states.init(&head, 0, None).await.unwrap();
    for input in states.part_inputs(&head, &init) {
        transload_part::handle(&world.stores, Deadline::NONE, input).await.unwrap();
    }
    let failure = states.complete(&head, &init.upload).await.unwrap_err();
    assert_eq!(failure.name, ErrorName::ChecksumMismatch);
    let source = head.source.checksum.unwrap().value;
    assert!(failure.message.contains(&source) && failure.message.contains("found"), "{failure}");
    assert!(is_untouched(&world));
    assert_eq!(world.to.count(Verb::CompleteMultipartUpload), 0);
}

#[tokio::test(start_paused = true)]
async fn a_part_that_rots_at_the_destination_is_found_by_its_store() {
    let world = World::new(61);
    let states = States::new(&world, "run");
    let (head, upload) = states.filled().await.unwrap();
    world.destination.flip_part("photos-cn", &upload.upload_id, 2, 1);
    assert_eq!(name(states.complete(&head, &upload).await), Err(ErrorName::ChecksumMismatch));
    assert!(is_untouched(&world));
    assert_eq!(world.to.count(Verb::CompleteMultipartUpload), 1, "it would be the same again");
}

#[tokio::test(start_paused = true)]
async fn f38_the_proof_is_as_good_as_both_sides_allow() {
    use ChecksumAlgorithm as A;
    let rows = [
        (vec![A::Crc64Nvme], false, Proof::SourceChecksum),
        (vec![A::Crc64Nvme], true, Proof::TransitChecksum),
        (vec![A::Crc32c], false, Proof::TransitChecksum),
        (vec![], false, Proof::PartEtags),
    ];
    for (checksums, forget, expected) in rows {
        for completes_again in [true, false] {
            let config = MemoryConfig { checksums: checksums.clone(), completes_again, ..World::config() };
            let world = World::with(61, config, |_| {});
            if forget {
                world.forget_checksum();
            }
            let states = States::new(&world, "run");
            let (head, upload) = states.filled().await.unwrap();
            assert_eq!(states.complete(&head, &upload).await.unwrap().proof, expected);
            let again = states.complete(&head, &upload).await.unwrap();
            assert_eq!((again.proof, again.reconciled), (expected, true));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn f33_an_upload_that_is_gone_with_nothing_to_show_is_told() {
    let world = World::new(61);
    let states = States::new(&world, "run");
    let (head, upload) = states.filled().await.unwrap();
    states.abort(&head, Some(upload.clone())).await.unwrap();
    assert_eq!(name(states.complete(&head, &upload).await), Err(ErrorName::UploadGone));
    // The workflow makes another one and ends well.
    world.assert_copied(&states.run().await);
}

#[tokio::test(start_paused = true)]
async fn an_object_that_shows_late_is_waited_for() {
    let world = World::new(61);
    let states = States::new(&world, "run");
    let (head, upload) = states.filled().await.unwrap();
    let heads = world.to.count(Verb::HeadObject);
    world.to.refuse(Verb::HeadObject, heads + 1..=heads + 2, Kind::NotFound);
    let record = states.complete(&head, &upload).await.unwrap();
    assert!(!record.reconciled);
    // One that never shows is not told as success.
    let world = World::new(61);
    let states = States::new(&world, "run");
    let (head, upload) = states.filled().await.unwrap();
    world.to.refuse(Verb::HeadObject, 2.., Kind::NotFound);
    assert_eq!(name(states.complete(&head, &upload).await), Err(ErrorName::Unavailable));
}

#[tokio::test(start_paused = true)]
async fn a_layout_of_another_size_is_refused() {
    let world = World::new(61);
    let states = States::new(&world, "run");
    let (head, upload) = states.filled().await.unwrap();
    let mut input = states.complete_input(&head, &upload);
    input.source.size = 60;
    let result = transload_complete::handle(&world.stores, Deadline::NONE, input).await;
    assert_eq!(name(result), Err(ErrorName::UploadInvalid));
}

#[tokio::test(start_paused = true)]
async fn f26_a_destination_that_can_not_be_read_is_not_taken_for_another_writers() {
    for kind in [Kind::Unavailable, Kind::AccessDenied] {
        let world = World::with(61, MemoryConfig { completes_again: false, ..World::config() }, |_| {});
        let states = States::new(&world, "run");
        let (head, upload) = states.filled().await.unwrap();
        states.complete(&head, &upload).await.unwrap();
        // The answer never came; now the upload is gone, and the destination can not be looked at.
        world.to.refuse(Verb::HeadObject, .., kind);
        let name = states.complete(&head, &upload).await.unwrap_err().name;
        assert!([ErrorName::Unavailable, ErrorName::DestinationAccessDenied].contains(&name), "{name}");
        world.to.heal();
        assert!(states.complete(&head, &upload).await.unwrap().reconciled);
    }
}
