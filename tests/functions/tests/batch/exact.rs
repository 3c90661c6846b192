//! Objects of a frozen plan: as they were planned, or not at all.

use transload_store::{Deadline, Verb};
use transload_wire::{BatchOutput, Item};

use crate::kit::{FROM, Kit, TO, bytes, key, tallied, tally};

async fn exactly(kit: &Kit, tries: u32) -> BatchOutput {
    let mut input = kit.input(tries);
    input.exact = true;
    transload_batch::handle(&kit.stores, Deadline::NONE, input).await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn what_is_as_it_was_planned_takes_no_request_more() {
    let kit = Kit::new(&[0, 5, 10]);
    let output = exactly(&kit, 0).await;
    assert_eq!(tally(&output), tallied(&[("copied", 3)]));
    assert_eq!((kit.from.count(Verb::GetObject), kit.to.count(Verb::PutObject)), (3, 3));
    assert_eq!((kit.from.count(Verb::HeadObject), kit.to.count(Verb::HeadObject)), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn another_version_is_never_sent() {
    for tries in [0, 1] {
        let kit = Kit::new(&[5, 5, 5]);
        kit.overwrite(1, "newer bytes");
        kit.source.delete(FROM.0, &key(2));
        let output = exactly(&kit, tries).await;
        assert_eq!(tally(&output), tallied(&[("copied", 1), ("failed SourceChanged", 2)]), "{tries}");
        assert!(kit.copied(1).is_none() && kit.copied(2).is_none(), "{tries}");
        assert!(output.left.is_empty());
        let cause = output.records[2].cause.as_deref().unwrap();
        assert!(cause.contains("(as planned), found nothing"), "{cause}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_destination_that_changed_is_left_alone() {
    for tries in [0, 1] {
        let mut kit = Kit::new(&[5, 5, 5]);
        kit.destination.write(TO.0, "out/1", "older");
        kit.items[1] = kit.listed(1);
        // Two that somebody wrote since, and one that somebody deleted.
        kit.destination.write(TO.0, "out/0", "somebody else's");
        kit.destination.write(TO.0, "out/1", "changed again");
        let etag = kit.items[1].replaces.clone();
        kit.items[2] = Item { replaces: etag, ..kit.items[2].clone() };
        let output = exactly(&kit, tries).await;
        assert_eq!(output.records.len(), 3, "nothing is left for another try: {output:#?}");
        for record in &output.records {
            let error = record.error.as_deref().unwrap_or_default();
            assert!(error.starts_with("Destination"), "{tries}: {record:?}");
        }
        assert_eq!(kit.copied(0).as_deref(), Some(&b"somebody else's"[..]));
        assert_eq!(kit.copied(1).as_deref(), Some(&b"changed again"[..]));
        assert!(kit.copied(2).is_none());
    }
}

#[tokio::test(start_paused = true)]
async fn what_an_earlier_execution_of_the_plan_sent_is_found() {
    for tries in [0, 1] {
        let kit = Kit::new(&[5, 5]);
        let items = kit.items.clone();
        exactly(&kit, 0).await;
        let again = Kit { items, ..kit };
        let output = exactly(&again, tries).await;
        let failed = output.records.iter().filter(|record| record.error.is_some()).count();
        assert_eq!((output.records.len(), failed), (2, 0), "{output:#?}");
        assert_eq!(again.copied(0), Some(bytes(5, 0)));
    }
}
