//! What every test has: two servers with keys of their own, a home, a locations file, and the program.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue};
use strict_s3::{BucketOptions, Limits, Server, StoredObject};
use tempfile::TempDir;
use tokio::process::{Child, Command};

/// The source's bucket.
pub(crate) const SOURCE: &str = "photos";
/// The destination's bucket.
pub(crate) const DESTINATION: &str = "photos-cn";
/// Secrets that must not appear anywhere but where they belong.
pub(crate) const SECRETS: [&str; 2] = ["GlobalSecret0123456789", "ChinaSecret9876543210"];
/// Bytes of a part in most tests: small, so that few bytes make many parts.
pub(crate) const PART: usize = 256 << 10;

/// Two places and a home between them.
pub(crate) struct Bench {
    pub(crate) global: Server,
    pub(crate) china: Server,
    folder: TempDir,
}

/// Whatever a test did: database, results, logs and reports hold no secret.
impl Drop for Bench {
    fn drop(&mut self) {
        if std::thread::panicking() {
            return;
        }
        for secret in SECRETS {
            let found = found_in(&self.home(), secret);
            assert!(found.is_empty(), "a secret is in {found:?}");
        }
    }
}

/// Files below a folder that hold a text. What vanishes meanwhile holds nothing.
pub(crate) fn found_in(folder: &Path, text: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let in_entry = |path: PathBuf| {
        if path.is_dir() {
            return found_in(&path, text);
        }
        let bytes = if path.is_file() { std::fs::read(&path).unwrap_or_default() } else { Vec::new() };
        let holds = bytes.windows(text.len()).any(|window| window == text.as_bytes());
        if holds { vec![path] } else { Vec::new() }
    };
    entries.flat_map(|entry| in_entry(entry.path())).collect()
}

/// How a run of the program ended.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) status: ExitStatus,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ran {
    pub(crate) fn code(&self) -> i32 {
        self.status.code().unwrap_or(-1)
    }

    /// The run, if it was successful.
    #[track_caller]
    pub(crate) fn ok(self) -> Self {
        assert_eq!(self.code(), 0, "{self:#?}");
        self
    }

    #[track_caller]
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|e| panic!("{e}: {self:#?}"))
    }
}

async fn server(key: &str, secret: &str, bucket: &str, region: &str) -> Server {
    let limits = Limits { min_part: 64 << 10, ..Limits::default() };
    let builder = Server::builder().credentials(key, secret).region(region).limits(limits);
    builder.bucket(bucket, BucketOptions::default()).start().await.unwrap()
}

impl Bench {
    pub(crate) async fn new() -> Self {
        let bench = Self {
            global: server("AKIAGLOBAL", SECRETS[0], SOURCE, "us-east-1").await,
            china: server("AKIACHINA", SECRETS[1], DESTINATION, "cn-north-1").await,
            folder: tempfile::tempdir().unwrap(),
        };
        bench.write_locations();
        bench
    }

