//! `--inventory`: an inventory as S3 writes it, in a bucket of a strict server or in a folder, and what has happened since.

use std::io::Write;
use std::time::UNIX_EPOCH;

use flate2::Compression;
use flate2::write::GzEncoder;
use md5::{Digest, Md5};
use serde_json::{Value, json};
use stepfunctions_local::Timestamp;
use strict_s3::BucketOptions;

use crate::support::{Bench, DESTINATION, Ran, SOURCE, bytes};

/// The bucket that S3 writes inventories into.
const LISTS: &str = "lists";
/// Where inventories of the source stand there.
const FOLDER: &str = "inventories/photos/daily";
const SCHEMA: &str = "Bucket, Key, VersionId, IsLatest, IsDeleteMarker, Size, LastModifiedDate, ETag, StorageClass, IsMultipartUploaded";
/// Objects of an inventory by their keys.
type Files = Vec<(String, Vec<u8>)>;

/// Objects above this have an execution of their own.
const LARGE: usize = 100_000;

fn hex(bytes: &[u8]) -> String {
    Md5::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// As S3 writes keys into inventories.
fn encoded(key: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./".contains(&byte);
    let one = |byte: u8| match byte {
        b' ' => "+".to_owned(),
        byte if plain(byte) => char::from(byte).to_string(),
        byte => format!("%{byte:02X}"),
    };
    key.bytes().map(one).collect()
}

/// The rows of what stands in the source now, with some that are no objects.
fn rows(bench: &Bench) -> Vec<String> {
    let direct = bench.global.direct();
    let row = |key: &String| {
        let object = direct.get(SOURCE, key).unwrap();
        let since = object.last_modified.duration_since(UNIX_EPOCH).unwrap();
        let time = Timestamp::from_millis(since.as_millis() as i64).to_rfc3339();
        let (key, size, etag, class) = (encoded(key), object.size, object.etag, object.storage_class);
        format!(
            "\"{SOURCE}\",\"{key}\",\"\",\"true\",\"false\",\"{size}\",\"{time}\",\"{etag}\",\"{class}\",\"false\"\n"
        )
    };
    let mut rows: Vec<String> = direct.keys(SOURCE).iter().map(row).collect();
    for (latest, marker) in [(false, false), (true, true)] {
        rows.push(format!(
            "\"{SOURCE}\",\"in/was+here\",\"v\",\"{latest}\",\"{marker}\",\"\",\"\",\"\",\"\",\"\"\n"
        ));
    }
    rows
}

/// The files of an inventory by their keys: two data files, what `alter` leaves of `manifest.json`, and its checksum.
fn files(rows: &[String], alter: impl FnOnce(&mut Value)) -> Files {
    let pack = |rows: &[String]| {
        let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
        gzip.write_all(rows.concat().as_bytes()).unwrap();
        gzip.finish().unwrap()
    };
    let (first, second) = rows.split_at(rows.len() / 2);
    let mut files: Vec<_> = [first, second]
        .iter()
        .enumerate()
        .map(|(n, rows)| (format!("{FOLDER}/data/{n}.csv.gz"), pack(rows)))
        .collect();
    let named: Vec<Value> = files
        .iter()
        .map(|(key, bytes)| json!({"key": key, "size": bytes.len(), "MD5checksum": hex(bytes)}))
        .collect();
    let mut document = json!({
        "sourceBucket": SOURCE, "destinationBucket": format!("arn:aws:s3:::{LISTS}"), "version": "2016-11-30",
        "creationTimestamp": "1763600523000", "fileFormat": "CSV", "fileSchema": SCHEMA, "files": named,
    });
    alter(&mut document);
    let text = document.to_string().into_bytes();
    files.push((format!("{FOLDER}/2026-11-20T01-00Z/manifest.checksum"), hex(&text).into_bytes()));
    files.push((format!("{FOLDER}/2026-11-20T01-00Z/manifest.json"), text));
    files
}

/// Puts an inventory where S3 would.
fn written(bench: &Bench, files: Files) {
    bench.global.direct().bucket(LISTS, BucketOptions::default());
    for (key, bytes) in files {
        bench.global.direct().put(LISTS, &key, bytes).unwrap();
    }
}

async fn run(bench: &Bench, command: &str, flags: &[&str]) -> Ran {
    let (source, destination) =
        (format!("global:s3://{SOURCE}/in/"), format!("china:s3://{DESTINATION}/out/"));
    let limits = ["--batch-object-limit", "100000", "--whole-object-limit", "1000000"];
    bench.run(&[&[command, &source, &destination][..], &limits, flags].concat()).await
}

fn place() -> String {
    format!("global:s3://{LISTS}/{FOLDER}/2026-11-20T01-00Z/manifest.json")
}

async fn bench() -> Bench {
    let bench = Bench::new().await;
    for n in 0..40 {
        bench.put(&format!("in/{n} b+c"), &bytes(n * 100, n as u64));
    }
    bench.put("in/large", &bytes(LARGE + 1, 100));
    bench.put("in/large and gone", &bytes(LARGE + 2, 101));
    bench.put_with("in/cold", b"cold", &[("x-amz-storage-class", "GLACIER")], &[]);
    bench.put("other/1", b"not below the prefix");
    for (key, there) in [("5 b+c", bytes(500, 5)), ("6 b+c", b"older".to_vec())] {
        bench.china.direct().put(DESTINATION, &format!("out/{key}"), there).unwrap();
    }
    bench
}

/// Requests of this kind for objects of the source, by their keys.
fn asked(bench: &Bench, operation: &str) -> Vec<String> {
    let records = bench.global.requests().into_iter();
    let of = records.filter(|r| r.operation == operation && r.bucket.as_deref() == Some(SOURCE));
    let mut keys: Vec<String> = of.filter_map(|r| r.key).collect();
    keys.sort();
    keys
}

#[tokio::test(flavor = "multi_thread")]
async fn an_inventory_in_a_bucket_stands_for_listing_and_looks_at_the_source() {
    let bench = bench().await;
    let inventory = rows(&bench);
    written(&bench, files(&inventory, |_| ()));
    let ran = run(&bench, "plan", &["--inventory", &place(), "--output", "json"]).await.ok();
    let told = "inventory of 2025-11-20 01:02:03 UTC: 46 rows, 43 objects; left out: 1 outside of \"in/\", \
                1 delete marker, 1 older version";
    assert!(ran.stderr.contains(told), "{}", ran.stderr);
    let planned = ran.json();
    assert_eq!(planned["found"]["listed"]["objects"], 43);
    assert_eq!(planned["found"]["present"]["objects"], 1);
    assert_eq!(planned["found"]["skipped"]["archived"]["objects"], 1);
    assert_eq!(asked(&bench, "HeadObject"), ["in/large", "in/large and gone"], "those that go alone");
    assert_eq!(asked(&bench, "ListObjectsV2"), [""; 0]);

    // Two days of life.
    bench.put("in/3 b+c", b"another version");
    bench.put("in/new", b"after the inventory");
    bench.put("in/large", &bytes(LARGE + 500, 102));
    for gone in ["in/4 b+c", "in/large and gone"] {
        assert!(bench.global.direct().delete(SOURCE, gone));
    }
    let before = asked(&bench, "HeadObject").len();
    let done = run(&bench, "sync", &["--inventory", &place(), "--output", "json"]).await.ok().json();
    let counts = &done["counts"];
    assert_eq!(counts["listed"]["objects"], 43);
    assert_eq!((&counts["present"]["objects"], &counts["failed"]["objects"]), (&1.into(), &0.into()));
    assert_eq!(counts["copied"]["objects"], 43 - 1 - 1 - 2, "{done:#}");
    let there = |key: &str| bench.china.direct().get(DESTINATION, key).map(|object| object.bytes().unwrap());
    assert_eq!(there("out/3 b+c").unwrap(), b"another version"[..], "as it is now");
    assert_eq!(there("out/6 b+c").unwrap(), bytes(600, 6));
    assert_eq!(there("out/large").unwrap(), bytes(LARGE + 500, 102));
    for none in ["out/4 b+c", "out/large and gone", "out/new", "out/cold", "out/was here"] {
        assert!(there(none).is_none(), "{none}");
    }
    // Only what changed in a batch, and what goes alone.
    let mut heads = asked(&bench, "HeadObject").split_off(0);
    assert!(heads.len() > before);
    heads.retain(|key| !["in/3 b+c", "in/4 b+c", "in/large", "in/large and gone"].contains(&key.as_str()));
    assert_eq!(heads, [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_inventory_that_can_not_be_trusted_starts_nothing() {
    let bench = bench().await;
    let inventory = rows(&bench);
    let first = format!("{FOLDER}/data/0.csv.gz");
    let whole = || files(&inventory, |_| ());
    let altered = |alter: fn(&mut Value)| files(&inventory, alter);
    let with = |key: &str, change: fn(&mut Vec<u8>)| {
        let mut files = whole();
        files.iter_mut().filter(|(name, _)| name == key).for_each(|(_, bytes)| change(bytes));
        files
    };
    let without = |key: &str| whole().into_iter().filter(|(name, _)| name != key).collect();
    let mut bad = inventory.clone();
    bad[1] = bad[1].replace("\"true\"", "\"perhaps\"");
    bad[30] = bad[30].replacen(SOURCE, "videos", 1);
    let sum = format!("{FOLDER}/2026-11-20T01-00Z/manifest.checksum");
    let rows: Vec<(Files, &[&str])> = vec![
        (with(&first, |bytes| bytes[300] ^= 1), &["data/0.csv.gz: expected MD5 "]),
        (
            with(&first, |bytes| bytes.truncate(bytes.len() - 1)),
            &["data/0.csv.gz: expected ", " bytes (as manifest.json says)"],
        ),
        (without(&first), &["data/0.csv.gz (a file of manifest.json), found none"]),
        (
            altered(|text| text["files"][1]["MD5checksum"] = json!(hex(b"x"))),
            &["data/1.csv.gz: expected MD5 "],
        ),
        (
            altered(|text| text["sourceBucket"] = json!("videos")),
            &["sourceBucket: expected photos (of the source)"],
        ),
        (altered(|text| text["fileFormat"] = json!("ORC")), &["fileFormat: expected CSV, found ORC"]),
        (altered(|text| text["fileFormat"] = json!("Parquet")), &["fileFormat: expected CSV, found Parquet"]),
        (with(&sum, |bytes| bytes[0] ^= 1), &["(manifest.checksum beside it)"]),
        (
            files(&bad, |_| ()),
            &["2 bad rows", "data/0.csv.gz line 2: IsLatest", "data/1.csv.gz line 8: Bucket"],
        ),
    ];
    let keys = bench.china.direct().keys(DESTINATION);
    for (files, told) in rows {
        for key in bench.global.direct().keys(LISTS) {
            bench.global.direct().delete(LISTS, &key);
        }
        written(&bench, files);
        let ran = run(&bench, "sync", &["--inventory", &place(), "--name", "none"]).await;
        assert_eq!(ran.code(), 2, "{told:?}: {ran:#?}");
        for told in told {
            assert!(ran.stderr.contains(told), "{told}: {ran:#?}");
        }
        assert_eq!(bench.run(&["describe", "sync-none"]).await.code(), 3, "{told:?}");
    }
    for (flags, told) in
        [(&["--delete"][..], "cannot be used with"), (&["--manifest", "mine.csv"], "cannot be used with")]
    {
        let ran = run(&bench, "sync", &[&["--inventory", &place()], flags].concat()).await;
        assert!(ran.code() == 2 && ran.stderr.contains(told), "{ran:#?}");
    }
    let ran = run(&bench, "sync", &["--inventory", "mars:s3://lists/manifest.json"]).await;
    assert!(ran.code() == 3 && ran.stderr.contains("no location mars"), "{ran:#?}");
    assert_eq!(bench.china.direct().keys(DESTINATION), keys);
    assert_eq!(asked(&bench, "HeadObject"), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_inventory_in_a_folder_without_facts_is_looked_at_object_by_object() {
    let bench = bench().await;
    let short = |row: &String| {
        let fields: Vec<&str> = row.trim_end().split(',').collect();
        (fields[3] == "\"true\"" && fields[4] == "\"false\"")
            .then(|| format!("{},{}\n", fields[0], fields[1]))
    };
    let inventory: Vec<String> = rows(&bench).iter().filter_map(short).collect();
    for (name, bytes) in files(&inventory, |text| text["fileSchema"] = json!("Bucket, Key")) {
        // As it was downloaded: without what stands in front of it in the bucket.
        let path = bench.path(name.strip_prefix("inventories/photos/").unwrap());
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }
    let flags = ["--inventory", "daily/2026-11-20T01-00Z/manifest.json", "--output", "json"];
    let ran = run(&bench, "sync", &flags).await.ok();
    assert!(ran.stderr.contains("each object is looked at"), "{}", ran.stderr);
    assert_eq!(ran.json()["counts"]["copied"]["objects"], 43 - 2);
    assert!(asked(&bench, "HeadObject").len() >= 43);
    assert_eq!(bench.global.requests().iter().filter(|r| r.bucket.as_deref() == Some(LISTS)).count(), 0);
}
