//! F07, F08, F16 to F19: sending a part goes wrong.

use std::time::Duration;

use simulation::{Fault, World};
use strict_s3::{Action, Answer, Rule};
use transload_store::Verb;
use transload_store::faulty::{BodyFault, Faulty};

use crate::kit::{PART, case, fails, five, met, plan, seen, succeeds, succeeds_at_once, world, world_of};
use crate::reads::first;

#[test]
fn f07_a_bit_flips_in_the_body_of_a_part_and_the_part_is_sent_again() {
    for (times, at) in [(1, 0), (1, 128), (1, 255), (3, 5)] {
        case((times, at), async {
            let world = world().await?;
            let flip = Rule::on("UploadPart", Action::FlipRequest(at)).part(2).first(times);
            world.destination.set_faults(flip);
            succeeds(&world).await?;
            let tries: Vec<_> = world.destination.requests();
            let second = tries.iter().filter(|request| request.part_number == Some(2));
            let refused = second.clone().filter(|request| request.status == Some(400)).count() as u64;
            assert_eq!((refused, met(&world) as u64), (times, times));
            Ok(())
        });
    }
}

#[test]
fn f08_a_bit_flips_in_memory_before_the_checksum_and_is_found_against_the_source() {
    case("read", async {
        // The first store that is opened is the world's own writer: its flips do not count, so all of one worker's do.
        let world = world_of(World::builder(1).decorate(|name, store| {
            let faulty = Faulty::over(store);
            if name == "source" {
                faulty.spoil(Verb::GetObject, ..=1, BodyFault::Flip(33));
            }
            std::sync::Arc::new(faulty)
        }))
        .await?;
        let ended = world.transfer("k").await?;
        assert_eq!((ended.error.as_str(), ended.parked), ("ChecksumMismatch", false), "{ended:?}");
        assert!(world.arrived("k").is_none() && world.uploads().is_empty());
        // The decorator can not be taken away again, so the replays of the other invariants would meet it too.
        assert!(world.direct().versions(simulation::DESTINATION_BUCKET, "k").is_empty());
        Ok(())
    });
}

#[test]
fn f08_a_bit_flips_in_memory_after_the_checksum_and_the_store_refuses_the_part() {
    case("sent", async {
        let world = world_of(World::builder(1).decorate(|name, store| {
            let faulty = Faulty::over(store);
            if name == "destination" {
                faulty.spoil(Verb::UploadPart, ..=1, BodyFault::Flip(33));
            }
            std::sync::Arc::new(faulty)
        }))
        .await?;
        succeeds(&world).await?;
        let refused = world.destination.requests().into_iter().filter(|request| request.status == Some(400));
        assert!(refused.count() >= 1, "{}", world.trace.text());
        Ok(())
    });
}

#[test]
fn f16_a_part_is_stored_and_the_answer_is_lost() {
    for part in 1..=5 {
        case(part, async {
            let world = world().await?;
            let lost = Rule::on("UploadPart", Action::CommitThenReset).part(part).first(1);
            world.destination.set_faults(lost);
            succeeds_at_once(&world).await?;
            assert_eq!(met(&world), 1);
            assert_eq!(world.arrived("k").unwrap().part_sizes, [PART, PART, PART, PART, 176]);
            Ok(())
        });
    }
}

#[test]
fn f17_a_part_is_answered_200_without_an_etag() {
    case("once", async {
        let world = world().await?;
        let bare = Rule::on("UploadPart", Action::OmitHeader("etag")).part(3).first(1);
        world.destination.set_faults(bare);
        succeeds(&world).await?;
        let third = world.destination.requests().into_iter().filter(|r| r.part_number == Some(3)).count();
        assert_eq!(third, 2, "sent again");
        Ok(())
    });
}

#[test]
fn f18_a_part_arrives_once_more_after_complete() {
    case("after complete", async {
        let world = world().await?;
        world.network.decide(first("UploadPart", 5, Fault::Again(Duration::from_secs(60))));
        let ended = world.transfer("k").await?;
        crate::kit::copied(&world, &ended, &five());
        world.advance(Duration::from_secs(120)).await;
        assert!(world.uploads().is_empty() && world.arrived("k").unwrap().bytes().unwrap() == five());
        world.check().await
    });
}

#[test]
fn f18_a_part_arrives_once_more_after_abort() {
    case("after abort", async {
        let world = world().await?;
        world.network.decide(first("UploadPart", 2, Fault::Again(Duration::from_secs(60))));
        // The third part can not be read any more.
        world.source.set_faults(plan([
            Rule::on("GetObject", Action::Answer(Answer::no_such_key())).range_start(2 * PART),
            Rule::on("HeadObject", Action::Answer(Answer::no_such_key())).from_nth(2),
        ]));
        let ended = fails(&world, "SourceNotFound").await?;
        assert!(ended.states.contains(&"Abort".to_owned()));
        world.advance(Duration::from_secs(120)).await;
        assert!(world.uploads().is_empty());
        Ok(())
    });
    case("a part is still there after the first abort", async {
        let world = world().await?;
        world.source.set_faults(plan([
            Rule::on("GetObject", Action::Answer(Answer::no_such_key())).range_start(2 * PART),
            Rule::on("HeadObject", Action::Answer(Answer::no_such_key())).from_nth(2),
        ]));
        // Answered, and without effect: as an abort that a late part has overtaken.
        let overtaken = Rule::on("AbortMultipartUpload", Action::Answer(Answer::no_content())).first(2);
        world.destination.set_faults(overtaken);
        fails(&world, "SourceNotFound").await?;
        assert!(seen(&world.destination, "AbortMultipartUpload") >= 3, "aborted until it is empty");
        Ok(())
    });
}

#[test]
fn f19_the_same_part_arrives_twice_at_once() {
    for after in [0, 1, 2, 5, 20] {
        case(after, async {
            let world = world().await?;
            world.network.decide(first("UploadPart", 5, Fault::Again(Duration::from_millis(after))));
            succeeds(&world).await?;
            assert!(seen(&world.destination, "UploadPart") >= 10);
            assert_eq!(world.arrived("k").unwrap().part_sizes.len(), 5);
            Ok(())
        });
    }
}
