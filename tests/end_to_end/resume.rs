//! Interrupted, killed, stopped: what was sent stays, and the rest is sent later.

use std::time::Duration;

use strict_s3::{Action, FaultPlan, Rule};
use tokio::process::{Child, Command};

use crate::support::{Bench, PART, bytes, ended};

/// Parts of the object that is interrupted.
const PARTS: usize = 40;
const FLAGS: [&str; 8] = [
    "--part-size",
    "262144",
    "--whole-object-limit",
    "0",
    "--max-concurrency",
    "2",
    "--parts-in-flight",
    "2",
];
/// Parts that may be under way when a process dies: those of both workers.
const UNDER_WAY: u64 = 4;

/// A transfer that takes `delay` milliseconds a part, in its midst.
async fn begin(bench: &Bench, data: &[u8], delay: u64, flags: &[&str]) -> Child {
    bench.put("k", data);
    bench.china.set_faults(Rule::on("UploadPart", Action::Delay(Duration::from_millis(delay))));
    let child = bench.start_copy("k", &[&FLAGS[..], flags].concat());
    bench.until_sent(10).await;
    child
}

async fn signal(name: &str, child: &Child) {
    let pid = child.id().expect("it runs").to_string();
    assert!(Command::new("kill").args([name, &pid]).status().await.unwrap().success());
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_and_started_again_it_goes_on() {
    let bench = Bench::new().await;
    let data = bytes(PARTS * PART, 21);
    let child = begin(&bench, &data, 150, &[]).await;
    signal("-KILL", &child).await;
    ended(child).await;
    bench.china.set_faults(FaultPlan::none());
    let before: u64 = bench.sent().values().sum();
    assert!(before < PARTS as u64, "it was over before it was killed");

    let again = bench.copy("k", &FLAGS).await.ok();
    assert!(again.stderr.contains("which was interrupted"), "{again:#?}");
    bench.assert_same("k", &data);
    let sent: u64 = bench.sent().values().sum();
    assert!(sent <= PARTS as u64 + UNDER_WAY, "{sent} parts sent, {PARTS} needed");
    assert_eq!(bench.china.counts()["CreateMultipartUpload"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn interrupted_it_is_kept_and_resumed() {
    let bench = Bench::new().await;
    let data = bytes(PARTS * PART, 22);
    let child = begin(&bench, &data, 150, &["--name", "kept"]).await;
    signal("-INT", &child).await;
    let ran = ended(child).await;
    assert_eq!(ran.code(), 130, "{ran:#?}");
    assert!(ran.stderr.contains("transload resume"), "{ran:#?}");
    let status = bench.run(&["describe", "kept", "--output", "json"]).await.ok().json();
    assert_eq!(status["status"], "RUNNING", "a look must not end it");

    bench.china.set_faults(FaultPlan::none());
    bench.run(&["resume"]).await.ok();
    bench.assert_same("k", &data);
    assert_eq!(bench.run(&["resume"]).await.ok().stdout, "nothing to resume\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn another_process_looks_stops_and_redrives() {
    let bench = Bench::new().await;
    let data = bytes(PARTS * PART, 23);
    let child = begin(&bench, &data, 700, &["--name", "busy"]).await;

    let busy = bench.copy("k", &[]).await;
    assert_eq!(busy.code(), 4, "{busy:#?}");
    assert!(busy.stderr.contains(&format!("process {}", child.id().unwrap())), "{busy:#?}");
    let status = bench.run(&["describe", "busy", "--output", "json"]).await.ok().json();
    assert_eq!(status["status"], "RUNNING");
    assert!(bench.run(&["history", "busy"]).await.ok().stdout.contains("MapRunStarted"));

    assert_eq!(bench.run(&["tune", "busy"]).await.code(), 2, "nothing to change");
    assert_eq!(bench.run(&["tune", "busy", "--tolerated-failure-percentage", "101"]).await.code(), 2);
    let tuned = ["tune", "busy", "--concurrency", "3", "--tolerated-failures", "7", "--output", "json"];
    let tuned = bench.run(&tuned).await.ok().json();
    assert_eq!(tuned[0]["maxConcurrency"], 3, "{tuned}");
    assert_eq!(tuned[0]["toleratedFailureCount"], 7, "{tuned}");

    bench.run(&["stop", "busy", "--cause", "enough"]).await.ok();
    let ran = ended(child).await;
    assert_eq!(ran.code(), 1, "{ran:#?}");
    assert!(ran.stdout.contains("ABORTED"), "{ran:#?}");
    let late = bench.run(&["tune", "busy", "--concurrency", "3"]).await;
    assert!(late.code() == 4 && late.stderr.contains("found ABORTED"), "{late:#?}");
    let again = bench.run(&["stop", "busy"]).await;
    assert_eq!(again.code(), 4, "{again:#?}");

    bench.china.set_faults(FaultPlan::none());
    bench.run(&["redrive", "busy"]).await.ok();
    bench.assert_same("k", &data);
}
