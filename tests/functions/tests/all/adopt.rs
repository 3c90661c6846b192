//! Uploads that an execution parked, and another one with the same input.

use transload_function_tests::{States, World};
use transload_plan::PartNumber;
use transload_store::faulty::Faulty;
use transload_store::memory::{MemoryConfig, MemoryStores};
use transload_store::{Deadline, PutBody, Store, StoreErrorKind as Kind, Target, UploadRef, Verb, parked};
use transload_wire::{ChecksumAlgorithm, ErrorName, HeadOutput, InitOutput, Overwrite, Upload};

use crate::name;

/// Parts that an execution sends before it is parked.
const SENT: u64 = 3;

/// An execution that sent its first batch and used up its rounds.
async fn parked(world: &World) -> (HeadOutput, Upload) {
    let states = States::new(world, "parked");
    let head = states.head().await.unwrap();
    let init = states.init(&head, 0, None).await.unwrap();
    let first = states.part_inputs(&head, &init).remove(0);
    let sent = transload_part::handle(&world.stores, Deadline::NONE, first).await.unwrap();
    assert_eq!(sent.parts.len() as u64, SENT);
    let last = states.init(&head, head.options.rounds, Some(init.upload.clone())).await;
    assert_eq!(name(last), Err(ErrorName::RoundsExhausted));
    (head, init.upload)
}

/// What Init answers to a new execution with the same input.
async fn next(world: &World) -> InitOutput {
    let states = States::new(world, "next");
    let head = states.head().await.unwrap();
    states.init(&head, 0, None).await.unwrap()
}

/// The parked execution after its redrive: what Init answers to it.
async fn redriven<'a>(world: &'a World, head: &HeadOutput, upload: &Upload) -> (States<'a>, InitOutput) {
    let states = States::new(world, "parked");
    let mut input = states.init_input(head, head.options.rounds, Some(upload.clone()));
    input.execution.redrive_count = 1;
    let init = transload_init::handle(&world.stores, Deadline::NONE, input).await.unwrap();
    (states, init)
}

fn ids(world: &World) -> Vec<String> {
    world.destination.open_uploads("photos-cn").into_iter().map(|(_, id, _)| id.to_string()).collect()
}

#[tokio::test(start_paused = true)]
async fn only_what_is_missing_is_sent_by_a_new_execution() {
    let world = World::new(61);
    let (_, upload) = parked(&world).await;
    let init = next(&world).await;
    assert_eq!((init.upload, init.parts_present, init.parts_missing), (upload, 3, 5));
    assert_eq!(ids(&world).len(), 1, "the upload that asked who we are is released");

    let before = world.to.count(Verb::UploadPart);
    world.assert_copied(&States::new(&world, "another").run().await);
    assert_eq!(world.to.count(Verb::UploadPart) - before, 8 - SENT);
}

#[tokio::test(start_paused = true)]
async fn the_parked_execution_itself_goes_on_when_it_is_redriven() {
    let world = World::new(61);
    let (head, upload) = parked(&world).await;
    let (states, init) = redriven(&world, &head, &upload).await;
    assert_eq!(
        (&init.upload, init.parts_present),
        (&upload, 3),
        "the part with the token is none of the layout's"
    );
    for part in states.part_inputs(&head, &init) {
        transload_part::handle(&world.stores, Deadline::NONE, part).await.unwrap();
    }
    let done = states.complete(&head, &upload).await.unwrap();
    assert_eq!((done.parts, done.size), (8, 61));
    assert_eq!(world.copied().unwrap(), world.bytes);
}

#[tokio::test(start_paused = true)]
async fn another_input_finds_nothing() {
    let mut world = World::new(61);
    let (_, upload) = parked(&world).await;
    world.request.options.metadata = Some([("colour".to_owned(), "blue".to_owned())].into());
    let init = next(&world).await;
    assert_ne!(init.upload, upload);
    assert!(ids(&world).contains(&upload.upload_id.to_string()), "nobody else's is released");
}

#[tokio::test(start_paused = true)]
async fn an_execution_with_a_token_of_its_own_does_not_even_look() {
    let world = World::with(61, World::config(), |options| options.overwrite = Overwrite::Always);
    let (_, upload) = parked(&world).await;
    assert_ne!(next(&world).await.upload, upload);
    assert_eq!(world.to.count(Verb::ListMultipartUploads), 0);
}

#[tokio::test(start_paused = true)]
async fn an_upload_that_somebody_went_on_with_is_left_alone() {
    let world = World::new(61);
    let (head, upload) = parked(&world).await;
    let (states, init) = redriven(&world, &head, &upload).await;
    let first = states.part_inputs(&head, &init).remove(0);
    transload_part::handle(&world.stores, Deadline::NONE, first).await.unwrap();
    assert_ne!(next(&world).await.upload, upload);
    assert!(ids(&world).contains(&upload.upload_id.to_string()));
}

