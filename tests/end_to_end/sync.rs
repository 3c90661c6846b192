//! Many objects by the program: two servers, real worker processes, the real definitions.

use std::time::Duration;

use serde_json::Value;
use strict_s3::{Action, Answer, FaultPlan, Rule};
use tokio::process::Command;

use crate::support::{Bench, DESTINATION, PART, Ran, SOURCE, bytes, ended};

/// Objects of most tests.
const SMALL: usize = 300;
/// Small batches, and a limit that leaves two objects to executions of their own.
const FLAGS: [&str; 8] = [
    "--batch-objects",
    "50",
    "--batch-object-limit",
    "262144",
    "--whole-object-limit",
    "262144",
    "--part-size",
    "262144",
];

/// Small objects with keys that clients like to change, and two large ones.
async fn bench() -> Bench {
    let bench = Bench::new().await;
    for n in 0..SMALL {
        bench.put(&key(n), &bytes(n * 7 % 4_000, n as u64));
    }
    for n in 0..2 {
        bench.put(&format!("in/large {n}"), &bytes(3 * PART + n, 1_000 + n as u64));
    }
    bench.put("out of it", b"not below the prefix");
    bench
}

fn key(n: usize) -> String {
    let odd = ["plain", "a b+c", "%2F", "\u{e9}\u{1f680}", "//x"];
    format!("in/{}/{n}", odd[n % odd.len()])
}

async fn run(bench: &Bench, command: &str, flags: &[&str]) -> Ran {
    let (source, destination) =
        (format!("global:s3://{SOURCE}/in/"), format!("china:s3://{DESTINATION}/out/"));
    bench.run(&[&[command, &source, &destination][..], &FLAGS, flags].concat()).await
}

async fn json(bench: &Bench, command: &str, flags: &[&str]) -> Value {
    run(bench, command, &[flags, &["--output", "json"]].concat()).await.ok().json()
}

/// How often an operation was asked of the destination.
fn asked(bench: &Bench, operation: &str) -> u64 {
    bench.china.counts().get(operation).copied().unwrap_or_default()
}

