//! F24 to F29: Complete answers everything but the truth.

use serde_json::json;
use simulation::{Builder, Fault, World};
use strict_s3::{Action, Answer, Capabilities, Rule};

use crate::kit::{
    case, copied, fails, five, met, plan, seen, succeeds, succeeds_at_once, until, world, world_of,
};
use crate::reads::first;

const COMPLETE: &str = "CompleteMultipartUpload";

#[test]
fn f24_complete_is_answered_200_with_an_error_inside() {
    for times in 1..=3 {
        case(times, async {
            let world = world().await?;
            let late = Action::Answer(Answer::ok_with_error("InternalError"));
            world.destination.set_faults(Rule::on(COMPLETE, late).first(times));
            succeeds_at_once(&world).await?;
            assert!(met(&world) as u64 == times && seen(&world.destination, COMPLETE) > times);
            Ok(())
        });
    }
}

/// Answers that tell nothing.
fn empty_talk() -> [Answer; 5] {
    let xml = |text: &'static str| Answer::raw(200, "application/xml", text);
    let without_an_etag = xml("<CompleteMultipartUploadResult><Key>k</Key></CompleteMultipartUploadResult>");
    [Answer::ok_empty(), Answer::ok_html(), Answer::no_content(), xml("<Com"), without_an_etag]
}

#[test]
fn f25_complete_takes_effect_and_its_answer_is_truncated_empty_or_html() {
    let mut talk: Vec<Action> = empty_talk().into_iter().map(Action::CommitThenAnswer).collect();
    talk.extend([0, 1, 38, 60, 200, 300].map(Action::TruncateAnswer));
    for action in talk {
        case(&action, async {
            let world = world().await?;
            world.destination.set_faults(Rule::on(COMPLETE, action.clone()).first(1));
            let ended = succeeds(&world).await?;
            assert_eq!(met(&world), 1, "{ended:?}");
            Ok(())
        });
    }
}

#[test]
fn f25_complete_takes_no_effect_and_its_answer_is_empty_or_html() {
    for answer in empty_talk() {
        case(&answer, async {
            let world = world().await?;
            let nothing = Action::Answer(answer.clone());
            world.destination.set_faults(Rule::on(COMPLETE, nothing).first(2));
            succeeds_at_once(&world).await?;
            assert_eq!((met(&world), seen(&world.destination, COMPLETE)), (2, 3));
            Ok(())
        });
    }
}

/// A store that says `NoSuchUpload` when a completed upload is completed again.
fn forgetful() -> Builder {
    let capabilities = Capabilities { no_such_upload_after_complete: true, ..Capabilities::default() };
    World::builder(1).destination(json!({}), capabilities)
}

#[test]
fn f26_complete_takes_effect_the_answer_is_lost_and_the_upload_is_gone() {
    for fault in [Fault::LOST_ANSWER, Fault::Again(std::time::Duration::ZERO)] {
        case(fault, async {
            let world = world_of(forgetful()).await?;
            world.network.decide(first(COMPLETE, 1, fault));
            let ended = succeeds(&world).await?;
            assert_eq!(seen(&world.destination, "CreateMultipartUpload"), 1, "{ended:?}");
            Ok(())
        });
    }
    case("each answer of Complete is lost", async {
        let world = world_of(forgetful()).await?;
        world.network.decide(first(COMPLETE, 1_000, Fault::LOST_ANSWER));
        let ended = world.transfer("k").await?;
        copied(&world, &ended, &five());
        assert_eq!(ended.output["result"]["reconciled"], true, "{ended:?}");
        world.check().await
    });
}

/// Complete takes effect and its answer is lost; before anybody looks, another writer's object stands there.
async fn overtaken(builder: Builder) -> simulation::Outcome<World> {
    let world = world_of(builder).await?;
    world.network.decide(first(COMPLETE, 1, Fault::LOST_ANSWER));
    Ok(world)
}

