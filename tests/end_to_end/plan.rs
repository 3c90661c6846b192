//! Plans by the program: what they estimate is what servers count, and what was frozen is done exactly.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::support::{Bench, DESTINATION, PART, Ran, SOURCE, bytes};

/// Small batches, and limits that make objects go in batches, whole, and in parts.
const FLAGS: [&str; 8] = [
    "--batch-objects",
    "20",
    "--batch-object-limit",
    "100000",
    "--whole-object-limit",
    "200000",
    "--part-size",
    "262144",
];

async fn run(bench: &Bench, command: &str, flags: &[&str]) -> Ran {
    let (source, destination) =
        (format!("global:s3://{SOURCE}/in/"), format!("china:s3://{DESTINATION}/out/"));
    bench.run(&[&[command, &source, &destination][..], &FLAGS, flags].concat()).await
}

/// Objects of every way, one of each to be replaced, and two that the source has not.
async fn bench() -> Bench {
    let bench = Bench::new().await;
    for n in 0..55 {
        bench.put(&format!("in/small/{n}"), &bytes(n * 301, n as u64));
    }
    bench.put("in/whole", &bytes(150_000, 1_000));
    bench.put("in/parts", &bytes(3 * PART + 5, 1_001));
    bench.put("in/many parts", &bytes(11 * PART, 1_002));
    let there = bench.china.direct();
    for older in ["small/7", "whole", "parts"] {
        there.put(DESTINATION, &format!("out/{older}"), "older").unwrap();
    }
    for n in 0..2 {
        there.put(DESTINATION, &format!("out/gone {n}"), "gone").unwrap();
    }
    bench
}

/// What both servers were asked since `before`.
fn asked(bench: &Bench, before: &[BTreeMap<String, u64>; 2]) -> [BTreeMap<String, u64>; 2] {
    let now = counts(bench);
    [0, 1].map(|side| {
        let since = |(name, count): (&String, &u64)| {
            let count = count - before[side].get(name).copied().unwrap_or(0);
            (count > 0).then(|| (name.clone(), count))
        };
        now[side].iter().filter_map(since).collect()
    })
}

fn counts(bench: &Bench) -> [BTreeMap<String, u64>; 2] {
    [&bench.global, &bench.china]
        .map(|server| server.counts().into_iter().map(|(name, count)| (name.to_string(), count)).collect())
}

fn estimated(planned: &Value) -> [BTreeMap<String, u64>; 2] {
    ["source", "destination"]
        .map(|side| serde_json::from_value(planned["estimate"]["sides"][side].clone()).unwrap())
}

const DELETE: [&str; 3] = ["--delete", "--max-delete-percent", "90"];

