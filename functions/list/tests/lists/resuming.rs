//! A call that has no time leaves the rest to the next one, at any page.

use serde_json::json;
use std::time::Duration;
use transload_store::Deadline;

use crate::support::{World, input};

#[tokio::test(start_paused = true)]
async fn a_page_at_a_time_gives_the_same_lists() {
    for page in [1, 2, 3, 7, 100] {
        for listers in [1, 4] {
            for compare in ["size", "checksum"] {
                let sync = json!({"delete": {"maxPercent": 100}, "listers": listers, "compare": compare});
                let (once, expected) = World::mixed(page).list(sync.clone()).await.unwrap();
                let (output, written, calls) = World::mixed(page).list_in_calls(&sync).await.unwrap();
                let case = format!("{page} {listers} {compare}");
                let mut found = output.found.clone();
                assert!(found.batches >= once.found.batches, "{case}");
                found.batches = once.found.batches;
                assert_eq!((found, written), (once.found, expected), "{case}");
                assert!(page > 7 || listers > 1 || calls > 1, "{case}: {calls} calls");
            }
        }
    }
}

/// The prefix itself may be a key: behind nothing, and not behind it.
#[tokio::test(start_paused = true)]
async fn the_key_that_is_the_prefix_is_listed_once() {
    for page in [1, 2] {
        let world = World::paged(page);
        world.source.write("photos", "a/", "");
        world.here("x", "x");
        world.destination.write("photos-cn", "b/", "x");
        world.destination.write("photos-cn", "b/w", "x");
        let (output, written, _) =
            world.list_in_calls(&json!({"delete": {"maxPercent": 100}})).await.unwrap();
        assert_eq!(written.sent(), ["", "x"]);
        assert_eq!((output.found.listed.objects, output.found.destination.objects), (2, 2));
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_without_any_time_fails_and_changes_nothing() {
    let world = World::mixed(2);
    let failure = world.call(Deadline::after(Duration::from_secs(5)), &input(&json!({}))).await;
    // Places in memory answer at once: what is left of the time is enough, or the call fails as out of time.
    assert!(failure.is_ok() || failure.unwrap_err().name.as_str() == "OutOfTime");
}
