//! What becomes of the uploads of executions that were stopped: the real janitor over the real history.

use serde_json::json;

use crate::script::{Answer, World, fails, request};

fn abort_calls(world: &World) -> usize {
    world.calls("abort").len()
}

#[tokio::test]
async fn the_upload_of_a_stopped_execution_is_released_until_no_worker_can_be_left() {
    let world = World::new(&[("part", vec![Answer::Hangs])]).await;
    let stopped = world.stopped().await;
    assert_eq!((stopped.status.as_str(), abort_calls(&world)), ("ABORTED", 0));
    let janitor = world.janitor(&stopped).await;
    assert_eq!(janitor.output()["status"], "released");
    let calls = world.calls("abort");
    assert_eq!(calls.len(), 4);
    for call in calls {
        assert_eq!(call["destination"], request()["destination"]);
        assert_eq!(call["upload"], json!({"uploadId": "upload-1", "checksumAlgorithm": "CRC64NVME"}));
        assert_eq!(call["token"], "token-of-this-transfer");
    }
    // Longer than a worker lives.
    assert!(janitor.seconds() >= 900.0, "{}", janitor.seconds());
}

#[tokio::test]
async fn an_execution_that_had_no_upload_yet_leaves_nothing_to_do() {
    for function in ["head", "init"] {
        let world = World::new(&[(function, vec![Answer::Hangs])]).await;
        let stopped = world.stopped().await;
        assert_eq!(world.janitor(&stopped).await.output()["status"], "nothing", "{function}");
        assert_eq!(abort_calls(&world), 0);
    }
}

#[tokio::test]
async fn the_newest_upload_is_found_behind_many_pages_of_history() {
    // Each try is three events, and ten events are a page.
    let tries = [vec![fails("Throttled"); 8], vec![fails("Unavailable"); 6], vec![Answer::Hangs]].concat();
    let world = World::new(&[("complete", tries)]).await;
    let stopped = world.stopped().await;
    assert!(stopped.states.ends_with("Complete"), "{}", stopped.states);
    let janitor = world.janitor(&stopped).await;
    assert!(janitor.states.matches("Read").count() > 4, "{}", janitor.states);
    assert_eq!(janitor.output()["upload"]["uploadId"], "upload-1");
}

/// Head says that there is none yet and Init which it is, both within one page of the history: the newer one counts.
#[tokio::test]
async fn of_two_values_in_one_page_the_newer_one_counts() {
    let world = World::new(&[
        ("part", vec![fails("RangeIgnored"); 2]),
        ("init", vec![fails("UploadGone"), fails("UploadGone")]),
        ("head", vec![Answer::Gives(crate::script::head("parts")), Answer::Hangs]),
    ])
    .await;
    let stopped = world.stopped().await;
    assert!(stopped.states.ends_with("Init Workers Parts Backoff Recheck"), "{}", stopped.states);
    let janitor = world.janitor(&stopped).await;
    assert_eq!(janitor.output()["upload"]["uploadId"], "upload-1");
}

#[tokio::test]
async fn an_upload_that_was_given_up_is_not_released_again() {
    let world = World::new(&[
        ("complete", vec![fails("UploadConflict")]),
        ("head", vec![Answer::Gives(crate::script::head("parts")), Answer::Hangs]),
    ])
    .await;
    let stopped = world.stopped().await;
    assert!(stopped.states.ends_with("Restart Restarted Backoff Recheck"), "{}", stopped.states);
    assert_eq!(
        (world.janitor(&stopped).await.output()["status"].as_str(), abort_calls(&world)),
        (Some("nothing"), 1)
    );
}

#[tokio::test]
async fn a_redriven_execution_keeps_its_upload() {
    let world = World::new(&[("part", vec![Answer::Hangs])]).await;
    let stopped = world.stopped().await;
    assert_eq!(world.redrive(&stopped.arn).await.status, "SUCCEEDED");
    let janitor = world.janitor(&stopped).await;
    assert_eq!((janitor.output()["status"].as_str(), abort_calls(&world)), (Some("kept"), 0));
}

#[tokio::test]
async fn what_cannot_be_released_fails_where_a_redrive_goes_on() {
    let world =
        World::new(&[("part", vec![Answer::Hangs]), ("abort", vec![fails("DestinationAccessDenied"); 9])])
            .await;
    let stopped = world.stopped().await;
    let janitor = world.janitor(&stopped).await;
    assert_eq!((janitor.status.as_str(), janitor.error()), ("FAILED", "DestinationAccessDenied"));
    assert_eq!(world.redrive(&janitor.arn).await.output()["status"], "released");
}

#[tokio::test]
async fn a_paused_execution_keeps_its_upload_for_its_redrive() {
    let world = World::new(&[("part", vec![Answer::Hangs])]).await;
    let paused = world.stopped_with(Some("Paused"), &json!({})).await;
    let janitor = world.janitor(&paused).await;
    assert_eq!((janitor.output()["status"].as_str(), abort_calls(&world)), (Some("parked"), 0));
    // 14 days after the virtual clock's 2027-01-15.
    let until = janitor.output()["until"].as_str().unwrap().to_owned();
    assert!(until.starts_with("2027-01-29T"), "{until}");
    assert_eq!(world.redrive(&paused.arn).await.status, "SUCCEEDED");
}

#[tokio::test]
async fn what_was_stopped_with_its_run_is_kept_only_if_the_run_is_paused() {
    for (error, status, calls) in
        [(Some("Paused"), "parked", 0), (Some("Stopped"), "released", 4), (None, "released", 4)]
    {
        let world = World::new(&[("part", vec![Answer::Hangs])]).await;
        let run = world.run_that_ended(error).await;
        let stopped = world.stopped_with(None, &json!({"run": run})).await;
        let janitor = world.janitor(&stopped).await;
        assert_eq!(
            (janitor.output()["status"].as_str(), abort_calls(&world)),
            (Some(status), calls),
            "{error:?}"
        );
    }
}

/// The run goes on, and has not come to this one yet; or never does, for this one alone was stopped.
#[tokio::test]
async fn a_run_that_was_resumed_is_given_the_time_to_redrive_its_own() {
    let world = World::new(&[("part", vec![Answer::Hangs])]).await;
    let run = world.run_that_ended(Some("Paused")).await;
    let stopped = world.stopped_with(None, &json!({"run": run})).await;
    world.begin_again(&run).await;
    let janitor = world.janitor(&stopped).await;
    assert!(
        janitor.states.contains("LookAtRun OfRun Await Look Over LookAtRun OfRun Await Look"),
        "{}",
        janitor.states
    );
    assert_eq!((janitor.output()["status"].as_str(), abort_calls(&world)), (Some("released"), 4));
}
