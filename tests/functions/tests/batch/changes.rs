//! What changed since it was listed.

use transload_store::Verb;
use transload_wire::{Item, VersionId};

use crate::kit::{FROM, Kit, TO, bytes, key, tallied, tally};

#[tokio::test(start_paused = true)]
async fn a_source_that_changed_is_sent_as_it_is_now() {
    let kit = Kit::new(&[5, 5, 5]);
    kit.overwrite(1, "newer bytes");
    let output = kit.run(0).await;
    assert_eq!(tally(&output), tallied(&[("copied", 3)]));
    assert_eq!(kit.copied(1).as_deref(), Some(&b"newer bytes"[..]));
    assert_eq!(output.records[1].size, 11);
}

#[tokio::test(start_paused = true)]
async fn a_source_that_is_gone_is_skipped_with_the_reason() {
    let kit = Kit::new(&[5, 5]);
    kit.source.delete(FROM.0, &key(0));
    let output = kit.run(0).await;
    assert_eq!(tally(&output), tallied(&[("copied", 1), ("skipped", 1)]));
    assert_eq!(output.records[0].error.as_deref(), Some("SourceNotFound"));
}

#[tokio::test(start_paused = true)]
async fn a_bucket_that_is_gone_is_no_deletion_of_its_objects() {
    for tries in [0, 1] {
        let kit = Kit::new(&[5]);
        let mut input = kit.input(tries);
        input.source.bucket = "never-there".parse().unwrap();
        let stores = &kit.stores;
        let output = transload_batch::handle(stores, transload_store::Deadline::NONE, input).await.unwrap();
        assert_eq!(tally(&output), tallied(&[("failed SourceNotFound", 1)]), "{tries}");
    }
}

#[tokio::test(start_paused = true)]
async fn another_transfer_of_the_same_version_is_found() {
    let kit = Kit::new(&[5]);
    let items = kit.items.clone();
    kit.run(0).await;
    // As it was listed before the other one ended: the destination was empty.
    let again = Kit { items, ..kit };
    let output = again.run(0).await;
    assert_eq!(tally(&output), tallied(&[("copied", 1)]), "the token is that of the same transfer");
    assert_eq!(again.to.count(Verb::PutObject), 2);
}

/// The destination holds the newer of two versions, and the list names the older.
fn older_is_listed(replaces: bool) -> (Kit, VersionId) {
    let mut kit = Kit::new(&[5]);
    kit.source = kit.source.clone().with_versions(FROM.0);
    let (etag, version) = kit.source.write(FROM.0, &key(0), "older");
    let older = version.unwrap();
    kit.overwrite(0, "the newer one");
    kit.items = vec![kit.listed(0)];
    let standing = kit.destination.facts(TO.0, "out/0").map(|head| head.etag);
    kit.items[0] = Item { etag, size: 5, version_id: Some(older.clone()), ..kit.items[0].clone() };
    kit.items[0].replaces = standing.filter(|_| replaces);
    (kit, older)
}

#[tokio::test(start_paused = true)]
async fn an_older_version_never_replaces_a_newer_one() {
    let (kit, older) = older_is_listed(false);
    // The newer one gets there first, by the events.
    let newer = Kit { items: vec![Item { version_id: None, ..kit.listed(0) }], ..older_is_listed(false).0 };
    let newer = Kit { stores: kit.stores.clone(), ..newer };
    assert_eq!(tally(&newer.run(0).await), tallied(&[("copied", 1)]));
    assert_eq!(kit.copied(0).as_deref(), Some(&b"the newer one"[..]));

    // Listed before, so that nothing seemed to be there; and listed after, so that it seems to be there to be replaced.
    let standing = kit.destination.facts(TO.0, "out/0").unwrap().etag;
    for replaces in [None, Some(standing)] {
        let item = Item { replaces: replaces.clone(), ..kit.items[0].clone() };
        let late =
            Kit { items: vec![item], ..Kit { stores: kit.stores.clone(), ..older_is_listed(false).0 } };
        assert_eq!(tally(&late.run(0).await), tallied(&[("present", 1)]), "{replaces:?} {older}");
        assert_eq!(kit.copied(0).as_deref(), Some(&b"the newer one"[..]));
    }
}

#[tokio::test(start_paused = true)]
async fn a_version_that_was_listed_is_the_one_that_is_sent() {
    let (kit, _) = older_is_listed(false);
    assert_eq!(tally(&kit.run(0).await), tallied(&[("copied", 1)]));
    assert_eq!(kit.copied(0).as_deref(), Some(&b"older"[..]));
    assert_eq!(kit.from.count(Verb::GetObject) + kit.count(Verb::HeadObject), 1);
}

#[tokio::test(start_paused = true)]
async fn a_source_that_outgrew_a_batch_is_left_to_another_run() {
    let mut kit = Kit::new(&[5]);
    kit.items[0].size = 5;
    kit.overwrite(0, &"x".repeat(65));
    let output = kit.run(0).await;
    assert_eq!(tally(&output), tallied(&[("failed PlanInvalid", 1)]), "one PUT takes 64 bytes at this store");
    assert_eq!(kit.copied(0), None);
}

#[tokio::test(start_paused = true)]
async fn a_later_try_looks_before_it_sends() {
    let kit = Kit::new(&[5, 6]);
    kit.run(0).await;
    let (puts, gets) = (kit.to.count(Verb::PutObject), kit.from.count(Verb::GetObject));
    assert_eq!(tally(&kit.run(1).await), tallied(&[("present", 2)]));
    assert_eq!((kit.to.count(Verb::PutObject), kit.from.count(Verb::GetObject)), (puts, gets));
    assert_eq!(kit.copied(1), Some(bytes(6, 1)));
}

/// Facts that are two days old: the destination has an older copy, and the events have been at work since.
#[tokio::test(start_paused = true)]
async fn facts_of_an_inventory_never_bring_back_what_is_gone_or_replaced() {
    for (newer_is_there, expected) in [(true, "present"), (false, "copied")] {
        let mut kit = Kit::new(&[5]);
        let told = kit.listed(0);
        kit.overwrite(0, "newer bytes");
        if newer_is_there {
            kit.items = vec![kit.listed(0)];
            assert_eq!(tally(&kit.run(0).await), tallied(&[("copied", 1)]));
        } else {
            kit.intrude(0);
        }
        let standing = kit.destination.facts(TO.0, "out/0").map(|head| head.etag);
        kit.items = vec![Item { replaces: standing, ..told }];
        assert_eq!(tally(&kit.run(0).await), tallied(&[(expected, 1)]));
        assert_eq!(kit.copied(0).as_deref(), Some(&b"newer bytes"[..]), "{expected}");
    }
    let mut kit = Kit::new(&[5, 5]);
    kit.intrude(1);
    kit.items[1].replaces = kit.destination.facts(TO.0, "out/1").map(|head| head.etag);
    for index in 0..2 {
        kit.source.delete(FROM.0, &key(index));
    }
    let output = kit.run(0).await;
    assert_eq!(tally(&output), tallied(&[("skipped", 2)]));
    assert!(output.records.iter().all(|record| record.error.as_deref() == Some("SourceNotFound")));
    assert_eq!((kit.copied(0), kit.copied(1).as_deref()), (None, Some(&b"another writer's"[..])));
}
