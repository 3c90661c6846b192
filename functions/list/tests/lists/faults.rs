//! Every page fails in every way: the call fails, or its lists are the same.

use serde_json::json;
use transload_store::faulty::Faulty;
use transload_store::{StoreErrorKind as Kind, Verb};

use crate::support::{World, steady};

type Side = fn(&World) -> &Faulty;
const SIDES: [Side; 2] = [|world| &world.from, |world| &world.to];
const TRANSIENT: [Kind; 5] =
    [Kind::Connection, Kind::Throttled, Kind::Unavailable, Kind::Malformed, Kind::Stalled];

#[tokio::test(start_paused = true)]
async fn a_page_that_fails_once_makes_no_difference_and_one_that_fails_on_ends_the_call() {
    let sync = || json!({"delete": {"maxPercent": 100}, "compare": "checksum", "listers": 3});
    let calm = World::mixed(2);
    let (output, expected) = calm.list(sync()).await.unwrap();
    let found = steady(&output.found);
    for side in SIDES {
        for verb in [Verb::ListObjectsV2, Verb::HeadObject] {
            for call in 1..=side(&calm).count(verb) {
                for kind in TRANSIENT {
                    let world = World::mixed(2);
                    side(&world).refuse(verb, call..=call, kind);
                    let (output, written) = world.list(sync()).await.unwrap();
                    assert_eq!(
                        (&steady(&output.found), &written),
                        (&found, &expected),
                        "{verb} {call} {kind:?}"
                    );
                }
                for kind in [Kind::Connection, Kind::AccessDenied, Kind::NoSuchBucket, Kind::InvalidRequest] {
                    let world = World::mixed(2);
                    side(&world).refuse(verb, call.., kind);
                    match world.list(sync()).await {
                        Err(failure) => assert_ne!(failure.name.as_str(), "Internal", "{failure}"),
                        // Cut otherwise, the same may take fewer calls.
                        Ok((output, written)) => {
                            assert_eq!(
                                (&steady(&output.found), &written),
                                (&found, &expected),
                                "{verb} {call} {kind:?}"
                            );
                            assert!(side(&world).count(verb) < call, "{verb} {call} {kind:?} was met");
                        }
                    }
                }
            }
        }
    }
}
