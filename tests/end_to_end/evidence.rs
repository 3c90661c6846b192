//! Evidence packs: made of executions of every end, checked by the program and by Python without it, changed, and looked at when
//! the destination is another.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};
use strict_s3::{Action, Answer, BucketOptions, FaultPlan, Rule};
use tokio::process::Command;

use crate::https::{CANARY, signed, trust};
use crate::support::{Bench, DESTINATION, PART, Ran, SECRETS, SOURCE, bytes, ended};

const FLAGS: [&str; 8] = [
    "--part-size",
    "262144",
    "--whole-object-limit",
    "262144",
    "--max-concurrency",
    "2",
    "--parts-in-flight",
    "2",
];

/// What Python finds in a pack, with nothing of ours.
pub(crate) async fn judged(pack: &Path) -> Value {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/checkers/evidence.py");
    let output = Command::new("python3").arg(script).arg(pack).output().await.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Names, offsets and sizes of the files of a tar of plain files with short names.
pub(crate) fn files(pack: &[u8]) -> Vec<(String, usize, usize)> {
    let (mut found, mut at) = (Vec::new(), 0);
    while pack[at] != 0 {
        let text = |from: usize, to: usize| {
            let field = &pack[at + from..at + to];
            String::from_utf8(field.iter().copied().take_while(|byte| *byte != 0).collect()).unwrap()
        };
        let size = usize::from_str_radix(&text(124, 136), 8).unwrap();
        let name = [text(345, 500), text(0, 100)].into_iter().filter(|piece| !piece.is_empty());
        found.push((name.collect::<Vec<_>>().join("/"), at + 512, size));
        at += 512 + size.next_multiple_of(512);
    }
    found
}

impl Bench {
    /// Makes the pack of an execution, twice; the program and Python say that it holds, and nothing secret is in it.
    async fn evidence(&self, name: &str) -> (PathBuf, Value) {
        let mut sums = Vec::new();
        for out in ["first", "second"] {
            let out = format!("{name}.{out}.tar");
            let made = self.run(&["evidence", name, "--out", &out, "--output", "json"]).await.ok().json();
            sums.push(made["sha256"].as_str().unwrap().to_owned());
        }
        assert_eq!(sums[0], sums[1], "the same evidence is the same bytes");
        let pack = self.path(&format!("{name}.first.tar"));
        let whole = std::fs::read(&pack).unwrap();
        for secret in SECRETS.iter().chain(&[CANARY]) {
            assert!(
                !whole.windows(secret.len()).any(|bytes| bytes == secret.as_bytes()),
                "{secret} is in it"
            );
        }
        let mode = std::os::unix::fs::MetadataExt::mode(&pack.metadata().unwrap());
        assert_eq!(mode & 0o777, 0o600);
        let told = self.verify(&pack, &["--offline"]).await.ok().json();
        assert!(told["holds"] == true && told["sha256"] == sums[0].as_str(), "{told:#}");
        std::fs::rename(self.path(&format!("{name}.second.tar")), self.path("last.tar")).unwrap();
        (pack.clone(), judged(&pack).await)
    }

    async fn verify(&self, pack: &Path, flags: &[&str]) -> Ran {
        self.run(&[&["verify", pack.to_str().unwrap(), "--output", "json"][..], flags].concat()).await
    }
}

/// The verdict of one check, and its words.
fn check(told: &Value, name: &str) -> (String, String) {
    let found = told["checks"].as_array().unwrap().iter().find(|check| check["check"] == name);
    let found = found.unwrap_or_else(|| panic!("no {name}: {told:#}"));
    let text = |field: &str| found[field].as_str().unwrap().to_owned();
    (text("verdict"), text("detail"))
}

async fn in_parts() -> (Bench, Vec<u8>) {
    let (bench, data) = (Bench::new().await, bytes(5 * PART + 7, 71));
    bench.put("k", &data);
    bench.copy("k", &[&FLAGS[..], &["--name", "audit"]].concat()).await.ok();
    (bench, data)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_object_in_parts_is_proven_without_the_program_and_without_its_home() {
    let (bench, _) = in_parts().await;
    let (pack, found) = bench.evidence("audit").await;
    assert_eq!((&found["parts"], &found["status"]), (&json!(6), &json!("SUCCEEDED")), "{found}");
    let shown = json!({"covered": 1, "combined": 1, "etag": 1, "source": 1});
    assert_eq!(found["shown"], shown, "{found}");
    assert!(found["work"].as_u64().unwrap() >= 2 && found["missing"] == json!([]), "{found}");
    // Whoever has the pack has nothing else.
    std::fs::remove_dir_all(bench.home()).unwrap();
    let told = bench.verify(&pack, &["--offline"]).await.ok().json();
    for name in [
        "archive",
        "manifest",
        "files",
        "documents",
        "execution",
        "input",
        "definition",
        "histories",
        "records",
        "parts",
        "parts' checksums",
        "proof",
    ] {
        assert_eq!(check(&told, name).0, "ok", "{told:#}");
    }
    assert_eq!(check(&told, "destination"), ("notChecked".to_owned(), "--offline".to_owned()));
    let text = bench.run(&["verify", pack.to_str().unwrap(), "--same", "--read"]).await.ok().stdout;
    assert!(text.contains("same: 1, by HEAD; of these, every byte read: 1"), "{text}");
    assert!(text.contains(told["sha256"].as_str().unwrap()), "{text}");
    // Without any locations the rest is checked all the same.
    let elsewhere = tempfile::tempdir().unwrap();
    let mut command = bench.command(&["verify", pack.to_str().unwrap()]);
    let output = command
        .env_remove("TRANSLOAD_LOCATIONS_FILE")
        .env("HOME", elsewhere.path())
        .current_dir(elsewhere.path())
        .output();
    let output = output.await.unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success() && text.contains("not checked  no locations file"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_byte_in_any_of_its_files_is_seen() {
    let (bench, _) = in_parts().await;
    let (pack, _) = bench.evidence("audit").await;
    let whole = std::fs::read(&pack).unwrap();
    let files = files(&whole);
    assert!(files.len() >= 15, "{files:?}");
    for (name, at, size) in files.iter().filter(|(_, _, size)| *size > 0) {
        let mut bytes = whole.clone();
        bytes[at + size / 2] ^= 1;
        let changed = bench.path("changed.tar");
        std::fs::write(&changed, bytes).unwrap();
        let ran = bench.verify(&changed, &[]).await;
        let told = ran.json();
        assert!(ran.code() == 1 && told["holds"] == false, "{name}: {told:#}");
        // What a manifest says of another file is then not what that file is.
        let named = told["checks"].to_string().contains(name.as_str());
        assert!(named || name == "manifest.json", "{name}: {told:#}");
        assert!(told["destination"].is_null(), "a pack that does not hold is not looked up: {told:#}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_stands_at_the_destination_now_is_told_apart() {
    let (bench, data) = in_parts().await;
    let (pack, _) = bench.evidence("audit").await;
    let told = bench.verify(&pack, &[]).await.ok().json();
    assert_eq!(told["destination"]["same"], 1, "{told:#}");

    // Of the store's word only reading is independent.
    bench.china.direct().flip(DESTINATION, "k", 9).unwrap();
    bench.verify(&pack, &[]).await.ok();
    let ran = bench.verify(&pack, &["--read"]).await;
    assert!(ran.code() == 1 && check(&ran.json(), "destination").1.contains("over its bytes"), "{ran:#?}");

    // With this transfer's token, and other bytes.
    let token = bench.arrived("k").unwrap().header("x-amz-meta-transload-token").unwrap().to_owned();
    let headers = [("x-amz-meta-transload-token".parse().unwrap(), token.parse().unwrap())];
    let put = bench.china.direct().put_with(
        DESTINATION,
        "k",
        vec![7; data.len() - 1],
        headers.into_iter().collect(),
        Vec::new(),
    );
    put.unwrap();
    let ran = bench.verify(&pack, &[]).await;
    let (verdict, words) = check(&ran.json(), "destination");
    assert!(ran.code() == 1 && verdict == "failed" && words.contains("expected size"), "{words}");

    bench.china.direct().put(DESTINATION, "k", "another").unwrap();
    let told = bench.verify(&pack, &[]).await.ok().json();
    assert_eq!(
        check(&told, "destination"),
        ("ok".to_owned(), "same: 0, by HEAD; replaced since: 1".to_owned())
    );
    assert_eq!(bench.verify(&pack, &["--same"]).await.code(), 1);

    assert!(bench.china.direct().delete(DESTINATION, "k"));
    let told = bench.verify(&pack, &[]).await.ok().json();
    assert_eq!(told["destination"]["gone"], 1, "{told:#}");

    // A store that can not be asked says nothing about the pack.
    let deny = |operation| Rule::on(operation, Action::Answer(Answer::access_denied()));
    bench.china.set_faults(FaultPlan::none().rule(deny("HeadObject")).rule(deny("GetObject")));
    let told = bench.verify(&pack, &[]).await.ok().json();
    assert_eq!(check(&told, "destination").0, "notChecked", "{told:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_that_was_written_is_found_behind_a_newer_one() {
    let (bench, data) = (Bench::new().await, bytes(3 * PART, 72));
    bench.china.direct().bucket("kept-cn", BucketOptions::versioned());
    bench.put("k", &data);
    let copy = ["copy", "global:s3://photos/k", "china:s3://kept-cn/k", "--name", "audit"];
    bench.run(&[&copy[..], &FLAGS].concat()).await.ok();
    let (pack, _) = bench.evidence("audit").await;
    bench.china.direct().put("kept-cn", "k", "another").unwrap();
    let told = bench.verify(&pack, &[]).await.ok().json();
    assert_eq!(
        (&told["destination"]["replaced"], &told["destination"]["keptVersions"]),
        (&json!(1), &json!(1)),
        "{told:#}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_sent_whole_skipped_or_refused_has_its_pack_too() {
    let bench = Bench::new().await;
    bench.put("k", &bytes(1_000, 73));
    bench.copy("k", &["--name", "whole"]).await.ok();
    let (pack, found) = bench.evidence("whole").await;
    assert_eq!(found["shown"], json!({"source": 1}), "{found}");
    let told = bench.verify(&pack, &["--same"]).await.ok().json();
    assert_eq!(check(&told, "parts"), ("notChecked".to_owned(), check(&told, "parts").1));
    assert!(check(&told, "parts").1.contains("sent whole"), "{told:#}");

    bench.copy("k", &["--name", "again"]).await.ok();
    let (pack, _) = bench.evidence("again").await;
    let told = bench.verify(&pack, &[]).await.ok().json();
    assert_eq!(check(&told, "proof"), ("notChecked".to_owned(), "nothing was written".to_owned()));

    assert_eq!(bench.copy("nothing", &["--name", "missing"]).await.code(), 1);
    let (_, found) = bench.evidence("missing").await;
    assert_eq!(found["status"], "FAILED", "{found}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transfer_that_was_parked_and_redriven_has_a_pack_of_either() {
    let (bench, data) = (Bench::new().await, bytes(12 * PART, 74));
    bench.put("k", &data);
    bench.china.set_faults(Rule::on("UploadPart", Action::Answer(Answer::access_denied())).from_nth(6));
    let flags = [&FLAGS[..], &["--rounds", "2", "--backoff-seconds", "1", "--name", "parked"]].concat();
    assert_eq!(bench.copy("k", &flags).await.code(), 1);
    let (pack, found) = bench.evidence("parked").await;
    assert_eq!((&found["status"], &found["parts"]), (&json!("FAILED"), &json!(12)), "{found}");
    let told = bench.verify(&pack, &[]).await.ok().json();
    assert_eq!(check(&told, "destination").0, "notChecked");

    bench.china.set_faults(FaultPlan::none());
    bench.run(&["redrive", "parked"]).await.ok();
    bench.assert_same("k", &data);
    for old in ["parked.first.tar", "last.tar"] {
        std::fs::remove_file(bench.path(old)).unwrap();
    }
    let (pack, found) = bench.evidence("parked").await;
    assert_eq!((&found["status"], &found["shown"]["covered"]), (&json!("SUCCEEDED"), &json!(1)), "{found}");
    let told = bench.verify(&pack, &["--same", "--read"]).await.ok().json();
    assert_eq!(check(&told, "parts").0, "ok");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_runs_is_refused_and_what_was_stopped_is_not() {
    let (bench, data) = (Bench::new().await, bytes(40 * PART, 75));
    bench.put("k", &data);
    bench.china.set_faults(Rule::on("UploadPart", Action::Delay(Duration::from_millis(300))));
    let child = bench.start_copy("k", &[&FLAGS[..], &["--name", "busy"]].concat());
    bench.until_sent(4).await;
    let ran = bench.run(&["evidence", "busy"]).await;
    assert!(
        ran.code() == 4 && ran.stderr.contains("expected an execution that is over, found RUNNING"),
        "{ran:#?}"
    );
    assert!(!bench.path("busy.evidence.tar").exists());
    bench.run(&["stop", "busy", "--cause", "enough"]).await.ok();
    ended(child).await;
    let (_, found) = bench.evidence("busy").await;
    assert_eq!(found["status"], "ABORTED", "{found}");

    // The default name, once.
    let made = bench.run(&["evidence", "busy"]).await.ok().stdout;
    assert!(made.contains("busy.evidence.tar") && made.contains("SHA-256"), "{made}");
    let again = bench.run(&["evidence", "busy"]).await;
    assert!(again.code() == 2 && again.stderr.contains("expected no file, found one"), "{again:#?}");
    assert_eq!(bench.run(&["evidence", "nobody"]).await.code(), 3);
    assert_eq!(bench.run(&["verify", "nothing.tar"]).await.code(), 2);
    assert_eq!(bench.run(&["verify", "busy.evidence.tar", "--offline", "--read"]).await.code(), 2);
}

/// A run of small objects and two large ones, of which two small ones fail at first.
#[tokio::test(flavor = "multi_thread")]
async fn a_run_over_many_objects_adds_up() {
    const SMALL: usize = 120;
    let bench = Bench::new().await;
    for n in 0..SMALL {
        bench.put(&format!("in/{}{n}", ["plain ", "a,b\"c/", "\u{e9}\n"][n % 3]), &bytes(n * 7, n as u64));
    }
    for n in 0..2 {
        bench.put(&format!("in/large {n}"), &bytes(3 * PART + n, 1_000 + n as u64));
    }
    let refuse = |key: &str| Rule::on("PutObject", Action::Answer(Answer::access_denied())).key(key);
    bench.china.set_faults(FaultPlan::none().rule(refuse("out/plain 3")).rule(refuse("out/plain 6")));
    let (source, destination) =
        (format!("global:s3://{SOURCE}/in/"), format!("china:s3://{DESTINATION}/out/"));
    let sync = [
        "sync",
        &source,
        &destination,
        "--name",
        "all",
        "--batch-objects",
        "25",
        "--batch-object-limit",
        "262144",
    ];
    let ran = bench.run(&[&sync[..], &FLAGS[..4]].concat()).await;
    assert_eq!(ran.code(), 1, "{ran:#?}");
    let (pack, found) = bench.evidence("sync-all").await;
    assert_eq!(found["shown"], json!({"covered": 2, "combined": 2, "etag": 2, "source": 2}), "{found}");
    let told = bench.verify(&pack, &["--same"]).await.ok().json();
    assert!(check(&told, "counts").1.contains("listed 122 = copied 120"), "{told:#}");
    assert_eq!(told["destination"]["same"], SMALL, "{told:#}");

    bench.china.set_faults(FaultPlan::none());
    bench.run(&["redrive", "sync-all"]).await.ok();
    for old in ["sync-all.first.tar", "last.tar"] {
        std::fs::remove_file(bench.path(old)).unwrap();
    }
    let (pack, _) = bench.evidence("sync-all").await;
    let told = bench.verify(&pack, &["--same", "--read"]).await.ok().json();
    assert!(check(&told, "counts").1.contains("listed 122 = copied 122"), "{told:#}");
    let standings =
        json!({"same": 122, "read": 2, "replaced": 0, "gone": 0, "differs": 0, "keptVersions": 0});
    assert_eq!(told["destination"], standings, "{told:#}");
    bench.china.direct().put(DESTINATION, "out/plain 9", "another").unwrap();
    let told = bench.verify(&pack, &[]).await.ok().json();
    assert_eq!(told["destination"]["replaced"], 1, "{told:#}");

    // A plan has no report, and is evidence of what was found.
    let plan = ["plan", &source, &destination, "--name", "look"];
    bench.run(&plan).await.ok();
    let (pack, found) = bench.evidence("plan-look").await;
    let told = bench.verify(&pack, &["--offline"]).await.ok().json();
    assert!(check(&told, "counts").0 == "notChecked" && found["work"].as_u64().unwrap() > 0, "{told:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_query_of_a_url_is_not_in_it_though_it_is_in_the_history() {
    let (bench, data) = (Bench::new().await, bytes(3 * PART, 76));
    let site = odd_https::Site::new(data.clone());
    let server = odd_https::Server::start(move |request, _| site.reply(request)).await.unwrap();
    trust(&bench, &server);
    let input = json!({"source": {"url": signed(&server)},
        "destination": {"location": "china", "bucket": DESTINATION, "key": "k"},
        "options": {"partSize": PART, "wholeObjectLimit": PART}});
    std::fs::write(bench.path("input.json"), input.to_string()).unwrap();
    bench.run(&["copy", "--input", "input.json", "--name", "inline"]).await.ok();
    let history = bench.run(&["history", "inline", "--output", "json"]).await.ok().stdout;
    assert!(history.contains(CANARY), "it is in the history, so that it could be in the pack");
    // Searched for the query as of every pack.
    let (pack, found) = bench.evidence("inline").await;
    assert_eq!(found["shown"]["combined"], 1, "{found}");
    let whole = std::fs::read(&pack).unwrap();
    let manifest = files(&whole).into_iter().find(|(name, ..)| name == "manifest.json").unwrap();
    let manifest: Value = serde_json::from_slice(&whole[manifest.1..][..manifest.2]).unwrap();
    assert_eq!(manifest["redacted"].as_array().map(Vec::len), Some(1), "{manifest:#}");
    bench.verify(&pack, &["--same"]).await.ok();
}