#[test]
fn f27_the_answer_of_complete_is_lost_and_another_writer_was_there_since() {
    for builder in [World::builder(1), forgetful()] {
        case("rival", async {
            let world = overtaken(builder).await?;
            let arn = world.start("k").await?;
            until(&world, || world.arrived("k").is_some()).await;
            world.put_rival("k", b"another writer's");
            let ended = world.ended(&arn).await?;
            assert_eq!((ended.error.as_str(), ended.parked), ("DestinationExists", false), "{ended:?}");
            assert_eq!(world.arrived("k").unwrap().bytes().unwrap(), "another writer's");
            world.check().await
        });
    }
}

#[test]
fn f28_complete_refuses_the_parts_and_a_new_upload_is_made() {
    for answer in [Answer::invalid_part(), Answer::invalid_part_order()] {
        case(("once", &answer.body), async {
            let world = world().await?;
            world.destination.set_faults(Rule::on(COMPLETE, Action::Answer(answer.clone())).first(1));
            let ended = succeeds(&world).await?;
            assert!(ended.states.contains(&"Restart".to_owned()), "{ended:?}");
            assert_eq!(ended.output["rounds"], 2);
            Ok(())
        });
        case(("always", &answer.body), async {
            let world = world().await?;
            world.destination.set_faults(Rule::on(COMPLETE, Action::Answer(answer.clone())));
            let ended = crate::kit::parks(&world, "RoundsExhausted").await?;
            assert_eq!(ended.states.iter().filter(|state| *state == "Restart").count(), 5);
            Ok(())
        });
    }
}

#[test]
fn f28_a_part_that_is_missing_at_complete_is_sent_again_once() {
    case("a listing without the third part", async {
        let world = world().await?;
        // The second part of a listing is cut away by the store: as if it had lost it.
        let lost = Answer::raw(
            200,
            "application/xml",
            "<ListPartsResult><IsTruncated>false</IsTruncated></ListPartsResult>",
        );
        world.destination.set_faults(Rule::on("ListParts", Action::Answer(lost)).first(1));
        let ended = succeeds(&world).await?;
        assert!(ended.states.contains(&"Backoff".to_owned()), "{ended:?}");
        assert_eq!(ended.output["rounds"], 2);
        assert_eq!(
            seen(&world.destination, "UploadPart"),
            5,
            "what the second listing shows is not sent again"
        );
        Ok(())
    });
}

#[test]
fn f28_parts_that_are_too_small_for_the_store_are_refused_for_good() {
    case("EntityTooSmall", async {
        let world = world().await?;
        let small = Action::Answer(Answer::entity_too_small());
        world.destination.set_faults(Rule::on(COMPLETE, small));
        fails(&world, "PlanInvalid").await
    });
}

#[test]
fn f29_complete_is_answered_412() {
    case("another writer was faster", async {
        let world = world().await?;
        world.destination.set_faults(plan([Rule::on(
            COMPLETE,
            Action::Delay(std::time::Duration::from_secs(5)),
        )
        .first(1)]));
        let arn = world.start("k").await?;
        until(&world, || seen(&world.destination, COMPLETE) > 0).await;
        world.put_rival("k", b"faster");
        let ended = world.ended(&arn).await?;
        assert_eq!((ended.error.as_str(), ended.parked), ("DestinationExists", false), "{ended:?}");
        assert_eq!(world.arrived("k").unwrap().bytes().unwrap(), "faster");
        assert!(world.uploads().is_empty());
        world.check().await
    });
    case("a store that refuses without a reason", async {
        let world = world().await?;
        let refused = Action::Answer(Answer::precondition_failed());
        world.destination.set_faults(Rule::on(COMPLETE, refused));
        fails(&world, "DestinationExists").await
    });
}

#[test]
fn f29_complete_is_answered_409() {
    for times in [1, 4] {
        case(times, async {
            let world = world().await?;
            let conflict = Action::Answer(Answer::conditional_conflict());
            world.destination.set_faults(Rule::on(COMPLETE, conflict).first(times));
            let ended = succeeds(&world).await?;
            let restarts = ended.states.iter().filter(|state| *state == "Restart").count() as u64;
            assert_eq!(restarts, times);
            Ok(())
        });
    }
    case("always", async {
        let world = world().await?;
        let conflict = Action::Answer(Answer::conditional_conflict());
        world.destination.set_faults(Rule::on(COMPLETE, conflict));
        crate::kit::parks(&world, "RoundsExhausted").await
    });
}
