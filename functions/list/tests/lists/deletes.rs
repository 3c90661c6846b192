//! What would be deleted, and what stops that.

use serde_json::{Value, json};
use transload_store::Deadline;
use transload_wire::{ErrorName, Failure, Mode};

use crate::support::{World, input};

/// Ten objects there, `here` of them here.
fn world(here: usize) -> World {
    let world = World::new();
    for n in 0..10 {
        if n < here {
            world.here(&n.to_string(), "x");
        }
        world.there(&n.to_string(), "x");
    }
    world
}

async fn name(world: &World, delete: Value) -> Result<u64, (ErrorName, String)> {
    let listed = world.list(json!({"delete": delete})).await;
    listed
        .map(|(output, _)| output.found.deletes.objects)
        .map_err(|failure: Failure| (failure.name, failure.message))
}

#[tokio::test]
async fn nothing_is_deleted_unless_it_is_asked_for() {
    let (_, written) = world(9).list(json!({})).await.unwrap();
    assert!(written.doomed.is_empty());
    let (_, written) = world(9).list(json!({"delete": {}})).await.unwrap();
    assert_eq!(written.deleted(), ["9"]);
    assert_eq!(written.doomed["b/9"].source_key.as_str(), "a/9");
}

#[tokio::test]
async fn caps_stop_the_run_at_their_very_bound() {
    for (here, delete, stops) in [
        (9, json!({}), None),
        (8, json!({}), Some("sync.delete.maxPercent: expected at most 10 percent, found 2 of 10 objects")),
        (8, json!({"maxPercent": 20}), None),
        (8, json!({"maxPercent": 20, "maxCount": 2}), None),
        (
            8,
            json!({"maxPercent": 20, "maxCount": 1}),
            Some("sync.delete.maxCount: expected at most 1, found 2"),
        ),
        (10, json!({"maxPercent": 0, "maxCount": 0}), None),
        (9, json!({"maxPercent": 0}), Some("sync.delete.maxPercent")),
        (
            0,
            json!({"maxPercent": 100}),
            Some("sync.delete.allowEmptySource: expected objects in global:s3://photos/a/"),
        ),
        (0, json!({"maxPercent": 100, "allowEmptySource": true}), None),
        (0, json!({"maxPercent": 99, "allowEmptySource": true}), Some("sync.delete.maxPercent")),
    ] {
        let found = name(&world(here), delete.clone()).await;
        match (stops, found) {
            (None, Ok(deleted)) => assert_eq!(deleted, 10 - here as u64, "{here} {delete}"),
            (Some(message), Err((ErrorName::DeletesRefused, found))) => {
                assert!(found.starts_with(message), "{found}");
            }
            (_, found) => panic!("{here} {delete}: {found:?}"),
        }
    }
}

#[tokio::test]
async fn a_plan_shows_what_a_run_would_refuse() {
    let world = world(0);
    let mut input = input(&json!({"delete": {}}));
    input.request.sync.mode = Mode::Plan;
    let output = world.call(Deadline::NONE, &input).await.unwrap();
    assert_eq!(output.found.deletes.objects, 10);
}

#[tokio::test]
async fn an_empty_source_without_anything_to_delete_is_no_mistake() {
    let world = World::new();
    let (output, _) = world.list(json!({"delete": {}})).await.unwrap();
    assert_eq!(output.found.destination.objects, 0);
}

#[tokio::test]
async fn what_the_rules_keep_out_is_not_deleted() {
    let world = World::new();
    for key in ["gone", "kept.tmp", "sub/ignored", "sub/small"] {
        world.there(key, "x");
    }
    world.here("sub/small", "x");
    let sync = json!({
        "delete": {"maxPercent": 100}, "exclude": ["*.tmp"], "ignore": ["photos/a/sub/ig*"], "minSize": 5,
    });
    let (_, written) = world.list(sync).await.unwrap();
    assert_eq!(written.deleted(), ["gone"], "an object that is left out at the source is there nevertheless");
}
