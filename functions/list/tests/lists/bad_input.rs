//! What can not be meant is refused with its field, before anything is sent or written.

use serde_json::{Value, json};
use transload_store::Deadline;
use transload_wire::{ErrorName, Failure};

use crate::support::{World, of};

async fn refused(world: &World, request: Value) -> Failure {
    match of(request) {
        Ok(input) => world.call(Deadline::NONE, &input).await.expect_err("a refusal"),
        Err(failure) => failure,
    }
}

fn with(sync: Value) -> Value {
    json!({"source": {"location": "global", "bucket": "photos"},
           "destination": {"location": "china", "bucket": "photos-cn"}, "sync": sync})
}

fn between(source: Value, destination: Value) -> Value {
    json!({"source": source, "destination": destination})
}

fn place(location: &str, bucket: &str, prefix: &str) -> Value {
    json!({"location": location, "bucket": bucket, "prefix": prefix})
}

#[tokio::test]
async fn every_bad_field_is_named_before_any_request() {
    let china = || place("china", "photos-cn", "");
    let rows = [
        (with(json!({"include": [""]})), "sync.include[0]: expected a pattern"),
        (with(json!({"exclude": ["a", "b\u{0}"]})), "sync.exclude[1]: expected a pattern"),
        (
            with(json!({"ignore": ["photos/a", "readme.md"]})),
            "sync.ignore: line 2: expected a pattern of bucket/key",
        ),
        (with(json!({"modifiedAfter": "yesterday"})), "sync.modifiedAfter: expected a time in UTC"),
        (with(json!({"modifiedBefore": "2026-02-30"})), "sync.modifiedBefore: expected a time in UTC"),
        (with(json!({"minSize": 2, "maxSize": 1})), "sync.minSize: expected less than maxSize"),
        (with(json!({"storageClasses": ["ia"]})), "sync.storageClasses[0]: expected a name"),
        (with(json!({"listers": 65})), "sync.listers: expected a number from 1 to 64, found 65"),
        (with(json!({"budget": {}})), "sync.budget: expected objects, bytes or dollars, found none"),
        (
            with(json!({"budget": {"dollars": 0}})),
            "request.sync.budget.dollars: expected dollars from 0.000001",
        ),
        (
            with(json!({"budget": {"dollars": -1.5}})),
            "request.sync.budget.dollars: expected dollars from 0.000001",
        ),
        (
            with(json!({"budget": {"objects": 1}, "prices": table()})),
            "sync.prices: expected sync.budget.dollars",
        ),
        (with(json!({"budget": {"dollars": 1}, "prices": {}})), "request.sync.prices: missing field"),
        (with(json!({"budget": {"objects": 0}})), "sync.budget.objects: expected a number from 1, found 0"),
        (with(json!({"budget": {"bytes": 0}})), "sync.budget.bytes: expected a number from 1, found 0"),
        (with(json!({"budget": {"bytes": "1GB"}})), "request.sync.budget.bytes: invalid type"),
        (with(json!({"budget": {"euros": 1}})), "request.sync.budget.euros: unknown field"),
        (with(json!({"colour": "red"})), "request.sync.colour: unknown field"),
        (with(json!({"compare": "taste"})), "request.sync.compare: unknown variant"),
        (
            between(place("global", "photos", &"p".repeat(1_025)), china()),
            "source.prefix: expected at most 1024 bytes",
        ),
        (
            between(place("global", "photos", ""), place("china", "photos-cn", "a\u{0}")),
            "destination.prefix: expected at most",
        ),
        (between(place("nowhere", "photos", ""), china()), "source.location: location: expected one of"),
    ];
    for (request, message) in rows {
        let world = World::mixed(3);
        let failure = refused(&world, request).await;
        assert_eq!(failure.name, ErrorName::InputInvalid, "{failure}");
        assert!(failure.message.starts_with(message), "{failure}");
        assert!(world.from.calls().is_empty() && world.to.calls().is_empty(), "{message}");
        assert!(world.files.all().is_empty(), "{message}");
    }
}

#[tokio::test]
async fn a_place_is_not_copied_into_itself() {
    for (from, to, refuses) in [
        ("", "", true),
        ("a/", "a/", true),
        ("", "copy/", true),
        ("a/", "a/copy/", true),
        ("a/copy/", "a/", true),
        ("photos", "photos-old/", true),
        ("a/", "b/", false),
        ("a/1", "a/2", false),
    ] {
        let world = World::mixed(100);
        let request = between(place("global", "photos", from), place("global", "photos", to));
        let outcome = world.call(Deadline::NONE, &of(request).unwrap()).await;
        assert_eq!(outcome.is_err(), refuses, "{from} to {to}");
        if let Err(failure) = outcome {
            assert_eq!(failure.name, ErrorName::InputInvalid);
            assert!(failure.message.starts_with("destination: expected a prefix apart"), "{failure}");
            assert!(world.from.calls().is_empty());
        }
    }
    let world = World::mixed(100);
    let elsewhere = between(place("global", "photos", ""), place("china", "photos-cn", ""));
    assert!(world.call(Deadline::NONE, &of(elsewhere).unwrap()).await.is_ok());
}

#[tokio::test]
async fn a_bucket_that_is_not_there_or_may_not_be_listed_is_told_by_its_side() {
    use transload_store::{StoreErrorKind as Kind, Verb};
    for (kind, here, there) in [
        (Kind::NoSuchBucket, ErrorName::SourceNotFound, ErrorName::DestinationNotFound),
        (Kind::AccessDenied, ErrorName::SourceAccessDenied, ErrorName::DestinationAccessDenied),
    ] {
        let world = World::mixed(3);
        world.from.refuse(Verb::ListObjectsV2, .., kind);
        assert_eq!(world.list(json!({})).await.unwrap_err().name, here);
        let world = World::mixed(3);
        world.to.refuse(Verb::ListObjectsV2, .., kind);
        assert_eq!(world.list(json!({})).await.unwrap_err().name, there);
    }
}

fn table() -> serde_json::Value {
    serde_json::from_str(transload_plan::cost::LIST_PRICES).unwrap()
}
