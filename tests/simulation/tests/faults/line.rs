//! A line that others use too: bandwidths, and windows in which bytes may move. A world's time of day begins at 00:00 UTC on a
//! Thursday.

use std::time::Duration;

use serde_json::{Value, json};
use simulation::{Ended, Outcome, World};

use crate::kit::{case, object};

const HOUR: Duration = Duration::from_secs(3_600);

fn sent(world: &World, operation: &str) -> u64 {
    world.destination.counts().get(operation).copied().unwrap_or_default()
}

fn read(world: &World) -> u64 {
    world.source.counts().get("GetObject").copied().unwrap_or_default()
}

async fn world(part: u64, options: Value) -> Outcome<World> {
    World::builder(1).part_size(part).options(options).build().await
}

/// The object arrives, and nothing is wrong with anything.
async fn arrives(world: &World, ended: &Ended, bytes: &[u8]) -> Outcome<()> {
    assert_eq!(ended.output["status"], "copied", "{ended:?}");
    assert!(world.arrived("k").unwrap().bytes().unwrap() == bytes);
    world.check().await
}

#[test]
fn all_workers_together_keep_to_the_bandwidth() {
    // Of 64 MiB/s each of two workers has a half, of 1 MiB/s one has all.
    for (bandwidth, size, part) in [(64 << 20, 128 << 20, 8 << 20), (1 << 20, 8 << 20, 1 << 20)] {
        case(bandwidth, async {
            let world = world(part, json!({"bandwidth": bandwidth, "maxConcurrency": 8})).await?;
            // No connection is slower than a share: what a window holds comes every two milliseconds else.
            world.network.set_pace(Duration::ZERO, 1 << 30);
            let bytes = object(size);
            world.put_source("k", &bytes);
            let begun = world.time.elapsed();
            let ended = world.transfer("k").await?;
            let took = (world.time.elapsed() - begun).as_secs_f64();
            let least = size as f64 / bandwidth as f64;
            assert!(took >= least && took < 1.3 * least + 0.5, "{took} s instead of {least} s");
            // One that is given up as stalled is read anew.
            assert_eq!(read(&world), size as u64 / part);
            arrives(&world, &ended, &bytes).await
        });
    }
}

#[test]
fn a_whole_object_keeps_to_the_bandwidth_too() {
    case("whole", async {
        let world = world(1 << 20, json!({"bandwidth": 131_072})).await?;
        let bytes = object(1 << 20);
        world.put_source("k", &bytes);
        let begun = world.time.elapsed();
        let ended = world.transfer("k").await?;
        let took = (world.time.elapsed() - begun).as_secs();
        assert!((8..12).contains(&took), "{took} s");
        assert_eq!(read(&world), 1);
        arrives(&world, &ended, &bytes).await
    });
}

#[test]
fn a_part_that_can_not_pass_in_time_is_refused_before_anything_is_written() {
    case("too slow", async {
        let world = world(76 << 20, json!({"bandwidth": 131_072})).await?;
        world.put_source("k", &vec![1; 77 << 20]);
        let ended = world.transfer("k").await?;
        assert_eq!((ended.error.as_str(), world.uploads().len()), ("PlanInvalid", 0));
        let told = "options.bandwidth: expected enough for 79691776 bytes in ten minutes";
        assert!(ended.cause.contains(told), "{}", ended.cause);
        Ok(())
    });
}

/// Before it opens: nothing moves, nobody works, and then all does.
#[test]
fn parts_wait_for_the_window() {
    case("parts", async {
        let world = world(256, json!({"window": {"opens": "03:00", "closes": "04:00"}})).await?;
        let bytes = object(1_200);
        world.put_source("k", &bytes);
        let arn = world.start("k").await?;
        world.advance(3 * HOUR - HOUR / 60).await;
        let calls = world.workers.calls();
        assert_eq!((read(&world), sent(&world, "UploadPart")), (0, 0));
        assert!(calls <= 7, "Head, Init and each child once: {calls}");
        let ended = world.ended(&arn).await?;
        assert!((3..4).contains(&(world.time.elapsed().as_secs() / 3_600)), "{:?}", world.time.elapsed());
        assert_eq!(sent(&world, "UploadPart"), 5);
        arrives(&world, &ended, &bytes).await
    });
}

#[test]
fn a_whole_object_waits_for_the_window_and_its_newest_version_is_sent() {
    case("whole", async {
        let options =
            json!({"window": {"opens": "10:00", "closes": "11:00", "utcOffset": "+08:00", "days": ["fri"]}});
        let world = world(256, options).await?;
        world.put_source("k", b"at midnight");
        let arn = world.start("k").await?;
        world.advance(HOUR).await;
        world.put_source("k", b"at one");
        let ended = world.ended(&arn).await?;
        // Friday, 10:00 in China.
        assert_eq!(world.time.elapsed().as_secs() / 3_600, 26, "{:?}", world.time.elapsed());
        assert!(ended.states.contains(&"Closed".to_owned()), "{:?}", ended.states);
        assert_eq!(read(&world), 1);
        arrives(&world, &ended, b"at one").await
    });
}

/// Ten parts of 2 s in each of four children, one after the other: the fourth comes too late and waits for the next day.
#[test]
fn what_was_begun_before_the_close_ends_and_nothing_is_begun_after_it() {
    case("closes", async {
        let options = json!({"bandwidth": 131_072, "window": {"opens": "00:00", "closes": "00:01"}});
        let world = world(256 << 10, options).await?;
        let bytes = object(40 * (256 << 10));
        world.put_source("k", &bytes);
        let arn = world.start("k").await?;
        world.advance(HOUR).await;
        assert_eq!(sent(&world, "UploadPart"), 30);
        let ended = world.ended(&arn).await?;
        assert_eq!(world.time.elapsed().as_secs() / 3_600, 24, "{:?}", world.time.elapsed());
        assert_eq!((sent(&world, "UploadPart"), read(&world)), (40, 40), "each part once");
        arrives(&world, &ended, &bytes).await
    });
}
