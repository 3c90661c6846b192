//! What can not be meant is told by its field, before anything is written.

use serde_json::{Value, json};
use transload_pack::PackRequest;
use transload_store::Deadline;
use transload_wire::{ArchiveFormat, ErrorName};

use crate::kit::World;

/// A request with a field at a path of names set to something else; null takes it away.
fn with(request: &PackRequest, path: &[&str], value: Value) -> Result<PackRequest, String> {
    let mut json = serde_json::to_value(request).unwrap();
    let (last, folders) = path.split_last().unwrap();
    let mut at = &mut json;
    for name in folders {
        at = &mut at[*name];
    }
    match value {
        Value::Null => drop(at.as_object_mut().unwrap().remove(*last)),
        value => at[*last] = value,
    }
    transload_wire::parse(json.to_string().as_bytes())
        .map_err(|failure: transload_wire::Failure| failure.message)
}

#[tokio::test]
async fn refused_by_its_field_and_nothing_is_written() {
    for (path, value, name, told) in [
        (
            &["pack", "format"][..],
            Value::Null,
            ErrorName::InputInvalid,
            "pack.format: expected tar, tar.gz or tar.zst",
        ),
        (
            &["pack", "level"],
            json!(10),
            ErrorName::InputInvalid,
            "pack.level: expected 1 to 9 for tar.gz, found 10",
        ),
        (&["pack", "include"], json!(["*.jpg", ""]), ErrorName::InputInvalid, "pack.include[1]"),
        (
            &["options", "partSize"],
            json!(1000),
            ErrorName::PlanInvalid,
            "options.partSize: expected 1048576 to",
        ),
        (
            &["options", "preserveEtag"],
            json!(true),
            ErrorName::InputInvalid,
            "options.preserveEtag: expected none",
        ),
        (&["options", "delete"], json!(true), ErrorName::InputInvalid, "options.delete: expected none"),
        (&["options", "verify"], json!("readBack"), ErrorName::InputInvalid, "options.verify: expected none"),
        (
            &["options", "bandwidth"],
            json!(1_000_000),
            ErrorName::InputInvalid,
            "options.bandwidth: expected none",
        ),
        (&["source", "location"], json!("nowhere"), ErrorName::InputInvalid, "source.location"),
        (&["destination", "location"], json!("nowhere"), ErrorName::InputInvalid, "destination.location"),
    ] {
        let mut world = World::new(ArchiveFormat::Gzip, &[]);
        world.request = with(&world.request, path, value).unwrap();
        let failure = world.call(None, Deadline::NONE).await.unwrap_err();
        assert_eq!(failure.name, name, "{failure}");
        assert!(failure.message.starts_with(told), "{told}: {failure}");
        assert!(world.open_uploads().is_empty() && world.keys().is_empty());
    }
}

#[test]
fn unknown_fields_and_formats_are_no_request() {
    let request = World::new(ArchiveFormat::Gzip, &[]).request;
    for (path, value, told) in [
        (&["pack", "format"][..], json!("zip"), "pack.format"),
        (&["pack", "compression"], json!(1), "pack"),
        (&["archive"], json!({}), "archive"),
        (&["source"], Value::Null, "source"),
    ] {
        let refused = with(&request, path, value).unwrap_err();
        assert!(refused.contains(told), "{told}: {refused}");
    }
}

#[tokio::test]
async fn an_archive_in_its_own_tree_is_refused() {
    let mut world = World::new(ArchiveFormat::Gzip, &[]);
    world.request.source.location = world.request.destination.location.clone();
    world.request.source.bucket = world.request.destination.bucket.clone();
    let failure = world.call(None, Deadline::NONE).await.unwrap_err();
    assert!(failure.message.starts_with("destination: expected a place outside of"), "{failure}");
}

#[tokio::test]
async fn what_stands_there_is_replaced_unless_it_must_not_be() {
    let mut world = World::new(ArchiveFormat::Gzip, &[]);
    world.intrude();
    let begun = world.call(None, Deadline::NONE).await.unwrap().begun;
    assert!(begun.replaces.is_some());
    world.request = with(&world.request, &["options", "overwrite"], json!("never")).unwrap();
    let failure = world.call(None, Deadline::NONE).await.unwrap_err();
    assert_eq!(failure.name, ErrorName::DestinationExists);
}