#[tokio::test(flavor = "multi_thread")]
async fn what_is_estimated_is_what_the_servers_count() {
    let bench = bench().await;
    let flags = [&DELETE[..], &["--output", "json"]].concat();
    let before = counts(&bench);
    let planned = run(&bench, "plan", &flags).await.ok().json();
    let listing = asked(&bench, &before);
    assert_eq!(planned["found"]["listing"]["source"]["ListObjectsV2"], listing[0]["ListObjectsV2"]);
    let sum: u64 = estimated(&planned).iter().flat_map(BTreeMap::values).sum();
    assert_eq!(planned["estimate"]["total"]["requests"], sum);
    assert_eq!(planned["estimate"]["total"]["objects"], 58);

    let before = counts(&bench);
    let done = run(&bench, "sync", &flags).await.ok().json();
    assert_eq!(done["counts"]["copied"]["objects"], 58);
    assert_eq!(done["counts"]["deleted"]["objects"], 2);
    assert_eq!(asked(&bench, &before), estimated(&planned));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_is_shown_by_class_of_size_with_its_prices() {
    let bench = bench().await;
    let ran = run(&bench, "plan", &[]).await.ok();
    for text in ["up to 64 KiB", "up to 1 MiB", "up to 16 MiB", "dollars", "hours", "list prices of 2026-11"]
    {
        assert!(ran.stdout.contains(text), "{text}: {}", ran.stdout);
    }
    assert!(ran.stdout.contains("global (no place of AWS) is priced as us-east-1"), "{}", ran.stdout);
    std::fs::write(bench.path("prices.json"), "{\"name\": \"mine\"}").unwrap();
    let ran = run(&bench, "plan", &["--prices", "prices.json"]).await;
    assert!(ran.code() == 2 && ran.stderr.contains("prices.json: "), "{ran:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_frozen_plan_is_done_exactly_and_without_a_listing() {
    let bench = bench().await;
    let flags = [&DELETE[..], &["--out", "frozen.jsonl", "--output", "json"]].concat();
    let planned = run(&bench, "plan", &flags).await.ok().json();
    let again = run(&bench, "plan", &flags).await;
    assert!(again.code() == 2 && again.stderr.contains("--out frozen.jsonl: expected no file"), "{again:#?}");
    let frozen = std::fs::read_to_string(bench.path("frozen.jsonl")).unwrap();
    assert_eq!(frozen.lines().count(), 1 + 58 + 2 + 1);
    assert!(frozen.ends_with(&format!("\"{}\"}}}}\n", planned["sha256"].as_str().unwrap())), "{frozen}");

    // Objects that the plan does not know.
    bench.put("in/new", b"new");
    bench.china.direct().put(DESTINATION, "out/gone later", "stays").unwrap();
    let before = counts(&bench);
    let flags = ["sync", "--plan", "frozen.jsonl", "--output", "json"];
    let done = bench.run(&flags).await.ok().json();
    assert_eq!(done["counts"]["copied"]["objects"], 58);
    assert_eq!(done["counts"]["deleted"]["objects"], 2);
    let mut expected = estimated(&planned);
    expected[1].remove("ListObjectsV2");
    // Each deletion looks whether the source still has no such object.
    expected[0].insert("ListObjectsV2".to_owned(), 2);
    assert_eq!(asked(&bench, &before), expected, "nothing but the listing is missing");
    let keys = bench.china.direct().keys(DESTINATION);
    assert_eq!(keys.len(), 58 + 1);
    assert!(!keys.iter().any(|key| key == "out/new"), "{keys:?}");

    // What an execution of the plan did, another one finds.
    let done = bench.run(&flags).await.ok().json();
    assert_eq!(done["counts"]["failed"]["objects"], 0);
    assert_eq!(bench.china.direct().keys(DESTINATION).len(), 58 + 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_changed_since_a_plan_was_frozen_fails_object_by_object() {
    let bench = bench().await;
    run(&bench, "plan", &["--out", "frozen.jsonl"]).await.ok();
    bench.put("in/small/3", b"another version");
    bench.put("in/parts", &bytes(2 * PART, 77));
    assert!(bench.global.direct().delete(SOURCE, "in/small/4"));
    bench.china.direct().put(DESTINATION, "out/small/5", "somebody else's").unwrap();
    bench.china.direct().put(DESTINATION, "out/small/7", "changed again").unwrap();
    bench.china.direct().put(DESTINATION, "out/whole", "somebody else's").unwrap();
    let ran = bench.run(&["sync", "--plan", "frozen.jsonl", "--name", "exact"]).await;
    assert!(ran.code() == 1 && ran.stderr.contains("ObjectsFailed"), "{ran:#?}");
    let rows = std::fs::read_to_string(bench.home().join("reports/sync-exact/objects.csv")).unwrap();
    let reason = |key: &str| {
        let row =
            rows.lines().find(|row| row.starts_with(&format!("{key},"))).unwrap_or_else(|| panic!("{key}"));
        row.split(',').nth(5).unwrap().to_owned()
    };
    assert_eq!(["in/small/3", "in/small/4", "in/parts"].map(reason), ["SourceChanged"; 3].map(String::from));
    let changed = ["in/small/5", "in/small/7", "in/whole"].map(reason);
    assert!(changed.iter().all(|name| name.starts_with("Destination")), "{changed:?}");
    assert_eq!(rows.lines().filter(|row| row.contains(",copied,")).count(), 58 - 6);
    let there = |key: &str| bench.china.direct().get(DESTINATION, key).map(|object| object.bytes().unwrap());
    assert!(there("out/small/3").is_none(), "never another version");
    assert_eq!(there("out/parts").unwrap(), b"older"[..], "never another version");
    assert_eq!(there("out/small/7").unwrap(), b"changed again"[..]);
    assert_eq!(bench.china.direct().uploads(DESTINATION), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_that_was_altered_is_refused_before_anything_is_written() {
    let bench = bench().await;
    run(&bench, "plan", &["--out", "frozen.jsonl"]).await.ok();
    let frozen = std::fs::read_to_string(bench.path("frozen.jsonl")).unwrap();
    let without = |at: usize| {
        let lines = frozen.lines().enumerate().filter(|(number, _)| *number != at);
        lines.map(|(_, line)| format!("{line}\n")).collect::<String>()
    };
    let last = frozen.lines().count() - 1;
    let damages = [
        (frozen.replacen("in/small/9\"", "in/small/8\"", 1), "the plan was altered"),
        (frozen.replacen("photos-cn", "photos-xx", 1), "the plan was altered"),
        (without(5), "the plan was altered"),
        (without(last), "expected an object or the end of the plan, found the end of the file"),
        (without(0), "line 1: expected the head of a plan"),
        (frozen.replacen("{\"copy\"", "{\"move\"", 1), "line 2"),
    ];
    let keys = bench.china.direct().keys(DESTINATION);
    for (text, told) in damages {
        assert_ne!(text, frozen);
        std::fs::write(bench.path("altered.jsonl"), text).unwrap();
        let ran = bench.run(&["sync", "--plan", "altered.jsonl"]).await;
        assert!(ran.code() == 2 && ran.stderr.contains(told), "{told}: {ran:#?}");
    }
    let ran = bench.run(&["sync", "--plan", "frozen.jsonl", "--in-flight", "1"]).await;
    assert_eq!(ran.code(), 2, "{ran:#?}");
    assert_eq!(bench.china.direct().keys(DESTINATION), keys);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_manifest_names_what_is_copied_and_its_bad_lines_are_told() {
    let bench = bench().await;
    std::fs::write(bench.path("mine.csv"), format!("{SOURCE},in/small/1\n{SOURCE},in/many+parts\n")).unwrap();
    let done = run(&bench, "sync", &["--manifest", "mine.csv", "--output", "json"]).await.ok().json();
    assert_eq!(
        (&done["counts"]["copied"]["objects"], &done["counts"]["listed"]["objects"]),
        (&2.into(), &2.into())
    );
    assert!(bench.china.direct().get(DESTINATION, "out/many parts").is_some());
    assert_eq!(bench.china.direct().get(DESTINATION, "out/whole").unwrap().bytes().unwrap(), b"older"[..]);
    std::fs::write(bench.path("bad.jsonl"), "{\"key\": \"in/whole\"}\n{\"name\": 1}\n\n{\"key\": \"x\"}\n")
        .unwrap();
    let ran = run(&bench, "sync", &["--manifest", "bad.jsonl"]).await;
    assert_eq!(ran.code(), 2, "{ran:#?}");
    for told in ["2 bad lines", "line 2: ", "line 4: expected a key below \"in/\""] {
        assert!(ran.stderr.contains(told), "{told}: {ran:#?}");
    }
}
