//! Head: pins, compares, decides.

use transload_function_tests::{States, World};
use transload_plan::Run;
use transload_store::{Store, StoreErrorKind as Kind, Stores, Verb};
use transload_wire::{
    Decision, Encryption, ErrorName, HeadInput, ORDER_METADATA, Overwrite, Pinned, SOURCE_METADATA,
    TOKEN_METADATA, VersionId,
};

use crate::name;

#[tokio::test]
async fn it_tells_what_is_to_be_done_and_writes_nothing() {
    for (size, decision, parts) in [(0, Decision::Copy, 0), (16, Decision::Copy, 0), (17, Decision::Parts, 3)]
    {
        let world = World::new(size);
        let head = States::new(&world, "run").head().await.unwrap();
        assert_eq!((head.decision, head.layout.map_or(0, |layout| layout.count())), (decision, parts));
        assert_eq!((head.source.size, head.replaces), (size as u64, None));
        assert_eq!(head.attributes.tags["team"], "maps");
        assert!(world.to.calls().iter().all(|call| !call.verb.writes()));
        assert_eq!(head.requests.get("HeadObject"), Some(&2));
    }
}

#[tokio::test]
async fn run_twice_it_answers_the_same() {
    let world = World::new(40);
    let states = States::new(&world, "run");
    assert_eq!(states.head().await.unwrap(), states.head().await.unwrap());
}

#[tokio::test]
async fn a_bucket_with_versions_pins_the_version() {
    let world = World::new(40);
    let source = world.source.clone().with_versions("photos");
    let (_, version) = source.write("photos", "a/b c+d", "newer");
    let head = States::new(&world, "run").head().await.unwrap();
    assert_eq!(head.source.object.version_id(), version.as_ref());
    // A newer version comes; what was pinned is still there.
    world.overwrite_source();
    let states = States::new(&world, "run");
    let recheck = HeadInput { pinned: Some(head.source.clone()), ..states.head_input() };
    let again =
        transload_head::handle(&world.stores, transload_store::Deadline::NONE, recheck).await.unwrap();
    assert_eq!(again.source, head.source);
}

#[tokio::test]
async fn f09_a_source_that_was_overwritten_or_deleted_is_told() {
    for (delete, expected) in [(false, ErrorName::SourceChanged), (true, ErrorName::SourceNotFound)] {
        let world = World::new(40);
        let states = States::new(&world, "run");
        let head = states.head().await.unwrap();
        if delete {
            world.delete_source()
        } else {
            world.overwrite_source()
        }
        let recheck = HeadInput { pinned: Some(head.source), ..states.head_input() };
        let result = transload_head::handle(&world.stores, transload_store::Deadline::NONE, recheck).await;
        assert_eq!(name(result), Err(expected));
    }
}

#[tokio::test]
async fn options_replace_what_the_source_carries() {
    let world = World::with(4, World::config(), |options| {
        options.metadata = Some([("Shape".to_owned(), "round".to_owned())].into());
        options.tags = Some([("a".to_owned(), "b".to_owned())].into());
        options.storage_class = Some("STANDARD_IA".to_owned());
    });
    let head = States::new(&world, "run").head().await.unwrap();
    assert_eq!(head.attributes.metadata, [("shape".to_owned(), "round".to_owned())].into());
    assert_eq!(head.attributes.tags, [("a".to_owned(), "b".to_owned())].into());
    assert_eq!(head.attributes.storage_class.as_deref(), Some("STANDARD_IA"));
    assert_eq!(head.attributes.content_type.as_deref(), Some("text/x"));
    assert_eq!(world.from.count(Verb::GetObjectTagging), 0);
}

#[tokio::test]
async fn entries_of_an_earlier_transfer_are_not_carried_on() {
    let world = World::new(4);
    let mut attributes = transload_wire::Attributes::default();
    for entry in [ORDER_METADATA, SOURCE_METADATA, TOKEN_METADATA] {
        attributes.metadata.insert(entry.to_owned(), "x".repeat(20));
    }
    world.source.write_with("photos", "a/b c+d", "data", attributes);
    let head = States::new(&world, "run").head().await.unwrap();
    assert!(head.attributes.metadata.is_empty());
}

