//! What tools do when things go wrong, on two strict S3 servers: pass or fail, not fast or slow.

use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result};
use rustix::process::{Pid, Signal, kill_process_group};
use strict_s3::{Action, BucketOptions, Direct, FaultPlan, Rule, Server, StoredObject};

use super::World;
use crate::pair::{BUCKET, Endpoint, Pair};
use crate::scratch::{PROFILES, keys};
use crate::table::markdown;
use crate::tools::{Job, Tool};

/// Bytes of the object: many parts for every tool.
const SIZE: u64 = 256 << 20;

/// The object's key.
const KEY: &str = "object";

/// Two strict servers, and the object in two versions.
struct Stage {
    runtime: tokio::runtime::Runtime,
    ends: [Server; 2],
    pair: Pair,
    old: Vec<u8>,
    new: Vec<u8>,
}

/// What lies at the destination afterwards.
#[derive(Debug, PartialEq, Eq)]
enum Found {
    Nothing,
    Old,
    New,
    Mixed,
}

const HEAD: [&str; 7] = [
    "tool",
    "source overwritten during the copy",
    "headers and metadata",
    "tags",
    "bit flipped in a GET",
    "bit flipped in a PUT",
    "killed and run again: sent twice",
];

/// Runs every check with every tool.
pub(super) fn run(world: &World) -> Result<()> {
    println!("### Faults, {} MiB, strict servers\n", SIZE >> 20);
    let mut rows = Vec::new();
    // The bare streamer signs nothing, and the servers are strict.
    for tool in world.tools.iter().copied().filter(|tool| *tool != Tool::Bare) {
        let kept = kept(world, tool)?;
        let [get, put] = [(0, "GetObject"), (1, "UploadPart")]
            .map(|(end, operation)| flipped(world, tool, end, operation));
        let row = [torn(world, tool)?, kept.0, kept.1, get?, put?, killed(world, tool)?];
        rows.push([vec![tool.name().to_owned()], row.to_vec()].concat());
    }
    println!("{}", markdown(&HEAD, &rows));
    Ok(())
}

impl Stage {
    fn new(world: &World) -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
        let start = |profile: &str| {
            let (access_key, secret) = keys(profile);
            let builder = Server::builder().credentials(access_key, secret);
            runtime.block_on(builder.bucket(BUCKET, BucketOptions::default()).start())
        };
        let ends = [start(PROFILES[0])?, start(PROFILES[1])?];
        let [source, destination] = [0, 1].map(|end| Endpoint::at(PROFILES[end], ends[end].address().port()));
        let read =
            |name, seed| -> Result<Vec<u8>> { Ok(std::fs::read(world.scratch.object(name, SIZE, seed)?)?) };
        let stage = Self {
            pair: Pair { source, destination, is_null: false, only_etags: false },
            old: read("old", 1)?,
            new: read("new", 2)?,
            runtime,
            ends,
        };
        stage.source().put_with(BUCKET, KEY, stage.old.clone(), headers(), tags()).context("no bucket")?;
        Ok(stage)
    }

    fn source(&self) -> Direct {
        self.ends[0].direct()
    }

    fn copy(&self) -> Option<StoredObject> {
        self.ends[1].direct().get(BUCKET, KEY)
    }

    fn found(&self) -> Result<Found> {
        let Some(copy) = self.copy() else { return Ok(Found::Nothing) };
        let bytes = copy.bytes()?;
        Ok(match bytes.as_ref() {
            bytes if bytes == self.old => Found::Old,
            bytes if bytes == self.new => Found::New,
            _ => Found::Mixed,
        })
    }

    /// Bytes of bodies that the destination received.
    fn received(&self) -> u64 {
        let writes = self.ends[1].requests().into_iter();
        writes
            .filter(|request| matches!(request.operation.as_str(), "UploadPart" | "PutObject"))
            .map(|request| request.bytes_in)
            .sum()
    }

    fn command(&self, world: &World, tool: Tool) -> Result<Command> {
        let mut command = tool.command(&Job {
            scratch: &world.scratch,
            installed: &world.installed,
            transload: &world.transload,
            pair: &self.pair,
            key: KEY,
            to: KEY,
            part_size: None,
        })?;
        let log = std::fs::File::create(world.scratch.log(&format!("check-{}", tool.slug())))?;
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log).process_group(0);
        Ok(command)
    }

    /// Exit code, and what lies at the destination.
    fn outcome(&self, world: &World, tool: Tool) -> Result<(bool, Found)> {
        let status = self.command(world, tool)?.status()?;
        Ok((status.success(), self.found()?))
    }

    fn end(self) {
        let [source, destination] = self.ends;
        self.runtime.block_on(async {
            source.shutdown().await;
            destination.shutdown().await;
        });
    }
}

