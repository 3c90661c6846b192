//! Fails every call of every operation in turn, before and after it took effect.

use transload_function_tests::{States, World};
use transload_store::faulty::{BodyFault, Faulty};
use transload_store::{StoreErrorKind as Kind, Verb};

/// Sizes for which whole and in parts, with and without a remainder, and nothing at all are sent.
const SIZES: [usize; 5] = [0, 1, 16, 56, 61];
const TRANSIENT: [Kind; 6] =
    [Kind::Connection, Kind::Throttled, Kind::Unavailable, Kind::Malformed, Kind::Stalled, Kind::Credentials];

type Side = fn(&World) -> &Faulty;
const SIDES: [Side; 2] = [|world| &world.from, |world| &world.to];

/// Calls of a run without faults, by side and operation.
async fn calls(size: usize) -> Vec<(Side, Verb, u64)> {
    let world = World::new(size);
    world.assert_copied(&States::new(&world, "calls").run().await);
    let mut all = Vec::new();
    for side in SIDES {
        for verb in Verb::ALL {
            all.extend((1..=side(&world).count(verb)).map(|call| (side, verb, call)));
        }
    }
    assert!(all.len() > 3, "{size}: {}", all.len());
    all
}

#[tokio::test(start_paused = true)]
async fn every_call_may_fail_once_in_every_transient_way() {
    for size in SIZES {
        for (side, verb, call) in calls(size).await {
            for kind in TRANSIENT {
                for lost in [false, true] {
                    let world = World::new(size);
                    let faulty = side(&world);
                    if lost {
                        faulty.lose_answer(verb, call..=call, kind);
                    } else {
                        faulty.refuse(verb, call..=call, kind);
                    }
                    let outcome = States::new(&world, "run").run().await;
                    assert!(
                        outcome.is_ok(),
                        "{size} bytes, {verb} {call}, {kind:?}, lost {lost}: {outcome:?}"
                    );
                    world.assert_copied(&outcome);
                    // An upload whose id was never told holds nothing; see Init.
                    let orphans = usize::from(lost && verb == Verb::CreateMultipartUpload);
                    assert_eq!(world.open_uploads(), (0, orphans), "{size} bytes, {verb} {call}, {kind:?}");
                }
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn every_call_may_fail_for_good_and_nothing_is_half_done() {
    for size in SIZES {
        for (side, verb, call) in calls(size).await {
            for kind in [
                Kind::AccessDenied,
                Kind::KeyUnavailable,
                Kind::NotFound,
                Kind::NoSuchUpload,
                Kind::InvalidPart,
            ] {
                for lost in [false, true] {
                    let world = World::new(size);
                    let faulty = side(&world);
                    if lost {
                        faulty.lose_answer(verb, call.., kind);
                    } else {
                        faulty.refuse(verb, call.., kind);
                    }
                    let outcome = States::new(&world, "run").run().await;
                    let place = format!("{size} bytes, {verb} {call}, {kind:?}, lost {lost}: {outcome:?}");
                    let copied = world.copied();
                    assert!(copied.is_none() || copied.as_deref() == Some(&world.bytes), "{place}");
                    if outcome.is_ok() {
                        assert_eq!(copied.as_deref(), Some(&world.bytes[..]), "{place}");
                    }
                    // Healed, the same input comes to the right end.
                    faulty.heal();
                    let again = States::new(&world, "again").run().await;
                    assert!(again.is_ok(), "{place}, then {again:?}");
                    assert_eq!(world.copied().as_deref(), Some(&world.bytes[..]), "{place}");
                }
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn f02_a_read_may_break_at_every_byte() {
    for size in [16, 29] {
        for call in 1..=4 {
            for at in 0..16 {
                for fault in [BodyFault::Cut(at), BodyFault::Stall(at)] {
                    let world = World::new(size);
                    world.from.spoil(Verb::GetObject, call..=call, fault);
                    world.assert_copied(&States::new(&world, "run").run().await);
                }
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_put_may_break_at_every_byte() {
    for (size, verb) in [(16, Verb::PutObject), (29, Verb::UploadPart)] {
        for at in 0..9 {
            let world = World::new(size);
            world.to.spoil(verb, 1..=1, BodyFault::Cut(at));
            world.assert_copied(&States::new(&world, "run").run().await);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_same_input_again_changes_nothing() {
    for size in SIZES {
        let world = World::new(size);
        world.assert_copied(&States::new(&world, "first").run().await);
        let writes = |world: &World| world.to.calls().iter().filter(|call| call.verb.writes()).count();
        let before = writes(&world);
        let again = States::new(&world, "second").run().await.unwrap();
        assert!(again.record().is_none(), "{again:?}");
        assert_eq!(writes(&world), before);
    }
}

#[tokio::test(start_paused = true)]
async fn requests_are_two_a_part_and_a_constant() {
    let world = World::new(56);
    let outcome = States::new(&world, "run").run().await.unwrap();
    assert!(!outcome.record().unwrap().reconciled);
    assert_eq!(world.from.count(Verb::GetObject), 7);
    assert_eq!(world.to.count(Verb::UploadPart), 7);
    // Two HEADs of the destination (before and after), and ListParts in pages of 3.
    assert_eq!((world.to.count(Verb::HeadObject), world.to.count(Verb::ListParts)), (2, 3));
    // The upload: looked for, made, completed.
    assert_eq!(world.to.calls().len(), 7 + 2 + 3 + 3);
}