#[tokio::test]
async fn what_stands_at_the_destination_decides_with_the_option() {
    let rows = [
        (Overwrite::IfDifferent, false, Ok(Decision::Copy)),
        (Overwrite::IfDifferent, true, Ok(Decision::Skip)),
        (Overwrite::Always, true, Ok(Decision::Copy)),
        (Overwrite::Never, false, Err(ErrorName::DestinationExists)),
        (Overwrite::Never, true, Err(ErrorName::DestinationExists)),
    ];
    for (overwrite, ours, expected) in rows {
        let mut world = World::new(10);
        if ours {
            States::new(&world, "earlier").run().await.unwrap();
        } else {
            world.intrude();
        }
        world.request.options.overwrite = overwrite;
        let head = States::new(&world, "run").head().await;
        let found = head.as_ref().map(|head| head.decision).map_err(|failure| failure.name);
        assert_eq!(found, expected, "{overwrite:?}, ours {ours}");
        if let Ok(head) = head {
            assert!(head.replaces.is_some(), "what is replaced is named");
        }
    }
}

#[tokio::test]
async fn what_this_execution_has_written_itself_is_never_in_its_way() {
    for overwrite in [Overwrite::Always, Overwrite::Never, Overwrite::IfDifferent] {
        let world = World::with(10, World::config(), |options| options.overwrite = overwrite);
        States::new(&world, "run").run().await.unwrap();
        let head = States::new(&world, "run").head().await.unwrap();
        assert_eq!(head.decision, Decision::Skip, "{overwrite:?}");
    }
}

#[tokio::test]
async fn a_rotten_or_foreign_copy_is_not_skipped() {
    let world = World::new(10);
    States::new(&world, "first").run().await.unwrap();
    // The same metadata, but other bytes of the same length.
    let facts = world.destination.facts("photos-cn", "a").unwrap();
    world.destination.write_with("photos-cn", "a", "0123456789", facts.attributes);
    let head = States::new(&world, "second").head().await.unwrap();
    assert_eq!(head.decision, Decision::Copy);
}

#[tokio::test(start_paused = true)]
async fn an_etag_is_kept_by_cutting_where_the_source_was_cut() {
    let world = World::with(40, World::config(), |options| options.preserve_etag = true);
    world.source.set_parts("photos", "a/b c+d", &[16, 16, 8]);
    let head = States::new(&world, "run").head().await.unwrap();
    assert_eq!(head.layout.unwrap().runs(), [Run { length: 16, count: 2 }, Run { length: 8, count: 1 }]);
    world.source.set_parts("photos", "a/b c+d", &[3, 37]);
    assert_eq!(name(States::new(&world, "run").head().await), Err(ErrorName::PlanInvalid));
}

#[tokio::test(start_paused = true)]
async fn an_object_that_was_sent_whole_keeps_its_etag_by_being_sent_whole() {
    let world = World::with(40, World::config(), |options| options.preserve_etag = true);
    let outcome = States::new(&world, "run").run().await;
    world.assert_copied(&outcome);
    let source = world.source.facts("photos", "a/b c+d").unwrap();
    assert_eq!(outcome.unwrap().record().unwrap().etag, source.etag);
}

#[tokio::test]
async fn a_version_that_was_asked_for_is_the_one_that_is_read() {
    let mut world = World::new(10);
    let source = world.source.clone().with_versions("photos");
    let (_, first) = source.write("photos", "a/b c+d", "first");
    source.write("photos", "a/b c+d", "second!");
    world.request.source = world.request.source.at_version(first.clone());
    let head = States::new(&world, "run").head().await.unwrap();
    assert_eq!((head.source.size, head.source.object.version_id()), (5, first.as_ref()));
    let nonesuch = Some("nonesuch".parse::<VersionId>().unwrap());
    world.request.source = world.request.source.at_version(nonesuch);
    assert_eq!(name(States::new(&world, "run").head().await), Err(ErrorName::SourceNotFound));
}

#[tokio::test]
async fn a_destination_that_proves_nothing_is_refused() {
    struct Blind(transload_store::memory::MemoryStores);
    impl Stores for Blind {
        fn open(
            &self,
            location: &transload_wire::LocationName,
        ) -> Result<std::sync::Arc<dyn Store>, transload_wire::Failure> {
            let inner = self.0.open(location)?;
            Ok(std::sync::Arc::new(crate::bad_input::Profile { inner, partition: Some("aws"), blind: true }))
        }
    }
    let world = World::new(10);
    let input = States::new(&world, "run").head_input();
    let result =
        transload_head::handle(&Blind(world.stores.clone()), transload_store::Deadline::NONE, input).await;
    assert_eq!(name(result), Err(ErrorName::Unsupported));
}