fn headers() -> http::HeaderMap {
    let headers = [
        ("content-type", "video/x-peers"),
        ("cache-control", "max-age=60"),
        ("content-disposition", "attachment; filename=\"a b\""),
        ("x-amz-meta-colour", "blue"),
    ];
    headers
        .into_iter()
        .map(|(name, value)| (http::HeaderName::from_static(name), http::HeaderValue::from_static(value)))
        .collect()
}

fn tags() -> Vec<(String, String)> {
    vec![("team".to_owned(), "peers".to_owned())]
}

/// Overwrites the source before the third GET; a tool that sends only one reads one version whatever happens.
fn torn(world: &World, tool: Tool) -> Result<String> {
    let stage = Stage::new(world)?;
    let overwrite = Action::overwrite(BUCKET, KEY, stage.new.clone());
    stage.ends[0].set_faults(Rule::on("GetObject", overwrite).nth(3));
    let (success, found) = stage.outcome(world, tool)?;
    let gets = stage.ends[0].counts().get("GetObject").copied().unwrap_or(0);
    stage.end();
    Ok(match (success, found) {
        (true, Found::Mixed) => "FAIL: exit 0, mixed object".to_owned(),
        (false, Found::Mixed) => "FAIL: mixed object left".to_owned(),
        (true, found) if gets < 3 => format!("pass: one GET, {} object", word(&found)),
        (true, found) => format!("pass: {} object", word(&found)),
        (false, found) => format!("pass: refused, {} object", word(&found)),
    })
}

const fn word(found: &Found) -> &'static str {
    match found {
        Found::Nothing => "no",
        Found::Old => "old",
        Found::New => "new",
        Found::Mixed => "mixed",
    }
}

/// Whether headers and metadata, and tags, are at the destination.
fn kept(world: &World, tool: Tool) -> Result<(String, String)> {
    let stage = Stage::new(world)?;
    let (success, _) = stage.outcome(world, tool)?;
    let copy = stage.copy();
    stage.end();
    let Some(copy) = copy.filter(|_| success) else {
        return Ok(("FAIL: no copy".into(), "FAIL: no copy".into()));
    };
    let lost: Vec<String> = headers()
        .iter()
        .filter(|(name, value)| copy.header(name.as_str()) != value.to_str().ok())
        .map(|(name, _)| name.as_str().trim_start_matches("x-amz-meta-").to_owned())
        .collect();
    let headers = if lost.is_empty() { "pass".to_owned() } else { format!("FAIL: lost {}", lost.join(", ")) };
    Ok((headers, if copy.tags == tags() { "pass".to_owned() } else { "FAIL: lost".to_owned() }))
}

/// Flips a bit in the first GET's answer, or in the first PUT's body, once.
fn flipped(world: &World, tool: Tool, end: usize, operation: &str) -> Result<String> {
    let stage = Stage::new(world)?;
    let action = if end == 0 { Action::FlipResponse(1_000_000) } else { Action::FlipRequest(1_000_000) };
    stage.ends[end].set_faults(FaultPlan::from(Rule::on(operation, action).first(1)));
    let (success, found) = stage.outcome(world, tool)?;
    stage.end();
    Ok(match (success, found) {
        (true, Found::Old) => "pass: mended".to_owned(),
        (true, _) => "FAIL: exit 0, wrong bytes".to_owned(),
        (false, Found::Mixed) => "FAIL: wrong bytes left".to_owned(),
        (false, _) => "pass: refused".to_owned(),
    })
}

/// Kills the tool when half of the object has arrived, and runs it again.
fn killed(world: &World, tool: Tool) -> Result<String> {
    let stage = Stage::new(world)?;
    let mut child = stage.command(world, tool)?.spawn()?;
    while stage.received() < SIZE / 2 && child.try_wait()?.is_none() {
        std::thread::sleep(Duration::from_millis(2));
    }
    let done = child.try_wait()?.is_some();
    if let Some(group) = Pid::from_raw(child.id().cast_signed()).filter(|_| !done) {
        kill_process_group(group, Signal::KILL)?;
    }
    child.wait()?;
    let (success, found) = stage.outcome(world, tool)?;
    let twice = stage.received().saturating_sub(SIZE);
    stage.end();
    Ok(match (success, found) {
        _ if done => "it was too fast to be killed".to_owned(),
        (true, Found::Old) => format!("{:.0} %", 100.0 * twice as f64 / SIZE as f64),
        (_, found) => format!("FAIL: {} object", word(&found)),
    })
}
