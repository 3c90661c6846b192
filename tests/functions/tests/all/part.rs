//! Part: streams a batch.

use std::time::Duration;

use transload_function_tests::{States, World, json};
use transload_store::faulty::BodyFault;
use transload_store::memory::MemoryConfig;
use transload_store::{Deadline, StoreErrorKind as Kind, Verb};
use transload_wire::{ErrorName, HeadOutput, PartInput, PartOutput};

use crate::name;

/// A world after Init, and the input of one child that sends all parts.
async fn child(world: &World) -> (HeadOutput, PartInput) {
    let states = States::new(world, "run");
    let head = states.head().await.unwrap();
    let init = states.init(&head, 0, None).await.unwrap();
    let mut input = states.part_inputs(&head, &init).remove(0);
    input.parts = format!("1-{}", head.layout.as_ref().unwrap().count()).parse().unwrap();
    (head, input)
}

async fn send(world: &World, input: &PartInput) -> Result<PartOutput, transload_wire::Failure> {
    transload_part::handle(&world.stores, Deadline::NONE, input.clone()).await
}

#[tokio::test]
async fn every_part_has_a_record() {
    let world = World::new(61);
    let (_, input) = child(&world).await;
    let output = send(&world, &input).await.unwrap();
    let sizes: Vec<_> = output.parts.iter().map(|part| (part.part_number, part.size)).collect();
    assert_eq!(sizes, [(1, 8), (2, 8), (3, 8), (4, 8), (5, 8), (6, 8), (7, 8), (8, 5)]);
    assert!(output.parts.iter().all(|part| (part.attempts, part.reads) == (1, 1) && part.checksum.is_some()));
    assert_eq!((output.requests["GetObject"], output.requests["UploadPart"]), (8, 8));
    assert_eq!(output.requests.len(), 2, "nothing else is asked on a first try");
}

#[tokio::test]
async fn a_second_try_sends_only_what_is_not_there() {
    let world = World::new(61);
    let (_, mut input) = child(&world).await;
    let all = input.parts.clone();
    input.parts = "2-3,8".parse().unwrap();
    send(&world, &input).await.unwrap();
    (input.parts, input.retry_count) = (all, 1);
    let output = send(&world, &input).await.unwrap();
    let attempts: Vec<_> = output.parts.iter().map(|part| part.attempts).collect();
    assert_eq!(attempts, [1, 0, 0, 1, 1, 1, 1, 0]);
    assert_eq!(output.requests["UploadPart"], 5);
}

#[tokio::test]
async fn f19_the_same_parts_twice_at_once_are_the_same_parts() {
    let world = World::new(61);
    let (head, input) = child(&world).await;
    let (one, two) = tokio::join!(send(&world, &input), send(&world, &input));
    assert_eq!(one.unwrap().parts.len(), two.unwrap().parts.len());
    let states = States::new(&world, "run");
    states.complete(&head, &input.upload).await.unwrap();
    assert_eq!(world.copied().as_deref(), Some(&world.bytes[..]));
}