#[tokio::test]
async fn encryption_travels_with_the_options() {
    let world = World::with(10, World::config(), |options| options.encryption = Some(Encryption::S3));
    let head = States::new(&world, "run").head().await.unwrap();
    assert_eq!(head.options.encryption, Some(Encryption::S3));
}

#[tokio::test]
async fn a_kms_key_is_refused_where_only_etags_could_prove_the_bytes() {
    for (checksums, expected) in [(vec![], Err(ErrorName::Unsupported)), (World::config().checksums, Ok(()))]
    {
        let config = transload_store::memory::MemoryConfig { checksums, ..World::config() };
        let world = World::with(61, config, |options| {
            options.encryption = Some(Encryption::Kms { key_id: None, bucket_key: false });
        });
        assert_eq!(name(States::new(&world, "run").head().await), expected);
    }
}

#[tokio::test(start_paused = true)]
async fn f04_f05_a_source_that_no_child_can_read_is_named_by_the_second_look() {
    let rows = [(Kind::RangeIgnored, ErrorName::RangeIgnored), (Kind::WrongRange, ErrorName::SourceBroken)];
    for (kind, expected) in rows {
        let world = World::new(61);
        world.from.refuse(Verb::GetObject, .., kind);
        assert_eq!(name(States::new(&world, "run").run().await), Err(expected));
        assert_eq!((world.copied(), world.open_uploads()), (None, (0, 0)));
    }
}

/// Looks of an execution that has pinned `pinned`, or names its version.
async fn decision(world: &World, named: Option<&VersionId>, pinned: Option<&Pinned>) -> Decision {
    let mut input = States::new(world, "run").head_input();
    input.request.source = input.request.source.at_version(named.cloned());
    input.pinned = pinned.cloned();
    transload_head::handle(&world.stores, transload_store::Deadline::NONE, input).await.unwrap().decision
}

#[tokio::test]
async fn f36_an_older_version_does_not_replace_a_newer_one() {
    let world = World::new(10);
    let source = world.source.clone().with_versions("photos");
    let (_, first) = source.write("photos", "a/b c+d", "first");
    let older = States::new(&world, "older").head().await.unwrap().source;
    let (_, second) = source.write("photos", "a/b c+d", "second!");
    let newer = States::new(&world, "newer").head().await.unwrap().source;
    assert!(older.last_modified <= newer.last_modified && first != second);

    // Nothing of the source stands there: either may be copied.
    assert_eq!(decision(&world, first.as_ref(), None).await, Decision::Copy);
    assert_eq!(decision(&world, None, Some(&older)).await, Decision::Copy);

    States::new(&world, "newer").run().await.unwrap();
    assert_eq!(decision(&world, first.as_ref(), None).await, Decision::Skip, "named");
    assert_eq!(
        decision(&world, None, Some(&older)).await,
        Decision::Renew,
        "pinned before the newer one came"
    );
    assert_eq!(decision(&world, None, Some(&newer)).await, Decision::Skip, "it is there already");

    // A third one: what stands is older than it, whatever the dates say.
    let (_, third) = source.write("photos", "a/b c+d", "third");
    let newest = States::new(&world, "third").head().await.unwrap();
    assert_eq!(newest.decision, Decision::Copy);
    assert_eq!(decision(&world, third.as_ref(), None).await, Decision::Copy);
    assert_eq!(decision(&world, None, Some(&newest.source)).await, Decision::Copy);
}

#[tokio::test]
async fn f36_always_replaces_a_newer_version_by_an_older_one_that_was_asked_for() {
    let mut world = World::new(10);
    let source = world.source.clone().with_versions("photos");
    let (_, first) = source.write("photos", "a/b c+d", "first");
    source.write("photos", "a/b c+d", "second!");
    States::new(&world, "newer").run().await.unwrap();
    world.request.options.overwrite = Overwrite::Always;
    assert_eq!(decision(&world, first.as_ref(), None).await, Decision::Copy);
}

#[tokio::test]
async fn the_destination_is_looked_at_before_the_source() {
    let world = World::new(10);
    // Whoever writes between the two looks makes the write fail, instead of being replaced unseen.
    let destination = world.destination.clone();
    world.from.before(Verb::HeadObject, 1..=1, move || drop(destination.write("photos-cn", "a", "faster")));
    let head = States::new(&world, "run").head().await.unwrap();
    assert_eq!(head.replaces, None);
}
