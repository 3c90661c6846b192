//! Which way the object workflow takes, whatever its functions answer: the real definition on the engine, functions that
//! answer by script, virtual time. Golden: the states entered, in order.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // helpers of tests may panic as tests do

mod janitor;
mod notifications;
mod script;

use serde_json::{Value, json};

use crate::script::{Answer, Outcome, World, fails, head, init, record};

#[tokio::test]
async fn parts_are_sent_and_the_record_is_the_output() {
    let world = World::new(&[]).await;
    let outcome = world.run().await;
    assert_eq!(outcome.states, "Head Route Init Workers Parts Complete Proven Done");
    let output = outcome.output();
    assert_eq!(output["status"], "copied");
    assert_eq!(output["result"], record());
    assert_eq!(output["rounds"], 1);
    let part = world.calls("part");
    assert_eq!(part.iter().map(|call| call["parts"].as_str().unwrap()).collect::<Vec<_>>(), ["1-2", "3"]);
    assert!(part.iter().all(|call| call["retryCount"] == 0 && call["upload"]["uploadId"] == "upload-1"));
}

/// What Init answers where one worker is to send everything to a store of this algorithm.
fn alone(algorithm: &str) -> Answer {
    let mut answer = init("upload-1");
    answer["upload"]["checksumAlgorithm"] = json!(algorithm);
    answer["batches"] = json!(["1-3"]);
    (answer["oneWorker"], answer["partsInFlight"]) = (json!(true), json!(8));
    Answer::Gives(answer)
}

#[tokio::test]
async fn one_worker_sends_all_parts_and_tells_complete_of_them_where_the_store_does_not() {
    for (algorithm, told) in [("CRC64NVME", false), ("CRC64XZ", true)] {
        let world = World::new(&[("init", vec![alone(algorithm)])]).await;
        assert_eq!(world.run().await.states, "Head Route Init Workers OneWorker Complete Proven Done");
        let part = world.calls("part");
        assert_eq!((part.len(), &part[0]["parts"]), (1, &json!("1-3")), "{algorithm}");
        assert_eq!((&part[0]["partsInFlight"], &part[0]["retryCount"]), (&json!(8), &json!(0)));
        assert_eq!(world.calls("complete")[0]["sent"].is_array(), told, "{algorithm}");
    }
}

#[tokio::test]
async fn one_worker_that_fails_leads_to_another_round_as_a_map_does() {
    let world =
        World::new(&[("init", vec![alone("CRC64NVME")]), ("part", vec![fails("RangeIgnored")])]).await;
    assert_eq!(
        world.run().await.states,
        "Head Route Init Workers OneWorker Backoff Recheck Resume Init Workers Parts Complete Proven Done"
    );
}

#[tokio::test]
async fn head_gets_the_request_untouched_and_the_execution() {
    let world = World::new(&[]).await;
    let outcome = world.run().await;
    let call = &world.calls("head")[0];
    assert_eq!(call["request"], script::request());
    assert_eq!(call["execution"]["id"], outcome.arn);
    assert_eq!(call["execution"]["redriveCount"], 0);
    assert!(call["execution"]["startTime"].as_str().unwrap().ends_with('Z'));
}

#[tokio::test]
async fn what_is_there_already_is_skipped() {
    let world = World::new(&[("head", vec![Answer::Gives(head("skip"))])]).await;
    let outcome = world.run().await;
    assert_eq!(outcome.states, "Head Route Skipped");
    assert_eq!(outcome.output()["status"], "skipped");
}

#[tokio::test]
async fn small_objects_are_copied_whole() {
    let world = World::new(&[("head", vec![Answer::Gives(head("copy"))])]).await;
    assert_eq!(world.run().await.states, "Head Route Copy Done");
    assert_eq!(world.calls("copy")[0]["token"], "token-of-this-transfer");
}

#[tokio::test]
async fn an_unknown_decision_fails_instead_of_guessing() {
    let world = World::new(&[("head", vec![Answer::Gives(head("teleport"))])]).await;
    let outcome = world.run().await;
    assert_eq!((outcome.states.as_str(), outcome.error()), ("Head Route Unrouted", "Internal"));
}

