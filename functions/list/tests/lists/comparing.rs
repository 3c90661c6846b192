//! Every way to compare, and what it costs.

use bytes::Bytes;
use futures::{StreamExt, stream};
use serde_json::json;
use transload_plan::PartNumber;
use transload_store::{Complete, Condition, PartRef, PutBody, Store, Target, look::identity};
use transload_wire::{Attributes, Pinned, SOURCE_METADATA, Source, StoredSource};

use crate::support::{World, input};

/// Objects whose names tell how they differ. Times go up with every write.
fn world() -> World {
    let world = World::new();
    world.there("older", "12345");
    for key in ["same", "size", "bytes", "missing", "older"] {
        world.here(key, "12345");
    }
    world.there("same", "12345");
    world.there("size", "123456");
    world.there("bytes", "abcde");
    // The source's ticks are behind: what was written here after five objects is no older.
    for n in 0..9 {
        world.there(&format!("later/{n}"), "x");
    }
    world.there("bytes", "abcde");
    world.there("same", "12345");
    world
}

#[tokio::test]
async fn each_way_to_compare_sends_what_differs_by_it() {
    for (compare, sent) in [
        ("none", &["bytes", "missing", "older", "same", "size"][..]),
        ("size", &["missing", "size"]),
        ("checksum", &["bytes", "missing", "size"]),
        ("version", &["bytes", "missing", "older", "same", "size"]),
        ("newer", &["missing", "older", "size"]),
    ] {
        let world = world();
        let (output, written) = world.list(json!({"compare": compare})).await.unwrap();
        assert_eq!(written.sent(), sent, "{compare}");
        assert_eq!(output.found.listed.objects, 5, "{compare}");
        assert_eq!(output.found.destination.objects, 13, "{compare}");
        let replaces =
            |key: &str| written.small.get(&format!("a/{key}")).and_then(|item| item.replaces.clone());
        assert_eq!(replaces("missing"), None);
        assert_eq!(replaces("size"), world.destination.facts("photos-cn", "b/size").map(|head| head.etag));
    }
}

#[tokio::test]
async fn sizes_alone_cost_no_request_but_the_pages() {
    let world = world();
    let (output, _) = world.list(json!({})).await.unwrap();
    assert_eq!(output.requests, [("ListObjectsV2".to_owned(), 2)].into());
}

/// What a transfer writes about the version that it read.
fn identity_of(world: &World, key: &str, change: impl FnOnce(&mut Pinned)) -> String {
    let head = world.source.facts("photos", &format!("a/{key}")).unwrap();
    let input = input(&json!({}));
    let mut pinned = Pinned {
        object: Source::Stored(StoredSource {
            location: input.request.source.location,
            bucket: input.request.source.bucket,
            key: format!("a/{key}").parse().unwrap(),
            version_id: head.version,
        }),
        etag: head.etag,
        size: head.size,
        last_modified: head.last_modified,
        checksum: None,
        requester_pays: false,
    };
    change(&mut pinned);
    identity::of_version(&pinned).unwrap().to_string()
}

fn copied(world: &World, key: &str, bytes: &str, identity: String) {
    let mut attributes = Attributes::default();
    attributes.metadata.insert(SOURCE_METADATA.to_owned(), identity);
    world.destination.write_with("photos-cn", &format!("b/{key}"), bytes.to_owned(), attributes);
}

#[tokio::test]
async fn the_destination_knows_which_version_it_was_made_from() {
    for versioned in [false, true] {
        for compare in ["version", "checksum"] {
            for versions in ["off", "listed"] {
                let mut world = World::new();
                if versioned {
                    world.source = world.source.clone().with_versions("photos");
                }
                for key in ["changed", "made", "other"] {
                    world.here(key, "12345");
                }
                copied(&world, "made", "abcde", identity_of(&world, "made", |_| {}));
                copied(&world, "changed", "abcde", identity_of(&world, "changed", |_| {}));
                copied(&world, "other", "abcde", identity_of(&world, "other", |pinned| pinned.size = 9));
                world.here("changed", "54321");
                let sync = json!({"compare": compare, "versions": versions});
                let (output, written) = world.list(sync).await.unwrap();
                let case = format!("versions {versioned}, {compare}, {versions}");
                assert_eq!(written.sent(), ["changed", "other"], "{case}");
                let item = &written.small["a/changed"];
                assert_eq!(item.version_id.is_some(), versioned && versions == "listed", "{case}");
                assert!(output.requests["HeadObject"] <= 6, "{case}: {:?}", output.requests);
            }
        }
    }
}

/// Writes an object in parts, so that its ETag is of parts, with the checksum of the whole.
pub(crate) async fn in_parts(store: &dyn Store, (bucket, key): (&str, &str), parts_of: &[String]) {
    let target = Target {
        bucket: bucket.parse().unwrap(),
        key: key.parse().unwrap(),
        attributes: Attributes::default(),
        encryption: None,
        checksum_algorithm: store.checksums().first().copied(),
    };
    let created = store.create_upload(&target).await.unwrap();
    let upload = created.upload(&target);
    let mut parts = Vec::new();
    for (number, part) in (1..).zip(parts_of) {
        let (number, bytes) = (PartNumber::new(number).unwrap(), Bytes::copy_from_slice(part.as_bytes()));
        let size = bytes.len() as u64;
        let body = PutBody { len: size, stream: stream::iter([Ok(bytes)]).boxed(), md5: None, seen: None };
        let stored = store.upload_part(&upload, number, body).await.unwrap();
        parts.push(PartRef { number, size, etag: stored.etag, checksum: stored.checksum });
    }
    let size = parts.iter().map(|part| part.size).sum();
    let complete = Complete { parts, size, checksum: None, condition: Condition::Anything };
    store.complete_upload(&upload, &complete).await.unwrap();
}

#[tokio::test]
async fn checksums_of_the_whole_tell_what_etags_of_parts_do_not() {
    let world = World::new();
    let half = "x".repeat(5 << 20);
    for key in ["alike", "unlike"] {
        world.here(key, &half.repeat(2));
    }
    in_parts(&world.destination, ("photos-cn", "b/alike"), &[half.clone(), half.clone()]).await;
    in_parts(&world.destination, ("photos-cn", "b/unlike"), &[half.clone(), "y".repeat(5 << 20)]).await;
    let (output, written) = world.list(json!({"compare": "checksum"})).await.unwrap();
    assert_eq!(written.sent(), ["unlike"]);
    assert_eq!(output.requests["HeadObject"], 4);
}

#[tokio::test]
async fn what_is_never_replaced_is_left_out() {
    let world = world();
    let mut input = input(&json!({}));
    input.request.options.overwrite = transload_wire::Overwrite::Never;
    let output = world.call(transload_store::Deadline::NONE, &input).await.unwrap();
    let written = world.written(&output).await;
    assert_eq!(written.sent(), ["missing"]);
    assert_eq!(written.skipped["a/size"], "exists");
}
