//! F30 to F34: transfers that are released, stopped, left for days, or lose their records.

use std::time::Duration;

use serde_json::json;
use simulation::{Builder, DESTINATION_BUCKET, Fault, Mishap, Outcome, World};
use strict_s3::{Action, Answer, Rule};

use crate::kit::{case, copied, fails, five, plan, seen, succeeds, world, world_of};

/// A transfer that has to be released: its source can not be read in ranges.
async fn hopeless() -> Outcome<World> {
    let world = world().await?;
    world.source.set_faults(Rule::on("GetObject", Action::IgnoreRange));
    Ok(world)
}

#[test]
fn f30_abort_fails_three_times() {
    for answer in [Answer::internal_error(), Answer::slow_down(), Answer::access_denied()] {
        case(&answer.body, async {
            let world = hopeless().await?;
            let failing = Rule::on("AbortMultipartUpload", Action::Answer(answer.clone())).first(3);
            world.destination.set_faults(failing);
            fails(&world, "RangeIgnored").await?;
            assert!(seen(&world.destination, "AbortMultipartUpload") >= 4);
            Ok(())
        });
    }
}

#[test]
fn f30_abort_fails_always_and_the_first_error_is_the_one_that_is_reported() {
    case("always", async {
        let world = hopeless().await?;
        let failing = Rule::on("AbortMultipartUpload", Action::Answer(Answer::internal_error()));
        world.destination.set_faults(failing);
        let ended = world.transfer("k").await?;
        assert_eq!((ended.error.as_str(), ended.parked), ("RangeIgnored", false), "{ended:?}");
        // Nine tries of the state, six of the function, at most three of the SDK, which has a budget.
        let aborts = seen(&world.destination, "AbortMultipartUpload");
        assert!((9 * 6..=9 * 6 * 3).contains(&aborts), "repeated, and bounded: {aborts}");
        assert_eq!(world.uploads().len(), 1, "left to the sweep");
        Ok(())
    });
}

/// An execution that is stopped at any time leaves nothing after 15 minutes.
pub(crate) fn stopped_at_any_time<F: Future<Output = Outcome<World>>>(world: impl Fn() -> F) {
    for millis in [1, 5, 20, 30, 40, 50, 60, 80, 120, 200] {
        case(millis, async {
            let world = world().await?;
            world.network.decide(|exchange| match exchange.operation() {
                "UploadPart" => vec![Fault::Slow(Duration::from_millis(40))],
                _ => vec![],
            });
            let arn = world.start("k").await?;
            world.advance(Duration::from_millis(millis)).await;
            if world.within(&arn, Duration::ZERO).await?.status == "RUNNING" {
                world.stop(&arn).await?;
                assert_eq!(world.ended(&arn).await?.status, "ABORTED");
            }
            world.check().await
        });
    }
}

#[test]
fn f31_an_execution_is_stopped_at_any_time_and_nothing_is_left_after_15_minutes() {
    stopped_at_any_time(world);
}

#[test]
fn f31_an_execution_times_out_and_nothing_is_left_after_15_minutes() {
    case("a week", async {
        let world =
            world_of(World::builder(1).options(json!({"rounds": 100, "backoffSeconds": 300}))).await?;
        // Every worker stands still until its 900 s are over: 7 times a round, and 100 rounds are more than a week.
        world.workers.decide(|call| match call.function.as_str() {
            "part" => vec![Mishap::Frozen(1)],
            _ => vec![],
        });
        let ended = world.transfer("k").await?;
        assert_eq!(ended.status, "TIMED_OUT", "{ended:?}");
        world.workers.heal();
        world.advance(Duration::from_secs(900)).await;
        assert!(world.uploads().is_empty(), "{}", world.uploads().len());
        Ok(())
    });
}

/// One that is stopped while its only part's worker stands still, for 900 s.
async fn stopped_while_frozen(builder: Builder) -> Outcome<World> {
    let world = world_of(builder.concurrency(1)).await?;
    world.workers.decide(|call| match call.function.as_str() {
        "part" => vec![Mishap::Frozen(1)],
        _ => vec![],
    });
    let arn = world.start("k").await?;
    world.advance(Duration::from_secs(1)).await;
    assert_eq!(world.uploads().len(), 1);
    world.stop(&arn).await?;
    Ok(world)
}

