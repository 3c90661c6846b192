//! What goes wrong with single objects.

use std::time::Duration;

use transload_store::faulty::BodyFault;
use transload_store::{Deadline, StoreErrorKind as Kind, Verb};
use transload_wire::Attributes;

use crate::kit::{FROM, Kit, bytes, key, tallied, tally};

#[tokio::test(start_paused = true)]
async fn faults_that_pass_are_met_inside() {
    for (verb, kind) in [
        (Verb::GetObject, Kind::Connection),
        (Verb::GetObject, Kind::Throttled),
        (Verb::PutObject, Kind::Unavailable),
        (Verb::PutObject, Kind::Throttled),
    ] {
        let kit = Kit::new(&[12; 6]);
        let store = if verb == Verb::GetObject { &kit.from } else { &kit.to };
        store.refuse(verb, 3..=4, kind);
        assert_eq!(tally(&kit.run(0).await), tallied(&[("copied", 6)]), "{verb} {kind:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_does_not_pass_in_time_is_left_and_only_that() {
    let kit = Kit::new(&[12; 6]);
    kit.to.refuse(Verb::PutObject, 4.., Kind::Throttled);
    let output = kit.run(0).await;
    assert_eq!(tally(&output), tallied(&[("copied", 3), ("left Throttled", 3)]));
    kit.to.heal();
    let puts = kit.to.count(Verb::PutObject);
    let again = Kit { items: output.left.into_iter().map(|left| left.item).collect(), ..kit };
    assert_eq!(tally(&again.run(1).await), tallied(&[("copied", 3)]));
    assert_eq!(again.to.count(Verb::PutObject) - puts, 3);
}

#[tokio::test(start_paused = true)]
async fn what_never_passes_is_recorded_and_the_others_arrive() {
    let kit = Kit::new(&[12; 4]);
    kit.source.set_archived(FROM.0, &key(1), true);
    kit.source.set_customer_key(FROM.0, &key(2));
    let output = kit.run(0).await;
    let expected = [("copied", 2), ("failed SourceArchived", 1), ("failed SourceNeedsSseC", 1)];
    assert_eq!(tally(&output), tallied(&expected));
    assert!(output.records[1].cause.as_ref().unwrap().contains("in/1"));
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_was_lost_is_settled_by_the_token() {
    for kind in [Kind::Connection, Kind::Malformed, Kind::Unavailable] {
        let kit = Kit::new(&[12; 3]);
        kit.to.lose_answer(Verb::PutObject, 2..=2, kind);
        let output = kit.run(0).await;
        assert_eq!(tally(&output), tallied(&[("copied", 3)]), "{kind:?}");
        assert_eq!((output.requests["PutObject"], output.requests["HeadObject"]), (3, 1), "{kind:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn bytes_that_are_not_the_sources_are_never_committed() {
    let kit = Kit::new(&[12; 3]);
    kit.from.spoil(Verb::GetObject, 2..=2, BodyFault::Flip(11));
    kit.to.spoil(Verb::PutObject, 3..=3, BodyFault::Flip(5));
    assert_eq!(tally(&kit.run(0).await), tallied(&[("copied", 3)]));
    assert!((0..3).all(|index| kit.copied(index) == Some(bytes(12, index))));

    let kit = Kit::new(&[12; 2]);
    kit.source.flip(FROM.0, &key(0), 3);
    assert_eq!(tally(&kit.run(0).await), tallied(&[("copied", 1), ("failed ChecksumMismatch", 1)]));
    assert_eq!(kit.copied(0), None);
}

#[tokio::test(start_paused = true)]
async fn a_body_that_breaks_is_read_on_from_where_it_broke() {
    let kit = Kit::new(&[60]);
    kit.from.spoil(Verb::GetObject, 1..=1, BodyFault::Cut(31));
    let output = kit.run(0).await;
    assert_eq!((tally(&output), output.requests["GetObject"]), (tallied(&[("copied", 1)]), 2));
    assert!(kit.from.calls().last().unwrap().what.contains("bytes=31-59"), "{:?}", kit.from.calls());
    assert_eq!(kit.copied(0), Some(bytes(60, 0)));
}

#[tokio::test(start_paused = true)]
async fn out_of_time_leaves_what_was_not_done() {
    let kit = Kit::new(&[12; 5]);
    kit.from.spoil(Verb::GetObject, 3.., BodyFault::Stall(0));
    let mut input = kit.input(0);
    input.in_flight = 1;
    let begin = tokio::time::Instant::now();
    let output =
        transload_batch::handle(&kit.stores, Deadline::after(Duration::from_secs(30)), input).await.unwrap();
    assert_eq!(tally(&output), tallied(&[("copied", 2), ("left OutOfTime", 3)]));
    assert!(begin.elapsed() <= Duration::from_secs(20));
    let calls = kit.from.calls();
    assert!(
        calls.iter().all(|call| !call.what.ends_with("in/3")),
        "what is not begun is not read: {calls:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn tags_that_may_not_be_read_are_not_lost_silently() {
    let kit = Kit::new(&[5, 5]);
    kit.from.refuse(Verb::GetObjectTagging, .., Kind::AccessDenied);
    let output = kit.run(0).await;
    assert_eq!(tally(&output), tallied(&[("failed SourceAccessDenied", 2)]));
    assert!(output.records[0].cause.as_ref().unwrap().contains("options.copyTags"));
    let mut kit = Kit::new(&[5, 5]);
    kit.from.refuse(Verb::GetObjectTagging, .., Kind::AccessDenied);
    kit.options.copy_tags = false;
    assert_eq!(tally(&kit.run(0).await), tallied(&[("copied", 2)]));
}

#[tokio::test(start_paused = true)]
async fn five_hundred_failures_with_long_causes_fit_into_a_states_output() {
    let long =
        Attributes { metadata: [("k".repeat(900), "v".repeat(1_100))].into(), ..Attributes::default() };
    let kit = Kit::with(&[3; 500], transload_function_tests::World::config(), long);
    let output = kit.run(0).await;
    assert_eq!(tally(&output), tallied(&[("failed DestinationInvalid", 500)]));
    let text = transload_function_tests::json(&output);
    assert!(text.len() < 200 << 10, "{} bytes", text.len());
}
