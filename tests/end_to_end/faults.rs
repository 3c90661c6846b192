//! What goes wrong on the way, and what is there afterwards: the exact object, or nothing.

use strict_s3::{Action, Answer, FaultPlan, Rule};

use crate::support::{Bench, DESTINATION, PART, SOURCE, bytes, found_in};

const FLAGS: [&str; 6] = ["--part-size", "262144", "--whole-object-limit", "0", "--max-concurrency", "4"];

#[tokio::test(flavor = "multi_thread")]
async fn a_storm_of_faults_ends_in_the_exact_object() {
    let bench = Bench::new().await;
    let data = bytes(20 << 20, 11);
    bench.put("k", &data);
    let source = FaultPlan::seeded(7)
        .rule(Rule::on("GetObject", Action::ResetBeforeHeaders).probability(0.05))
        .rule(Rule::on("GetObject", Action::ResetResponseAfter(100_000)).probability(0.1))
        .rule(Rule::on("GetObject", Action::CloseResponseAfter(50_000)).probability(0.05))
        .rule(Rule::on("GetObject", Action::Answer(Answer::slow_down())).probability(0.05));
    let destination = FaultPlan::seeded(8)
        .rule(Rule::on("UploadPart", Action::ResetRequestAfter(70_000)).probability(0.05))
        .rule(Rule::on("UploadPart", Action::FlipRequest(1_234)).probability(0.05))
        .rule(Rule::on("UploadPart", Action::CommitThenReset).probability(0.05))
        .rule(Rule::on("UploadPart", Action::Answer(Answer::internal_error())).probability(0.05))
        .rule(Rule::on("CompleteMultipartUpload", Action::CommitThenReset).nth(1));
    bench.global.set_faults(source);
    bench.china.set_faults(destination);
    let ran = bench.copy("k", &[&FLAGS[..], &["--output", "json"]].concat()).await.ok();
    bench.assert_same("k", &data);
    assert_eq!(bench.china.direct().uploads(DESTINATION), []);
    let met = |records: Vec<strict_s3::RequestRecord>| records.iter().filter(|r| r.fault.is_some()).count();
    assert!(
        met(bench.global.requests()) >= 10 && met(bench.china.requests()) >= 10,
        "the storm did not happen"
    );
    let report = ran.json();
    assert_eq!(report["status"], "SUCCEEDED");
    assert_eq!(report["result"]["proof"], "sourceChecksum");
    assert!(
        report["repeatedPuts"].as_u64().unwrap() + report["repeatedGets"].as_u64().unwrap() > 0,
        "{report:#}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_uncertain_complete_is_settled_by_the_token() {
    let bench = Bench::new().await;
    let data = bytes(5 * PART, 12);
    bench.put("k", &data);
    bench.china.set_faults(Rule::on("CompleteMultipartUpload", Action::TruncateAnswer(40)).first(5));
    bench.copy("k", &FLAGS).await.ok();
    bench.assert_same("k", &data);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_that_changes_is_not_mixed() {
    let bench = Bench::new().await;
    bench.put("k", &bytes(20 * PART, 13));
    let changed = bytes(20 * PART, 14);
    bench.global.set_faults(Rule::on("GetObject", Action::overwrite(SOURCE, "k", changed)).nth(8));
    let ran = bench.copy("k", &FLAGS).await;
    assert_eq!(ran.code(), 1, "{ran:#?}");
    assert!(ran.stderr.contains("SourceChanged"), "{ran:#?}");
    bench.assert_nothing_left("k");
}

/// The source's disk lies: its bytes are not those that its checksum was made of.
#[tokio::test(flavor = "multi_thread")]
async fn bytes_that_do_not_fit_the_sources_checksum_do_not_appear() {
    let bench = Bench::new().await;
    for (key, size) in [("parts", 6 * PART), ("whole", 1_000)] {
        bench.put(key, &bytes(size, 15));
        bench.global.direct().flip(SOURCE, key, 777).unwrap();
        let ran = bench
            .copy(key, &["--part-size", "262144", "--whole-object-limit", "262144", "--backoff-seconds", "1"])
            .await;
        assert_eq!(ran.code(), 1, "{ran:#?}");
        assert!(ran.stderr.contains("ChecksumMismatch"), "{ran:#?}");
        bench.assert_nothing_left(key);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_that_is_not_there_is_named_before_anything_is_written() {
    let bench = Bench::new().await;
    let ran = bench.copy("nothing", &[]).await;
    assert_eq!(ran.code(), 1, "{ran:#?}");
    assert!(ran.stderr.contains("SourceNotFound"), "{ran:#?}");
    assert!(!bench.china.counts().contains_key("CreateMultipartUpload"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_parked_transfer_is_redriven_and_sends_only_what_is_missing() {
    let bench = Bench::new().await;
    let data = bytes(12 * PART, 16);
    bench.put("k", &data);
    bench.china.set_faults(Rule::on("UploadPart", Action::Answer(Answer::access_denied())).from_nth(6));
    let flags = [&FLAGS[..], &["--rounds", "2", "--backoff-seconds", "1", "--name", "parked"]].concat();
    let ran = bench.copy("k", &flags).await;
    assert_eq!(ran.code(), 1, "{ran:#?}");
    assert!(ran.stderr.contains("RoundsExhausted"), "{ran:#?}");
    assert!(ran.stderr.contains("transload redrive parked"), "{ran:#?}");
    assert!(bench.arrived("k").is_none());
    let uploads = bench.china.direct().uploads(DESTINATION);
    let there: Vec<u32> = uploads[0].parts.iter().map(|(number, _)| *number).collect();
    // A worker that is refused one part lets go of those that it has under way: not all five need have arrived.
    assert!(uploads.len() == 1 && (1..=5).contains(&there.len()), "{uploads:?}");

    bench.china.set_faults(FaultPlan::none());
    bench.china.clear_requests();
    bench.run(&["redrive", "parked"]).await.ok();
    bench.assert_same("k", &data);
    let missing = (1..=12).filter(|number| !there.contains(number)).map(|number| (number, 1));
    assert_eq!(bench.sent(), missing.collect());
    // Every bench looks for secrets when it ends. The search itself finds what is there.
    assert!(!found_in(&bench.home(), "photos-cn").is_empty());
}
