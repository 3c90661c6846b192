//! F01 to F06: reading the source goes wrong.

use std::time::Duration;

use simulation::{At, Exchange, Fault, Turn, Way, World};
use strict_s3::{Action, Rule};

use crate::kit::{PART, case, fails, five, met, plan, seen, succeeds, world};

/// The first so many exchanges of an operation meet a fault.
pub(crate) fn first(
    operation: &'static str,
    times: u32,
    fault: Fault,
) -> impl FnMut(&Exchange) -> Vec<Fault> {
    let mut left = times;
    move |exchange| {
        let hit = exchange.operation() == operation && left > 0;
        left -= u32::from(hit);
        if hit { vec![fault] } else { vec![] }
    }
}

#[test]
fn f01_a_get_is_reset_before_its_headers() {
    for (fault, times) in [(Fault::LOST_REQUEST, 1), (Fault::LOST_ANSWER, 1), (Fault::LOST_ANSWER, 9)] {
        case((fault, times), async {
            let world = world().await?;
            world.network.decide(first("GetObject", times, fault));
            succeeds(&world).await?;
            assert_eq!(world.network.injected().values().sum::<u64>(), u64::from(times));
            Ok(())
        });
    }
}

#[test]
fn f02_a_get_is_cut_at_every_byte_of_a_part_and_goes_on_from_there() {
    case("every offset", async {
        let world = World::builder(1).build().await?;
        let offsets = 0..=PART;
        let rules = offsets.clone().flat_map(|at| {
            let rule = |action| Rule::on("GetObject", action).range_start(PART).first(1);
            let (cut, reset) = (Action::CloseResponseAfter(at), Action::ResetResponseAfter(at));
            [rule(cut).key(&format!("cut{at}")), rule(reset).key(&format!("reset{at}"))]
        });
        world.source.set_faults(plan(rules));
        for at in offsets.clone() {
            for way in ["cut", "reset"] {
                let key = format!("{way}{at}");
                world.put_source(&key, &five());
                let ended = world.transfer(&key).await?;
                assert_eq!(ended.output["status"], "copied", "{key} {ended:?}");
                assert!(world.arrived(&key).unwrap().bytes().unwrap() == five(), "{key}");
                let ranges: Vec<_> = world.source.requests().into_iter().filter_map(|r| r.range).collect();
                let on = format!("bytes={}-{}", PART + at, 2 * PART - 1);
                let expected = way == "reset" || at == PART || ranges.contains(&on);
                assert!(expected, "{key}: expected {on}, found {ranges:?}");
                world.source.clear_requests();
            }
        }
        world.check().await
    });
}

#[test]
fn f03_a_get_stalls_for_6_s_for_60_s_and_for_ever() {
    let pauses = [Some(Duration::from_secs(6)), Some(Duration::from_secs(60)), None];
    for pause in pauses {
        for at in [At::Message(0), At::Body(0), At::Body(100)] {
            case((pause, at), async {
                let world = world().await?;
                let stall = Fault::Strike(Way::Down, at, Turn::Stall(pause));
                world.network.decide(first("GetObject", 1, stall));
                let arn = world.start("k").await?;
                // The longest guard is that for an answer, 30 s; a worker has 900 s.
                let ended = world.within(&arn, Duration::from_secs(45)).await?;
                assert_eq!(ended.output["status"], "copied", "{ended:?}\n{}", world.trace.text());
                // 6 s are just what the guard allows.
                let again = pause != Some(Duration::from_secs(6));
                assert!(
                    !again || seen(&world.source, "GetObject") > 5,
                    "{pause:?} {at:?}: {}",
                    world.trace.text()
                );
                world.check().await
            });
        }
    }
}

#[test]
fn f04_a_range_is_answered_200() {
    case("always", async {
        let world = world().await?;
        world.source.set_faults(Rule::on("GetObject", Action::IgnoreRange));
        fails(&world, "RangeIgnored").await
    });
    case("once", async {
        let world = world().await?;
        world.source.set_faults(Rule::on("GetObject", Action::IgnoreRange).first(1));
        // A child ends for good; the next round finds the source as it should be.
        succeeds(&world).await
    });
}

#[test]
fn f05_a_206_has_another_offset_total_or_length() {
    let wrong = [Action::ShiftContentRange(1), Action::ShiftTotal(-1), Action::Shorten(3)];
    for action in wrong {
        case((&action, "once"), async {
            let world = world().await?;
            world.source.set_faults(Rule::on("GetObject", action.clone()).first(1));
            succeeds(&world).await?;
            assert!(seen(&world.source, "GetObject") >= 6, "read once more");
            Ok(())
        });
        case((&action, "always"), async {
            let world = world().await?;
            world.source.set_faults(Rule::on("GetObject", action.clone()));
            fails(&world, "SourceBroken").await
        });
    }
}

#[test]
fn f06_a_bit_flips_in_a_get_body_and_no_object_appears() {
    for (start, at) in [(0, 0), (PART, 100), (4 * PART, 175)] {
        case((start, at), async {
            let world = world().await?;
            let flip = Action::FlipResponse(at);
            world.source.set_faults(Rule::on("GetObject", flip).range_start(start).first(1));
            let ended = fails(&world, "ChecksumMismatch").await?;
            assert_eq!(met(&world), 1);
            assert!(!ended.states.contains(&"Proven".to_owned()));
            assert_eq!(world.direct().versions(simulation::DESTINATION_BUCKET, "k").len(), 1, "the replay's");
            Ok(())
        });
    }
}

#[test]
fn f06_a_bit_flips_in_the_body_of_a_small_object_and_it_is_read_once_more() {
    case("whole", async {
        let world = World::builder(1).build().await?;
        world.put_source("k", &five()[..200]);
        world.source.set_faults(Rule::on("GetObject", Action::FlipResponse(7)).first(1));
        let ended = world.transfer("k").await?;
        assert_eq!(ended.output["status"], "copied", "{ended:?}");
        assert_eq!(seen(&world.source, "GetObject"), 2);
        world.check().await
    });
}
