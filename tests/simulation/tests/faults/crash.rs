//! A job of twenty parts: each worker is killed after each of its waits, and the engine after each of its commits.

use std::time::Duration;

use serde_json::{Value, json};
use simulation::{Mishap, Outcome, World};

use crate::kit::{case, copied, object, seen};

const PARTS: u64 = 20;
/// More than a connection takes at once, so that a worker also dies in the middle of a body.
const PART: usize = 100_000;

/// The object.
fn bytes() -> Vec<u8> {
    object(20 * PART - 9)
}

/// Options of four children, each of which sends so many at a time.
fn children(in_flight: u32) -> Value {
    json!({"maxConcurrency": 4, "partsInFlight": in_flight})
}

/// Twenty parts.
async fn twenty(options: &Value) -> Outcome<World> {
    let options = options.clone();
    let world = World::builder(1).part_size(PART as u64).options(options).build().await?;
    world.put_source("k", &bytes());
    Ok(world)
}

/// Parts that were sent more than once when one worker was killed at this wait; none once it lives longer.
pub(crate) fn sent_again(function: &'static str, options: &Value, polls: u32) -> Option<u64> {
    case((function, options, polls), async {
        let world = twenty(options).await?;
        let mut done = false;
        world.workers.decide(move |call| {
            match call.function == function && !std::mem::replace(&mut done, true) {
                true => vec![Mishap::Killed(polls)],
                false => vec![],
            }
        });
        let ended = world.transfer("k").await?;
        copied(&world, &ended, &bytes());
        let again = seen(&world.destination, "UploadPart") - PARTS;
        let died = world.trace.count("Runtime.ExitError") > 0;
        world.check().await?;
        Ok(died.then_some(again))
    })
}

#[test]
fn crash_of_a_worker_after_each_wait_sends_at_most_one_part_again_for_each_that_was_under_way() {
    for in_flight in [1, 2] {
        let mut kills = 0;
        let mut most = 0;
        for function in ["head", "init", "part", "complete"] {
            for again in (1..300).map_while(|polls| sent_again(function, &children(in_flight), polls)) {
                kills += 1;
                most = most.max(again);
                let allowed = if function == "part" { u64::from(in_flight) } else { 0 };
                assert!(again <= allowed, "{function}: {again} parts were sent again");
            }
        }
        println!(
            "{kills} kills of workers with {in_flight} parts under way: at most {most} parts sent again by each"
        );
        assert!(kills > 20, "{kills}");
    }
}

/// Whether the engine died after so many commits; it is started again then.
fn engine_dies(commits: u64) -> bool {
    case(commits, async {
        let world = twenty(&children(2)).await?;
        let arn = world.start("k").await?;
        world.sever_after(commits);
        let dead = world.commits() + commits;
        while world.commits() < dead {
            let ended = world.within(&arn, Duration::from_millis(1)).await;
            if ended.is_ok_and(|ended| ended.status != "RUNNING") {
                return Ok(false);
            }
        }
        world.crash_engine().await?;
        let ended = world.ended(&arn).await?;
        copied(&world, &ended, &bytes());
        world.check().await?;
        Ok(true)
    })
}

#[test]
fn crash_of_the_engine_after_each_commit() {
    let deaths = (1..2_000).take_while(|commits| engine_dies(*commits)).count();
    println!("the engine died after each of {deaths} commits");
    // Each state and each child begins and ends.
    assert!((12..1_999).contains(&deaths), "{deaths}");
}
