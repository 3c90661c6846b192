//! One worker for all parts of an object, as each of many objects is sent: the same rows, by the state that stands in for the Map.

use std::time::Duration;

use serde_json::{Value, json};
use simulation::{Outcome, World};
use strict_s3::{Action, Answer, Rule};

use crate::crash::sent_again;
use crate::ends::stopped_at_any_time;
use crate::injector::{Injector, world_with};
use crate::injectors::{ROWS, row};
use crate::kit::{case, copied, fails, five, object, seen, succeeds, world_of};

/// More than any object here has.
fn options() -> Value {
    json!({"singleWorkerLimit": 1 << 30})
}

async fn world() -> Outcome<World> {
    world_of(World::builder(1).options(options())).await
}

#[test]
fn one_worker_sends_all_parts_without_a_map() {
    case("quiet", async {
        let world = world().await?;
        let ended = world.transfer("k").await?;
        copied(&world, &ended, &five());
        assert_eq!(world.workers.calls(), 4, "Head, Init, Part, Complete: {ended:?}\n{}", world.trace.text());
        assert!(
            ended.states.contains(&"OneWorker".to_owned()) && !ended.states.contains(&"Parts".to_owned())
        );
        assert_eq!((seen(&world.source, "GetObject"), seen(&world.destination, "UploadPart")), (5, 5));
        world.check().await
    });
}

#[test]
fn what_is_more_than_one_worker_may_send_goes_by_many() {
    for (limit, alone) in [(five().len() - 1, false), (five().len(), true)] {
        case(limit, async {
            let limit = json!({"singleWorkerLimit": limit});
            let world = world_of(World::builder(1).options(limit)).await?;
            let ended = succeeds(&world).await?;
            assert_eq!(ended.states.contains(&"OneWorker".to_owned()), alone, "{ended:?}");
            assert_eq!(ended.states.contains(&"Parts".to_owned()), !alone, "{ended:?}");
            Ok(())
        });
    }
}

fn together(numbers: &[u32]) {
    case(numbers, async {
        let mut faults: Vec<_> = numbers.iter().map(|number| row(*number)).collect();
        faults.push(Injector { options: Some(options()), ..Injector::default() });
        let (world, course) = world_with(faults).await?;
        course.run(&world).await
    });
}

#[test]
fn each_row_and_a_twelfth_of_all_pairs_met_by_one_worker() {
    for one in ROWS {
        together(&[one]);
        let others = (one + 1..=*ROWS.end()).filter(|other| (7 * one + other) % 12 == 0);
        others.for_each(|other| together(&[one, other]));
    }
}

#[test]
fn crash_of_the_one_worker_after_each_wait_sends_again_only_what_was_under_way() {
    let again: Vec<_> = (1..500).map_while(|polls| sent_again("part", &options(), polls)).collect();
    let most = again.iter().max().copied().unwrap_or_default();
    println!("{} kills of the one worker: at most {most} parts sent again by each", again.len());
    assert!(again.len() > 5 && most <= 8, "{again:?}");
}

#[test]
fn a_transfer_by_one_worker_is_stopped_at_any_time_and_nothing_is_left_after_15_minutes() {
    stopped_at_any_time(world);
}

#[test]
fn what_one_worker_can_not_read_is_named_and_released() {
    case("ranges are ignored", async {
        let world = world().await?;
        world.source.set_faults(Rule::on("GetObject", Action::IgnoreRange));
        fails(&world, "RangeIgnored").await.map(drop)
    });
}

#[test]
fn one_worker_that_fails_for_long_parks_the_transfer_and_a_redrive_sends_what_is_missing() {
    case("parks", async {
        let world = world().await?;
        // The first three parts pass.
        let busy = Rule::on("UploadPart", Action::Answer(Answer::internal_error())).from_nth(4);
        world.destination.set_faults(busy);
        let ended = world.transfer("k").await?;
        assert_eq!((ended.error.as_str(), ended.parked), ("RoundsExhausted", true), "{ended:?}");
        assert!(!ended.states.contains(&"Parts".to_owned()), "each round is one worker's: {ended:?}");
        let kept = world.uploads()[0].parts.len() as u64;
        assert_eq!(kept, 3, "{}", world.trace.text());
        world.heal();
        let before = seen(&world.destination, "UploadPart");
        world.redrive(&ended.arn).await?;
        let ended = world.ended(&ended.arn).await?;
        copied(&world, &ended, &five());
        assert_eq!(seen(&world.destination, "UploadPart") - before, 5 - kept);
        world.check().await
    });
}

/// Before it opens: the upload stands, and nothing moves.
#[test]
fn one_worker_waits_for_the_window() {
    case("window", async {
        let mut options = options();
        options["window"] = json!({"opens": "03:00", "closes": "04:00"});
        let world = world_of(World::builder(1).options(options)).await?;
        let arn = world.start("k").await?;
        world.advance(Duration::from_secs(2 * 3_600)).await;
        assert_eq!((seen(&world.source, "GetObject"), world.workers.calls()), (0, 3));
        let ended = world.ended(&arn).await?;
        assert_eq!(world.time.elapsed().as_secs() / 3_600, 3, "{:?}", world.time.elapsed());
        assert!(ended.states.contains(&"WaitToBegin".to_owned()), "{ended:?}");
        copied(&world, &ended, &five());
        world.check().await
    });
}

#[test]
fn one_worker_keeps_to_the_bandwidth() {
    case("bandwidth", async {
        let mut options = options();
        options["bandwidth"] = json!(8 << 20);
        let world = World::builder(1).part_size(1 << 20).options(options).build().await?;
        world.network.set_pace(Duration::ZERO, 1 << 30);
        let bytes = object(16 << 20);
        world.put_source("k", &bytes);
        let begun = world.time.elapsed();
        let ended = world.transfer("k").await?;
        let took = (world.time.elapsed() - begun).as_secs_f64();
        assert!((2.0..3.1).contains(&took), "{took} s for 16 MiB at 8 MiB/s");
        copied(&world, &ended, &bytes);
        world.check().await
    });
}
