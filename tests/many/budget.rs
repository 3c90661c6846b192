//! A run with a budget: as much as it allows is moved, the rest is parked, and later runs go on with it.

use std::sync::atomic::Ordering;

use serde_json::json;
use transload_store::Verb;

use crate::accounts::small;
use crate::world::{LARGE, World};

#[tokio::test(start_paused = true)]
async fn runs_with_a_budget_move_everything_piece_by_piece_and_none_fails() {
    let world = World::new().await;
    world.functions.lists.store(true, Ordering::Relaxed);
    let mut sizes = small(100);
    sizes.push(("large".to_owned(), LARGE * 2));
    world.fill(&sizes);
    let sync = json!({"batchObjects": 20, "batchObjectLimit": LARGE, "budget": {"objects": 40}});
    for (run, copied, parked) in [(1, 40, 61), (2, 40, 21), (3, 21, 0)] {
        world.forget_files().await;
        let ended = world.run_with(&format!("run-{run}"), &sync, &json!({})).await;
        assert_eq!(ended.status, "SUCCEEDED", "{}", ended.described);
        let (output, status) = (ended.output(), if parked > 0 { "parked" } else { "synced" });
        assert_eq!(output["status"], status);
        assert!(ended.states.ends_with(if parked > 0 { "Reported Parked" } else { "Reported Done" }));
        let counts = &output["counts"];
        assert_eq!(counts["copied"]["objects"], copied, "{counts}");
        assert_eq!(counts["parked"]["objects"], parked, "{counts}");
        assert_eq!(counts["listed"]["objects"], 101);
        let (document, csv) = (world.document(), world.report("objects.csv"));
        assert_eq!((&document["status"], &document["counts"]), (&json!(status), counts));
        assert_eq!(csv.lines().filter(|row| row.contains(",parked,")).count(), parked);
        assert_eq!(world.report("report.html").contains("beyond the budget"), parked > 0);
    }
    world.assert_arrived(&sizes);
    assert_eq!(world.to.count(Verb::PutObject), 100, "each small object was sent once");
}

/// What fails within the budget is not replaced by what is parked, and a redrive moves it within the same budget.
#[tokio::test(start_paused = true)]
async fn a_redrive_stays_within_the_budget() {
    let world = World::new().await;
    world.functions.lists.store(true, Ordering::Relaxed);
    world.fill(&small(30));
    world.functions.decide(|function, _| (function == "batch").then_some("Lambda.Unknown"));
    let sync = json!({"batchObjectLimit": LARGE, "budget": {"objects": 10}});
    let failed = world.run(&sync).await;
    assert_eq!(failed.error(), "ObjectsFailed", "{}", failed.described);
    world.functions.decide(|_, _| None);
    let done = world.redrive(&failed).await;
    assert_eq!(done.output()["status"], "parked", "{}", done.described);
    assert_eq!(world.to.count(Verb::PutObject), 10);
}
