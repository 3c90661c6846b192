//! Pairs of endpoints with different credentials.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::bare::Wire;
use crate::measure::used_by;
use crate::null::{Seen, Tree};
use crate::scratch::{PROFILES, Scratch, keys};

/// The bucket of every endpoint.
pub(crate) const BUCKET: &str = "bucket";

/// One S3 endpoint.
pub(crate) struct Endpoint {
    /// Of the credentials file.
    pub(crate) profile: &'static str,
    pub(crate) port: u16,
    process: Option<Child>,
}

impl Endpoint {
    /// A server in this process.
    pub(crate) const fn at(profile: &'static str, port: u16) -> Self {
        Self { profile, port, process: None }
    }

    pub(crate) fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Processor time so far.
    pub(crate) fn cpu(&self) -> Duration {
        self.process.as_ref().and_then(|process| used_by(process.id()).ok()).unwrap_or_default()
    }

    /// A connection to a null server.
    pub(crate) fn wire(&self) -> Result<Wire> {
        Wire::open(&self.address(), &keys(self.profile).0)
    }

    /// What a null server was asked; `reset` begins anew.
    pub(crate) fn seen(&self, reset: bool) -> Result<Seen> {
        let path = if reset { "/-/reset" } else { "/-/seen" };
        let (_, body) = self.wire()?.call(if reset { "POST" } else { "GET" }, path, "")?;
        Ok(serde_json::from_str(&body)?)
    }

    /// What stands at a null server below a prefix of the bucket.
    pub(crate) fn tree(&self, prefix: &str) -> Result<Tree> {
        let (_, body) = self.wire()?.call("GET", &format!("/-/tree/{BUCKET}/{prefix}"), "")?;
        Ok(serde_json::from_str(&body)?)
    }
}

impl Drop for Endpoint {
    fn drop(&mut self) {
        if let Some(process) = &mut self.process {
            // It may have ended by itself.
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}

/// A source and a destination.
pub(crate) struct Pair {
    pub(crate) source: Endpoint,
    pub(crate) destination: Endpoint,
    /// Whether requests are counted and checksums of what was received are known.
    pub(crate) is_null: bool,
    /// Whether ETags are all that proves the bytes: SeaweedFS tells no checksums of parts.
    pub(crate) only_etags: bool,
}

impl Pair {
    /// Two null servers; the source serves `directory`.
    pub(crate) fn null(scratch: &Scratch, directory: &Path, slow: bool) -> Result<Self> {
        let empty = scratch.path("empty");
        fs::create_dir_all(&empty)?;
        let [source, destination] = [(PROFILES[0], directory), (PROFILES[1], empty.as_path())]
            .map(|(profile, directory)| null_server(profile, directory, slow));
        Ok(Self { source: source?, destination: destination?, is_null: true, only_etags: false })
    }

    /// Two SeaweedFS servers with a bucket each.
    pub(crate) fn seaweed(scratch: &Scratch, weed: &Path) -> Result<Self> {
        let [source, destination] = PROFILES.map(|profile| seaweed(scratch, weed, profile));
        Ok(Self { source: source?, destination: destination?, is_null: false, only_etags: true })
    }
}

fn null_server(profile: &'static str, directory: &Path, slow: bool) -> Result<Endpoint> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["null", "--access-key", &keys(profile).0, "--directory"]).arg(directory);
    if slow {
        // As one connection to S3 from a machine in its Region: some 30 ms to the first byte, some 90 MB/s.
        command.args(["--first-byte-ms", "30", "--mb-per-second", "90"]);
    }
    let mut process = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?;
    let mut line = String::new();
    BufReader::new(process.stdout.take().context("no stdout")?).read_line(&mut line)?;
    let port =
        line.trim().parse().with_context(|| format!("null server: expected a port, found {line:?}"))?;
    Ok(Endpoint { profile, port, process: Some(process) })
}

/// Ports that are free now, with room for SeaweedFS's second port at + 10,000; below those that the system hands out.
pub(crate) fn free_ports<const N: usize>() -> Result<[u16; N]> {
    let mut held = Vec::new();
    let mut candidate = 11_000 + (std::process::id() % 8_000) as u16;
    while held.len() < N {
        candidate += 7;
        let pair = [candidate, candidate + 10_000].map(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, port)));
        if let [Ok(low), Ok(high)] = pair {
            held.push((candidate, low, high));
        }
        if candidate > 22_000 {
            bail!("no free ports");
        }
    }
    let ports: Vec<u16> = held.iter().map(|(port, ..)| *port).collect();
    Ok(std::array::from_fn(|index| ports[index]))
}

