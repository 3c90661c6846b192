//! Objects that a manifest names, in place of a listing.

use serde_json::{Value, json};
use transload_store::work::WorkFiles;
use transload_store::{Deadline, Verb};
use transload_wire::{ErrorName, Failure, ListOutput};

use crate::support::{World, Written, of};

const NAME: &str = "manifests/mine";

async fn listed(world: &World, form: &str, text: &str) -> Result<(ListOutput, Written), Failure> {
    listed_as(world, (form, text), json!({"exclude": ["*.tmp"]})).await
}

async fn listed_as(
    world: &World,
    (form, text): (&str, &str),
    sync: Value,
) -> Result<(ListOutput, Written), Failure> {
    world.files.put(NAME, text.to_owned().into()).await.unwrap();
    let input = of(json!({
        "source": {"location": "global", "bucket": "photos", "prefix": "a/"},
        "destination": {"location": "china", "bucket": "photos-cn", "prefix": "b/"},
        "manifest": {"name": NAME, "form": form},
        "sync": sync,
    }))
    .unwrap();
    let output = world.call(Deadline::NONE, &input).await?;
    world.files.delete(NAME).await.unwrap();
    let written = world.written(&output).await;
    Ok((output, written))
}

fn world() -> World {
    let world = World::new();
    for key in ["one", "two words", "three", "left.tmp", "unnamed"] {
        world.here(key, "bytes");
    }
    world.there("three", "bytes");
    world.there("two words", "other bytes");
    world.there("extra", "x");
    world
}

#[tokio::test]
async fn only_what_is_named_is_seen_to_and_all_of_it_is_accounted_for() {
    let csv = "photos,a/one\n\nphotos,a/two+words,\nphotos,a/three\nphotos,a/left.tmp\nphotos,a/never";
    let json = ["a/one", "a/two words", "a/three", "a/left.tmp", "a/never"];
    let json: String = json.iter().map(|key| format!("{}\n", json!({ "key": key }))).collect();
    for (form, text) in [("csv", csv), ("jsonl", json.as_str())] {
        let world = world();
        let (output, written) = listed(&world, form, text).await.unwrap();
        assert_eq!(written.sent(), ["one", "two words"], "{form}");
        assert_eq!(written.small["a/one"].replaces, None);
        assert!(written.small["a/two words"].replaces.is_some());
        assert_eq!(written.skipped["a/left.tmp"], "excluded");
        assert_eq!(written.skipped["a/never"], "notAtSource");
        assert_eq!((output.found.listed.objects, output.found.present.objects), (5, 1));
        assert_eq!((world.from.count(Verb::ListObjectsV2), world.to.count(Verb::ListObjectsV2)), (0, 0));
        assert_eq!(output.found.listing.source["HeadObject"], 5);
    }
}

#[tokio::test]
async fn bad_lines_are_told_by_their_numbers_before_anything_is_looked_at() {
    let world = world();
    let text = "photos,a/one\nother,a/two\n\nphotos,elsewhere\nphotos,a/%zz\n";
    let refused = listed(&world, "csv", text).await.unwrap_err();
    assert_eq!(refused.name, ErrorName::InputInvalid);
    for told in ["3 bad lines", "line 2: expected bucket photos", "line 4: expected a key below", "line 5: "]
    {
        assert!(refused.message.contains(told), "{told}: {refused}");
    }
    assert!(world.from.calls().is_empty() && world.to.calls().is_empty());
    let many = "x\n".repeat(25);
    let refused = listed(&world, "csv", &many).await.unwrap_err();
    assert!(refused.message.ends_with("; and 5 more"), "{refused}");
}

#[tokio::test]
async fn a_version_that_is_named_is_the_one_to_read() {
    let world = world();
    let source = world.source.clone().with_versions("photos");
    let (etag, version) = source.write("photos", "a/one", "older");
    world.here("one", "newer");
    let version = version.unwrap();
    let text = format!("photos,a/one,{version}\n");
    let (_, written) = listed(&world, "csv", &text).await.unwrap();
    let item = &written.small["a/one"];
    assert_eq!((&item.etag, item.version_id.as_ref()), (&etag, Some(&version)));
}

/// A line with facts, as an inventory has them.
fn line(key: &str, size: u64, class: &str) -> String {
    let (etag, time) = ("0123456789abcdef0123456789abcdef-2", "2026-01-31T12:00:00Z");
    let line = json!({"key": key, "size": size, "etag": etag, "lastModified": time, "storageClass": class});
    format!("{line}\n")
}

#[tokio::test]
async fn facts_spare_the_look_at_the_source() {
    let world = world();
    let keys = ["a/one", "a/two words", "a/three", "a/left.tmp", "a/never"];
    let mut text: String = keys.iter().map(|key| line(key, 5, "STANDARD")).collect();
    text.push_str(&line("a/cold", 5, "GLACIER"));
    text.push_str(&line("a/huge", 7, "STANDARD_IA"));
    let sync = json!({"exclude": ["*.tmp"], "maxSize": 6});
    let (output, written) = listed_as(&world, ("jsonl", &text), sync).await.unwrap();
    // What is gone since goes into a batch too: who reads it finds out.
    assert_eq!(written.sent(), ["never", "one", "two words"]);
    assert_eq!(written.small["a/one"].etag.parts(), Some(2), "as told, not as it is");
    assert!(written.small["a/two words"].replaces.is_some());
    let reasons = [("a/cold", "archived"), ("a/huge", "tooLarge"), ("a/left.tmp", "excluded")];
    assert_eq!(written.skipped, reasons.map(|(key, reason)| (key.to_owned(), reason.to_owned())).into());
    assert_eq!((output.found.listed.objects, output.found.present.objects), (7, 1));
    assert!(world.from.calls().is_empty(), "{:?}", world.from.calls());
    assert_eq!(world.to.count(Verb::HeadObject), 7);
}

#[tokio::test]
async fn what_goes_alone_is_looked_at_whatever_is_told_of_it() {
    let world = world();
    world.there("same", "12345");
    let keys = ["a/one", "a/two words", "a/never", "a/same"];
    let text: String = keys.iter().map(|key| line(key, 5, "STANDARD")).collect();
    let (output, written) =
        listed_as(&world, ("jsonl", &text), json!({"batchObjectLimit": 4})).await.unwrap();
    assert_eq!(written.skipped["a/never"], "notAtSource");
    let now = world.source.facts("photos", "a/one").unwrap();
    assert_eq!(written.large["a/one"].etag, Some(now.etag));
    assert!(written.large["a/two words"].replaces.is_some());
    assert_eq!(output.found.present.objects, 1);
    let heads = (world.from.count(Verb::HeadObject), world.to.count(Verb::HeadObject));
    assert_eq!(heads, (3, 4), "what is there already is not looked at");
}

#[tokio::test]
async fn what_was_archived_may_be_restored_meanwhile() {
    let world = world();
    let text = line("a/one", 5, "DEEP_ARCHIVE");
    let (_, written) = listed_as(&world, ("jsonl", &text), json!({})).await.unwrap();
    assert_eq!((written.skipped["a/one"].as_str(), world.from.calls().len()), ("archived", 0));
    for archived in ["fail", "thaw"] {
        let (_, written) = listed_as(&world, ("jsonl", &text), json!({"archived": archived})).await.unwrap();
        assert_eq!(written.sent(), ["one"], "{archived}");
    }
    world.source.set_archived("photos", "a/one", true);
    let failed = listed_as(&world, ("jsonl", &text), json!({"archived": "fail"})).await.unwrap_err();
    assert_eq!(failed.name, ErrorName::SourceArchived);
}
