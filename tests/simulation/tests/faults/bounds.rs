//! F35, F36, F38: many parts, many events, poor stores.

use std::time::Duration;

use serde_json::{Value, json};
use simulation::{DESTINATION_BUCKET, Outcome, World};
use strict_s3::{Action, Capabilities, Rule, Versioning};

use crate::kit::{case, copied, five, generic, newer, object, seen, succeeds, world_of};

/// Bytes of the longest text in a value.
fn longest(value: &Value) -> usize {
    match value {
        Value::String(text) => text.len(),
        Value::Array(items) => items.iter().map(longest).max().unwrap_or_default(),
        Value::Object(fields) => fields.values().map(longest).max().unwrap_or_default(),
        _ => 0,
    }
}

#[test]
fn f35_nothing_of_10_000_parts_comes_near_256_kib() {
    case("10,000 parts", async {
        let options = json!({"maxConcurrency": 16, "partsInFlight": 16});
        let world = World::builder(1).part_size(16).options(options).build().await?;
        let bytes = object(160_000);
        world.put_source("k", &bytes);
        let ended = world.transfer("k").await?;
        copied(&world, &ended, &bytes);
        assert_eq!(world.arrived("k").unwrap().part_sizes.len(), 10_000);
        let mut most = 0;
        for event in world.history(&ended.arn).await? {
            most = most.max(longest(&serde_json::to_value(&event).unwrap()));
        }
        println!("the longest text in the history of 10,000 parts has {most} bytes");
        assert!(most < 262_144 / 2, "expected less than half of 262,144 bytes, found {most}");
        Ok(())
    });
}

async fn event(world: &World) -> Outcome<Value> {
    let mut events = world.bus.take();
    Ok(events.pop().expect("an event of the source"))
}

/// Runs what the rule makes of events, all at once or one after the other.
async fn deliver(world: &World, events: &[&Value], at_once: bool) -> Outcome<()> {
    let mut running = Vec::new();
    for event in events {
        for input in world.bus.route(event, &json!({"partSize": 256, "wholeObjectLimit": 256}))? {
            let arn = world.start_with(&input).await?;
            if at_once {
                running.push(arn);
            } else {
                world.ended(&arn).await?;
            }
        }
        world.advance(Duration::from_millis(7)).await;
    }
    for arn in running {
        world.ended(&arn).await?;
    }
    Ok(())
}

#[test]
fn f36_an_event_comes_twice_and_the_object_is_copied_once() {
    for at_once in [true, false] {
        case(at_once, async {
            let world = World::builder(1).build().await?;
            world.upload_source("k", &five()).await?;
            let put = event(&world).await?;
            deliver(&world, &[&put, &put, &put], at_once).await?;
            let versions = world.destination.requests();
            let done =
                versions.iter().filter(|r| r.operation == "CompleteMultipartUpload" && r.status == Some(200));
            assert!(done.count() <= 3);
            assert_eq!(world.arrived("k").unwrap().bytes().unwrap(), five());
            assert!(at_once || seen(&world.destination, "CreateMultipartUpload") == 1, "one transfer");
            world.check().await
        });
    }
}

#[test]
fn f36_events_come_out_of_order_and_the_newest_version_stays() {
    for (order, at_once) in [([1, 0], false), ([1, 0], true), ([0, 1], true)] {
        case((order, at_once), async {
            let world = World::builder(1).build().await?;
            world.upload_source("k", &five()).await?;
            let first = event(&world).await?;
            world.advance(Duration::from_secs(2)).await;
            world.upload_source("k", &newer()).await?;
            let second = event(&world).await?;
            let events = [&first, &second];
            deliver(&world, &order.map(|index| events[index]), at_once).await?;
            assert_eq!(world.arrived("k").unwrap().bytes().unwrap(), newer());
            world.check().await
        });
    }
}

#[test]
fn f36_the_source_is_overwritten_while_its_older_version_is_sent() {
    for millis in [10, 25, 40, 55, 70, 85, 100] {
        case(millis, async {
            let world = World::builder(1).versioning(Versioning::Off, Versioning::Enabled).build().await?;
            world.upload_source("k", &five()).await?;
            let first = event(&world).await?;
            let options = json!({"partSize": 256, "wholeObjectLimit": 256});
            let older = world.start_with(&world.bus.route(&first, &options)?[0]).await?;
            world.advance(Duration::from_millis(millis)).await;
            world.upload_source("k", &newer()).await?;
            let second = event(&world).await?;
            let later = world.start_with(&world.bus.route(&second, &options)?[0]).await?;
            world.ended(&older).await?;
            let ended = world.ended(&later).await?;
            assert_eq!(ended.status, "SUCCEEDED", "{ended:?}");
            assert_eq!(world.arrived("k").unwrap().bytes().unwrap(), newer());
            let stood = world.destination.direct().versions(DESTINATION_BUCKET, "k");
            let newest = stood.iter().filter(|version| version.bytes().unwrap() == newer()).count();
            assert_eq!(newest, 1, "the older one never stood after it");
            world.check().await
        });
    }
}

#[test]
fn f38_a_store_without_checksums_trailers_and_conditions() {
    case("MD5s", async {
        let world = world_of(generic(World::builder(1))).await?;
        let ended = succeeds(&world).await?;
        assert_eq!(ended.output["result"]["proof"], "partEtags", "{ended:?}");
        Ok(())
    });
    case("a flip on the way", async {
        let world = world_of(generic(World::builder(1))).await?;
        world.destination.set_faults(Rule::on("UploadPart", Action::FlipRequest(9)).part(2).first(1));
        succeeds(&world).await?;
        assert_eq!(seen(&world.destination, "UploadPart"), 6, "the part is sent again");
        Ok(())
    });
    case("nothing to prove with", async {
        let builder = World::builder(1).destination(json!({"profile": "generic"}), Capabilities::default());
        let world = world_of(builder).await?;
        let ended = world.transfer("k").await?;
        assert_eq!((ended.error.as_str(), ended.parked), ("Unsupported", false), "{ended:?}");
        assert_eq!(seen(&world.destination, "CreateMultipartUpload"), 0, "before anything is written");
        Ok(())
    });
}

#[test]
fn f38_a_store_without_crc64nvme_or_without_trailers() {
    let stores = [
        (json!({"checksums": ["CRC32C"]}), Capabilities { crc64nvme: false, ..Capabilities::default() }),
        (json!({"trailers": false}), Capabilities { trailers: false, ..Capabilities::default() }),
    ];
    for (location, capabilities) in stores {
        case(location.clone(), async {
            let world = world_of(World::builder(1).destination(location, capabilities)).await?;
            let ended = succeeds(&world).await?;
            assert_ne!(ended.output["result"]["proof"], "partEtags", "{ended:?}");
            Ok(())
        });
    }
    case("a store that refuses what its profile promises", async {
        let capabilities = Capabilities { trailers: false, ..Capabilities::default() };
        let world = world_of(World::builder(1).destination(json!({}), capabilities)).await?;
        let ended = world.transfer("k").await?;
        assert_ne!(ended.status, "SUCCEEDED");
        assert!(world.arrived("k").is_none());
        Ok(())
    });
}
