//! A filter by metadata: what does not match when it is listed is left out; what changed since, by who opens it.

use std::sync::atomic::Ordering;

use serde_json::json;
use transload_store::Verb;
use transload_wire::Attributes;

use crate::world::{FROM, LARGE, PART, World, content};

fn write(world: &World, name: &str, size: usize, team: Option<&str>) {
    let metadata = team.map(|team| ("team".to_owned(), team.to_owned())).into_iter().collect();
    let attributes = Attributes { metadata, ..Attributes::default() };
    world.source.write_with(FROM.0, &format!("{}{name}", FROM.1), content(name, size), attributes);
}

#[tokio::test(start_paused = true)]
async fn objects_with_other_metadata_are_skipped_and_accounted_for() {
    let world = World::new().await;
    world.functions.lists.store(true, Ordering::Relaxed);
    for (name, team) in [("maps", Some("maps/eu")), ("search", Some("search")), ("none", None)] {
        write(&world, &format!("small-{name}"), 100, team);
        write(&world, &format!("whole-{name}"), LARGE, team);
        write(&world, &format!("parts-{name}"), 2 * LARGE, team);
    }
    let options = json!({"wholeObjectLimit": LARGE, "partSize": PART, "metadataFilter": {"Team": "maps*"}});
    let sync = json!({"batchObjectLimit": LARGE - 1, "delete": {"maxPercent": 100}});
    let ended = world.run_with("run", &sync, &json!({"options": options})).await;
    assert_eq!(ended.output()["status"], "synced", "{}", ended.described);
    let sizes = [100, LARGE, 2 * LARGE].into_iter().zip(["small-maps", "whole-maps", "parts-maps"]);
    world.assert_arrived(&sizes.map(|(size, name)| (name.to_owned(), size)).collect::<Vec<_>>());
    let (counts, bytes) = (&ended.output()["counts"], 2 * (100 + 3 * LARGE));
    assert_eq!(counts["copied"]["objects"], 3, "{counts}");
    assert_eq!(counts["skipped"], json!({"metadata": {"objects": 6, "bytes": bytes}}));
    assert_eq!(world.to.count(Verb::CreateMultipartUpload), 1, "nothing is begun for what is left out");
    let csv = world.report("objects.csv");
    assert_eq!(csv.lines().filter(|row| row.contains("skipped") && row.contains("metadata")).count(), 6);

    // What was copied before it had other metadata stands there still: its source does.
    write(&world, "small-maps", 100, Some("search"));
    world.forget_files().await;
    let sync = json!({"batchObjectLimit": LARGE - 1, "compare": "none", "delete": {"maxPercent": 100}});
    let again = world.run_with("again", &sync, &json!({"options": options})).await;
    let counts = &again.output()["counts"];
    assert_eq!(
        (&counts["copied"]["objects"], &counts["present"]["objects"]),
        (&json!(0), &json!(2)),
        "{counts}"
    );
    assert_eq!(
        (&counts["skipped"]["metadata"]["objects"], &counts["deleted"]["objects"]),
        (&json!(7), &json!(0))
    );
}
