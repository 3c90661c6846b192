//! The whole machine with List itself: nothing stands in for anything but the stores.

use std::sync::atomic::Ordering;

use serde_json::json;
use transload_store::Verb;

use crate::accounts::small;
use crate::world::{LARGE, World};

async fn world() -> World {
    let world = World::new().await;
    world.functions.lists.store(true, Ordering::Relaxed);
    world
}

#[tokio::test(start_paused = true)]
async fn one_tree_is_made_like_another_and_a_second_run_finds_nothing_to_do() {
    let world = world().await;
    let mut sizes = small(1_500);
    sizes.extend([("large-1".to_owned(), LARGE * 3), ("left.tmp".to_owned(), 5), ("z".to_owned(), 7)]);
    world.fill(&sizes);
    world.source.write("photos", "elsewhere", "of another prefix");
    let there = |name: &str, bytes: Vec<u8>| {
        world.destination.write("photos-cn", &format!("out/{name}"), bytes);
    };
    // One is the same, one is older, one the source lost, and one is none of this run's.
    there("z", crate::world::content("z", 7));
    there("00/00000", b"older".to_vec());
    there("gone", b"gone".to_vec());
    there("kept.tmp", b"kept".to_vec());
    let sync = json!({
        "batchObjectLimit": LARGE, "batchObjects": 100, "exclude": ["*.tmp"], "delete": {"maxPercent": 50},
    });
    let ended = world.run(&sync).await;
    assert_eq!(ended.status, "SUCCEEDED", "{}", ended.described);
    assert_eq!(
        ended.states,
        "Begin List Listed HasBatches Batches HasLarge Large HasDeletes Deletes Report Reported Done"
    );
    let counts = &ended.output()["counts"];
    assert_eq!(counts["listed"]["objects"], 1_503);
    assert_eq!(counts["copied"]["objects"], 1_501);
    assert_eq!(counts["present"], json!({"objects": 1, "bytes": 7}));
    assert_eq!(counts["skipped"], json!({"excluded": {"objects": 1, "bytes": 5}}));
    assert_eq!(counts["deleted"]["objects"], 1);
    sizes.retain(|(name, _)| name != "left.tmp");
    world.destination.delete("photos-cn", "out/kept.tmp");
    world.assert_arrived(&sizes);
    assert!(world.report("objects.csv").contains("\r\nin/left.tmp,skipped,5,"));
}

#[tokio::test(start_paused = true)]
async fn a_redrive_goes_on_with_what_list_found() {
    let world = world().await;
    let sizes = small(200);
    world.fill(&sizes);
    // Archived behind the list's back: in the list it is of no archive tier yet.
    let key = "in/03/00010";
    let store = world.source.clone();
    world.from.before(Verb::GetObject, 1..=1, move || store.set_archived("photos", key, true));
    let failed = world
        .run(&json!({"batchObjects": 50, "batchConcurrency": 1, "inFlight": 1, "archived": "fail"}))
        .await;
    assert_eq!((failed.status.as_str(), failed.error()), ("FAILED", "ObjectsFailed"), "{}", failed.described);
    world.source.set_archived("photos", key, false);
    let pages = world.from.count(Verb::ListObjectsV2);
    let done = world.redrive(&failed).await;
    assert_eq!(done.status, "SUCCEEDED", "{}", done.described);
    assert_eq!(world.from.count(Verb::ListObjectsV2), pages, "nothing is listed again");
    world.assert_arrived(&sizes);
}

#[tokio::test(start_paused = true)]
async fn more_deletions_than_allowed_end_the_run_before_the_first() {
    let world = world().await;
    for n in 0..4 {
        world.destination.write("photos-cn", &format!("out/{n}"), "x");
    }
    let ended = world.run(&json!({"delete": {"maxPercent": 100}})).await;
    assert_eq!((ended.states.as_str(), ended.error()), ("Begin List Failed", "DeletesRefused"));
    assert_eq!(world.destination.keys("photos-cn").len(), 4);
}

/// No list tells what an intelligent class has archived: a worker meets it.
#[tokio::test(start_paused = true)]
async fn what_turns_out_to_be_archived_has_an_execution_that_waits_until_it_is_restored() {
    let world = world().await;
    let sizes = small(60);
    world.fill(&sizes);
    let store = world.source.clone();
    let keys = ["in/00/00007", "in/03/00010"];
    world.from.before(Verb::GetObject, 1..=1, move || {
        keys.iter().for_each(|key| store.set_archived("photos", key, true));
    });
    let sync = json!({"batchObjects": 20, "batchConcurrency": 1, "inFlight": 1, "archived": "thaw"});
    let ended = world.run(&sync).await;
    assert_eq!(ended.status, "SUCCEEDED", "{}", ended.described);
    assert!(
        ended.states.contains("Report Reported HasBatches HasLarge Large HasDeletes Report"),
        "{}",
        ended.states
    );
    let output = ended.output();
    assert_eq!((&output["rounds"], &output["counts"]["copied"]["objects"]), (&json!(2), &json!(60)));
    assert_eq!(world.from.count(Verb::RestoreObject), 2);
    world.assert_arrived(&sizes);
    let csv = world.report("objects.csv");
    assert_eq!(csv.lines().filter(|row| row.contains(",large,")).count(), 2, "{csv}");
}

#[tokio::test(start_paused = true)]
async fn what_turns_out_to_be_archived_is_left_out_where_that_is_asked_for() {
    let world = world().await;
    let mut sizes = small(60);
    sizes.push(("large".to_owned(), LARGE * 2));
    world.fill(&sizes);
    let store = world.source.clone();
    let keys = ["in/00/00007", "in/large"];
    world.from.before(Verb::GetObject, 1..=1, move || {
        keys.iter().for_each(|key| store.set_archived("photos", key, true));
    });
    let sync = json!({"batchObjectLimit": LARGE, "batchObjects": 20, "batchConcurrency": 1, "inFlight": 1});
    let ended = world.run(&sync).await;
    assert_eq!(ended.status, "SUCCEEDED", "{}", ended.described);
    let counts = ended.output()["counts"].clone();
    assert_eq!(counts["skipped"]["archived"]["objects"], 2, "{counts}");
    assert_eq!((&counts["copied"]["objects"], &counts["failed"]["objects"]), (&json!(59), &json!(0)));
    let csv = world.report("objects.csv");
    assert_eq!(
        csv.lines().filter(|row| row.contains("skipped") && row.contains(",archived,")).count(),
        2,
        "{csv}"
    );
}
