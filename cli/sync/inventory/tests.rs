//! Inventories in a folder, as S3 lays them out, and what may be wrong with them.

use std::io::Write;
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use md5::{Digest, Md5};
use serde_json::{Value, json};
use tempfile::TempDir;
use transload_store::work::MemoryFiles;
use transload_wire::Tree;

use super::{Where, hex, read};
use crate::exit::{CliError, Exit};

const SCHEMA: &str =
    "Bucket, Key, VersionId, IsLatest, IsDeleteMarker, Size, LastModifiedDate, ETag, StorageClass";
/// Key of the folder of data files.
const DATA: &str = "inventories/photos/daily/data";

/// A folder with an inventory.
struct Inventory {
    folder: TempDir,
    document: Value,
}

fn packed(text: &[u8]) -> Vec<u8> {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
    gzip.write_all(text).unwrap();
    gzip.finish().unwrap()
}

fn md5(bytes: &[u8]) -> String {
    hex(&Md5::digest(bytes))
}

/// A row of the newest version.
fn row(key: &str) -> String {
    of(key, "true", "false")
}

fn of(key: &str, latest: &str, marker: &str) -> String {
    format!(
        "\"photos\",\"{key}\",\"v\",\"{latest}\",\"{marker}\",\"5\",\"2026-11-20T01:02:03.000Z\",\"e-2\",\"STANDARD\"\n"
    )
}

impl Inventory {
    fn new(files: &[&str]) -> Self {
        let document = json!({
            "sourceBucket": "photos", "destinationBucket": "arn:aws-cn:s3:::lists", "version": "2016-11-30",
            "creationTimestamp": "1763600523000", "fileFormat": "CSV", "fileSchema": SCHEMA, "files": [],
        });
        let mut inventory = Self { folder: tempfile::tempdir().unwrap(), document };
        for text in files {
            inventory.add(&packed(text.as_bytes()));
        }
        inventory
    }

    /// Adds a file with its true size and MD5.
    fn add(&mut self, bytes: &[u8]) -> PathBuf {
        let files = self.document["files"].as_array_mut().unwrap();
        let key = format!("{DATA}/{}.csv.gz", files.len());
        files.push(json!({"key": key, "size": bytes.len(), "MD5checksum": md5(bytes)}));
        self.write(&key, bytes)
    }

    fn write(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, bytes).unwrap();
        path
    }

    /// What it is made into, with its manifest at this place.
    async fn made_at(&self, name: &str) -> Result<String, CliError> {
        let path = self.write(name, self.document.to_string().as_bytes());
        made(&path).await
    }

    async fn made(&self) -> Result<String, CliError> {
        self.made_at("inventories/photos/daily/2026-11-20T01-00Z/manifest.json").await
    }

    async fn refused(&self) -> String {
        let refused = self.made().await.unwrap_err();
        assert_eq!(refused.exit, Exit::Usage);
        refused.to_string()
    }
}

async fn made(path: &Path) -> Result<String, CliError> {
    let source =
        Tree { location: "g".parse().unwrap(), bucket: "photos".parse().unwrap(), prefix: "in/".to_owned() };
    let files = MemoryFiles::new("work");
    let place = Where::File(path.to_owned());
    let inventory =
        read(&place, &source, "sync-x", || panic!("a file needs no location")).await.inspect_err(|_| {
            assert!(files.all().is_empty());
        })?;
    let put = inventory.upload(&files).await;
    let all = files.all();
    match put {
        Ok(()) => Ok(String::from_utf8(all["manifests/sync-x"].to_vec()).unwrap()),
        Err(error) => {
            assert!(all.is_empty(), "a refusal leaves nothing");
            Err(error)
        }
    }
}

#[tokio::test]
async fn the_newest_versions_below_the_prefix_are_what_is_left() {
    let first = [row("in/a+b"), of("in/old", "false", "false"), of("in/gone", "true", "true"), row("out/a")];
    let inventory = Inventory::new(&[&first.concat(), "", row("in/c%2Fd").trim_end()]);
    let facts = r#""size":5,"etag":"e-2","lastModified":"2026-11-20T01:02:03Z""#;
    let expected = format!("{{\"key\":\"in/a b\",{facts}}}\n{{\"key\":\"in/c/d\",{facts}}}\n");
    assert_eq!(inventory.made().await.unwrap(), expected);
}

#[tokio::test]
async fn data_files_are_found_however_they_were_downloaded() {
    for (manifest, folder) in [
        ("inventories/photos/daily/2026-11-20T01-00Z/manifest.json", DATA),
        ("mine/2026-11-20T01-00Z/manifest.json", "mine/data"),
        ("flat/manifest.json", "flat"),
    ] {
        let mut inventory = Inventory::new(&[]);
        let path = inventory.add(&packed(row("in/a").as_bytes()));
        let to = inventory.folder.path().join(folder);
        std::fs::create_dir_all(&to).unwrap();
        std::fs::rename(&path, to.join("0.csv.gz")).unwrap();
        assert_eq!(inventory.made_at(manifest).await.unwrap().lines().count(), 1, "{manifest}");
        std::fs::remove_file(to.join("0.csv.gz")).unwrap();
        let missing = inventory.made_at(manifest).await.unwrap_err().to_string();
        assert!(missing.contains("0.csv.gz (a file of manifest.json), found none"), "{missing}");
    }
    let mut outside = Inventory::new(&[&row("in/a")]);
    outside.document["files"][0]["key"] = json!("../../../../../../../../etc/hostname");
    assert!(outside.refused().await.contains("found none"));
}