#[test]
fn f31_nobody_releases_anything_while_lambda_has_no_worker() {
    case("none for 15 minutes, then one", async {
        let world = stopped_while_frozen(World::builder(1)).await?;
        world.advance(Duration::from_secs(899)).await;
        assert_eq!(world.uploads().len(), 1, "the one worker that there is stands still");
        assert!(world.workers.exhausted("abort") > Duration::from_secs(890));
        world.check().await
    });
    case("one of its own", async {
        let world = stopped_while_frozen(World::builder(1).reserved_concurrency("abort", 1)).await?;
        world.advance(Duration::from_secs(60)).await;
        assert!(world.uploads().is_empty(), "{}", world.trace.text());
        world.check().await
    });
}

/// One round, in which the workers of all parts but the first two die.
async fn deserted() -> Outcome<World> {
    let world = world_of(World::builder(1).options(json!({"rounds": 1}))).await?;
    world.network.decide(|exchange| match exchange.operation() {
        "UploadPart" if !["=1&", "=2&"].iter().any(|part| exchange.target.contains(part)) => {
            vec![Fault::LOST_REQUEST]
        }
        _ => vec![],
    });
    world.workers.decide(|call| match (call.function.as_str(), call.number > 4) {
        ("part", true) => vec![Mishap::Killed(40)],
        _ => vec![],
    });
    Ok(world)
}

#[test]
fn f32_every_worker_dies_and_the_transfer_is_redriven_13_days_and_23_hours_later() {
    case("only missing parts", async {
        let world = deserted().await?;
        let ended = world.transfer("k").await?;
        assert!(ended.parked, "{ended:?}");
        let kept = world.uploads()[0].parts.len() as u64;
        assert_eq!(kept, 2, "{}", world.trace.text());
        world.advance(Duration::from_secs((13 * 24 + 23) * 3_600)).await;
        world.heal();
        let before = seen(&world.destination, "UploadPart");
        world.redrive(&ended.arn).await?;
        let ended = world.ended(&ended.arn).await?;
        copied(&world, &ended, &five());
        assert_eq!(seen(&world.destination, "UploadPart") - before, 5 - kept);
        assert_eq!(seen(&world.destination, "CreateMultipartUpload"), 1, "into the same upload");
        world.check().await
    });
}

#[test]
fn f33_a_lifecycle_rule_removed_the_upload_before_the_redrive() {
    case("from Init", async {
        let world = deserted().await?;
        let ended = world.transfer("k").await?;
        assert!(ended.parked, "{ended:?}");
        for upload in world.uploads() {
            world.direct().abort(DESTINATION_BUCKET, "k", &upload.upload_id);
        }
        world.heal();
        world.redrive(&ended.arn).await?;
        let ended = world.ended(&ended.arn).await?;
        copied(&world, &ended, &five());
        assert_eq!(seen(&world.destination, "CreateMultipartUpload"), 2, "a new upload");
        world.check().await
    });
    case("in the middle of a round", async {
        let world = world().await?;
        let remove = Action::hook(|direct| {
            for upload in direct.uploads(DESTINATION_BUCKET) {
                direct.abort(DESTINATION_BUCKET, &upload.key, &upload.upload_id);
            }
        });
        world.destination.set_faults(plan([Rule::on("UploadPart", remove).part(4).first(1)]));
        succeeds(&world).await?;
        assert_eq!(seen(&world.destination, "CreateMultipartUpload"), 2);
        Ok(())
    });
}

#[test]
fn f34_the_result_writer_fails() {
    case("once", async {
        let world = world().await?;
        world.results.fail(1);
        let ended = succeeds(&world).await?;
        assert_eq!(seen(&world.destination, "UploadPart"), 5, "nothing is sent twice: {ended:?}");
        Ok(())
    });
    case("always", async {
        let world = world().await?;
        world.results.fail(u32::MAX);
        let ended = world.transfer("k").await?;
        assert_eq!((ended.error.as_str(), ended.parked), ("RoundsExhausted", true), "{ended:?}");
        // One that was under way when the Map failed may be sent by the next round.
        let sent = seen(&world.destination, "UploadPart");
        assert!((5..=6).contains(&sent), "{sent} parts were sent\n{}", world.trace.text());
        world.check().await
    });
}