#[tokio::test]
async fn transient_failures_are_retried_where_they_happen() {
    let twice = |name| vec![fails(name), fails(name)];
    let world = World::new(&[
        ("head", twice("Unavailable")),
        ("init", twice("ConnectionLost")),
        ("part", twice("Throttled")),
        ("complete", twice("Stalled")),
    ])
    .await;
    assert_eq!(world.run().await.states, "Head Route Init Workers Parts Complete Proven Done");
    assert_eq!(world.calls("head").len() + world.calls("init").len() + world.calls("complete").len(), 9);
    let mut tries: Vec<u64> =
        world.calls("part").iter().map(|call| call["retryCount"].as_u64().unwrap()).collect();
    tries.sort_unstable();
    assert!(
        tries == [0, 0, 1, 1] || tries == [0, 0, 1, 2],
        "a worker is told that it is a later try: {tries:?}"
    );
}

#[tokio::test]
async fn a_gap_leads_to_another_round_over_what_is_missing() {
    let world = World::new(&[("complete", vec![fails("PartsMissing")])]).await;
    let outcome = world.run().await;
    assert_eq!(
        outcome.states,
        "Head Route Init Workers Parts Complete Backoff Recheck Resume Init Workers Parts Complete Proven Done"
    );
    assert_eq!(outcome.output()["rounds"], 2);
    let init = world.calls("init");
    assert_eq!((&init[0]["round"], &init[0]["upload"]), (&json!(0), &Value::Null));
    assert_eq!(
        init[0]["source"],
        head("parts")["source"],
        "the source's checksum decides the upload's algorithm"
    );
    assert_eq!((&init[1]["round"], &init[1]["upload"]["uploadId"]), (&json!(1), &json!("upload-1")));
    assert_eq!(
        world.calls("head")[1]["pinned"],
        head("parts")["source"],
        "the second look compares with the pin"
    );
}

#[tokio::test]
async fn a_map_past_its_tolerance_leads_to_another_round() {
    let world = World::new(&[("part", vec![fails("RangeIgnored")])]).await;
    assert_eq!(
        world.run().await.states,
        "Head Route Init Workers Parts Backoff Recheck Resume Init Workers Parts Complete Proven Done"
    );
}

#[tokio::test]
async fn a_changed_source_releases_the_upload_and_keeps_the_first_error() {
    let world = World::new(&[
        ("part", vec![fails("SourceChanged")]),
        ("head", vec![Answer::Gives(head("parts")), fails("SourceChanged")]),
    ])
    .await;
    let outcome = world.run().await;
    assert_eq!(outcome.states, "Head Route Init Workers Parts Backoff Recheck Abort Released Gone Failed");
    assert_eq!(outcome.error(), "SourceChanged");
    assert!(outcome.cause().contains("by script"), "{}", outcome.cause());
    assert_eq!(world.calls("abort")[0]["upload"]["uploadId"], "upload-1");
}

#[tokio::test]
async fn a_refusal_by_head_fails_at_once_with_nothing_to_release() {
    let world = World::new(&[("head", vec![fails("InputInvalid")])]).await;
    let outcome = world.run().await;
    assert_eq!((outcome.states.as_str(), outcome.error()), ("Head Failed", "InputInvalid"));
    assert!(world.calls("abort").is_empty());
}

#[tokio::test]
async fn a_mismatch_at_the_end_releases_the_upload() {
    let world = World::new(&[("complete", vec![fails("ChecksumMismatch")])]).await;
    let outcome = world.run().await;
    assert_eq!(outcome.states, "Head Route Init Workers Parts Complete Abort Released Gone Failed");
    assert_eq!(outcome.error(), "ChecksumMismatch");
}

#[tokio::test]
async fn an_object_whose_answer_was_lost_is_proven_instead_of_sent_again() {
    let world = World::new(&[
        ("complete", vec![fails("UploadGone")]),
        (
            "head",
            vec![Answer::Gives(head("parts")), Answer::Gives(second_look("skip", "token-of-this-transfer"))],
        ),
    ])
    .await;
    let outcome = world.run().await;
    assert_eq!(
        outcome.states,
        "Head Route Init Workers Parts Complete Backoff Recheck Resume Complete Proven Done"
    );
    assert_eq!(world.calls("init").len(), 1);
}

/// What Head answers when it finds a transfer's object at the destination.
fn second_look(decision: &str, token: &str) -> Value {
    let mut answer = head(decision);
    answer["standing"] = json!(token);
    answer["replaces"] = json!("another's");
    answer["reason"] = json!("second look");
    answer
}

