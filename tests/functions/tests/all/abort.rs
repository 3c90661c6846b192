//! Abort: releases, and makes sure.

use transload_function_tests::{States, World};
use transload_store::{Deadline, StoreErrorKind as Kind, Verb};
use transload_wire::{AbortInput, ErrorName};

use crate::name;

#[tokio::test(start_paused = true)]
async fn run_twice_it_releases_once() {
    let world = World::new(61);
    let states = States::new(&world, "run");
    let (head, upload) = states.filled().await.unwrap();
    assert!(states.abort(&head, Some(upload.clone())).await.unwrap());
    assert!(!states.abort(&head, Some(upload)).await.unwrap());
    assert!(!states.abort(&head, None).await.unwrap());
    assert_eq!(world.open_uploads(), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn an_object_that_was_finished_after_all_stays() {
    let world = World::new(61);
    let states = States::new(&world, "run");
    let (head, upload) = states.filled().await.unwrap();
    world.to.lose_answer(Verb::CompleteMultipartUpload, 1..=1, Kind::Connection);
    states.complete(&head, &upload).await.unwrap();
    let input = AbortInput {
        destination: head.destination,
        upload: Some(upload),
        token: Some(head.token),
        route: None,
    };
    let output = transload_abort::handle(&world.stores, Deadline::NONE, input).await.unwrap();
    assert!(output.finished && !output.aborted);
    assert_eq!(world.copied().as_deref(), Some(&world.bytes[..]));
}

#[tokio::test(start_paused = true)]
async fn f30_it_is_repeated_until_nothing_is_left() {
    for kind in [Kind::Unavailable, Kind::Connection, Kind::Throttled] {
        for lost in [false, true] {
            let world = World::new(61);
            let states = States::new(&world, "run");
            let (head, upload) = states.filled().await.unwrap();
            if lost {
                world.to.lose_answer(Verb::AbortMultipartUpload, 1..=3, kind);
            } else {
                world.to.refuse(Verb::AbortMultipartUpload, 1..=3, kind);
            }
            states.abort(&head, Some(upload)).await.unwrap();
            assert_eq!(world.open_uploads(), (0, 0));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn f18_parts_that_arrive_late_are_released_too() {
    let world = World::new(61);
    let states = States::new(&world, "run");
    let (head, upload) = states.filled().await.unwrap();
    // The first two aborts are answered, but the parts are still listed: they were on their way.
    world.to.refuse(Verb::AbortMultipartUpload, 1..=2, Kind::Unavailable);
    assert!(states.abort(&head, Some(upload)).await.unwrap());
    assert_eq!(world.to.count(Verb::AbortMultipartUpload), 3);
}

#[tokio::test(start_paused = true)]
async fn what_can_not_be_released_is_told() {
    let world = World::new(61);
    let states = States::new(&world, "run");
    let (head, upload) = states.filled().await.unwrap();
    world.to.refuse(Verb::AbortMultipartUpload, .., Kind::AccessDenied);
    assert_eq!(
        name(states.abort(&head, Some(upload.clone())).await),
        Err(ErrorName::DestinationAccessDenied)
    );
    world.to.heal();
    world.to.refuse(Verb::AbortMultipartUpload, .., Kind::Throttled);
    assert_eq!(name(states.abort(&head, Some(upload)).await), Err(ErrorName::Throttled));
}