#[tokio::test(start_paused = true)]
async fn somebody_elses_upload_is_not_taken_up() {
    let world = World::new(61);
    let (_, upload) = parked(&world).await;
    let other = Faulty::new(world.destination.seen_by("another role"));
    let stores = MemoryStores::default().with("global", world.from.clone()).with("china", other);
    let states = States::new(&world, "next");
    let head = states.head().await.unwrap();
    let init =
        transload_init::handle(&stores, Deadline::NONE, states.init_input(&head, 0, None)).await.unwrap();
    assert_ne!(init.upload, upload);
    assert_eq!(init.parts_present, 0);
}

/// An upload as nobody parks one: made before `meanwhile`, with one part of these bytes and the right token.
async fn odd(
    world: &World,
    algorithm: ChecksumAlgorithm,
    part: &'static [u8],
    meanwhile: impl FnOnce(),
) -> Upload {
    let head = States::new(world, "x").head().await.unwrap();
    let target = Target {
        bucket: "photos-cn".parse().unwrap(),
        key: "a".parse().unwrap(),
        attributes: head.attributes,
        encryption: None,
        checksum_algorithm: Some(algorithm),
    };
    let created = world.destination.create_upload(&target).await.unwrap();
    let upload = Upload { upload_id: created.id, checksum_algorithm: created.checksum_algorithm };
    meanwhile();
    let head = States::new(world, "x").head().await.unwrap();
    let place = UploadRef::of(&head.destination, &upload);
    let stream = Box::pin(futures::stream::once(async move { Ok(bytes::Bytes::from_static(part)) }));
    let body = PutBody { len: part.len() as u64, stream, md5: None, seen: None };
    world.destination.upload_part(&place, PartNumber::new(1).unwrap(), body).await.unwrap();
    let layout = head.layout.unwrap();
    assert!(parked::leave(&world.destination, &place, &layout, &head.token).await.unwrap());
    upload
}

#[tokio::test(start_paused = true)]
async fn what_can_not_be_gone_on_with_is_released() {
    use ChecksumAlgorithm::{Crc32c, Crc64Nvme};
    // Older than the source's version.
    let world = World::new(61);
    let rewrite = || drop(world.source.write("photos", "a/b c+d", world.bytes.clone()));
    odd(&world, Crc64Nvme, b"12345678", rewrite).await;
    assert_eq!((next(&world).await.parts_present, ids(&world).len()), (0, 1), "older");

    for (why, algorithm, part) in [
        ("a part of another layout", Crc64Nvme, &b"1234567"[..]),
        ("checksums of another algorithm", Crc32c, &b"12345678"[..]),
    ] {
        let world = World::new(61);
        odd(&world, algorithm, part, || {}).await;
        assert_eq!((next(&world).await.parts_present, ids(&world).len()), (0, 1), "{why}");
    }

    // Nothing to prove the result with.
    let world = World::new(61);
    world.forget_checksum();
    parked(&world).await;
    assert_eq!((next(&world).await.parts_present, ids(&world).len()), (0, 1), "no checksum at the source");
}

#[tokio::test(start_paused = true)]
async fn the_very_same_made_well_is_taken_up() {
    let world = World::new(61);
    let upload = odd(&world, ChecksumAlgorithm::Crc64Nvme, b"12345678", || {}).await;
    let init = next(&world).await;
    assert_eq!((init.upload, init.parts_present), (upload, 1));
    // Its first part is not the source's: the whole-object checksum tells.
    let ended = States::new(&world, "another").run().await;
    assert_eq!(name(ended), Err(ErrorName::ChecksumMismatch));
    assert_eq!((world.copied(), world.open_uploads()), (None, (0, 0)));
}

#[tokio::test(start_paused = true)]
async fn looking_is_never_a_reason_to_fail() {
    for verb in [Verb::ListMultipartUploads, Verb::ListParts] {
        for kind in [Kind::AccessDenied, Kind::Unsupported, Kind::Throttled] {
            let world = World::new(61);
            parked(&world).await;
            world.to.refuse(verb, .., kind);
            assert_eq!(next(&world).await.parts_present, 0, "{verb} {kind:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_token_that_can_not_be_left_does_not_hide_why_it_is_parked() {
    let world = World::new(61);
    world.to.refuse(Verb::UploadPart, 4.., Kind::AccessDenied);
    parked(&world).await;
}

#[tokio::test(start_paused = true)]
async fn where_parts_have_to_be_equal_no_token_is_left() {
    let mut config: MemoryConfig = World::config();
    config.limits.equal_parts = true;
    let world = World::with(61, config, |_| {});
    parked(&world).await;
    let parts: Vec<_> = world.destination.open_uploads("photos-cn").remove(0).2;
    assert_eq!(parts.len() as u64, SENT);
    assert_eq!(next(&world).await.parts_present, 0);
}