#[tokio::test]
async fn a_file_that_is_not_the_one_that_s3_wrote_is_refused() {
    let text: String = (0..5_000).map(|n| row(&format!("in/{n}"))).collect();
    for at in [0, 1_000] {
        let mut inventory = Inventory::new(&[]);
        let mut bytes = packed(text.as_bytes());
        let path = inventory.add(&bytes);
        bytes[at] ^= 1;
        std::fs::write(&path, &bytes).unwrap();
        let refused = inventory.refused().await;
        assert!(refused.contains("0.csv.gz: expected MD5 ") && refused.contains("nothing was started"));
        bytes.pop();
        std::fs::write(&path, &bytes).unwrap();
        let told = format!("expected {} bytes (as manifest.json says)", bytes.len() + 1);
        assert!(inventory.refused().await.contains(&told));
    }
    // As S3 wrote them, and yet nothing that can be read.
    let half = &packed(text.as_bytes())[..500];
    let bomb = packed(&vec![b'x'; 200 << 10]);
    for (bytes, told) in [
        (row("in/a").as_bytes(), "0.csv.gz: expected gzip"),
        (half, "0.csv.gz: expected gzip"),
        (&bomb, "0.csv.gz: expected lines of at most 65536 bytes"),
    ] {
        let mut inventory = Inventory::new(&[]);
        inventory.add(bytes);
        let refused = inventory.refused().await;
        assert!(refused.contains(told), "{told}: {refused}");
    }
}

#[tokio::test]
async fn bad_rows_are_told_by_file_and_line() {
    let bad = [row("in/a"), "\n".to_owned(), of("in/b", "maybe", "false"), row("in/c")];
    let other = row("in/d").replace("photos", "videos");
    let refused = Inventory::new(&[&bad.concat(), &other]).refused().await;
    for told in ["2 bad rows\n", "0.csv.gz line 3: IsLatest: expected", "1.csv.gz line 1: Bucket: expected"] {
        assert!(refused.contains(told), "{told}: {refused}");
    }
    let many = "x\n".repeat(25);
    let refused = Inventory::new(&[&many]).refused().await;
    assert!(refused.contains("25 bad rows") && refused.contains("and 5 more"), "{refused}");
    assert_eq!(refused.matches(" line ").count(), 20);
}

#[tokio::test]
async fn what_manifest_json_says_is_checked_by_its_fields() {
    for (field, value, told) in [
        ("sourceBucket", json!("videos"), "sourceBucket: expected photos (of the source), found \"videos\""),
        ("fileFormat", json!("ORC"), "fileFormat: expected CSV, found ORC: let S3 write"),
        ("fileFormat", json!("Parquet"), "fileFormat: expected CSV, found Parquet"),
        ("fileSchema", json!("Bucket, Size"), "fileSchema: expected a column Key"),
        ("fileSchema", json!(null), "fileSchema: invalid type"),
        ("destinationBucket", json!("arn:aws:s3:::"), "destinationBucket: expected a bucket"),
        ("files", json!([{"key": "a", "size": 1, "MD5checksum": "x"}]), "files[0].MD5checksum: expected 32"),
        ("files", json!([{"key": "a", "size": 1}]), "files[0]: missing field `MD5checksum`"),
    ] {
        let mut inventory = Inventory::new(&[&row("in/a")]);
        inventory.document[field] = value;
        let refused = inventory.refused().await;
        assert!(refused.contains(told), "{told}: {refused}");
    }
}

#[tokio::test]
async fn manifest_json_is_held_against_its_checksum_where_there_is_one() {
    let inventory = Inventory::new(&[&row("in/a")]);
    let name = "inventories/photos/daily/2026-11-20T01-00Z/manifest.checksum";
    let sum = md5(inventory.document.to_string().as_bytes());
    inventory.write(name, format!("{sum}\n").as_bytes());
    assert!(inventory.made().await.is_ok());
    inventory.write(name, md5(b"other").as_bytes());
    assert!(inventory.refused().await.contains("(manifest.checksum beside it), found "));
    let nothing = made(Path::new("/nowhere/manifest.json")).await.unwrap_err().to_string();
    assert!(nothing.contains("--inventory /nowhere/manifest.json: expected manifest.json"), "{nothing}");
}

#[test]
fn a_place_is_a_file_or_an_object_at_a_location() {
    for text in ["manifest.json", "/a:b/manifest.json"] {
        assert_eq!(text.parse(), Ok(Where::File(text.into())));
    }
    let stored: Where = "global:s3://lists/a/manifest.json".parse().unwrap();
    assert!(matches!(stored, Where::Stored(_)) && stored.to_string() == "global:s3://lists/a/manifest.json");
    for text in ["s3://lists/a/manifest.json", "global:s3://lists"] {
        assert!(text.parse::<Where>().is_err(), "{text}");
    }
}
