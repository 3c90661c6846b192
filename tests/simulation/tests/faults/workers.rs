//! F20 to F23: workers that are killed, throttled, or have too little time.

use std::time::Duration;

use simulation::{Fault, Mishap, Outcome, World};

use crate::kit::{PART, case, copied, five, object, seen, succeeds, world, world_of};

/// The first call of a function meets a mishap.
fn first(function: &'static str, mishap: Mishap) -> impl FnMut(&simulation::Call) -> Vec<Mishap> {
    let mut done = false;
    move |call| match call.function == function && !std::mem::replace(&mut done, true) {
        true => vec![mishap],
        false => vec![],
    }
}

/// Whether a worker was killed at this wait; false once it lives longer than that.
async fn killed(world: &World, function: &'static str, polls: u32) -> Outcome<bool> {
    world.workers.decide(first(function, Mishap::Killed(polls)));
    let ended = succeeds(world).await?;
    assert_eq!(ended.output["rounds"], 1, "{ended:?}");
    Ok(world.trace.count("Runtime.ExitError") > 0)
}

#[test]
fn f20_a_worker_is_killed_at_each_of_its_waits() {
    for (function, least) in [("head", 3), ("init", 2), ("part", 4), ("complete", 4)] {
        let dies = |polls| case((function, polls), async { killed(&world().await?, function, polls).await });
        let waits = (1..200).take_while(|polls| dies(*polls)).count();
        assert!((least..199).contains(&waits), "{function} was killed {waits} times");
    }
}

#[test]
fn f20_a_worker_that_sends_an_object_whole_is_killed_at_each_of_its_waits() {
    let dies = |polls| {
        case(polls, async {
            let world = World::builder(1).build().await?;
            world.put_source("k", &object(200));
            world.workers.decide(first("copy", Mishap::Killed(polls)));
            let ended = world.transfer("k").await?;
            copied(&world, &ended, &object(200));
            world.check().await?;
            Ok(world.trace.count("Runtime.ExitError") > 0)
        })
    };
    let waits = (1..200).take_while(|polls| dies(*polls)).count();
    assert!((4..199).contains(&waits), "killed {waits} times");
}

#[test]
fn f20_a_worker_that_releases_an_upload_is_killed_at_each_of_its_waits() {
    let dies = |polls| {
        case(polls, async {
            let world = world().await?;
            world.source.set_faults(strict_s3::Rule::on("GetObject", strict_s3::Action::IgnoreRange));
            world.workers.decide(first("abort", Mishap::Killed(polls)));
            crate::kit::fails(&world, "RangeIgnored").await?;
            Ok(world.trace.count("Runtime.ExitError") > 0)
        })
    };
    let waits = (1..200).take_while(|polls| dies(*polls)).count();
    assert!((3..199).contains(&waits), "killed {waits} times");
}

#[test]
fn f21_a_worker_has_too_little_memory() {
    for function in ["head", "init", "part", "complete"] {
        case((function, "three times"), async {
            let world = world().await?;
            let mut left = 3;
            world.workers.decide(move |call| {
                let hit = call.function == function && left > 0;
                left -= i32::from(hit);
                if hit { vec![Mishap::OutOfMemory(3)] } else { vec![] }
            });
            succeeds(&world).await
        });
    }
    case("always", async {
        let world = world().await?;
        world.workers.decide(|call| match call.function.as_str() {
            "part" => vec![Mishap::OutOfMemory(2)],
            _ => vec![],
        });
        let ended = crate::kit::parks(&world, "RoundsExhausted").await?;
        let rounds = ended.states.iter().filter(|state| *state == "Parts").count();
        assert_eq!(rounds, 5, "{ended:?}");
        assert!(world.trace.count("Runtime.OutOfMemory") >= 5 * 7, "each child is tried seven times");
        Ok(())
    });
}

#[test]
fn f22_no_concurrency_is_left() {
    case("one worker at a time", async {
        let world = world_of(World::builder(1).concurrency(1)).await?;
        world.network.decide(|_| vec![Fault::Slow(Duration::from_millis(500))]);
        succeeds(&world).await?;
        assert!(world.trace.count("[Throttled]") > 0, "{}", world.trace.text());
        Ok(())
    });
    case("nobody for eight calls in a row", async {
        let world = world().await?;
        let mut calls = std::collections::BTreeMap::<String, u32>::new();
        world.workers.decide(move |call| {
            let count = calls.entry(format!("{} {}", call.state, call.execution_arn)).or_default();
            *count += 1;
            if *count <= 8 { vec![Mishap::Throttled] } else { vec![] }
        });
        succeeds(&world).await
    });
}

#[test]
fn f23_a_worker_with_too_little_time_stops_10_s_early_and_the_next_one_goes_on() {
    case("three parts in a row in 13 s", async {
        let options = serde_json::json!({"maxConcurrency": 1, "partsInFlight": 1});
        let world = world_of(World::builder(1).options(options)).await?;
        // Two seconds for each part: a worker of 13 s sends one or two, and stops.
        world.network.decide(|exchange| match exchange.operation() {
            "UploadPart" => vec![Fault::Slow(Duration::from_millis(900))],
            _ => vec![],
        });
        world.workers.decide(|call| match call.function.as_str() {
            "part" => vec![Mishap::Time(Duration::from_secs(13))],
            _ => vec![],
        });
        let ended = succeeds(&world).await?;
        let text = world.trace.text();
        assert!(world.trace.count("fails: OutOfTime") > 0, "{text}");
        assert_eq!(world.trace.count("Sandbox.Timedout"), 0, "nobody is ended from outside: {text}");
        assert!(ended.output["rounds"] == 1, "within one round: {ended:?}");
        assert!(seen(&world.destination, "UploadPart") <= 5 + 5, "what was sent stays");
        Ok(())
    });
    case("a worker that has no time from the beginning does nothing", async {
        let world = world().await?;
        let mut late = 2;
        world.workers.decide(move |call| {
            let hit = call.function == "part" && late > 0;
            late -= i32::from(hit);
            if hit { vec![Mishap::Time(Duration::from_millis(9_990))] } else { vec![] }
        });
        succeeds(&world).await?;
        assert_eq!(seen(&world.destination, "UploadPart"), 5);
        assert_eq!(world.trace.count("partNumber="), 5);
        Ok(())
    });
}

#[test]
fn f23_parts_of_a_slow_link_are_not_begun_when_they_can_not_end() {
    case("narrow", async {
        let world = world().await?;
        // 256 bytes in about 2 s, both ways.
        world.network.decide(|exchange| match exchange.operation() {
            "UploadPart" | "GetObject" => vec![Fault::Narrow(400)],
            _ => vec![],
        });
        world.workers.decide(|call| match (call.function.as_str(), call.number % 2) {
            ("part", 0) => vec![Mishap::Time(Duration::from_millis(11_500))],
            _ => vec![],
        });
        let ended = world.transfer("k").await?;
        copied(&world, &ended, &five());
        assert_eq!(world.trace.count("Sandbox.Timedout"), 0, "{}", world.trace.text());
        assert_eq!(world.arrived("k").unwrap().part_sizes, [PART, PART, PART, PART, 176]);
        world.check().await
    });
}
