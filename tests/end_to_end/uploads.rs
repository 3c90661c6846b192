//! Open uploads: whose they are, and the sweep that touches none but ours.

use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;
use strict_s3::{Action, Answer, FaultPlan, Rule};
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout};
use transload_store::location::ConfiguredStores;
use transload_store::{Stores, Target};
use transload_wire::Attributes;

use crate::support::{Bench, DESTINATION, PART, SECRETS, bytes};

const FLAGS: [&str; 8] =
    ["--part-size", "262144", "--whole-object-limit", "0", "--rounds", "1", "--backoff-seconds", "1"];

/// The open uploads as the program tells them: key, standing, whether it released them now.
async fn told(bench: &Bench, args: &[&str]) -> Vec<(String, String, bool)> {
    rows(&bench.run(&[&["uploads", "--output", "json"], args].concat()).await.ok().json())
}

fn rows(json: &Value) -> Vec<(String, String, bool)> {
    let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let upload = |upload: &Value| {
        let released = upload["aborted"].as_bool().unwrap();
        (word(&upload["destination"]["key"]), word(&upload["standing"]), released)
    };
    let mut told: Vec<_> = json["uploads"].as_array().unwrap().iter().map(upload).collect();
    told.sort();
    told
}

fn row(key: &str, standing: &str, released: bool) -> (String, String, bool) {
    (key.to_owned(), standing.to_owned(), released)
}

/// An upload of another program, with the destination's own keys.
async fn foreign(bench: &Bench, key: &str) {
    let keys = format!("[default]\naws_access_key_id = AKIACHINA\naws_secret_access_key = {}\n", SECRETS[1]);
    std::fs::write(bench.path("china-keys"), keys).unwrap();
    let toml = format!(
        "[locations.china]\nkind = \"s3\"\nregion = \"cn-north-1\"\nendpoint = {:?}\nallow_http = true\npath_style = true\n\
         credentials = {{ file = {:?} }}\n",
        bench.china.endpoint(),
        bench.path("china-keys"),
    );
    let store = ConfiguredStores::from_toml(&toml).unwrap().open(&"china".parse().unwrap()).unwrap();
    let target = Target {
        bucket: DESTINATION.parse().unwrap(),
        key: key.parse().unwrap(),
        attributes: Attributes::default(),
        encryption: None,
        checksum_algorithm: None,
    };
    store.create_upload(&target).await.unwrap();
}

