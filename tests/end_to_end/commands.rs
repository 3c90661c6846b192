//! What commands print, for people and for programs, and how they end.

use crate::support::{Bench, PART, bytes};

/// One whole object and one in parts, by names of the test's own.
async fn two_transfers() -> Bench {
    let bench = Bench::new().await;
    bench.put("whole", &bytes(1_000, 31));
    bench.put("parts", &bytes(3 * PART, 32));
    bench.copy("whole", &["--name", "one"]).await.ok();
    bench
        .copy(
            "parts",
            &[
                "--name",
                "two",
                "--part-size",
                "262144",
                "--whole-object-limit",
                "0",
                "--max-concurrency",
                "1",
                "--parts-in-flight",
                "1",
            ],
        )
        .await
        .ok();
    bench
}

#[tokio::test(flavor = "multi_thread")]
async fn tables_are_as_they_were() {
    let bench = two_transfers().await;
    for (name, args) in [
        ("executions", &["executions"][..]),
        ("describe", &["describe", "two"]),
        ("history", &["history", "two"]),
        ("history-whole", &["history", "one"]),
        ("report", &["report", "two"]),
        ("report-whole", &["report", "one"]),
    ] {
        golden(name, &bench.run(args).await.ok().stdout);
    }
}

/// Compares with a file; `UPDATE_GOLDEN=1` writes it. What differs from run to run is taken out first.
fn golden(name: &str, found: &str) {
    let path = format!("{}/tests/end_to_end/golden/{name}.txt", env!("CARGO_MANIFEST_DIR"));
    let found = constant(found);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, &found).unwrap();
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{path}: {e}"));
    assert!(found == expected, "{path}: expected\n{expected}\nfound\n{found}");
}

/// Takes out what differs from run to run: times, rates, UUIDs, tokens. Blanks become two: columns move with their cells.
fn constant(text: &str) -> String {
    let line = |line: &str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let word = |(index, word): (usize, &&str)| {
            let unit = words.get(index + 1).copied().unwrap_or_default();
            // The fifth column of a line of a part holds milliseconds.
            let of_a_part = index == 4 && words.len() == 8 && words[1].parse::<u64>().is_ok();
            match *word {
                "ms" | "s" => "s".to_owned(),
                number
                    if number.parse::<f64>().is_ok()
                        && (of_a_part || ["ms", "s", "MB/s"].contains(&unit)) =>
                {
                    "N".to_owned()
                }
                other => other.split('"').map(piece).collect::<Vec<_>>().join("\""),
            }
        };
        words.iter().enumerate().map(word).collect::<Vec<_>>().join("  ")
    };
    text.lines().map(line).collect::<Vec<_>>().join("\n") + "\n"
}

