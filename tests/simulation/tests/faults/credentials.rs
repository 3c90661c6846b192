//! F13 to F15: keys that are revoked or expire, clocks that are wrong.

use simulation::{Mishap, World};
use strict_s3::{Action, Answer, Rule};

use crate::kit::{PART, case, copied, five, met, parks, plan, seen, succeeds, world, world_of};

#[test]
fn f13_a_key_is_revoked_midway_and_the_transfer_is_parked_until_it_is_mended() {
    let refusals = [Answer::access_denied(), Answer::invalid_access_key()];
    for answer in refusals {
        case(("the destination's", &answer.body), async {
            let world = world().await?;
            // From the third part on nothing is allowed any more.
            world.destination.set_faults(plan([
                Rule::on("UploadPart", Action::Answer(answer.clone())).from_nth(3),
                Rule::on("HeadObject", Action::Answer(Answer::raw(403, "", ""))).from_nth(2),
                Rule::on("GetObject", Action::Answer(answer.clone())),
            ]));
            let ended = world.transfer("k").await?;
            let names = ["DestinationAccessDenied", "CredentialsExpired"];
            assert!(ended.parked && names.contains(&ended.error.as_str()), "{ended:?}");
            assert_eq!(world.uploads().len(), 1, "the upload is kept");
            let kept = world.uploads()[0].parts.len() as u64;
            let before = seen(&world.destination, "UploadPart");
            world.heal();
            world.redrive(&ended.arn).await?;
            let ended = world.ended(&ended.arn).await?;
            copied(&world, &ended, &five());
            assert_eq!(seen(&world.destination, "UploadPart") - before, 5 - kept, "only what is missing");
            world.check().await
        });
    }
}

#[test]
fn f13_refused_credentials_are_read_again_once_in_a_call() {
    for operation in ["HeadObject", "CreateMultipartUpload", "CompleteMultipartUpload"] {
        case(operation, async {
            let world = world().await?;
            let refused = Action::Answer(Answer::invalid_access_key());
            world.destination.set_faults(Rule::on(operation, refused).first(1));
            let calls = world.workers.calls();
            let ended = world.transfer("k").await?;
            copied(&world, &ended, &five());
            let functions = 4 + 5 - 1; // Head, Init, five children, Complete
            assert_eq!(world.workers.calls() - calls, functions, "within one invocation: {ended:?}");
            world.check().await
        });
    }
}

#[test]
fn f14_a_token_expires_at_each_part() {
    for part in 1..=5 {
        case(part, async {
            let world = world().await?;
            let expired = || Action::Answer(Answer::expired_token());
            world.destination.set_faults(Rule::on("UploadPart", expired()).part(part).first(1));
            let start = PART * u64::from(part % 5);
            world.source.set_faults(Rule::on("GetObject", expired()).range_start(start).first(1));
            let ended = succeeds(&world).await?;
            assert_eq!((met(&world), ended.output["rounds"].as_u64()), (2, Some(1)), "{ended:?}");
            Ok(())
        });
    }
}

#[test]
fn f15_every_worker_has_a_wrong_clock() {
    let minutes = [-1_440, -16, -5, 5, 16, 1_440];
    for ahead in minutes {
        case(ahead, async {
            let world = world_of(World::builder(1)).await?;
            world.workers.decide(move |_| vec![Mishap::Skew(ahead * 60)]);
            succeeds(&world).await?;
            let refused = [world.source.requests(), world.destination.requests()].concat();
            let refused = refused.iter().filter(|request| request.status == Some(403)).count();
            // S3 refuses what is more than 15 minutes off.
            assert_eq!(refused > 0, ahead.abs() > 15, "{refused} requests were refused");
            Ok(())
        });
    }
}

#[test]
fn f14_a_transfer_with_keys_that_nobody_accepts_is_parked() {
    case("always", async {
        let world = world().await?;
        let refused = Rule::on("CreateMultipartUpload", Action::Answer(Answer::expired_token()));
        world.destination.set_faults(refused);
        parks(&world, "CredentialsExpired").await
    });
}
