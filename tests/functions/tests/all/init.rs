//! Init: makes the upload or finds what is missing.

use transload_function_tests::{States, World};
use transload_store::memory::MemoryConfig;
use transload_store::{Deadline, PutBody, Store, StoreErrorKind as Kind, UploadRef, Verb};
use transload_wire::{ChecksumAlgorithm, ErrorName};

use crate::name;

#[tokio::test]
async fn the_first_round_gives_out_everything() {
    let world = World::new(61);
    let states = States::new(&world, "run");
    let head = states.head().await.unwrap();
    let init = states.init(&head, 0, None).await.unwrap();
    assert_eq!((init.parts_missing, init.parts_present, init.bytes_missing), (8, 0, 61));
    let batches: Vec<_> = init.batches.iter().map(ToString::to_string).collect();
    assert_eq!(batches, ["1-3", "4-6", "7-8"], "three children are kept busy");
    assert_eq!((init.max_concurrency, init.backoff_seconds), (3, 5));
    assert_eq!(init.upload.checksum_algorithm, Some(ChecksumAlgorithm::Crc64Nvme));
}

#[tokio::test(start_paused = true)]
async fn f32_a_later_round_gives_out_only_what_is_missing() {
    let world = World::new(61);
    let states = States::new(&world, "run");
    let head = states.head().await.unwrap();
    let first = states.init(&head, 0, None).await.unwrap();
    let second_batch = states.part_inputs(&head, &first).remove(1);
    transload_part::handle(&world.stores, Deadline::NONE, second_batch).await.unwrap();
    let later = states.init(&head, 1, Some(first.upload.clone())).await.unwrap();
    assert_eq!((later.parts_missing, later.parts_present, later.bytes_missing), (5, 3, 37));
    let batches: Vec<_> = later.batches.iter().map(ToString::to_string).collect();
    assert_eq!((batches.join(" ").as_str(), later.upload), ("1-2 3,7 8", first.upload));
    assert_eq!(later.backoff_seconds, 10);
}

#[tokio::test(start_paused = true)]
async fn f33_an_upload_that_is_gone_is_made_again() {
    let world = World::new(61);
    let states = States::new(&world, "run");
    let (head, upload) = states.filled().await.unwrap();
    states.abort(&head, Some(upload.clone())).await.unwrap();
    let init = states.init(&head, 1, Some(upload.clone())).await.unwrap();
    assert_ne!(init.upload.upload_id, upload.upload_id);
    assert_eq!((init.parts_missing, init.parts_present), (8, 0));
}

#[tokio::test(start_paused = true)]
async fn two_layouts_are_never_mixed() {
    let world = World::new(61);
    let states = States::new(&world, "run");
    let (head, upload) = states.filled().await.unwrap();
    let mut input = states.init_input(&head, 1, Some(upload));
    input.layout = transload_plan::layout(61, Some(9), &World::config().limits).unwrap();
    let failure = transload_init::handle(&world.stores, Deadline::NONE, input).await.unwrap_err();
    assert_eq!(failure.name, ErrorName::UploadInvalid);
    assert!(failure.message.contains("expected") || failure.message.contains("part 1"), "{failure}");
}

#[tokio::test]
async fn rounds_end_and_a_redrive_brings_as_many_again() {
    let world = World::with(61, World::config(), |options| options.rounds = 2);
    let states = States::new(&world, "run");
    let head = states.head().await.unwrap();
    let run = async |round, redrives| {
        let mut input = states.init_input(&head, round, None);
        input.execution.redrive_count = redrives;
        name(transload_init::handle(&world.stores, Deadline::NONE, input).await)
    };
    assert_eq!(run(1, 0).await, Ok(()));
    assert_eq!(run(2, 0).await, Err(ErrorName::RoundsExhausted));
    assert_eq!(run(2, 1).await, Ok(()));
    assert_eq!(run(4, 1).await, Err(ErrorName::RoundsExhausted));
    let created = world.to.count(Verb::CreateMultipartUpload);
    assert_eq!(created, 2, "nothing is made once the rounds are used up");
}

#[tokio::test]
async fn f38_the_sources_own_algorithm_is_taken_where_the_destination_has_it() {
    use ChecksumAlgorithm as A;
    let rows = [
        (vec![A::Crc32c, A::Crc64Nvme], Some(A::Crc64Nvme)),
        (vec![A::Crc32c, A::Crc32], Some(A::Crc32c)),
        (vec![], None),
    ];
    for (checksums, expected) in rows {
        let world = World::with(61, MemoryConfig { checksums, ..World::config() }, |_| {});
        let states = States::new(&world, "run");
        let head = states.head().await.unwrap();
        assert_eq!(states.init(&head, 0, None).await.unwrap().upload.checksum_algorithm, expected);
    }
}

#[tokio::test]
async fn a_failed_listing_is_not_taken_for_an_empty_upload() {
    let world = World::new(61);
    let states = States::new(&world, "run");
    let (head, upload) = states.filled().await.unwrap();
    for page in 1..=3 {
        let call = world.to.count(Verb::ListParts) + page;
        world.to.refuse(Verb::ListParts, call..=call, Kind::Unavailable);
        assert_eq!(
            name(states.init(&head, 1, Some(upload.clone())).await),
            Err(ErrorName::Unavailable),
            "page {page}"
        );
        world.to.heal();
    }
    assert_eq!(states.init(&head, 1, Some(upload)).await.unwrap().parts_missing, 0);
}

#[tokio::test]
async fn f35_the_output_of_10_000_parts_fits_a_state() {
    let mut config = World::config();
    config.limits.max_parts = 10_000;
    config.limits.max_object = 80_000;
    let world = World::with(80_000, config, |options| options.max_concurrency = 10_000);
    let states = States::new(&world, "run");
    let head = states.head().await.unwrap();
    let init = states.init(&head, 0, None).await.unwrap();
    assert_eq!(init.batches.len(), 10_000);
    let json = transload_function_tests::json(&init);
    assert!(json.len() < 262_144 / 2, "{}", json.len());
}

#[tokio::test(start_paused = true)]
async fn a_part_that_was_disowned_is_given_out_again() {
    let world = World::new(61);
    let states = States::new(&world, "run");
    let (head, upload) = states.filled().await.unwrap();
    let place = UploadRef::of(&head.destination, &upload);
    let stream = Box::pin(futures::stream::once(async { Ok(bytes::Bytes::from_static(b"-")) }));
    let body = PutBody { len: 1, stream, md5: None, seen: None };
    let third = transload_plan::PartNumber::new(3).unwrap();
    world.destination.upload_part(&place, third, body).await.unwrap();
    let init = states.init(&head, 1, Some(upload)).await.unwrap();
    assert_eq!((init.parts_missing, init.batches[0].to_string().as_str()), (1, "3"));
}
