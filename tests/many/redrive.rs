//! What fails, and what a redrive does about it.

use serde_json::json;
use transload_store::Verb;

use crate::accounts::small;
use crate::world::{LARGE, World};

#[tokio::test(start_paused = true)]
async fn a_redrive_copies_only_what_is_missing() {
    let world = World::new().await;
    let mut sizes = small(300);
    sizes.push(("large-1".to_owned(), LARGE * 2));
    sizes.push(("large-2".to_owned(), LARGE * 2));
    world.fill(&sizes);
    let archived = ["in/00/00007", "in/03/00010", "in/large-2"];
    archived.iter().for_each(|key| world.source.set_archived("photos", key, true));
    let failed = world.run(&json!({"batchObjects": 50, "archived": "fail"})).await;
    assert_eq!((failed.status.as_str(), failed.error()), ("FAILED", "ObjectsFailed"), "{}", failed.described);
    assert!(failed.states.ends_with("Report"), "{}", failed.states);
    assert!(failed.cause().contains("found 3 (3 SourceArchived)"), "{}", failed.cause());
    let document = world.document();
    assert_eq!(document["status"], "objectsFailed");
    assert_eq!(
        (&document["counts"]["copied"]["objects"], &document["counts"]["failed"]["objects"]),
        (&json!(299), &json!(3))
    );
    assert_eq!(document["failed"].as_array().unwrap().len(), 3);
    let page = world.report("report.html");
    assert!(archived.iter().all(|key| page.contains(key)) && page.contains("SourceArchived"));

    archived.iter().for_each(|key| world.source.set_archived("photos", key, false));
    let puts = world.to.count(Verb::PutObject);
    let done = world.redrive(&failed).await;
    assert_eq!(done.status, "SUCCEEDED", "{}", done.described);
    assert!(
        done.states
            .ends_with("Report Reported HasBatches Batches HasLarge Large HasDeletes Report Reported Done"),
        "{}",
        done.states
    );
    assert_eq!(world.to.count(Verb::PutObject) - puts, 2, "the two small ones");
    world.assert_arrived(&sizes);
    let (output, counts) = (done.output(), world.document()["counts"].clone());
    assert_eq!((&output["rounds"], &output["counts"]), (&json!(2), &counts));
    assert_eq!((&counts["copied"]["objects"], &counts["failed"]["objects"]), (&json!(302), &json!(0)));
    assert_eq!(world.report("objects.csv").lines().count(), 1 + 302);
}

#[tokio::test(start_paused = true)]
async fn what_still_fails_fails_the_run_again_until_it_does_not() {
    let world = World::new().await;
    world.fill(&small(30));
    let archived = ["in/00/00007", "in/03/00010"];
    archived.iter().for_each(|key| world.source.set_archived("photos", key, true));
    let failed = world.run(&json!({"batchObjects": 10, "archived": "fail"})).await;
    world.source.set_archived("photos", archived[0], false);
    let failed = world.redrive(&failed).await;
    assert_eq!(failed.error(), "ObjectsFailed", "{}", failed.described);
    assert_eq!(world.document()["counts"]["failed"]["objects"], 1);
    world.source.set_archived("photos", archived[1], false);
    let done = world.redrive(&failed).await;
    assert_eq!((done.status.as_str(), &done.output()["rounds"]), ("SUCCEEDED", &json!(3)));
    assert_eq!(done.output()["counts"]["copied"]["objects"], 30);
    let tries: Vec<_> =
        world.functions.calls("batch").iter().map(|call| call["objects"].as_array().unwrap().len()).collect();
    assert_eq!(tries, [10, 10, 10, 2, 1], "each round takes up only what failed in the one before");
}

#[tokio::test(start_paused = true)]
async fn a_child_that_failed_for_good_fails_its_objects_and_no_others() {
    let world = World::new().await;
    world.fill(&small(40));
    world.functions.decide(|function, payload| {
        let first = payload["objects"][0]["key"].as_str().unwrap_or_default();
        (function == "batch" && first == "in/00/00000").then_some("Lambda.Unknown")
    });
    let failed = world.run(&json!({"batchObjects": 10})).await;
    assert_eq!(failed.error(), "ObjectsFailed", "{}", failed.described);
    assert!(failed.cause().contains("10 Lambda.Unknown"), "{}", failed.cause());
    world.functions.decide(|_, _| None);
    let done = world.redrive(&failed).await;
    assert_eq!(done.output()["counts"]["copied"]["objects"], 40);
    world.assert_arrived(&small(40));
}