/// An execution that was parked, one that failed for good and could not release its upload, and another program's uploads.
async fn three_kinds() -> (Bench, Vec<u8>) {
    let bench = Bench::new().await;
    let data = bytes(5 * PART, 61);
    bench.put("a/parked", &data);
    bench.china.set_faults(Rule::on("UploadPart", Action::Answer(Answer::access_denied())).part(3));
    let ran = bench.copy("a/parked", &[&FLAGS[..], &["--name", "parked"]].concat()).await;
    assert!(ran.code() == 1 && ran.stderr.contains("RoundsExhausted"), "{ran:#?}");

    bench.put("b/left", &data);
    let refused = Answer::error(400, "InvalidRequest", "no");
    let plan = FaultPlan::none()
        .rule(Rule::on("CompleteMultipartUpload", Action::Answer(refused)))
        // A store that says it is gone, which is quicker than one that refuses until the last repetition.
        .rule(Rule::on("AbortMultipartUpload", Action::Answer(Answer::no_content())))
        .rule(Rule::on("ListParts", Action::Answer(Answer::no_such_upload())).from_nth(2));
    bench.china.set_faults(plan);
    let ran = bench.copy("b/left", &[&FLAGS[..], &["--name", "left"]].concat()).await;
    assert!(ran.code() == 1 && ran.stderr.contains("this execution is over"), "{ran:#?}");
    bench.china.set_faults(FaultPlan::none());

    foreign(&bench, "a/parked").await;
    foreign(&bench, "z/other").await;
    assert_eq!(bench.china.direct().uploads(DESTINATION).len(), 4);
    (bench, data)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sweep_releases_what_nobody_needs_and_nothing_else() {
    let (bench, data) = three_kinds().await;
    let all = [
        row("a/parked", "parked", false),
        row("a/parked", "unknown", false),
        row("b/left", "left", false),
        row("z/other", "unknown", false),
    ];
    assert_eq!(told(&bench, &[]).await, all);
    assert_eq!(told(&bench, &["--older-than", "1h", "--abort"]).await, [], "all are younger");
    assert_eq!(told(&bench, &["china:s3://photos-cn/b/"]).await, all[2..3]);
    assert_eq!(told(&bench, &["china:s3://photos-cn/c/"]).await, []);

    let table = bench.run(&["uploads"]).await.ok().stdout;
    assert!(table.contains("1 upload that nobody will go on with; release with --abort"), "{table}");
    assert!(table.contains("parked until 20") && table.contains("not ours"), "{table}");

    let released = told(&bench, &["--abort"]).await;
    assert_eq!(released[2], row("b/left", "left", true));
    assert_eq!(told(&bench, &[]).await, [&all[..2], &all[3..]].concat());

    // What was parked is still good for a redrive.
    bench.run(&["redrive", "parked"]).await.ok();
    bench.assert_same("a/parked", &data);
    assert_eq!(bench.china.counts()["CreateMultipartUpload"], 4, "the redrive made an upload of its own");
    assert_eq!(told(&bench, &[]).await, [all[1].clone(), all[3].clone()]);
}

/// The API of a bench's home, served by a process of its own: what that prints first.
async fn served(bench: &Bench) -> (Child, Lines<BufReader<ChildStdout>>, Value) {
    let args = ["local", "--s3-port", "0", "--sfn-port", "0", "--output", "json"];
    let mut child = bench.command(&args).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let line = tokio::time::timeout(Duration::from_secs(60), lines.next_line()).await;
    let line = line.expect("it tells something").unwrap().unwrap();
    (child, lines, serde_json::from_str(&line).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn uploads_of_a_deployed_machine_are_told_by_its_histories() {
    let (bench, _) = three_kinds().await;
    let (_child, _lines, welcome) = served(&bench).await;
    let api = &welcome["stepFunctions"];
    let run = async |args: &[&str]| {
        let mut command = bench.command(&[&["uploads", "--output", "json"], args].concat());
        command
            .env("TRANSLOAD_HOME", bench.path("elsewhere"))
            .env("TRANSLOAD_STACK", api["stateMachineArn"].as_str().unwrap())
            .env("AWS_ENDPOINT_URL_SFN", api["endpoint"].as_str().unwrap())
            .env("AWS_SHARED_CREDENTIALS_FILE", welcome["source"]["credentials"].as_str().unwrap())
            .env("AWS_REGION", "us-east-1")
            .env("AWS_EC2_METADATA_DISABLED", "true");
        let ran = command.output().await.unwrap();
        assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
        rows(&serde_json::from_slice(&ran.stdout).unwrap())
    };
    let all = [
        row("a/parked", "parked", false),
        row("a/parked", "unknown", false),
        row("b/left", "left", false),
        row("z/other", "unknown", false),
    ];
    assert_eq!(run(&[]).await, all);
    assert_eq!(run(&["--abort"]).await[2], row("b/left", "left", true));
    assert_eq!(run(&[]).await, [&all[..2], &all[3..]].concat());
    assert!(!bench.path("elsewhere").exists(), "nothing is kept on this computer");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_parked_upload_goes_only_if_that_is_asked_for() {
    let (bench, data) = three_kinds().await;
    let alone = bench.run(&["uploads", "--parked"]).await;
    assert_eq!(alone.code(), 2, "{alone:#?}");
    told(&bench, &["--abort", "--parked"]).await;
    let left = told(&bench, &[]).await;
    assert_eq!(left, [row("a/parked", "unknown", false), row("z/other", "unknown", false)]);
    bench.run(&["redrive", "parked"]).await.ok();
    bench.assert_same("a/parked", &data);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_can_not_be_asked_or_released_is_said() {
    let (bench, _) = three_kinds().await;
    bench.china.set_faults(Rule::on("AbortMultipartUpload", Action::Answer(Answer::access_denied())));
    let ran = bench.run(&["uploads", "--abort"]).await;
    assert_eq!(ran.code(), 5, "{ran:#?}");
    assert!(
        ran.stderr.contains("1 upload could not be released") && ran.stderr.contains("b/left"),
        "{ran:#?}"
    );
    bench.china.set_faults(Rule::on("ListMultipartUploads", Action::Answer(Answer::access_denied())));
    let ran = bench.run(&["uploads"]).await;
    assert!(ran.code() == 5 && ran.stderr.contains("china:s3://photos-cn"), "{ran:#?}");
    let ran = bench.run(&["uploads", "mars:s3://photos-cn"]).await;
    assert!(ran.code() == 2 && ran.stderr.contains("mars"), "{ran:#?}");
}