#[tokio::test]
async fn a_transfer_that_was_slower_keeps_its_parts_and_replaces_an_older_version() {
    let world = World::new(&[
        ("complete", vec![fails("DestinationChanged")]),
        ("head", vec![Answer::Gives(head("parts")), Answer::Gives(second_look("parts", "token-of-another"))]),
    ])
    .await;
    let outcome = world.run().await;
    assert_eq!(
        outcome.states,
        "Head Route Init Workers Parts Complete Recheck Resume Init Workers Parts Complete Proven Done"
    );
    let complete = world.calls("complete");
    assert_eq!((&complete[0]["replaces"], &complete[1]["replaces"]), (&Value::Null, &json!("another's")));
    assert_eq!(world.calls("init")[1]["upload"]["uploadId"], "upload-1");
    assert!(world.calls("abort").is_empty());
}

#[tokio::test]
async fn a_transfer_that_was_slower_releases_its_upload_if_another_has_done_it() {
    let world = World::new(&[
        ("complete", vec![fails("DestinationChanged")]),
        ("head", vec![Answer::Gives(head("parts")), Answer::Gives(second_look("skip", "token-of-another"))]),
    ])
    .await;
    let outcome = world.run().await;
    assert_eq!(
        outcome.states,
        "Head Route Init Workers Parts Complete Recheck Resume Restart Restarted Skipped"
    );
    assert_eq!(outcome.output()["reason"], "second look");
    assert_eq!(world.calls("abort")[0]["upload"]["uploadId"], "upload-1");
}

#[tokio::test]
async fn a_transfer_of_a_version_that_is_not_the_newest_any_more_begins_anew() {
    let world = World::new(&[
        ("complete", vec![fails("DestinationChanged")]),
        (
            "head",
            vec![
                Answer::Gives(head("parts")),
                Answer::Gives(second_look("renew", "token-of-another")),
                Answer::Gives(head("parts")),
            ],
        ),
        ("init", vec![Answer::Gives(init("upload-1")), Answer::Gives(init("upload-2"))]),
    ])
    .await;
    let outcome = world.run().await;
    assert_eq!(
        outcome.states,
        "Head Route Init Workers Parts Complete Recheck Resume Restart Restarted Head Route Init Workers Parts Complete Proven Done"
    );
    assert_eq!(world.calls("head")[2]["pinned"], Value::Null, "the newest version is pinned");
    assert_eq!((&world.calls("init")[1]["upload"], world.calls("abort").len()), (&Value::Null, 1));
    assert_eq!(world.calls("complete")[1]["upload"]["uploadId"], "upload-2");
}

#[tokio::test]
async fn a_small_object_that_was_slower_is_looked_at_again() {
    let world = World::new(&[
        ("head", vec![Answer::Gives(head("copy")), Answer::Gives(head("skip"))]),
        ("copy", vec![fails("DestinationChanged")]),
    ])
    .await;
    assert_eq!(world.run().await.states, "Head Route Copy Head Route Skipped");
    assert!(world.calls("head").iter().all(|call| call["request"] == script::request()), "not the error");
}

#[tokio::test]
async fn another_writers_object_is_never_taken_for_what_may_be_replaced() {
    let mut foreign = head("parts");
    foreign["replaces"] = json!("a foreigner's");
    let world = World::new(&[
        ("complete", vec![fails("PartsMissing")]),
        ("head", vec![Answer::Gives(head("parts")), Answer::Gives(foreign)]),
    ])
    .await;
    assert_eq!(world.run().await.status, "SUCCEEDED");
    assert_eq!(world.calls("complete")[1]["replaces"], Value::Null, "as the first look found it");
}

#[tokio::test]
async fn an_upload_that_the_proof_did_not_need_is_released() {
    let mut found = record();
    found["reconciled"] = json!(true);
    for abort in [vec![], std::iter::repeat_with(|| fails("Unavailable")).take(20).collect()] {
        let world = World::new(&[("complete", vec![Answer::Gives(found.clone())]), ("abort", abort)]).await;
        let outcome = world.run().await;
        assert_eq!(outcome.states, "Head Route Init Workers Parts Complete Proven Tidy Proven Done");
        assert_eq!(outcome.output()["status"], "copied");
        assert_eq!(world.calls("abort")[0]["upload"]["uploadId"], "upload-1");
    }
}