/// A word, or what stands between two quotation marks of one.
fn piece(piece: &str) -> String {
    let of = |allowed: &str| piece.chars().all(|c| c.is_ascii_digit() || allowed.contains(c));
    let parts = piece.rsplit_once(':').filter(|(_, uuid)| uuid.len() == 36 && uuid.matches('-').count() == 4);
    let token = piece.len() >= 22 && piece.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c));
    if let Some((before, _)) = parts {
        format!("{before}:UUID")
    } else if piece.matches(':').count() == 2 && of(":.TZ-") {
        "TIME".to_owned()
    } else if piece.len() == 10 && piece.matches('-').count() == 2 && of("-") {
        "DATE".to_owned()
    } else if token
        && piece.chars().any(|c| c.is_ascii_uppercase())
        && piece.chars().any(|c| c.is_ascii_digit())
    {
        "TOKEN".to_owned()
    } else {
        piece.to_owned()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_is_json_when_asked() {
    let bench = two_transfers().await;
    for args in [
        &["executions"][..],
        &["executions", "--status", "failed"],
        &["describe", "two"],
        &["history", "two"],
        &["history", "two", "--children"],
        &["report", "two"],
    ] {
        let json = bench.run(&[args, &["--output", "json"]].concat()).await.ok().json();
        assert!(json.is_object(), "{args:?}");
    }
    let list = bench.run(&["executions", "--output", "json"]).await.ok().json();
    assert_eq!(list["executions"].as_array().unwrap().len(), 2);
    assert_eq!(list["executions"][0]["name"], "two", "newest first");

    let history = bench.run(&["history", "two", "--children", "--output", "json"]).await.ok().json();
    let ids: Vec<u64> =
        history["events"].as_array().unwrap().iter().map(|e| e["id"].as_u64().unwrap()).collect();
    assert_eq!(ids, (1..=ids.len() as u64).collect::<Vec<_>>(), "no gap");
    assert_eq!(history["events"][0]["type"], "ExecutionStarted");
    assert!(!history["children"].as_array().unwrap().is_empty());

    let report = bench.run(&["report", "two", "--output", "json"]).await.ok().json();
    let parts = report["partRecords"].as_array().unwrap();
    assert_eq!(parts.iter().map(|p| p["partNumber"].as_u64().unwrap()).collect::<Vec<_>>(), [1, 2, 3]);
    assert_eq!(report["requests"]["UploadPart"], 3);
    let results = std::fs::read_dir(bench.home().join("results")).unwrap().count();
    assert_eq!(results, 1, "the Map's results are written below the home");
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_usage_has_its_exit_codes() {
    let bench = Bench::new().await;
    bench.put("k", &[1]);
    let fresh = bench.run(&["executions"]).await;
    assert_eq!((fresh.code(), fresh.stdout.as_str()), (3, ""), "{fresh:#?}");
    bench.copy("k", &[]).await.ok();
    let rows: [(&[&str], i32, &str); 11] = [
        (&["copy"], 2, "required"),
        (&["copy", "global:s3://photos/k"], 2, "required"),
        (&["copy", "photos/k", "china:s3://photos-cn/k"], 2, "expected LOCATION:s3://BUCKET/KEY"),
        (&["copy", "global:s3://photos/k", "china:s3://Bad/k"], 2, "bucket"),
        (&["copy", "mars:s3://photos/k", "china:s3://photos-cn/k"], 3, "no location mars"),
        (&["copy", "global:s3://photos/k", "global:s3://photos/k"], 2, "another object"),
        (&["copy", "global:s3://photos/k", "china:s3://photos-cn/k", "--tag", "aws:x=1"], 2, "options.tags"),
        (&["copy", "--input", "missing.json"], 2, "missing.json"),
        (&["describe", "nobody"], 3, "ExecutionDoesNotExist"),
        (&["redrive", "nobody"], 3, "ExecutionDoesNotExist"),
        (&["executions", "--locations", "nowhere.toml", "--status", "lost"], 2, "lost"),
    ];
    for (args, code, expected) in rows {
        let ran = bench.run(args).await;
        assert_eq!(ran.code(), code, "{args:?}: {ran:#?}");
        assert!(ran.stderr.contains(expected), "{args:?}: {ran:#?}");
    }
    assert_eq!(bench.run(&["copy", "a", "b", "--locations", "nowhere.toml"]).await.code(), 2);
    let help = bench.run(&["--help"]).await.ok();
    assert!(help.stdout.contains("Exit codes:"), "{help:#?}");
    let child = bench.run(&["worker", "Head"]).await;
    assert_ne!(child.code(), 0, "a worker by hand has nobody to serve");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_in_the_locations_file_is_refused_and_not_repeated() {
    let bench = Bench::new().await;
    let text =
        "[locations.global]\nkind = \"s3\"\nregion = \"us-east-1\"\nsecret_access_key = \"TopSecretText\"\n";
    std::fs::write(bench.path("inline.toml"), text).unwrap();
    let ran =
        bench.run(&["--locations", "inline.toml", "copy", "global:photos/k", "china:photos-cn/k"]).await;
    assert_eq!(ran.code(), 2, "{ran:#?}");
    assert!(!ran.stderr.contains("TopSecretText"), "{ran:#?}");
}
