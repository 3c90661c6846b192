//! A run with a window: batches that come too late are taken up when it opens, large objects wait in their own executions.
//! The machine's time begins on a Friday, 08:00 UTC.

use std::sync::atomic::Ordering;

use serde_json::{Value, json};
use transload_store::Verb;

use crate::accounts::small;
use crate::world::{LARGE, PART, World};

fn more(opens: &str, closes: &str) -> Value {
    let window = json!({"opens": opens, "closes": closes, "utcOffset": "+00:00"});
    json!({"options": {"wholeObjectLimit": LARGE, "partSize": PART, "window": window}})
}

#[tokio::test(start_paused = true)]
async fn what_comes_too_early_is_sent_when_the_window_opens() {
    let world = World::new().await;
    world.functions.lists.store(true, Ordering::Relaxed);
    let mut sizes = small(50);
    sizes.extend([("whole".to_owned(), LARGE), ("large".to_owned(), LARGE * 2)]);
    world.fill(&sizes);
    // The largest of the small ones has an execution of its own, and is sent whole there.
    let sync = json!({"batchObjects": 20, "batchObjectLimit": LARGE - 1});
    let ended = world.run_with("run", &sync, &more("11:30", "12:00")).await;
    assert_eq!(ended.output()["status"], "synced", "{}", ended.described);
    assert!(ended.states.contains("Reported Closed HasBatches Batches"), "{}", ended.states);
    assert_eq!((ended.output()["rounds"].as_u64(), world.to.count(Verb::PutObject)), (Some(2), 51));
    world.assert_arrived(&sizes);
    let (begun, over) = (&ended.described["startDate"], &ended.described["stopDate"]);
    let took = over.as_f64().unwrap() - begun.as_f64().unwrap();
    assert!((12_600.0..12_700.0).contains(&took), "{took} s");
    let counts = &world.document()["counts"];
    assert_eq!((&counts["copied"]["objects"], &counts["failed"]["objects"]), (&json!(52), &json!(0)));
}

#[tokio::test(start_paused = true)]
async fn in_an_open_window_nothing_waits() {
    let world = World::new().await;
    world.functions.lists.store(true, Ordering::Relaxed);
    world.fill(&small(10));
    let ended = world.run_with("run", &json!({}), &more("08:00", "08:01")).await;
    assert_eq!(ended.output()["status"], "synced", "{}", ended.described);
    assert!(!ended.states.contains("Closed"), "{}", ended.states);
}

/// What fails for another reason is tried again with what came too late, and told in the end.
#[tokio::test(start_paused = true)]
async fn what_fails_in_the_window_still_fails_the_run() {
    let world = World::new().await;
    world.functions.lists.store(true, Ordering::Relaxed);
    world.fill(&small(10));
    world.functions.decide(|function, payload| {
        (function == "batch" && payload["tries"] == 1).then_some("Lambda.Unknown")
    });
    let failed = world.run_with("run", &json!({}), &more("09:00", "10:00")).await;
    assert_eq!(failed.error(), "ObjectsFailed", "{}", failed.described);
    assert!(failed.states.contains("Closed"), "{}", failed.states);
    world.functions.decide(|_, _| None);
    // An hour has passed with the retries of the workers, and the window with it or not: the redrive waits if it has to.
    let done = world.redrive(&failed).await;
    assert_eq!(done.output()["status"], "synced", "{}", done.described);
}
