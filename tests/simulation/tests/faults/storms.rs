//! F11, F12, F37: stores that ask to slow down or fail for a while.

use std::time::Duration;

use strict_s3::{Action, Answer, Rule};

use crate::kit::{case, met, parks, plan, seen, succeeds, succeeds_at_once, world};

const WRITES: [&str; 5] =
    ["CreateMultipartUpload", "UploadPart", "ListParts", "CompleteMultipartUpload", "HeadObject"];

#[test]
fn f11_a_share_of_all_requests_is_answered_503_for_a_minute() {
    for share in [0.01, 0.3, 1.0] {
        case(share, async {
            let world = world().await?;
            let storm = || {
                let slow = Rule::always(Action::Answer(Answer::slow_down()));
                plan([slow.probability(share).until(Duration::from_secs(60))])
            };
            world.source.set_faults(storm());
            world.destination.set_faults(storm());
            let ended = succeeds(&world).await?;
            assert!(ended.states.ends_with(&["Done".to_owned()]));
            assert!(share < 0.1 || met(&world) > 0);
            let requests = world.network.exchanges();
            assert!(share < 1.0 || requests < 400, "backs off: {requests} requests");
            Ok(())
        });
    }
}

#[test]
fn f12_every_request_is_answered_500_502_or_504_twice() {
    let answers = [Answer::internal_error(), Answer::bad_gateway(), Answer::gateway_timeout()];
    for answer in answers {
        for operation in WRITES {
            case((answer.status, operation), async {
                let world = world().await?;
                let failing = || Rule::on(operation, Action::Answer(answer.clone())).first(2);
                world.destination.set_faults(failing());
                succeeds_at_once(&world).await?;
                let expected = if operation == "ListParts" { 1 } else { 2 };
                assert!(met(&world) >= expected, "{:?}", world.destination.counts());
                Ok(())
            });
        }
        for operation in ["HeadObject", "GetObject", "GetObjectTagging"] {
            case((answer.status, operation), async {
                let world = world().await?;
                world.source.set_faults(Rule::on(operation, Action::Answer(answer.clone())).first(2));
                succeeds_at_once(&world).await?;
                assert_eq!(met(&world), 2, "{:?}", world.source.counts());
                Ok(())
            });
        }
    }
}

#[test]
fn f37_the_key_is_disabled() {
    for operation in ["CreateMultipartUpload", "CompleteMultipartUpload"] {
        case(operation, async {
            let world = world().await?;
            world.destination.set_faults(Rule::on(operation, Action::Answer(Answer::kms_disabled())));
            parks(&world, "KeyUnavailable").await
        });
    }
    case("UploadPart", async {
        let world = world().await?;
        world.destination.set_faults(Rule::on("UploadPart", Action::Answer(Answer::kms_disabled())));
        // The children's error is not the Map's: the rounds are used up, and the history of a child tells the name.
        parks(&world, "RoundsExhausted").await?;
        assert!(world.trace.count("KeyUnavailable") > 0);
        Ok(())
    });
}

#[test]
fn f37_the_key_service_throttles() {
    for operation in ["CreateMultipartUpload", "UploadPart", "CompleteMultipartUpload"] {
        case(operation, async {
            let world = world().await?;
            let throttled = Rule::on(operation, Action::Answer(Answer::kms_throttling())).first(7);
            world.destination.set_faults(throttled);
            succeeds(&world).await?;
            assert!(seen(&world.destination, operation) >= 8);
            Ok(())
        });
    }
}