    /// One place by credentials file, the other by environment: the two ways that leave a secret to be lost.
    fn write_locations(&self) {
        let keys =
            format!("[default]\naws_access_key_id = AKIAGLOBAL\naws_secret_access_key = {}\n", SECRETS[0]);
        std::fs::write(self.path("keys"), keys).unwrap();
        let shared = "allow_http = true\npath_style = true\nlimits = { min_part = 65536 }\n\
                      patience = { stall_seconds = 2.0 }\n";
        let text = format!(
            "[locations.global]\nkind = \"s3\"\nregion = \"us-east-1\"\nendpoint = {:?}\ncredentials = {{ file = {:?} }}\n{shared}\n\
             [locations.china]\nkind = \"s3\"\nregion = \"cn-north-1\"\nendpoint = {:?}\ncredentials = {{ environment = \"CHINA\" }}\n{shared}",
            self.global.endpoint(),
            self.path("keys"),
            self.china.endpoint(),
        );
        std::fs::write(self.path("locations.toml"), text).unwrap();
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn home(&self) -> PathBuf {
        self.path("home")
    }

    /// The program with these arguments and an environment of the test's own.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_transload"));
        command
            .args(args)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.folder.path())
            .env("TRANSLOAD_HOME", self.home())
            .env("TRANSLOAD_LOCATIONS_FILE", self.path("locations.toml"))
            .env("CHINA_ACCESS_KEY_ID", "AKIACHINA")
            .env("CHINA_SECRET_ACCESS_KEY", SECRETS[1])
            .current_dir(self.folder.path())
            .kill_on_drop(true);
        command
    }

    pub(crate) async fn run(&self, args: &[&str]) -> Ran {
        let output = tokio::time::timeout(Duration::from_secs(180), self.command(args).output());
        let output = output.await.unwrap_or_else(|_| panic!("{args:?} hangs")).unwrap();
        let ran = Ran {
            status: output.status,
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        };
        for secret in SECRETS {
            assert!(!ran.stdout.contains(secret) && !ran.stderr.contains(secret), "{args:?}: {ran:#?}");
        }
        ran
    }

    /// `transload copy` of a key to the same key, with flags.
    pub(crate) async fn copy(&self, key: &str, flags: &[&str]) -> Ran {
        let (source, destination) = places(key);
        let args: Vec<&str> =
            ["copy", &source, &destination].into_iter().chain(flags.iter().copied()).collect();
        self.run(&args).await
    }

    /// The same, started and left alone.
    pub(crate) fn start_copy(&self, key: &str, flags: &[&str]) -> Child {
        let (source, destination) = places(key);
        let args: Vec<&str> =
            ["copy", &source, &destination].into_iter().chain(flags.iter().copied()).collect();
        self.command(&args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    /// Puts an object into the source.
    pub(crate) fn put(&self, key: &str, bytes: &[u8]) {
        self.put_with(key, bytes, &[], &[]);
    }

    pub(crate) fn put_with(
        &self,
        key: &str,
        bytes: &[u8],
        headers: &[(&'static str, &'static str)],
        tags: &[(&str, &str)],
    ) {
        let headers = headers.iter().map(|(n, v)| (HeaderName::from_static(n), HeaderValue::from_static(v)));
        let tags = tags.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
        let put =
            self.global.direct().put_with(SOURCE, key, bytes.to_vec(), headers.collect::<HeaderMap>(), tags);
        put.unwrap();
    }

    /// The object at the destination.
    pub(crate) fn arrived(&self, key: &str) -> Option<StoredObject> {
        self.china.direct().get(DESTINATION, key)
    }

    #[track_caller]
    pub(crate) fn assert_same(&self, key: &str, bytes: &[u8]) {
        let arrived = self.arrived(key).unwrap_or_else(|| panic!("no object {key}"));
        // Not assert_eq: it would print megabytes.
        assert!(arrived.bytes().unwrap() == bytes, "{key}: the bytes differ");
    }

    /// Neither an object nor an upload was left at the destination.
    #[track_caller]
    pub(crate) fn assert_nothing_left(&self, key: &str) {
        assert!(self.arrived(key).is_none(), "an object is there");
        assert_eq!(self.china.direct().uploads(DESTINATION), [], "an upload is open");
    }

    /// How often each part was sent.
    pub(crate) fn sent(&self) -> BTreeMap<u32, u64> {
        let records = self.china.requests().into_iter().filter(|r| r.operation == "UploadPart");
        records.filter_map(|r| r.part_number).fold(BTreeMap::new(), |mut sent, number| {
            *sent.entry(number).or_default() += 1;
            sent
        })
    }

    /// The parts that the destination has acknowledged.
    pub(crate) fn taken(&self) -> Vec<u32> {
        let records = self.china.requests().into_iter();
        let taken = records.filter(|r| r.operation == "UploadPart" && r.status == Some(200));
        taken.filter_map(|r| r.part_number).collect()
    }

    /// Waits until the destination has acknowledged so many parts.
    pub(crate) async fn until_sent(&self, parts: usize) {
        let acknowledged = || {
            self.china
                .requests()
                .iter()
                .filter(|r| r.operation == "UploadPart" && r.status == Some(200))
                .count()
        };
        let wait = async {
            while acknowledged() < parts {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(60), wait).await.expect("parts arrive");
    }
}

fn places(key: &str) -> (String, String) {
    (format!("global:s3://{SOURCE}/{key}"), format!("china:s3://{DESTINATION}/{key}"))
}

/// Waits for the end of a process that was started.
pub(crate) async fn ended(child: Child) -> Ran {
    let output = tokio::time::timeout(Duration::from_secs(120), child.wait_with_output())
        .await
        .expect("it ends")
        .unwrap();
    Ran {
        status: output.status,
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// Bytes without a period, the same each time.
pub(crate) fn bytes(len: usize, seed: u64) -> Vec<u8> {
    use rand::{RngCore, SeedableRng};
    let mut bytes = vec![0; len];
    rand::rngs::StdRng::seed_from_u64(seed).fill_bytes(&mut bytes);
    bytes
}
