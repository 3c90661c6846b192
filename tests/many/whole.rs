//! The whole of it: List, the Maps and Report.

use std::sync::atomic::Ordering;

use serde_json::json;
use transload_store::Verb;

use crate::accounts::small;
use crate::world::{LARGE, World};

#[tokio::test(start_paused = true)]
async fn a_tree_is_made_like_another_and_a_second_run_sends_nothing() {
    let world = World::new().await;
    world.functions.really.store(true, Ordering::Relaxed);
    let mut sizes = small(500);
    sizes.push(("large".to_owned(), LARGE * 3));
    world.fill(&sizes);
    world.source.write("photos", "in/left-out.tmp", "bytes");
    world.source.write("photos", "elsewhere", "of another prefix");
    world.destination.write("photos-cn", "out/old", "bytes");
    let sync = json!({"batchObjectLimit": LARGE, "batchObjects": 50, "batchConcurrency": 1,
        "exclude": ["*.tmp"], "delete": {"maxPercent": 100}});
    let ended = world.run(&sync).await;
    assert_eq!(ended.status, "SUCCEEDED", "{}", ended.described);
    world.assert_arrived(&sizes);
    let counts = &ended.output()["counts"];
    assert_eq!((&counts["listed"]["objects"], &counts["copied"]["objects"]), (&json!(502), &json!(501)));
    assert_eq!((&counts["deleted"]["objects"], &counts["failed"]["objects"]), (&json!(1), &json!(0)));
    let skipped: u64 =
        counts["skipped"].as_object().unwrap().values().map(|tally| tally["objects"].as_u64().unwrap()).sum();
    assert_eq!(skipped, 1, "{counts}");
    assert!(world.report("objects.csv").contains("in/left-out.tmp,skipped,5,"));

    let (puts, gets) = (world.to.count(Verb::PutObject), world.from.count(Verb::GetObject));
    let again = world.run_as("again", &sync).await;
    assert_eq!(again.output()["counts"]["present"]["objects"], 501, "{}", again.described);
    assert_eq!((world.to.count(Verb::PutObject), world.from.count(Verb::GetObject)), (puts, gets));
}
