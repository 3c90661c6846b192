//! What a run does, and that it accounts for it.

use serde_json::json;
use transload_store::{StoreErrorKind as Kind, Verb};

use crate::world::{LARGE, World};

/// Objects of no byte, of a few, and up to the limit of small ones.
pub(crate) fn small(count: usize) -> Vec<(String, usize)> {
    let sizes = [0, 1, 10, 300, 2_000];
    (0..count).map(|n| (format!("{:02}/{n:05}", n % 7), sizes[n % sizes.len()])).collect()
}

#[tokio::test(start_paused = true)]
async fn three_thousand_objects_and_a_large_one_arrive_and_are_accounted_for() {
    let world = World::new().await;
    let mut sizes = small(3_000);
    sizes.push(("large".to_owned(), LARGE * 3));
    world.fill(&sizes);
    world.source.write("photos", "elsewhere", "of another prefix");
    // One at a time, for all workers of this world count their requests at the same stores.
    let ended = world.run(&json!({"batchObjects": 250, "batchConcurrency": 1})).await;
    assert_eq!(ended.status, "SUCCEEDED", "{}", ended.described);
    assert_eq!(
        ended.states,
        "Begin List Listed List Listed HasBatches Batches HasLarge Large HasDeletes Report Reported Done"
    );
    world.assert_arrived(&sizes);
    let bytes: usize = sizes.iter().map(|(_, size)| size).sum();
    let counts = &ended.output()["counts"];
    assert_eq!(counts["listed"]["objects"], 3_002);
    assert_eq!(counts["copied"], json!({"objects": 3_001, "bytes": bytes}));
    assert_eq!(counts["skipped"], json!({"excluded": {"objects": 1, "bytes": 17}}));
    assert_eq!(counts["failed"]["objects"], 0);

    let document = world.document();
    assert_eq!(document["status"], "synced");
    // Twelve batches, each of which asks once what a missing count of tags means.
    assert_eq!(document["requests"], json!({"GetObject": 3_000, "GetObjectTagging": 12, "PutObject": 3_000}));
    let sum = |field: &str| -> u64 {
        let bins = document["throughput"]["intervals"].as_array().unwrap();
        bins.iter().map(|bin| bin[field].as_u64().unwrap()).sum()
    };
    assert_eq!((sum("objects"), sum("bytes")), (3_001, bytes as u64));
    let csv = world.report("objects.csv");
    assert_eq!(csv.lines().count(), 1 + 3_002);
    assert!(csv.contains("\r\nelsewhere-0,skipped,1,,0,excluded,,list,0\r\n"), "{}", &csv[..300]);
    assert!(csv.lines().any(|row| row.starts_with("in/large,copied,49152,")), "the object machine's record");
    let page = world.report("report.html");
    assert!(page.contains("3,002") && !page.contains("http://") && !page.contains("https://"));
}

#[tokio::test(start_paused = true)]
async fn a_second_run_finds_everything_there() {
    let world = World::new().await;
    world.fill(&small(20));
    assert_eq!(world.run(&json!({})).await.status, "SUCCEEDED");
    let again = World::new().await;
    again.fill(&small(20));
    for (name, size) in small(20) {
        again.destination.write("photos-cn", &format!("out/{name}"), vec![0; size]);
    }
    let ended = again.run(&json!({})).await;
    assert_eq!(
        ended.states,
        "Begin List Listed List Listed HasBatches HasLarge HasDeletes Report Reported Done"
    );
    assert_eq!(ended.output()["counts"]["present"]["objects"], 20);
}

#[tokio::test(start_paused = true)]
async fn a_plan_writes_nothing_to_the_destination() {
    let world = World::new().await;
    world.fill(&small(20));
    let ended = world.run(&json!({"mode": "plan"})).await;
    assert_eq!(ended.states, "Begin List Listed List Listed Planned");
    assert_eq!(ended.output()["found"]["small"]["objects"], 20);
    assert!(world.to.calls().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_batch_that_failed_in_part_retries_only_that() {
    let world = World::new().await;
    world.fill(&small(100));
    // Four PUTs of each of the forty objects that come last.
    world.to.refuse(Verb::PutObject, 61..=220, Kind::Throttled);
    let ended = world.run(&json!({"batchObjects": 100})).await;
    assert_eq!(ended.status, "SUCCEEDED", "{}", ended.described);
    let calls = world.functions.calls("batch");
    let tries: Vec<_> = calls.iter().map(|call| call["objects"].as_array().unwrap().len()).collect();
    assert_eq!(tries, [100, 40]);
    assert_eq!(calls[1]["tries"], 1);
    assert_eq!(world.to.count(Verb::PutObject), 100 + 160);
    assert_eq!(world.from.count(Verb::HeadObject), 40, "the others are not looked at again");
    assert_eq!(ended.output()["counts"]["copied"]["objects"], 100);
    world.assert_arrived(&small(100));
}

#[tokio::test(start_paused = true)]
async fn what_the_source_lost_is_deleted_behind_all_copies() {
    let world = World::new().await;
    world.fill(&small(10));
    for name in ["old-1", "old-2", "other"] {
        world.destination.write("photos-cn", &format!("out/{name}"), "bytes");
    }
    // One of them is changed behind the lister's back.
    let (destination, functions) = (world.destination.clone(), world.functions.clone());
    functions.decide(move |function, _| {
        if function == "batch" {
            destination.write("photos-cn", "out/other", "changed since");
        }
        None
    });
    let ended = world.run(&json!({"delete": {}})).await;
    assert_eq!(ended.status, "SUCCEEDED", "{}", ended.described);
    let counts = &ended.output()["counts"];
    assert_eq!((&counts["deleted"]["objects"], &counts["kept"]["objects"]), (&json!(2), &json!(1)));
    let mut expected = small(10);
    world.destination.delete("photos-cn", "out/other");
    expected.sort();
    world.assert_arrived(&expected);
    assert!(world.report("objects.csv").contains("out/other,skipped,5,"));
}

#[tokio::test(start_paused = true)]
async fn objects_that_no_result_names_fail_the_run() {
    let world = World::new().await;
    world.fill(&small(10));
    *world.functions.lister.unlisted.lock().unwrap() = 2;
    let ended = world.run(&json!({})).await;
    assert_eq!((ended.status.as_str(), ended.error()), ("FAILED", "AccountingDiffers"));
    assert!(
        ended.cause().contains("records of batches in round 0: expected 12, found 10"),
        "{}",
        ended.cause()
    );
    assert_eq!(world.document()["status"], "accountingDiffers");
}

#[tokio::test(start_paused = true)]
async fn a_refusal_by_list_fails_with_nothing_written() {
    let world = World::new().await;
    world.fill(&small(3));
    let ended = world.run(&json!({"inFlight": 0})).await;
    assert_eq!((ended.states.as_str(), ended.error()), ("Begin List Failed", "InputInvalid"));
    assert!(ended.cause().contains("sync.inFlight"), "{}", ended.cause());
    assert!(world.to.calls().is_empty());
}
