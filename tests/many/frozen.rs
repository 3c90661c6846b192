//! The whole machine over a frozen plan.

use serde_json::json;
use transload_plan::cost::{Concurrency, Place, Prices, Run, estimate};
use transload_store::Verb;
use transload_store::work::{PlanWriter, WorkFiles};
use transload_wire::{Found, Frozen, PLAN_VERSION, PlanHead, PlanLine, SyncRequest};

use crate::accounts::small;
use crate::world::{Ended, LARGE, World};

const SYNC: &str = r#"{"batchObjectLimit": 16384, "batchObjects": 50, "delete": {"maxPercent": 50}}"#;

async fn world() -> World {
    let world = World::new().await;
    world.functions.lists.store(true, std::sync::atomic::Ordering::Relaxed);
    let mut sizes = small(200);
    sizes.extend([("large-1".to_owned(), LARGE * 3), ("large-2".to_owned(), LARGE * 2)]);
    world.fill(&sizes);
    world.destination.write("photos-cn", "out/gone", "gone");
    world.destination.write("photos-cn", "out/large-2", "older");
    world
}

/// Plans, freezes and puts the plan where List reads it: its name, and what was found.
async fn frozen(world: &World) -> (Frozen, Found) {
    let mut sync: serde_json::Value = serde_json::from_str(SYNC).unwrap();
    sync["mode"] = json!("plan");
    let planned = world.run(&sync).await;
    assert_eq!(planned.status, "SUCCEEDED", "{}", planned.described);
    let input = planned.described["input"].as_str().unwrap();
    let mut request: SyncRequest = transload_wire::parse(input.as_bytes()).unwrap();
    request.sync.mode = transload_wire::Mode::Sync;
    let found: Found = serde_json::from_value(planned.output()["found"].clone()).unwrap();
    let created = "2026-01-01T00:00:00Z".to_owned();
    let head = PlanHead { version: PLAN_VERSION, created, request, found: found.clone(), prices: None };
    let mut writer = PlanWriter::default();
    let mut bytes = writer.line(&PlanLine::Plan(Box::new(head))).unwrap().to_vec();
    for (name, list) in world.files.all() {
        if name.contains("/plan/") {
            writer.lines(&list);
            bytes.extend_from_slice(&list);
            world.files.delete(&name).await.unwrap();
        }
    }
    let (end, sha256) = writer.end().unwrap();
    bytes.extend_from_slice(&end);
    let name = format!("plans/{sha256}.jsonl");
    world.files.put(&name, bytes.into()).await.unwrap();
    (Frozen { name, sha256 }, found)
}

async fn execute(world: &World, plan: &Frozen) -> Ended {
    world.run_with("exactly", &serde_json::from_str(SYNC).unwrap(), &json!({"plan": plan})).await
}

fn pages(world: &World) -> u64 {
    world.from.count(Verb::ListObjectsV2) + world.to.count(Verb::ListObjectsV2)
}

#[tokio::test(start_paused = true)]
async fn it_does_what_the_plan_says_and_lists_nothing() {
    let world = world().await;
    let (plan, found) = frozen(&world).await;
    world.source.write("photos", "in/new", "not planned");
    let before = pages(&world);
    let ended = execute(&world, &plan).await;
    assert_eq!(ended.status, "SUCCEEDED", "{}", ended.described);
    let counts = &ended.output()["counts"];
    assert_eq!((&counts["copied"]["objects"], &counts["deleted"]["objects"]), (&json!(202), &json!(1)));
    assert_eq!(pages(&world), before + 1, "only the deletion looks at the source once more");
    assert!(world.destination.facts("photos-cn", "out/new").is_none());

    // The states that it entered are those that were estimated; each child's start counts as one more.
    let run = Run {
        classes: found.classes.clone(),
        calls: found.calls,
        batches: found.batches,
        deletions: found.deletions,
        ..Run::default()
    };
    let prices: Prices = serde_json::from_str(transload_plan::cost::LIST_PRICES).unwrap();
    let place = Place { location: "l", partition: Some("aws"), region: None };
    let concurrency = Concurrency { batches: 2, large: 2, parts: 64 };
    let estimate = estimate(&run, &prices, (&place, &place), concurrency).unwrap();
    let own = ended.states.split(' ').count() as u64;
    let children: u64 = found.classes.values().map(|work| work.children).sum();
    // Two large ones: a start, Transfer and eight states. One worker sends all parts of each: there are no children.
    let large = 2 * (1 + 1 + 8);
    assert_eq!(children, 0);
    assert_eq!(estimate.transitions, own + found.batches + found.deletions + large);
}

#[tokio::test(start_paused = true)]
async fn what_changed_fails_and_a_redrive_sends_it_once_it_is_as_planned() {
    let world = world().await;
    let (plan, _) = frozen(&world).await;
    let older = world.destination.facts("photos-cn", "out/large-2").unwrap().etag;
    world.source.write("photos", "in/00/00007", "another version");
    world.source.delete("photos", "in/01/00008");
    world.source.write("photos", "in/large-1", "another version");
    world.destination.write("photos-cn", "out/large-2", "somebody else's");
    let ended = execute(&world, &plan).await;
    assert_eq!((ended.status.as_str(), ended.error()), ("FAILED", "ObjectsFailed"), "{}", ended.described);
    assert!(ended.cause().contains("3 SourceChanged"), "{}", ended.cause());
    assert!(ended.cause().contains("1 DestinationChanged"), "{}", ended.cause());
    for key in ["out/00/00007", "out/01/00008", "out/large-1"] {
        assert!(world.destination.facts("photos-cn", key).is_none(), "{key}");
    }
    world.destination.write("photos-cn", "out/large-2", "older");
    assert_eq!(world.destination.facts("photos-cn", "out/large-2").unwrap().etag, older);
    let again = world.redrive(&ended).await;
    assert_eq!(again.error(), "ObjectsFailed");
    assert!(again.cause().contains("(3 SourceChanged)"), "{}", again.cause());
    assert_ne!(world.destination.facts("photos-cn", "out/large-2").unwrap().etag, older);
}

#[tokio::test(start_paused = true)]
async fn a_plan_that_was_altered_is_refused_by_the_machine_itself() {
    let world = world().await;
    let (plan, _) = frozen(&world).await;
    let bytes = world.files.all().remove(&plan.name).unwrap();
    let text = std::str::from_utf8(&bytes).unwrap().replacen("in/00/00007", "in/00/00008", 1);
    world.files.put(&plan.name, text.into()).await.unwrap();
    let ended = execute(&world, &plan).await;
    assert_eq!((ended.states.as_str(), ended.error()), ("Begin List Failed", "InputInvalid"));
    assert!(ended.cause().contains("the plan was altered since it was frozen"), "{}", ended.cause());
    assert_eq!(world.to.count(Verb::PutObject), 0);
}
