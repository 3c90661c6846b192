//! A call that has no time leaves the rest to the next one, at any page.

use std::time::Duration;

use serde_json::json;
use transload_store::Deadline;
use transload_store::memory::MemoryStores;
use transload_wire::ErrorName;

use crate::lies::Liar;
use crate::support::{World, input, steady};

#[tokio::test(start_paused = true)]
async fn a_page_at_a_time_gives_the_same_lists() {
    for page in [1, 2, 3, 7, 100] {
        for listers in [1, 4] {
            for compare in ["size", "checksum"] {
                let sync = json!({"delete": {"maxPercent": 100}, "listers": listers, "compare": compare});
                let (once, expected) = World::mixed(page).list(sync.clone()).await.unwrap();
                let (output, written, calls) = World::mixed(page).list_in_calls(&sync).await.unwrap();
                let case = format!("{page} {listers} {compare}");
                assert!(output.found.batches >= once.found.batches, "{case}");
                assert_eq!(output.found.calls, u64::from(calls), "{case}");
                assert_eq!((steady(&output.found), written), (steady(&once.found), expected), "{case}");
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

/// The same places, but each page takes its time.
fn late(world: World, late: Duration) -> World {
    let stores = MemoryStores::default()
        .with("global", Liar::late(world.source.clone(), late))
        .with("china", Liar::late(world.destination.clone(), late));
    World { stores, ..world }
}

#[tokio::test(start_paused = true)]
async fn a_page_that_is_on_its_way_when_the_time_is_up_is_listed_by_the_next_call() {
    let sync = json!({"delete": {"maxPercent": 100}, "listers": 3});
    let (once, expected) = World::mixed(2).list(sync.clone()).await.unwrap();
    for seconds in [1, 2, 3, 4] {
        let world = late(World::mixed(2), Duration::from_secs(seconds));
        let (output, written, calls) = world.list_in_calls(&sync).await.unwrap();
        assert_eq!((output.found.listed, written), (once.found.listed, expected.clone()), "{seconds} s");
        assert!(calls > 1, "{seconds} s");
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_that_gets_nowhere_is_out_of_time() {
    let world = late(World::mixed(2), Duration::from_secs(60));
    let failure = world.call(Deadline::after(Duration::from_secs(40)), &input(&json!({}))).await.unwrap_err();
    assert_eq!(failure.name, ErrorName::OutOfTime);
    assert!(world.files.all().is_empty());
}

#[tokio::test(start_paused = true)]
async fn twenty_seconds_are_kept_for_ending_in_good_order() {
    let world = late(World::mixed(1), Duration::from_secs(1));
    let start = tokio::time::Instant::now();
    let output = world.call(Deadline::after(Duration::from_secs(25)), &input(&json!({}))).await.unwrap();
    assert!(output.left.is_some());
    // The clock is the test's own: it goes on only while all wait.
    assert_eq!(start.elapsed(), Duration::from_secs(5));
}