#[tokio::test]
async fn an_object_that_was_completed_before_the_abort_is_proven_once() {
    let finished = Answer::Gives(json!({"aborted": false, "finished": true, "requests": {}}));
    let gone = || vec![Answer::Gives(head("parts")), fails("SourceChanged")];
    let world = World::new(&[
        ("complete", vec![fails("UploadGone")]),
        ("head", gone()),
        ("abort", vec![finished.clone()]),
    ])
    .await;
    let outcome = world.run().await;
    assert_eq!(
        outcome.states,
        "Head Route Init Workers Parts Complete Backoff Recheck Abort Released Complete Proven Done"
    );

    let broken = vec![fails("UploadGone"), fails("ChecksumMismatch"), fails("ChecksumMismatch")];
    let world =
        World::new(&[("complete", broken), ("head", gone()), ("abort", vec![finished.clone(), finished])])
            .await;
    let outcome = world.run().await;
    assert_eq!(outcome.error(), "ChecksumMismatch", "no loop between Abort and Complete");
    assert_eq!(world.calls("complete").len(), 2);
}

#[tokio::test]
async fn an_abort_that_can_not_be_done_does_not_hide_the_error() {
    let never = std::iter::repeat_with(|| fails("Unavailable")).take(20).collect();
    let world = World::new(&[("complete", vec![fails("DestinationExists")]), ("abort", never)]).await;
    let outcome = world.run().await;
    assert_eq!(outcome.error(), "DestinationExists");
    assert_eq!(world.calls("abort").len(), 9);
}

#[tokio::test]
async fn a_conflict_releases_the_upload_and_starts_over() {
    let world = World::new(&[
        ("complete", vec![fails("UploadConflict")]),
        ("init", vec![Answer::Gives(init("upload-1")), Answer::Gives(init("upload-2"))]),
    ])
    .await;
    let outcome = world.run().await;
    assert_eq!(
        outcome.states,
        "Head Route Init Workers Parts Complete Restart Restarted Backoff Recheck Resume Init Workers Parts Complete Proven Done"
    );
    assert_eq!(world.calls("abort")[0]["upload"]["uploadId"], "upload-1");
    assert_eq!(world.calls("init")[1]["upload"], Value::Null);
    assert_eq!(world.calls("complete")[1]["upload"]["uploadId"], "upload-2");
}

#[tokio::test]
async fn used_up_rounds_park_the_transfer_and_a_redrive_goes_on_at_init() {
    let world = World::new(&[
        ("complete", vec![fails("PartsMissing")]),
        ("init", vec![Answer::Gives(init("upload-1")), fails("RoundsExhausted")]),
    ])
    .await;
    let parked = world.run().await;
    assert_eq!(parked.states, "Head Route Init Workers Parts Complete Backoff Recheck Resume Init");
    assert_eq!((parked.status.as_str(), parked.error()), ("FAILED", "RoundsExhausted"));
    assert!(world.calls("abort").is_empty(), "a parked transfer keeps its upload");

    let done = world.redrive(&parked.arn).await;
    assert_eq!(done.status, "SUCCEEDED");
    let call = world.calls("init").pop().unwrap();
    assert_eq!((&call["execution"]["redriveCount"], &call["round"]), (&json!(1), &json!(1)));
    assert_eq!(call["upload"]["uploadId"], "upload-1", "the redrive takes up the kept upload");
}

#[tokio::test]
async fn revoked_rights_park_the_transfer_where_they_were_missed() {
    let rows: [(&str, &str, Vec<Answer>); 4] = [
        ("Head", "head", vec![fails("SourceAccessDenied")]),
        ("Init", "init", vec![fails("DestinationAccessDenied")]),
        ("Complete", "complete", vec![fails("DestinationAccessDenied")]),
        ("Init", "init", vec![fails("KeyUnavailable")]),
    ];
    for (state, function, answers) in rows {
        let world = World::new(&[(function, answers)]).await;
        let parked = world.run().await;
        assert_eq!(parked.status, "FAILED");
        assert!(parked.states.ends_with(state), "{}", parked.states);
        assert_eq!(world.redrive(&parked.arn).await.status, "SUCCEEDED", "{state}");
    }
}

#[tokio::test]
async fn any_json_as_input_reaches_head_which_refuses_it_by_name() {
    for input in ["{}", "null", "[]", "3", "\"text\""] {
        let world = World::new(&[("head", vec![fails("InputInvalid")])]).await;
        let outcome: Outcome = world.run_with(input).await;
        assert_eq!(outcome.error(), "InputInvalid", "{input}");
        let expected: Value = serde_json::from_str(input).unwrap();
        assert_eq!(world.calls("head")[0]["request"], expected);
    }
}
