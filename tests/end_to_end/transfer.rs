//! Transfers without faults: every size, everything an object carries, and what each costs in requests.

use std::collections::BTreeMap;

use crate::support::{Bench, PART, bytes};

/// Parts of the default size, and whole objects up to as much.
const FLAGS: [&str; 6] =
    ["--part-size", "262144", "--whole-object-limit", "262144", "--max-concurrency", "4"];

#[tokio::test(flavor = "multi_thread")]
async fn an_object_arrives_in_parts_with_all_it_carries() {
    let bench = Bench::new().await;
    let data = bytes(20 << 20, 1);
    let headers = [
        ("content-type", "image/x-test"),
        ("content-encoding", "identity"),
        ("content-language", "de"),
        ("content-disposition", "inline; filename=\"a b\""),
        ("cache-control", "max-age=60"),
        ("x-amz-meta-camera", "x100"),
        ("x-amz-meta-empty", ""),
        ("x-amz-storage-class", "STANDARD_IA"),
    ];
    bench.put_with("dir/a b+c%2F.jpg", &data, &headers, &[("team", "media"), ("note", "a b=c")]);
    let ran = bench.copy("dir/a b+c%2F.jpg", &FLAGS).await.ok();

    bench.assert_same("dir/a b+c%2F.jpg", &data);
    let arrived = bench.arrived("dir/a b+c%2F.jpg").unwrap();
    assert_eq!(arrived.part_sizes, vec![PART as u64; 80]);
    for (name, value) in headers.into_iter().filter(|(name, _)| *name != "x-amz-storage-class") {
        assert_eq!(arrived.header(name), Some(value), "{name}");
    }
    assert_eq!(arrived.storage_class, "STANDARD_IA");
    let tags: BTreeMap<_, _> = arrived.tags.into_iter().collect();
    assert_eq!(tags, [("team".into(), "media".into()), ("note".into(), "a b=c".into())].into());
    assert!(ran.stdout.contains("SUCCEEDED") && ran.stdout.contains("80 parts"), "{}", ran.stdout);
}

/// Two requests a part, a constant, and a page of ListParts for each 1,000 parts.
#[tokio::test(flavor = "multi_thread")]
async fn requests_are_two_a_part_and_a_constant() {
    let bench = Bench::new().await;
    for (key, parts, pages) in [("few", 3, 1), ("many", 1_001, 2)] {
        bench.put(key, &bytes(parts * (64 << 10), 2));
        bench.global.clear_requests();
        bench.china.clear_requests();
        bench.copy(key, &["--part-size", "64KiB", "--whole-object-limit", "0"]).await.ok();
        let parts = parts as u64;
        assert_eq!(
            bench.global.counts(),
            counts(&[("GetObject", parts), ("GetObjectTagging", 1), ("HeadObject", 1)]),
            "{key}, source"
        );
        let destination = [
            ("CompleteMultipartUpload", 1),
            ("CreateMultipartUpload", 1),
            ("HeadObject", 2),
            ("ListMultipartUploads", 1),
            ("ListParts", pages),
            ("UploadPart", parts),
        ];
        assert_eq!(bench.china.counts(), counts(&destination), "{key}, destination");
    }
}

fn counts(rows: &[(&str, u64)]) -> BTreeMap<String, u64> {
    rows.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn sizes_at_every_border_arrive() {
    let bench = Bench::new().await;
    for size in [0, 1, PART - 1, PART, PART + 1, 2 * PART, 2 * PART + 1] {
        let (key, data) = (format!("size-{size}"), bytes(size, size as u64));
        bench.put(&key, &data);
        bench.copy(&key, &FLAGS).await.ok();
        bench.assert_same(&key, &data);
        let parts = if size <= PART { 0 } else { size.div_ceil(PART) };
        assert_eq!(bench.arrived(&key).unwrap().part_sizes.len(), parts, "{key}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_there_already_is_skipped_and_guarded() {
    let bench = Bench::new().await;
    for (key, size) in [("whole", 1_000), ("parts", 3 * PART)] {
        bench.put(key, &bytes(size, 3));
        bench.copy(key, &FLAGS).await.ok();
        bench.global.clear_requests();
        bench.china.clear_requests();
        let again = bench.copy(key, &FLAGS).await.ok();
        assert!(again.stdout.contains("skipped"), "{again:#?}");
        assert_eq!(bench.global.counts().get("GetObject"), None, "{key}");
        assert_eq!(bench.china.counts(), counts(&[("HeadObject", 1)]), "{key}");

        let never = bench.copy(key, &["--overwrite", "never"]).await;
        assert_eq!(never.code(), 1);
        assert!(never.stderr.contains("DestinationExists"), "{never:#?}");

        let before = bench.arrived(key).unwrap().last_modified;
        bench.copy(key, &[&["--overwrite", "always"], &FLAGS[..]].concat()).await.ok();
        assert!(bench.arrived(key).unwrap().last_modified > before, "{key} was not written again");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_newer_source_replaces_the_older_copy() {
    let bench = Bench::new().await;
    for seed in [4, 5] {
        let data = bytes(3 * PART, seed);
        bench.put("k", &data);
        bench.copy("k", &FLAGS).await.ok();
        bench.assert_same("k", &data);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn flags_reach_the_destination() {
    let bench = Bench::new().await;
    bench.put_with("k", &bytes(3 * PART, 6), &[("x-amz-meta-old", "1")], &[("old", "1")]);
    let key = "arn:aws-cn:kms:cn-north-1:123456789012:key/11111111-2222-3333-4444-555555555555";
    let flags = [
        "--storage-class",
        "GLACIER_IR",
        "--encryption",
        "kms",
        "--kms-key-id",
        key,
        "--metadata",
        "new=2",
        "--tag",
        "t=v",
    ];
    for limit in ["0", "1MiB"] {
        let flags: Vec<&str> =
            flags.into_iter().chain(["--overwrite", "always", "--whole-object-limit", limit]).collect();
        bench.copy("k", &flags).await.ok();
        let arrived = bench.arrived("k").unwrap();
        assert_eq!(arrived.storage_class, "GLACIER_IR");
        assert_eq!(arrived.header("x-amz-server-side-encryption"), Some("aws:kms"));
        assert_eq!(arrived.header("x-amz-server-side-encryption-aws-kms-key-id"), Some(key));
        assert_eq!((arrived.header("x-amz-meta-new"), arrived.header("x-amz-meta-old")), (Some("2"), None));
        assert_eq!(arrived.tags, [("t".to_owned(), "v".to_owned())]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_executions_input_can_be_given_as_it_is() {
    let bench = Bench::new().await;
    let data = bytes(1_000, 7);
    bench.put("k", &data);
    let input = serde_json::json!({
        "source": {"location": "global", "bucket": "photos", "key": "k"},
        "destination": {"location": "china", "bucket": "photos-cn", "key": "other"},
    });
    std::fs::write(bench.path("input.json"), input.to_string()).unwrap();
    bench.run(&["copy", "--input", "input.json", "--name", "by-hand"]).await.ok();
    bench.assert_same("other", &data);
    let described = bench.run(&["describe", "by-hand", "--output", "json"]).await.ok().json();
    assert_eq!(described["input"], input.to_string());

    let taken = bench.run(&["copy", "--input", "input.json", "--name", "by-hand"]).await;
    assert_eq!(taken.code(), 4, "{taken:#?}");
    assert!(taken.stderr.contains("ExecutionAlreadyExists"), "{taken:#?}");
}
