//! What is as it was listed.

use transload_function_tests::World;
use transload_store::memory::MemoryConfig;
use transload_store::{Deadline, Verb};
use transload_wire::{Attributes, Decision, ErrorName, HeadInput, Overwrite, TOKEN_METADATA, Tree};

use crate::kit::{FROM, Kit, TO, bytes, execution, key, tallied, tally};

#[tokio::test]
async fn each_object_costs_one_get_and_one_put() {
    let kit = Kit::new(&[12; 40]);
    let output = kit.run(0).await;
    assert_eq!(tally(&output), tallied(&[("copied", 40)]));
    // One for the whole batch finds out what a missing count of tags means.
    let expected = [("GetObject", 40), ("GetObjectTagging", 1), ("PutObject", 40)];
    assert_eq!(output.requests, expected.map(|(name, count)| (name.to_owned(), count)).into());
    assert!(output.records.iter().enumerate().all(|(i, r)| r.key.as_str() == key(i) && r.etag.is_some()));
    for index in 0..40 {
        assert_eq!(kit.copied(index).as_deref(), Some(&bytes(12, index)[..]));
    }
}

#[tokio::test]
async fn objects_of_no_byte_and_of_many_frames_arrive() {
    let kit = Kit::new(&[0, 1, 3, 4, 63, 64]);
    assert_eq!(tally(&kit.run(0).await), tallied(&[("copied", 6)]));
    for (index, size) in [0, 1, 3, 4, 63, 64].into_iter().enumerate() {
        assert_eq!(kit.copied(index), Some(bytes(size, index)));
    }
}

#[tokio::test]
async fn what_an_object_carries_is_carried_over() {
    let attributes = Attributes {
        content_type: Some("text/x".to_owned()),
        cache_control: Some("no-store".to_owned()),
        metadata: [("colour".to_owned(), "red".to_owned())].into(),
        tags: [("team".to_owned(), "maps".to_owned())].into(),
        storage_class: Some("STANDARD_IA".to_owned()),
        ..Attributes::default()
    };
    let kit = Kit::with(&[5, 6], World::config(), attributes.clone());
    let output = kit.run(0).await;
    assert_eq!((tally(&output), output.requests["GetObjectTagging"]), (tallied(&[("copied", 2)]), 2));
    let mut found = kit.destination.facts(TO.0, "out/1").unwrap().attributes;
    found.metadata.retain(|name, _| !name.starts_with("transload-"));
    assert_eq!(found, attributes);
}

#[tokio::test]
async fn the_object_machine_and_a_batch_know_each_others_work() {
    for versioned in [false, true] {
        let mut kit = Kit::new(&[5]);
        if versioned {
            kit.source = kit.source.clone().with_versions(FROM.0);
            kit.overwrite(0, "a version with a name");
            kit.items = vec![kit.listed(0)];
        }
        kit.run(0).await;
        let input = HeadInput { request: kit.request(0), execution: execution(), pinned: None };
        let head = transload_head::handle(&kit.stores, Deadline::NONE, input.clone()).await.unwrap();
        assert_eq!(head.decision, Decision::Skip, "{}", head.reason);
        let token = kit.destination.facts(TO.0, "out/0").unwrap().attributes.metadata[TOKEN_METADATA].clone();
        assert_eq!(head.token.as_str(), token, "the very same transfer");

        kit.destination.delete(TO.0, "out/0");
        let states = transload_function_tests::States::new(&World::new(1), "x")
            .copy_input(&transload_head::handle(&kit.stores, Deadline::NONE, input).await.unwrap());
        transload_copy::handle(&kit.stores, Deadline::NONE, states).await.unwrap();
        assert_eq!(tally(&kit.run(1).await), tallied(&[("present", 1)]));
    }
}

#[tokio::test]
async fn a_store_without_checksums_or_conditions_proves_by_md5() {
    for (checksums, conditional_writes) in
        [(vec![], true), (vec![], false), (World::config().checksums, false)]
    {
        let config = MemoryConfig { checksums, conditional_writes, ..World::config() };
        let kit = Kit::with(&[12, 0, 5], config, Attributes::default());
        let output = kit.run(0).await;
        assert_eq!(tally(&output), tallied(&[("copied", 3)]), "{output:?}");
        assert_eq!(kit.copied(0), Some(bytes(12, 0)));
        let guards = if conditional_writes { 0 } else { 3 };
        assert_eq!(kit.to.count(Verb::HeadObject), guards, "only where conditions are ignored");
    }
}

#[tokio::test]
async fn never_replaces_nothing_and_always_everything() {
    let mut kit = Kit::new(&[5, 5]);
    kit.intrude(1);
    kit.items = vec![kit.listed(0), kit.listed(1)];
    kit.options.overwrite = Overwrite::Never;
    assert_eq!(tally(&kit.run(0).await), tallied(&[("copied", 1), ("failed DestinationExists", 1)]));
    assert_eq!(kit.copied(1).as_deref(), Some(&b"another writer's"[..]));
    kit.options.overwrite = Overwrite::Always;
    assert_eq!(tally(&kit.run(0).await), tallied(&[("copied", 2)]));
    assert_eq!(kit.copied(1), Some(bytes(5, 1)));
}

#[tokio::test]
async fn what_was_listed_there_is_replaced_and_nothing_else() {
    let mut kit = Kit::new(&[5, 5]);
    kit.intrude(0);
    kit.items = vec![kit.listed(0), kit.listed(1)];
    kit.intrude(1);
    let output = kit.run(0).await;
    assert_eq!(tally(&output), tallied(&[("copied", 1), ("failed DestinationExists", 1)]));
    assert_eq!(kit.copied(1).as_deref(), Some(&b"another writer's"[..]));
}

#[tokio::test]
async fn bad_input_is_named_before_anything_is_read() {
    let kit = Kit::new(&[5]);
    let refused = async |change: &dyn Fn(&mut transload_wire::BatchInput)| {
        let mut input = kit.input(0);
        change(&mut input);
        transload_batch::handle(&kit.stores, Deadline::NONE, input).await.unwrap_err()
    };
    let many = refused(&|input| input.in_flight = 257).await;
    assert_eq!(many.to_string(), "InputInvalid: inFlight: expected 1 to 256, found 257");
    let nowhere = refused(&|input| {
        input.source = Tree { location: "mars".parse().unwrap(), ..input.source.clone() };
    });
    assert!(nowhere.await.message.starts_with("source.location: "));
    assert!(kit.from.calls().is_empty() && kit.to.calls().is_empty());
}

#[tokio::test]
async fn a_key_outside_of_the_prefix_is_one_objects_failure() {
    let mut kit = Kit::new(&[5, 5]);
    kit.source.write(FROM.0, "elsewhere", "x");
    kit.items[1].key = "elsewhere".parse().unwrap();
    let output = kit.run(0).await;
    assert_eq!(tally(&output), tallied(&[("copied", 1), ("failed InputInvalid", 1)]));
    assert!(output.records[1].cause.as_ref().unwrap().contains("begin with \"in/\""));
    assert_eq!(ErrorName::of(output.records[1].error.as_ref().unwrap()), Some(ErrorName::InputInvalid));
}