#[tokio::test(start_paused = true)]
async fn f01_f16_f17_a_part_is_sent_again_when_its_put_or_its_answer_is_lost() {
    for kind in [Kind::Connection, Kind::Malformed, Kind::Throttled, Kind::Unavailable, Kind::Corrupted] {
        let world = World::new(61);
        let (_, input) = child(&world).await;
        world.to.lose_answer(Verb::UploadPart, 3..=4, kind);
        let output = send(&world, &input).await.unwrap();
        assert_eq!(output.parts.iter().map(|part| part.attempts).sum::<u32>(), 10, "{kind:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn f03_a_stalled_read_goes_on_from_where_it_stalled() {
    let world = World::new(61);
    let (_, input) = child(&world).await;
    world.from.spoil(Verb::GetObject, 1..=1, BodyFault::Stall(4));
    let output = send(&world, &input).await.unwrap();
    assert_eq!((output.parts[0].attempts, output.parts[0].reads), (1, 2));
    assert!(output.parts[0].duration_ms >= 6_000, "{}", output.parts[0].duration_ms);
}

#[tokio::test(start_paused = true)]
async fn f03_a_source_that_stalls_forever_ends_with_the_workers_time() {
    let world = World::new(61);
    let (_, input) = child(&world).await;
    world.from.spoil(Verb::GetObject, .., BodyFault::Stall(0));
    let begin = tokio::time::Instant::now();
    let deadline = Deadline::after(Duration::from_secs(60));
    let result = transload_part::handle(&world.stores, deadline, input).await;
    assert!(result.unwrap_err().is_transient());
    assert!(begin.elapsed() <= Duration::from_secs(50), "{:?}", begin.elapsed());
}

#[tokio::test(start_paused = true)]
async fn f23_it_stops_ten_seconds_early_and_what_was_sent_stays() {
    let world = World::new(61);
    let (_, mut input) = child(&world).await;
    input.parts_in_flight = 1;
    // Three parts pass; the fourth does not end within the time.
    world.from.spoil(Verb::GetObject, 4.., BodyFault::Stall(1));
    let begin = tokio::time::Instant::now();
    let deadline = Deadline::after(Duration::from_secs(14));
    let failure = transload_part::handle(&world.stores, deadline, input.clone()).await.unwrap_err();
    assert_eq!(failure.name, ErrorName::OutOfTime, "{failure}");
    assert!(begin.elapsed() <= Duration::from_secs(4), "{:?}", begin.elapsed());
    world.from.heal();
    input.retry_count = 1;
    let output = send(&world, &input).await.unwrap();
    assert_eq!(output.parts.iter().filter(|part| part.attempts == 0).count(), 3);
}

#[tokio::test(start_paused = true)]
async fn with_no_time_left_nothing_is_begun() {
    let world = World::new(61);
    let (_, input) = child(&world).await;
    let calls = world.from.calls().len();
    let result = transload_part::handle(&world.stores, Deadline::after(Deadline::MARGIN), input).await;
    assert_eq!(name(result), Err(ErrorName::OutOfTime));
    assert_eq!(world.from.calls().len(), calls);
}

#[tokio::test(start_paused = true)]
async fn f04_f05_answers_to_other_questions_are_permanent() {
    let rows =
        [(Kind::RangeIgnored, ErrorName::RangeIgnored, 2), (Kind::WrongRange, ErrorName::SourceBroken, 4)];
    for (kind, expected, most) in rows {
        let world = World::new(61);
        let (_, input) = child(&world).await;
        world.from.refuse(Verb::GetObject, .., kind);
        assert_eq!(name(send(&world, &input).await), Err(expected));
        assert!(world.from.count(Verb::GetObject) <= most, "{}", world.from.count(Verb::GetObject));
    }
    let world = World::new(61);
    let (_, input) = child(&world).await;
    world.from.refuse(Verb::GetObject, 1..=1, Kind::WrongRange);
    assert_eq!(send(&world, &input).await.unwrap().parts[0].reads, 2, "once may be bad luck");
}

#[tokio::test(start_paused = true)]
async fn f09_f10_a_source_that_changes_midway_is_permanent() {
    for (delete, expected) in [(false, ErrorName::SourceChanged), (true, ErrorName::SourceNotFound)] {
        let world = World::new(61);
        let (_, input) = child(&world).await;
        let source = world.source.clone();
        world.from.before(Verb::GetObject, 5..=5, move || {
            if delete {
                source.delete("photos", "a/b c+d")
            } else {
                drop(source.write("photos", "a/b c+d", vec![1; 61]))
            }
        });
        assert_eq!(name(send(&world, &input).await), Err(expected));
    }
}

#[tokio::test(start_paused = true)]
async fn f07_a_bit_flipped_on_the_way_to_the_destination_is_sent_again() {
    let world = World::new(61);
    let (head, input) = child(&world).await;
    world.to.spoil(Verb::UploadPart, 2..=2, BodyFault::Flip(3));
    let output = send(&world, &input).await.unwrap();
    assert_eq!(output.parts.iter().map(|part| part.attempts).sum::<u32>(), 9);
    States::new(&world, "run").complete(&head, &input.upload).await.unwrap();
    assert_eq!(world.copied().as_deref(), Some(&world.bytes[..]));
}

#[tokio::test(start_paused = true)]
async fn f38_without_checksums_the_md5_of_a_part_is_compared() {
    let world = World::with(61, MemoryConfig { checksums: vec![], ..World::config() }, |_| {});
    let (_, input) = child(&world).await;
    assert_eq!(input.upload.checksum_algorithm, None);
    world.to.spoil(Verb::UploadPart, 2..=2, BodyFault::Flip(0));
    let output = send(&world, &input).await.unwrap();
    assert_eq!(output.parts.iter().map(|part| part.attempts).sum::<u32>(), 9);
}

#[tokio::test(start_paused = true)]
async fn f07_a_part_known_to_be_wrong_is_not_taken_for_the_right_one() {
    // 57 bytes: the last part has one byte.
    for part in ["2", "8"] {
        // The MD5 is compared after the store took the part.
        let world = World::with(57, MemoryConfig { checksums: vec![], ..World::config() }, |_| {});
        world.forget_checksum();
        let (head, mut input) = child(&world).await;
        let all = std::mem::replace(&mut input.parts, part.parse().unwrap());
        world.to.spoil(Verb::UploadPart, 1..=4, BodyFault::Flip(0));
        assert_eq!(name(send(&world, &input).await), Err(ErrorName::PartCorrupted));
        let states = States::new(&world, "run");
        let round = states.init(&head, 1, Some(input.upload.clone())).await;
        assert_eq!(round.unwrap().parts_missing, 8, "the part is not counted as present");
        input.parts = all;
        input.retry_count = 1;
        let sent = send(&world, &input).await.unwrap();
        assert!(sent.parts.iter().all(|part| part.attempts == 1), "{sent:?}");
        states.complete(&head, &input.upload).await.unwrap();
        assert_eq!(world.copied().as_deref(), Some(&world.bytes[..]));
    }
}

#[tokio::test(start_paused = true)]
async fn f33_an_upload_that_is_gone_is_told_at_once() {
    let world = World::new(61);
    let (head, input) = child(&world).await;
    States::new(&world, "run").abort(&head, Some(input.upload.clone())).await.unwrap();
    assert_eq!(name(send(&world, &input).await), Err(ErrorName::UploadGone));
    assert!(world.to.count(Verb::UploadPart) <= 2, "nothing is tried again");
}

#[tokio::test(start_paused = true)]
async fn tries_are_bounded() {
    let world = World::new(61);
    let (_, mut input) = child(&world).await;
    input.parts = "3".parse().unwrap();
    world.to.refuse(Verb::UploadPart, .., Kind::Throttled);
    let failure = send(&world, &input).await.unwrap_err();
    assert_eq!((failure.name, world.to.count(Verb::UploadPart)), (ErrorName::Throttled, 4));
    assert!(failure.message.starts_with("part 3 of china:s3://photos-cn/a: "), "{failure}");
}

#[tokio::test]
async fn f35_the_largest_output_stays_far_below_the_limit_of_a_state() {
    let mut config = World::config();
    (config.limits.max_parts, config.limits.max_object) = (10_000, 80_000);
    let world = World::with(80_000, config, |_| {});
    let (_, mut input) = child(&world).await;
    input.parts = "1-257".parse().unwrap();
    assert_eq!(name(send(&world, &input).await), Err(ErrorName::InputInvalid));
    input.parts = "9744-9999".parse().unwrap();
    let output = send(&world, &input).await.unwrap();
    let bytes = json(&output).len();
    assert!((20_000..100_000).contains(&bytes), "{bytes}");
}