fn seaweed(scratch: &Scratch, weed: &Path, profile: &'static str) -> Result<Endpoint> {
    let directory = scratch.path(&format!("weed-{profile}"));
    fs::create_dir_all(&directory)?;
    let config = directory.join("s3.json");
    fs::write(&config, identities(profile).to_string())?;
    let [master, volume, filer, port] = free_ports::<4>()?;
    let path = scratch.log(&format!("weed-{profile}"));
    let log = fs::File::create(&path)?;
    let mut command = Command::new(weed);
    command.arg("server").arg(format!("-dir={}", directory.display()));
    command.args(["-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-s3", "-filer", "-master.telemetry=false"]);
    // Catalogues that no one asked for, on fixed ports.
    command.args(["-s3.port.iceberg=0", "-s3.port.lance=0"]);
    command.args(["-master.volumeSizeLimitMB=1024", "-volume.max=40"]);
    command.args([format!("-master.port={master}"), format!("-volume.port={volume}")]);
    command.args([format!("-filer.port={filer}"), format!("-s3.port={port}")]);
    command.arg(format!("-s3.config={}", config.display()));
    command.env_clear().env("HOME", scratch.path("home")).env("PATH", "/usr/bin:/bin");
    let process = command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log).spawn()?;
    let endpoint = Endpoint { profile, port, process: Some(process) };
    wait_for(port, Duration::from_secs(60)).with_context(|| fs::read_to_string(&path).unwrap_or_default())?;
    Ok(endpoint)
}

fn identities(profile: &str) -> serde_json::Value {
    let (access, secret) = keys(profile);
    serde_json::json!({"identities": [{
        "name": profile,
        "credentials": [{"accessKey": access, "secretKey": secret}],
        "actions": ["Admin", "Read", "Write", "List", "Tagging"],
    }]})
}

fn wait_for(port: u16, limit: Duration) -> Result<()> {
    let start = Instant::now();
    while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
        if start.elapsed() > limit {
            bail!("nothing listens on port {port} after {limit:?}");
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    Ok(())
}

impl Pair {
    /// Makes the buckets and puts `file` into the source as `real`.
    pub(crate) fn fill(
        &self,
        scratch: &Scratch,
        installed: &crate::install::Installed,
        file: &Path,
    ) -> Result<()> {
        let aws = installed.program("aws").context("the AWS CLI fills the source, and is not installed")?;
        for endpoint in [&self.source, &self.destination] {
            let bucket = format!("s3://{BUCKET}");
            retry(|| cli(scratch, &aws, endpoint, &["s3", "mb", &bucket]))?;
        }
        let to = format!("s3://{BUCKET}/real");
        cli(scratch, &aws, &self.source, &["s3", "cp", "--quiet", &file.to_string_lossy(), &to])
    }
}

/// A server that listens may not be ready yet.
fn retry(mut action: impl FnMut() -> Result<()>) -> Result<()> {
    for _ in 0..30 {
        if action().is_ok() {
            return Ok(());
        }
        std::thread::sleep(Duration::from_secs(1));
    }
    action()
}

fn cli(scratch: &Scratch, aws: &Path, endpoint: &Endpoint, arguments: &[&str]) -> Result<()> {
    let mut command = Command::new(aws);
    command.env_clear().env("PATH", "/usr/bin:/bin").env("HOME", scratch.path("home"));
    command.env("AWS_SHARED_CREDENTIALS_FILE", scratch.path("credentials"));
    command.env("AWS_CONFIG_FILE", scratch.path("config")).env("AWS_EC2_METADATA_DISABLED", "true");
    command.args(["--profile", endpoint.profile, "--endpoint-url", &endpoint.url()]).args(arguments);
    let output = command.output()?;
    let error = String::from_utf8_lossy(&output.stderr);
    // An earlier try may have made the bucket although its answer was lost.
    if !output.status.success() && !error.contains("BucketAlreadyOwnedByYou") {
        bail!("aws {}: {}", arguments.join(" "), error.trim());
    }
    Ok(())
}
