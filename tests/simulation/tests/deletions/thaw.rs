//! Archived sources that are asked back: hours pass in the workflow, none of them in a worker.

use std::time::Duration;

use http::{HeaderMap, HeaderValue};
use serde_json::json;
use simulation::{Outcome, SOURCE_BUCKET, World};
use strict_s3::{Action, Answer, Rule, Versioning};

const HOUR: Duration = Duration::from_secs(3_600);

/// A world with an object in the archive, that takes so long to come back.
async fn world(class: &'static str, takes: Duration, options: serde_json::Value) -> Outcome<World> {
    let versions = Versioning::Enabled;
    let builder = World::builder(1).versioning(versions, versions).restore_takes(takes).options(options);
    let world = builder.build().await?;
    freeze(&world, class, 700);
    Ok(world)
}

fn freeze(world: &World, class: &'static str, size: usize) {
    let headers = HeaderMap::from_iter([(
        http::HeaderName::from_static("x-amz-storage-class"),
        HeaderValue::from_static(class),
    )]);
    world.source.direct().put_with(SOURCE_BUCKET, "k", vec![5; size], headers, Vec::new()).unwrap();
}

fn seen(world: &World, operation: &str) -> u64 {
    world.source.counts().get(operation).copied().unwrap_or_default()
}

fn case(work: impl Future<Output = Outcome<()>>) {
    simulation::run(1, work).unwrap();
}

#[test]
fn an_archived_source_fails_unless_it_is_to_be_thawed() {
    case(async {
        let world = world("GLACIER", HOUR, json!({})).await?;
        let ended = world.transfer("k").await?;
        assert_eq!((ended.error.as_str(), seen(&world, "RestoreObject")), ("SourceArchived", 0));
        Ok(())
    });
}

#[test]
fn a_thawed_source_is_copied_after_hours_that_nobody_works() {
    for (class, takes, hours) in [("GLACIER", 4 * HOUR, 4..6), ("DEEP_ARCHIVE", 40 * HOUR, 40..42)] {
        case(async {
            let world = world(class, takes, json!({"archived": "thaw", "storageClass": "STANDARD"})).await?;
            let ended = world.transfer("k").await?;
            assert_eq!(ended.output["status"], "copied", "{ended:?}");
            assert_eq!(world.arrived("k").unwrap().bytes().unwrap(), vec![5; 700]);
            let took = world.time.elapsed().as_secs() / 3_600;
            assert!(hours.contains(&took), "{took} hours");
            let waits = ended.states.iter().filter(|state| *state == "WaitForThaw").count() as u64;
            // At most one an hour, and a few more at the beginning.
            assert!(waits >= 4 && waits <= took + 4, "{waits} waits");
            assert_eq!(seen(&world, "RestoreObject"), waits, "one that is on its way may be asked again");
            Ok(())
        });
    }
}

#[test]
fn a_thaw_that_takes_too_long_ends_by_name() {
    case(async {
        let options = json!({"archived": "thaw", "thaw": {"tier": "Bulk", "deadlineHours": 5}});
        let world = world("GLACIER", 30 * HOUR, options).await?;
        let ended = world.transfer("k").await?;
        assert_eq!(ended.error, "ThawOverdue", "{ended:?}");
        let cause = "expected it to be readable within 5 hours (options.thaw.deadlineHours)";
        assert!(ended.cause.contains(cause), "{}", ended.cause);
        assert_eq!(world.time.elapsed().as_secs() / 3_600, 5);
        Ok(())
    });
}

#[test]
fn the_fast_tier_is_looked_at_early_and_may_be_sold_out() {
    case(async {
        let options = json!({"archived": "thaw", "thaw": {"tier": "Expedited"}, "storageClass": "STANDARD"});
        let world = world("GLACIER", HOUR / 20, options).await?;
        let sold_out = Answer::error(503, "GlacierExpeditedRetrievalNotAvailable", "try later");
        world.source.set_faults(Rule::on("RestoreObject", Action::Answer(sold_out)).first(3));
        let ended = world.transfer("k").await?;
        assert_eq!(ended.output["status"], "copied", "{ended:?}");
        assert!(world.time.elapsed() < HOUR / 6, "{:?}", world.time.elapsed());
        Ok(())
    });
}

#[test]
fn what_is_newer_when_the_thaw_is_over_is_what_is_copied() {
    case(async {
        let world = world("GLACIER", 4 * HOUR, json!({"archived": "thaw"})).await?;
        let arn = world.start("k").await?;
        world.advance(HOUR).await;
        world.put_source("k", b"newer");
        let ended = world.ended(&arn).await?;
        assert_eq!(ended.output["status"], "copied", "{ended:?}");
        assert_eq!(world.arrived("k").unwrap().bytes().unwrap(), b"newer"[..]);
        Ok(())
    });
}
