//! What does not take part, and what goes where.

use serde_json::{Value, json};
use transload_wire::{Attributes, ErrorName};

use crate::support::World;

fn world() -> World {
    let world = World::new();
    for (key, bytes) in [("one.jpg", "1"), ("two.txt", "22"), ("sub/three.jpg", "333"), ("sub/four", "4444")]
    {
        world.here(key, bytes);
    }
    let attributes = Attributes { storage_class: Some("STANDARD_IA".to_owned()), ..Attributes::default() };
    world.source.write_with("photos", "a/cold", "55555", attributes);
    world
}

#[tokio::test]
async fn every_filter_leaves_out_with_its_reason() {
    let all = ["cold", "one.jpg", "sub/four", "sub/three.jpg", "two.txt"];
    let rows: [(Value, &[&str], &str); 12] = [
        (json!({"include": ["*.jpg"]}), &["one.jpg"], "notIncluded"),
        (json!({"include": ["**.jpg"]}), &["one.jpg", "sub/three.jpg"], "notIncluded"),
        (json!({"include": ["sub/**", "two.???"]}), &["sub/four", "sub/three.jpg", "two.txt"], "notIncluded"),
        (json!({"exclude": ["sub/*", "c*"]}), &["one.jpg", "two.txt"], "excluded"),
        (json!({"ignore": ["photos/a/sub/*", "*.txt"]}), &["cold", "one.jpg"], "ignored"),
        (json!({"ignore": ["other/a/*"]}), &all, ""),
        (json!({"minSize": 3}), &["cold", "sub/four", "sub/three.jpg"], "tooSmall"),
        (json!({"maxSize": 2}), &["one.jpg", "two.txt"], "tooLarge"),
        // Times of the places in memory go up by a second with every write, from this one on.
        (json!({"modifiedAfter": "2026-01-01T00:00:04Z"}), &["cold", "sub/four"], "tooOld"),
        (json!({"modifiedBefore": "2026-01-01T00:00:02Z"}), &["one.jpg"], "tooNew"),
        (json!({"storageClasses": ["STANDARD_IA"]}), &["cold"], "storageClass"),
        (json!({"storageClasses": ["STANDARD", "STANDARD_IA"]}), &all, ""),
    ];
    for (sync, sent, reason) in rows {
        let (output, written) = world().list(sync.clone()).await.unwrap();
        assert_eq!(written.sent(), sent, "{sync}");
        assert_eq!(written.skipped.len(), 5 - sent.len(), "{sync}");
        assert!(written.skipped.values().all(|found| found == reason), "{sync} {:?}", written.skipped);
        assert_eq!(output.found.listed.objects, 5, "{sync}");
    }
}

#[tokio::test]
async fn archived_objects_are_left_out_or_end_the_run_unless_they_are_there_already() {
    let world = world();
    world.source.set_archived("photos", "a/cold", true);
    world.source.set_archived("photos", "a/two.txt", true);
    world.there("two.txt", "22");
    let (output, written) = world.list(json!({})).await.unwrap();
    assert_eq!(written.skipped, [("a/cold".to_owned(), "archived".to_owned())].into());
    assert_eq!(output.found.present.objects, 1);
    let failed = world.list(json!({"archived": "fail"})).await.unwrap_err();
    assert_eq!(failed.name, ErrorName::SourceArchived);
    assert!(failed.message.contains("s3://photos/a/cold"), "{failed}");
    assert!(world.list(json!({"archived": "fail", "exclude": ["cold"]})).await.is_ok());
}

#[tokio::test]
async fn a_key_that_the_destination_can_not_have_is_left_out() {
    let world = World::new();
    let (fits, long) = ("k".repeat(1_022), "l".repeat(1_022));
    world.source.write("photos", &format!("a/{fits}"), "x");
    world.source.write("photos", &format!("a/{long}"), "x");
    let mut input = crate::support::input(&json!({"exclude": ["k*"]}));
    input.request.destination.prefix = "longer/".to_owned();
    let output = world.call(transload_store::Deadline::NONE, &input).await.unwrap();
    let written = world.written(&output).await;
    assert_eq!(written.skipped[&format!("a/{long}")], "keyUnusable");
    assert_eq!(written.skipped[&format!("a/{fits}")], "excluded");
}

#[tokio::test]
async fn large_objects_go_by_themselves_and_small_ones_in_bounded_batches() {
    let world = World::new();
    for n in 0..10 {
        world.here(&format!("{n}"), &"x".repeat(n * 10));
    }
    world.here("10", &"x".repeat(101));
    let sync = json!({"batchObjectLimit": 89, "batchObjects": 4, "batchBytes": 100});
    let (output, written) = world.list(sync).await.unwrap();
    assert_eq!(written.large.keys().collect::<Vec<_>>(), ["a/10", "a/9"]);
    assert_eq!(written.large["a/9"].destination_key.as_str(), "b/9");
    // 0, 10, 20, 30 | 40, 50 | 60 | 70 | 80
    assert_eq!((output.found.batches, output.found.small.objects), (5, 9));
}

#[tokio::test]
async fn a_line_of_long_keys_fits_into_a_childs_input() {
    let world = World::new();
    for n in 0..400 {
        // Six bytes of JSON for each of these.
        world.here(&format!("{n:03}{}", "\u{1}".repeat(900)), "x");
    }
    let (output, _) = world.list(json!({"batchObjects": 1000})).await.unwrap();
    assert!(output.found.batches > 10, "{}", output.found.batches);
}

#[tokio::test]
async fn an_object_in_parts_keeps_its_etag_by_an_execution_of_its_own() {
    let world = World::new();
    world.here("whole", "x");
    crate::comparing::in_parts(&world.source, ("photos", "a/parts"), &["x".repeat(5 << 20), "y".to_owned()])
        .await;
    let mut input = crate::support::input(&json!({}));
    input.request.options.preserve_etag = true;
    let output = world.call(transload_store::Deadline::NONE, &input).await.unwrap();
    let written = world.written(&output).await;
    assert_eq!(written.sent(), ["whole"]);
    assert!(written.large.contains_key("a/parts"));
}

/// Lists do not tell metadata: who would be sent is looked at, and nobody else.
#[tokio::test]
async fn a_filter_by_metadata_holds_before_anything_is_counted_as_sent() {
    let world = world();
    let team = |team: &str| Attributes {
        metadata: [("team".to_owned(), team.to_owned())].into(),
        ..Attributes::default()
    };
    world.source.write_with("photos", "a/maps", "m", team("maps/eu"));
    world.source.write_with("photos", "a/search", "s", team("search"));
    world.source.write_with("photos", "a/there", "t", team("search"));
    world.source.write_with("photos", "a/left.tmp", "l", team("maps"));
    world.there("there", "t");
    for mode in ["sync", "plan"] {
        let mut input = crate::support::input(&json!({"mode": mode, "exclude": ["*.tmp", "cold"]}));
        input.request.options.metadata_filter = Some([("Team".to_owned(), "maps*".to_owned())].into());
        let output = world.call(transload_store::Deadline::NONE, &input).await.unwrap();
        let found = &output.found;
        assert_eq!((found.small.objects, found.small.bytes, found.present.objects), (1, 1, 1), "{mode}");
        // Four without any metadata, and the one with another.
        assert_eq!(found.skipped["metadata"].objects, 5, "{mode}: {:?}", found.skipped);
        let looks = found.listing.source.get("HeadObject").copied();
        assert_eq!(looks, Some(6), "not at what is there, nor at what other rules leave out: {mode}");
    }
}