#[track_caller]
fn assert_arrived(bench: &Bench) {
    let keys = bench.china.direct().keys(DESTINATION);
    assert_eq!(keys.len(), SMALL + 2);
    for key in keys {
        let of = format!("in/{}", key.strip_prefix("out/").unwrap());
        let there = bench.global.direct().get(SOURCE, &of).unwrap_or_else(|| panic!("no {of}"));
        let here = bench.china.direct().get(DESTINATION, &key).unwrap();
        assert!(there.bytes().unwrap() == here.bytes().unwrap(), "{key}: the bytes differ");
    }
    assert_eq!(bench.china.direct().uploads(DESTINATION), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_missing_is_copied_and_the_second_run_moves_nothing() {
    let bench = bench().await;
    let planned = json(&bench, "plan", &[]).await;
    assert_eq!(planned["found"]["small"]["objects"], SMALL);
    assert_eq!(planned["found"]["large"]["objects"], 2);
    assert_eq!(bench.china.direct().keys(DESTINATION).len(), 0, "a plan writes nothing");

    let done = json(&bench, "sync", &["--name", "first"]).await;
    assert_arrived(&bench);
    assert_eq!((done["name"].as_str(), done["plan"].as_bool()), (Some("sync-first"), Some(false)));
    assert_eq!(done["counts"]["copied"]["objects"], SMALL + 2);
    assert_eq!(asked(&bench, "PutObject"), SMALL as u64, "each small object is sent once");
    assert_eq!(asked(&bench, "HeadObject"), 2 * 2, "small objects need no HEAD, large ones two");
    assert_eq!(asked(&bench, "CompleteMultipartUpload"), 2);

    let again = json(&bench, "sync", &[]).await;
    assert_eq!(again["counts"]["present"]["objects"], SMALL + 2);
    assert_eq!(asked(&bench, "PutObject"), SMALL as u64);

    let names = bench.run(&["executions"]).await.ok().stdout;
    assert!(names.contains("sync-first") && names.contains("plan-"), "{names}");
    let told = bench.run(&["report", "sync-first"]).await.ok().stdout;
    assert!(told.contains("there already") && told.contains("report.html"), "{told}");
    assert!(bench.run(&["describe", "sync-first"]).await.ok().stdout.contains("transload-bucket"));
    assert!(bench.run(&["history", "sync-first"]).await.ok().stdout.contains("Report"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_report_names_what_failed_and_a_redrive_copies_only_that() {
    let bench = bench().await;
    let bad = [key(3), key(77)].map(|key| format!("out/{}", key.strip_prefix("in/").unwrap()));
    let refuse = |key: &str| Rule::on("PutObject", Action::Answer(Answer::access_denied())).key(key);
    bench.china.set_faults(FaultPlan::none().rule(refuse(&bad[0])).rule(refuse(&bad[1])));
    let ran = run(&bench, "sync", &["--name", "some"]).await;
    assert_eq!(ran.code(), 1, "{ran:#?}");
    assert!(
        ran.stderr.contains("ObjectsFailed") && ran.stderr.contains("transload redrive sync-some"),
        "{ran:#?}"
    );
    let report = bench.home().join("reports/sync-some");
    let rows = std::fs::read_to_string(report.join("objects.csv")).unwrap();
    let failed: Vec<_> = rows.lines().filter(|row| row.contains("DestinationAccessDenied")).collect();
    assert_eq!(failed.len(), 2, "{failed:#?}");
    assert!(std::fs::read_to_string(report.join("report.html")).unwrap().contains("DestinationAccessDenied"));
    let told: Value = serde_json::from_slice(&std::fs::read(report.join("report.json")).unwrap()).unwrap();
    assert_eq!(told["counts"]["copied"]["objects"], SMALL, "all but two, the large ones too");

    bench.china.set_faults(FaultPlan::none());
    let sent = asked(&bench, "PutObject");
    let ran = bench.run(&["redrive", "sync-some", "--output", "json"]).await.ok().json();
    assert_eq!(ran["counts"]["copied"]["objects"], SMALL + 2);
    assert_eq!(ran["counts"]["failed"]["objects"], 0);
    assert_eq!(asked(&bench, "PutObject"), sent + 2);
    assert_arrived(&bench);
}

#[tokio::test(flavor = "multi_thread")]
async fn interrupted_it_is_kept_and_resumed() {
    let bench = bench().await;
    bench.china.set_faults(Rule::on("PutObject", Action::Delay(Duration::from_millis(300))));
    let (source, destination) =
        (format!("global:s3://{SOURCE}/in/"), format!("china:s3://{DESTINATION}/out/"));
    let slow = ["--in-flight", "2", "--name", "kept"];
    let args = [&["sync", &source, &destination][..], &FLAGS, &slow].concat();
    let child = bench
        .command(&args)
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn();
    let child = child.unwrap();
    let begun = async {
        while asked(&bench, "PutObject") < 8 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), begun).await.expect("it begins");
    let pid = child.id().unwrap().to_string();
    assert!(Command::new("kill").args(["-INT", &pid]).status().await.unwrap().success());
    let ran = ended(child).await;
    assert!(ran.code() == 130 && ran.stderr.contains("transload resume"), "{ran:#?}");
    assert!(bench.china.direct().keys(DESTINATION).len() < SMALL, "it was over before it was interrupted");

    bench.china.set_faults(FaultPlan::none());
    let ran = bench.run(&["resume"]).await.ok();
    assert!(ran.stdout.contains("sync-kept  SUCCEEDED"), "{ran:#?}");
    assert_arrived(&bench);
    assert_eq!(bench.run(&["resume"]).await.ok().stdout, "nothing to resume\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_deleted_unasked_nor_beyond_the_caps() {
    let bench = bench().await;
    run(&bench, "sync", &[]).await.ok();
    for n in 0..5 {
        bench.china.direct().put(DESTINATION, &format!("out/extra {n}"), "extra").unwrap();
    }
    bench.china.direct().put(DESTINATION, "elsewhere", "not below the prefix").unwrap();
    let keys = || bench.china.direct().keys(DESTINATION).len();

    run(&bench, "sync", &[]).await.ok();
    assert_eq!(keys(), SMALL + 2 + 6);
    let ran = run(&bench, "sync", &["--delete", "--max-deletes", "4"]).await;
    assert!(ran.code() == 1 && ran.stderr.contains("DeletesRefused"), "{ran:#?}");
    let ran = run(&bench, "sync", &["--delete", "--max-delete-percent", "1"]).await;
    assert!(ran.code() == 1 && ran.stderr.contains("DeletesRefused"), "{ran:#?}");
    let planned = json(&bench, "plan", &["--delete"]).await;
    assert_eq!(planned["found"]["deletes"]["objects"], 5);
    assert_eq!((keys(), asked(&bench, "DeleteObject") + asked(&bench, "DeleteObjects")), (SMALL + 2 + 6, 0));

    let done = json(&bench, "sync", &["--delete"]).await;
    assert_eq!(done["counts"]["deleted"]["objects"], 5);
    assert_eq!(keys(), SMALL + 2 + 1);

    // A source that lists empty by mistake.
    let empty = [
        "sync",
        "global:s3://photos/nothing/",
        "china:s3://photos-cn/out/",
        "--delete",
        "--max-delete-percent",
        "100",
    ];
    let ran = bench.run(&empty).await;
    assert!(ran.code() == 1 && ran.stderr.contains("allowEmptySource"), "{ran:#?}");
    assert_eq!(keys(), SMALL + 2 + 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn filters_hold_and_say_why() {
    let bench = bench().await;
    std::fs::write(bench.path("ignored"), format!("{SOURCE}/in/plain/*\n\n*/large ?\n")).unwrap();
    let file = bench.path("ignored");
    let done = json(&bench, "sync", &["--ignore-file", file.to_str().unwrap(), "--exclude", "%2F/*"]).await;
    let skipped = done["counts"]["skipped"].as_object().unwrap();
    assert_eq!(skipped["ignored"]["objects"], SMALL / 5 + 2, "{skipped:#?}");
    assert_eq!(skipped["excluded"]["objects"], SMALL / 5, "{skipped:#?}");
    assert_eq!(done["counts"]["copied"]["objects"], SMALL / 5 * 3);
    assert_eq!(bench.china.direct().keys(DESTINATION).len(), SMALL / 5 * 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_can_not_be_meant_is_refused_before_anything_is_written() {
    let bench = bench().await;
    let rows: [(&[&str], i32, &str); 6] = [
        (&["sync", "global:s3://photos/in/", "global:s3://photos/in/copy/"], 1, "InputInvalid"),
        (&["sync", "global:s3://photos/in/", "china:s3://missing/"], 1, "DestinationNotFound"),
        (&["sync", "global:s3://missing/in/", "china:s3://photos-cn/"], 1, "SourceNotFound"),
        (&["sync", "mars:s3://photos/in/", "china:s3://photos-cn/"], 3, "mars"),
        (&["sync", "global:s3://photos/", "china:s3://photos-cn/", "--in-flight", "0"], 2, "sync.inFlight"),
        (&["sync", "global:s3://photos/", "china:s3://photos-cn/", "--max-deletes", "4"], 2, "--delete"),
    ];
    for (args, code, text) in rows {
        let ran = bench.run(args).await;
        assert!(ran.code() == code && ran.stderr.contains(text), "{args:?}: {ran:#?}");
    }
    std::fs::write(bench.path("bad"), "photos/ok*\nno-slash\n").unwrap();
    let ran = run(&bench, "sync", &["--ignore-file", bench.path("bad").to_str().unwrap()]).await;
    assert!(ran.code() == 2 && ran.stderr.contains("line 2"), "{ran:#?}");
    assert_eq!(bench.china.direct().keys(DESTINATION).len(), 0);
}
