//! A run that is paused: nothing that was sent is lost, and what goes on sends only what is missing.

use serde_json::json;
use transload_store::Verb;

use crate::accounts::small;
use crate::world::{HANGS, LARGE, PART, World};

/// Parts of `LARGE * 8` bytes.
const PARTS: u64 = (LARGE * 8 / PART) as u64;

#[tokio::test(start_paused = true)]
async fn large_objects_go_on_in_the_uploads_that_they_had() {
    let world = World::new().await;
    let sizes: Vec<_> = (0..3).map(|n| (format!("large-{n}"), LARGE * 8)).collect();
    world.fill(&sizes);
    let mut parts = 0;
    world.functions.decide(move |function, _| {
        parts += usize::from(function == "part");
        (function == "part" && parts > 2).then_some(HANGS)
    });
    let paused = world.paused(&json!({})).await;
    assert_eq!((paused.status.as_str(), paused.error()), ("ABORTED", "Paused"), "{}", paused.described);
    let stopped = world.transfers().await;
    assert!(stopped.len() == 3 && stopped.iter().all(|one| one["status"] == "ABORTED"), "{stopped:?}");
    assert_eq!(world.to.count(Verb::AbortMultipartUpload), 0, "uploads are kept");
    let sent = world.to.count(Verb::UploadPart);
    assert!(sent > 0 && sent < 3 * PARTS, "{sent}");

    world.functions.decide(|_, _| None);
    let done = world.redrive(&paused).await;
    assert_eq!(done.status, "SUCCEEDED", "{}", done.described);
    world.assert_arrived(&sizes);
    assert_eq!(world.to.count(Verb::CreateMultipartUpload), 3, "no upload was made anew");
    assert_eq!(world.to.count(Verb::UploadPart), 3 * PARTS, "each part was sent once");
    let transfers = world.transfers().await;
    assert!(
        transfers.len() == 3 && transfers.iter().all(|one| one["redriveCount"] == 1),
        "the executions that were stopped went on: {transfers:?}"
    );
    let counts = world.document()["counts"].clone();
    assert_eq!((&counts["copied"]["objects"], &counts["failed"]["objects"]), (&json!(3), &json!(0)));
    assert_eq!(world.report("objects.csv").lines().count(), 1 + 3);
}

#[tokio::test(start_paused = true)]
async fn a_run_is_paused_in_any_of_its_states_and_accounts_for_every_object() {
    for function in ["list", "batch", "part", "complete", "report"] {
        let world = World::new().await;
        let mut sizes = small(90);
        sizes.push(("large".to_owned(), LARGE * 8));
        world.fill(&sizes);
        for first in [true, false] {
            let mut calls = 0;
            world.functions.decide(move |called, _| {
                calls += usize::from(called == function);
                (called == function && calls > 1 - usize::from(function != "batch")).then_some(HANGS)
            });
            let ended = match first {
                true => world.paused(&json!({"batchObjects": 10})).await,
                false => {
                    let paused = world.last().await;
                    world.paused_again(&paused).await
                }
            };
            assert_eq!(ended.error(), "Paused", "{function}: {}", ended.described);
        }
        world.functions.decide(|_, _| None);
        let done = world.redrive(&world.last().await).await;
        assert_eq!(done.status, "SUCCEEDED", "{function}: {}", done.described);
        world.assert_arrived(&sizes);
        assert_eq!(world.to.count(Verb::PutObject), 90, "{function}: each small object was sent once");
        let counts = &done.output()["counts"];
        assert_eq!(
            (&counts["listed"]["objects"], &counts["copied"]["objects"]),
            (&json!(91), &json!(91)),
            "{function}"
        );
    }
}

/// What happens between the pause and the redrive of one object: it was finished by hand, or can not go on.
#[tokio::test(start_paused = true)]
async fn what_can_not_be_redriven_is_recorded_as_it_ended() {
    let world = World::new().await;
    let sizes = vec![("large".to_owned(), LARGE * 8)];
    world.fill(&sizes);
    world.functions.decide(|function, _| (function == "complete").then_some(HANGS));
    let paused = world.paused(&json!({})).await;
    world.functions.decide(|_, _| None);
    let transfer = world.transfers().await[0]["executionArn"].as_str().unwrap().to_owned();
    world.redrive_arn(&transfer).await;
    let done = world.redrive(&paused).await;
    assert_eq!(done.status, "SUCCEEDED", "{}", done.described);
    assert_eq!(done.output()["counts"]["copied"], json!({"objects": 1, "bytes": LARGE * 8}));
    world.assert_arrived(&sizes);
}

/// The source is deleted while the run is paused: its transfer fails, and the run tells so.
#[tokio::test(start_paused = true)]
async fn an_object_that_fails_after_the_pause_fails_by_its_own_name() {
    let world = World::new().await;
    world.fill(&[("large".to_owned(), LARGE * 8)]);
    world.functions.decide(|function, _| (function == "part").then_some(HANGS));
    let paused = world.paused(&json!({})).await;
    world.functions.decide(|_, _| None);
    world.source.delete("photos", "in/large");
    let failed = world.redrive(&paused).await;
    assert_eq!(failed.error(), "ObjectsFailed", "{}", failed.described);
    assert!(failed.cause().contains("1 SourceNotFound"), "{}", failed.cause());
}
